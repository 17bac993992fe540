"""Motion capture in AMASS's layout, written small by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from backends.body.skeleton import JOINT_INDEX

N = 5


def recording(width: int = 156) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    return {
        "poses": rng.normal(0, 0.2, (N, width)), "trans": rng.normal(size=(N, 3)),
        "betas": rng.normal(size=16), "mocap_framerate": 120.0, "gender": np.array("male"),
        "dmpls": np.zeros((N, 8)),
    }  # fmt: skip


def test_a_recording_is_one_view_of_one_person_without_a_camera(tmp_path: Path) -> None:
    data = recording()
    np.savez(tmp_path / "walk_poses.npz", **data)
    truth = open_truth(tmp_path / "walk_poses.npz")
    (view,) = truth.views
    assert (truth.kind, view.name, view.n_frames, view.fps) == ("amass", "walk_poses", N, 120.0)
    assert view.source is None
    frame = view.frame(3)
    assert frame.camera is None
    (person,) = frame.people
    assert person.body == "smplh"
    assert person.params is not None
    np.testing.assert_array_equal(person.params.betas, data["betas"])
    np.testing.assert_array_equal(person.params.transl, data["trans"][3])
    pose = data["poses"][3].reshape(52, 3)
    np.testing.assert_array_equal(person.params.pose[:22], pose[:22])
    np.testing.assert_array_equal(person.params.left_hand_pose, pose[22:37])
    np.testing.assert_array_equal(person.params.right_hand_pose, pose[37:])
    assert not person.params.pose[22:25].any(), "SMPL-H has neither jaw nor eyes"


@pytest.mark.parametrize(("width", "body"), [(72, "smpl"), (165, "smplx")])
def test_other_bodies_and_the_other_name_of_the_rate(tmp_path: Path, width: int, body: str) -> None:
    data = recording(width)
    data["mocap_frame_rate"] = np.array([60.0])
    del data["mocap_framerate"]
    np.savez_compressed(tmp_path / "a.npz", **data)
    view = open_truth(tmp_path).views[0]
    person = view.frame(0).people[0]
    assert (person.body, view.fps) == (body, 60.0)
    assert person.params is not None
    pose = data["poses"][0].reshape(-1, 3)
    if body == "smplx":
        np.testing.assert_array_equal(person.params.pose, pose)
    else:
        np.testing.assert_array_equal(person.params.pose[JOINT_INDEX["right_middle1"]], pose[23])


def test_a_folder_opens_its_recordings_and_nothing_else(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **recording())
    np.savez(tmp_path / "b.npz", **recording())
    np.savez(tmp_path / "shape.npz", betas=np.zeros(16))
    assert [v.name for v in open_truth(tmp_path).views] == ["a", "b"]


def test_a_gender_stored_as_an_object_is_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **(recording() | {"gender": np.array({"x": 1}, dtype=object)}))
    assert open_truth(tmp_path).views[0].n_frames == N


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"poses": np.zeros((N, 100))}, "poses has 100 columns"),
        ({"poses": np.zeros((0, 156))}, "damaged"),
        ({"poses": np.zeros(156)}, "n x n"),
        ({"poses": np.full((N, 156), np.nan)}, "NaN"),
        ({"poses": np.full((N, 156), "x")}, "should be numbers"),
        ({"poses": np.array([None, 1], dtype=object)}, "Python objects"),
        ({"trans": np.zeros((N - 1, 3))}, "5 x 3"),
        ({"betas": np.zeros((2, 10))}, "betas should be numbers"),
        ({"mocap_framerate": 0.0}, "no frame rate"),
        ({"mocap_framerate": "fast"}, "should be numbers"),
    ],
)
def test_damage_gets_one_clear_error(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    np.savez(tmp_path / "a.npz", **(recording() | change))
    with pytest.raises(DataSetError, match=says) as raised:
        open_truth(tmp_path)
    assert "a.npz" in str(raised.value)


def test_a_recording_without_a_rate_is_refused(tmp_path: Path) -> None:
    data = recording()
    del data["mocap_framerate"]
    np.savez(tmp_path / "a.npz", **data)
    with pytest.raises(DataSetError, match="'mocap_framerate' is missing"):
        open_truth(tmp_path)
