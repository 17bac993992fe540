"""Pose2Sim's markers and calibration: a small set of the same layout, and the real one where it is."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from app.datasets.read.pose2sim import joint_name, read_trc
from app.footage import open_footage

MARKERS = ("RHip", "LBigToe", "Head")
POINTS = np.random.default_rng(0).normal(0, 1, (4, 3, 3))
TURN = np.array([1.2, 0.4, -0.3])
T = np.array([0.1, 0.9, 3.0])

CAMERA = """
[cam_01]
name = "cam_01"
size = [ 1088.0, 1920.0]
matrix = [ [ 1681.2, 0.0, 533.0], [ 0.0, 1681.1, 948.1], [ 0.0, 0.0, 1.0]]
distortions = [ -0.0007, 0.002, 9.5e-06, 1.1e-05]
rotation = [ 1.2, 0.4, -0.3]
translation = [ 0.1, 0.9, 3.0]
fisheye = false

[metadata]
adjusted = false
error = 0.0
"""


def trc(points: np.ndarray = POINTS, unit: str = "m", about: str = "trial_0-4.trc") -> str:
    """World points (N, M, 3), z up, as a trc with y up."""
    turned = points[..., [1, 2, 0]] * (1000 if unit == "mm" else 1)
    names = "\t\t\t".join(MARKERS)
    axes = "\t".join(f"{a}{k + 1}" for k in range(len(MARKERS)) for a in "XYZ")
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{about}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"60\t60\t{len(points)}\t{len(MARKERS)}\t{unit}\t60\t0\t{len(points)}",
        f"Frame#\tTime\t{names}\t\t",
        f"\t\t{axes}",
    ]
    for i, row in enumerate(turned):
        values = "\t".join("" if np.isnan(v) else repr(float(v)) for v in row.ravel())
        lines.append(f"{i + 1}\t{(i + 1) / 60}\t{values}")
    return "\n".join(lines) + "\n"


def save(root: Path, text: str | None = None, calibration: str = CAMERA) -> Path:
    (root / "markers.trc").write_text(trc() if text is None else text)
    (root / "calibration.toml").write_text(calibration)
    return root


@pytest.mark.parametrize("unit", ["m", "mm"])
def test_world_axes_are_the_trcs_z_x_y(tmp_path: Path, unit: str) -> None:
    markers = read_trc(save(tmp_path, trc(unit=unit)) / "markers.trc")
    assert markers.layout.joints == ("right_hip", "left_big_toe", "head_top")
    assert (markers.fps, markers.first) == (60.0, 0)
    np.testing.assert_allclose(markers.points, POINTS, atol=1e-12)


def test_markers_come_in_camera_coordinates(tmp_path: Path) -> None:
    truth = open_truth(save(tmp_path))
    assert (truth.kind, truth.root) == ("pose2sim", tmp_path)
    (view,) = truth.views
    assert (view.name, view.n_frames, view.fps, view.source) == ("cam_01", 4, 60.0, None)
    frame = view.frame(2)
    assert frame.camera is not None
    np.testing.assert_array_equal(frame.camera.dist, (-0.0007, 0.002, 9.5e-06, 1.1e-05, 0.0))
    assert (frame.camera.width, frame.camera.height) == (1088, 1920)
    np.testing.assert_allclose(
        frame.people[0].points_3d[0].xyz, POINTS[2] @ cv2.Rodrigues(TURN)[0].T + T, atol=1e-12
    )


def test_missing_points_are_not_known(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[0, 1], points[1, 2] = np.nan, 0.0
    view = open_truth(save(tmp_path, trc(points))).views[0]
    known = [np.isfinite(view.frame(i).people[0].points_3d[0].xyz).all(axis=1).tolist() for i in (0, 1)]
    assert known == [[True, False, True], [True, True, False]]


def test_a_trc_about_later_frames_leaves_the_first_ones_empty(tmp_path: Path) -> None:
    view = open_truth(save(tmp_path, trc(about="trial_10-14.trc"))).views[0]
    assert view.n_frames == 14
    assert view.frame(9).people == ()
    assert len(view.frame(10).people) == 1


def test_a_projects_folders_and_videos_are_found(tmp_path: Path) -> None:
    for folder in ("pose-3d", "calibration", "videos"):
        (tmp_path / folder).mkdir()
    save(tmp_path)
    (tmp_path / "markers.trc").rename(tmp_path / "pose-3d" / "trial.trc")
    (tmp_path / "calibration.toml").rename(tmp_path / "calibration" / "Calib.toml")
    (tmp_path / "videos" / "cam01.mp4").write_bytes(b"video")
    (tmp_path / "Config.toml").write_text("[project]\n")
    for path in (tmp_path, tmp_path / "pose-3d" / "trial.trc"):
        truth = open_truth(path)
        assert truth.root == tmp_path
        assert truth.views[0].source == tmp_path / "videos" / "cam01.mp4"


def test_marker_names_become_the_fields_own() -> None:
    names = [joint_name(n) for n in ("RSmallToe", "LEar", "Nose", "Neck", "CHip", "Rib", "RWrist")]
    assert names == ["right_small_toe", "left_ear", "nose", "neck", "mid_hip", "rib", "right_wrist"]


def test_several_files_to_choose_from_are_named(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "filtered.trc").write_text(trc())
    with pytest.raises(DataSetError, match=r"filtered\.trc, markers\.trc"):
        open_truth(tmp_path)
    assert open_truth(tmp_path / "filtered.trc").views[0].n_frames == 4
    (tmp_path / "calibration.toml").unlink()
    with pytest.raises(DataSetError, match=r"one of calibrations \(toml\), not 0"):
        open_truth(tmp_path / "filtered.trc")


@pytest.mark.parametrize(
    ("text", "calibration", "says"),
    [
        ("", CAMERA, "does not begin as a trc"),
        (trc(unit="m").replace("\tm\t", "\tinch\t"), CAMERA, "unit is 'inch'"),
        (trc().replace("60\t60", "fast\t60"), CAMERA, "DataRate is missing"),
        (trc().replace("60\t60", "0\t60"), CAMERA, "no frame rate"),
        (trc(POINTS[:0]), CAMERA, "does not begin|no frames"),
        (trc().replace("\n3\t0.05\t", "\n3\t0.05\tx"), CAMERA, "no number"),
        (None, "no toml [", "it is no toml"),
        (None, "[metadata]\nerror = 0\n", "holds no cameras"),
        (None, "cam = 3\n", "cam should be a table"),
        (None, CAMERA.replace("fisheye = false", "fisheye = true"), "fisheye camera"),
        (None, CAMERA.replace("rotation = [ 1.2,", "rotation = [ nan,"), "NaN"),
        (None, CAMERA.replace("1681.2", "-1681.2"), "no camera matrix"),
        (None, CAMERA.replace("[ 1088.0, 1920.0]", "[ 0.0, 1920.0]"), "0 x 1920"),
        (None, CAMERA.replace("translation", "elsewhere"), "'translation' is missing"),
    ],
)
def test_damage_gets_one_clear_error(tmp_path: Path, text: str | None, calibration: str, says: str) -> None:
    with pytest.raises(DataSetError, match=says):
        open_truth(save(tmp_path, text, calibration)).views[0].frame(0)


BODY_25B = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee",
    "left_ankle", "right_ankle",
)  # fmt: skip


def test_the_real_markers_project_onto_what_was_detected(footage_folder: Path) -> None:
    root = footage_folder / "balancing_4views"
    truth = open_truth(root)
    assert [v.name for v in truth.views] == ["cam_01", "cam_02", "cam_03", "cam_04"]
    apart = []
    for view in truth.views:
        assert isinstance(view.source, Path)
        with open_footage(view.source) as video:
            assert video.n_frames == view.n_frames
        detected = sorted((root / "openpose_json" / view.source.stem).glob("*.json"))
        for i in range(5, 100, 10):
            frame = view.frame(i)
            assert frame.camera is not None
            points = frame.people[0].points_3d[0]
            both = [k for k, name in enumerate(BODY_25B) if name in points.layout.joints]
            xy = frame.camera.project(points.xyz[[points.layout.joints.index(BODY_25B[k]) for k in both]])
            people = json.loads(detected[i].read_text())["people"]
            seen = [np.reshape(p["pose_keypoints_2d"], (-1, 3))[both, :2] for p in people]
            apart.append(min(float(np.median(np.linalg.norm(p - xy, axis=1))) for p in seen))
    assert np.median(apart) < 15, "the folder's README measured 8 to 17 pixels"
