"""CMU Panoptic sequences, written small by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth

R = Rotation.from_euler("xyz", (0.2, 1.1, 0.1)).as_matrix()
T = np.array([15.0, 120.0, 290.0])
JOINTS = np.random.default_rng(0).normal(0, 60, (19, 3))
FIRST = 141


def calibration() -> dict[str, Any]:
    def camera(name: str, kind: str) -> dict[str, Any]:
        return {
            "name": name, "type": kind, "resolution": [1920, 1080], "panel": 0, "node": 0,
            "K": [[1396.0, 0.0, 944.0], [0.0, 1393.0, 560.0], [0.0, 0.0, 1.0]],
            "distCoef": [-0.27, 0.18, 0.001, 0.0003, 0.05], "R": R.tolist(), "t": T.reshape(3, 1).tolist(),
        }  # fmt: skip

    return {
        "calibDataSource": "x",
        "cameras": [camera("01_01", "vga"), camera("00_00", "hd"), camera("00_01", "hd")],
    }


def scene(person: int = 3) -> dict[str, Any]:
    joints = np.column_stack([JOINTS, np.full(19, 0.7)])
    joints[18, 3] = -1
    body = {"id": person, "joints19": joints.ravel().tolist()}
    return {"version": 0.7, "univTime": 1.5, "fpsType": "hd_29_97", "bodies": [body]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "171204_pose1"
    poses = root / "hdPose3d_stage1_coco19"
    poses.mkdir(parents=True)
    (root / "calibration_171204_pose1.json").write_text(json.dumps(calibration()))
    for i in (FIRST, FIRST + 1, FIRST + 3):
        (poses / f"body3DScene_{i:08d}.json").write_text(json.dumps(scene()))
    return root


def test_people_come_in_each_hd_cameras_coordinates_in_metres(root: Path) -> None:
    truth = open_truth(root)
    assert truth.kind == "panoptic"
    assert [(v.name, v.n_frames, v.source) for v in truth.views] == [("00_00", 3, None), ("00_01", 3, None)]
    assert truth.views[0].fps == pytest.approx(29.97, abs=0.001)
    frame = truth.views[0].frame(2)
    assert frame.camera is not None
    np.testing.assert_allclose(frame.camera.t, T / 100)
    np.testing.assert_array_equal(frame.camera.dist, (-0.27, 0.18, 0.001, 0.0003, 0.05))
    (person,) = frame.people
    assert person.person_id == 3
    points = person.points_3d[0]
    assert points.layout.joints[:3] == ("neck", "nose", "mid_hip")
    np.testing.assert_allclose(points.xyz[:18], (JOINTS[:18] @ R.T + T) / 100, atol=1e-12)
    assert np.isnan(points.xyz[18]).all(), "a joint without confidence is not known"


def test_with_the_video_frames_are_the_videos(root: Path) -> None:
    (root / "hdVideos").mkdir()
    (root / "hdVideos" / "hd_00_01.mp4").write_bytes(b"video")
    alone, with_video = open_truth(root).views
    assert (alone.n_frames, with_video.n_frames) == (3, FIRST + 4)
    assert with_video.source == root / "hdVideos" / "hd_00_01.mp4"
    assert with_video.frame(0).people == ()
    assert with_video.frame(FIRST + 2).people == (), "a frame without a file"
    assert len(with_video.frame(FIRST + 3).people) == 1


def test_pictures_are_those_of_the_frames_with_truth(root: Path) -> None:
    folder = root / "hdImgs" / "00_00"
    folder.mkdir(parents=True)
    for i in range(FIRST, FIRST + 4):
        cv2.imwrite(str(folder / f"00_00_{i:08d}.jpg"), np.zeros((4, 4, 3), np.uint8))
    source = open_truth(root).views[0].source
    assert isinstance(source, tuple)
    assert [p.name for p in source] == [f"00_00_{i:08d}.jpg" for i in (FIRST, FIRST + 1, FIRST + 3)]


def spoil_camera(**values: object) -> Callable[[Path], object]:
    def harm(root: Path) -> None:
        value = calibration()
        value["cameras"][1].update(values)
        (root / "calibration_171204_pose1.json").write_text(json.dumps(value))

    return harm


def spoil_body(**values: object) -> Callable[[Path], object]:
    def harm(root: Path) -> None:
        value = scene()
        value["bodies"][0].update(values)
        (root / "hdPose3d_stage1_coco19" / f"body3DScene_{FIRST:08d}.json").write_text(json.dumps(value))

    return harm


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (spoil_camera(name="../../x"), "name should be like"),
        (spoil_camera(resolution=[1920]), "resolution should be"),
        (spoil_camera(resolution=[1920, 0]), "resolution should be"),
        (spoil_camera(R=[[1, 0, 0]] * 3), "R of 00_00 is no rotation"),
        (spoil_camera(t=[1, 2]), "t of 00_00"),
        (spoil_camera(distCoef=[1, 2, 3]), "3 coefficients"),
        (spoil_camera(distCoef=[0.1] * 8), "8 coefficients"),
        (spoil_body(joints19=[0.0] * 75), "joints19 should be numbers, 76"),
        (spoil_body(joints19=[float("nan")] * 76), "NaN"),
        (spoil_body(id="three"), "id should be"),
        (lambda r: (r / "calibration_171204_pose1.json").unlink(), "one calibration_NAME"),
        (lambda r: (r / "calibration_171204_pose1.json").write_text("{}"), "'cameras' is missing"),
        (lambda r: (r / "calibration_171204_pose1.json").write_text('{"cameras": []}'), "no HD cameras"),
        (lambda r: [p.unlink() for p in (r / "hdPose3d_stage1_coco19").iterdir()], "holds no poses"),
        (lambda r: (r / "hdPose3d_stage1_coco19" / "body3DScene_999999999.json").touch(), "holds no poses"),
    ],
)
def test_damage_gets_one_clear_error(root: Path, harm: Callable[[Path], object], says: str) -> None:
    harm(root)
    with pytest.raises(DataSetError, match=says):
        open_truth(root).views[0].frame(0)
