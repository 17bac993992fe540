"""3DPW: sequences as the data set stores them, written small by the test."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from app.datasets.read.smpl import as_55
from backends.body import load_body, posed_joints
from backends.body.params import BodyParams

N = 3
NAME = "courtyard_test_00"


def sequence() -> dict[str, Any]:
    """Two people; the joints follow from the parameters by the shipped body's skeleton (24 of 55)."""
    rng = np.random.default_rng(3)
    body = load_body()
    rows = [*range(22), 28, 43]
    poses, trans, betas, joints = [], [], [], []
    for _ in range(2):
        shape = rng.normal(size=10)
        pose = rng.normal(0, 0.3, (N, 24, 3))
        pose[:, 0] = rng.normal(0, 2, (N, 3))
        move = rng.normal(0, 2, (N, 3))
        used = np.zeros(body.n_betas)
        used[: min(10, body.n_betas)] = shape[: body.n_betas]
        posed = [posed_joints(body, BodyParams(used, as_55(p), m))[rows] for p, m in zip(pose, move)]
        poses.append(pose.reshape(N, 72))
        trans.append(move)
        betas.append(shape)
        joints.append(np.reshape(posed, (N, 72)))
    cam = np.tile(np.eye(4), (N, 1, 1))
    cam[:, :3, :3] = Rotation.random(N, rng=rng).as_matrix()
    cam[:, :3, 3] = rng.normal(0, 3, (N, 3))
    return {
        "sequence": NAME, "poses": poses, "trans": trans, "betas": betas, "jointPositions": joints,
        "poses_60Hz": [np.zeros((2 * N, 72))], "poses2d": [np.zeros((N, 3, 18))], "genders": ["m", "f"],
        "cam_poses": cam, "campose_valid": [np.ones(N, np.int64), np.array([1, 0, 1])],
        "cam_intrinsics": np.array([[1961.8, 0.0, 540.0], [0.0, 1969.2, 960.0], [0.0, 0.0, 1.0]]),
        "img_frame_ids": np.arange(N), "texture_maps": [np.zeros((2, 2, 3), np.uint8)],
    }  # fmt: skip


@pytest.fixture
def value() -> dict[str, Any]:
    return sequence()


def save(root: Path, value: object, protocol: int = 2) -> Path:
    path = root / "sequenceFiles" / "test" / f"{NAME}.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def test_people_come_in_camera_coordinates(tmp_path: Path, value: dict[str, Any]) -> None:
    save(tmp_path, value)
    truth = open_truth(tmp_path)
    assert (truth.kind, truth.root) == ("3dpw", tmp_path)
    (view,) = truth.views
    assert (view.name, view.n_frames, view.fps, view.source) == (NAME, N, 30.0, None)
    body = load_body()
    rows = [*range(22), 28, 43]
    for i in range(N):
        frame = view.frame(i)
        assert frame.camera is not None
        assert (frame.camera.width, frame.camera.height) == (1080, 1920)
        R, t = value["cam_poses"][i, :3, :3], value["cam_poses"][i, :3, 3]
        for person in frame.people:
            k = person.person_id - 1
            world = value["jointPositions"][k][i].reshape(24, 3)
            points = person.points_3d[0]
            assert points.layout.name == "smpl24"
            np.testing.assert_allclose(points.xyz, world @ R.T + t, atol=1e-12)
            assert person.params is not None
            assert person.body == "smpl"
            np.testing.assert_array_equal(person.params.betas, value["betas"][k])
            used = np.zeros(body.n_betas)
            used[: min(10, body.n_betas)] = person.params.betas[: body.n_betas]
            posed = posed_joints(body, BodyParams(used, person.params.pose, person.params.transl))[rows]
            np.testing.assert_allclose(posed, points.xyz, atol=1e-9)
    assert [p.person_id for p in view.frame(1).people] == [1], "an invalid camera pose leaves its person out"


def test_one_sequence_can_be_opened_alone_with_its_pictures(tmp_path: Path, value: dict[str, Any]) -> None:
    path = save(tmp_path, value)
    folder = tmp_path / "imageFiles" / NAME
    folder.mkdir(parents=True)
    for i in range(N):
        cv2.imwrite(str(folder / f"image_{i:05d}.jpg"), np.zeros((19, 11, 3), np.uint8))
    truth = open_truth(path)
    assert truth.root == tmp_path
    view = truth.views[0]
    assert isinstance(view.source, tuple)
    assert [p.name for p in view.source] == [f"image_{i:05d}.jpg" for i in range(N)]
    camera = view.frame(0).camera
    assert camera is not None
    assert (camera.width, camera.height) == (11, 19)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cam_poses": None}, "'cam_poses' is missing"),
        ({"cam_poses": np.zeros((N, 3, 4))}, "n x 4 x 4"),
        ({"cam_poses": np.zeros((0, 4, 4))}, "no frames"),
        ({"cam_intrinsics": np.zeros((3, 3))}, "no camera matrix"),
        ({"poses": [np.zeros((N, 72))]}, "different numbers of people"),
        ({"poses": [np.zeros((N, 71))] * 2}, "3 x 72"),
        ({"trans": [np.full((N, 3), np.nan)] * 2}, "NaN"),
        ({"betas": [np.zeros(3)] * 2}, "fewer than 10 betas"),
        ({"jointPositions": [np.array(["x"] * 72)] * 2}, "should be numbers"),
    ],
)
def test_damaged_sequences_get_one_clear_error(
    tmp_path: Path, value: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    path = save(tmp_path, {**value, **change})
    with pytest.raises(DataSetError, match=says) as raised:
        open_truth(path)
    assert path.name in str(raised.value)


def test_a_camera_pose_that_is_no_rotation_is_refused(tmp_path: Path, value: dict[str, Any]) -> None:
    value["cam_poses"][2] *= 2
    view = open_truth(save(tmp_path, value)).views[0]
    view.frame(1)
    with pytest.raises(DataSetError, match="frame 2 is no rotation"):
        view.frame(2)


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, {})
    path.write_bytes(b"cos\nsystem\n(S'touch /tmp/understudy-should-not-exist'\ntR.")
    with pytest.raises(DataSetError, match=r"os\.system"):
        open_truth(path)


def test_another_pickle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="it is no table"):
        open_truth(save(tmp_path, [1, 2, 3]))
