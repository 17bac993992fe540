"""Human3.6M in its json form, written small by the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth

R = Rotation.from_euler("xyz", (1.5, 0.1, 0.2)).as_matrix()
T = np.array([100.0, -200.0, 5000.0])
JOINTS = np.random.default_rng(0).normal(0, 400, (3, 17, 3))


def tables() -> dict[str, Any]:
    """Subject 9, one action, two cameras, frames 0, 5 and 10 (listed backwards)."""
    images = [
        {"id": 10 * camera + i, "file_name": f"s_09/c{camera}/{5 * i:06d}.jpg", "width": 1000, "height": 1002,
         "subject": 9, "action_name": "Walking", "action_idx": 2, "subaction_idx": 1, "cam_idx": camera,
         "frame_idx": 5 * i}
        for camera in (1, 2) for i in (2, 1, 0)
    ]  # fmt: skip
    annotations = [
        {
            "id": im["id"],
            "image_id": im["id"],
            "keypoints_vis": [True] * 17,
            "bbox": [300.0, 200.0, 101.0, 201.0],
        }
        for im in images
    ]
    camera = {"R": R.tolist(), "t": T.tolist(), "f": [1145.0, 1143.8], "c": [512.5, 515.5]}
    return {
        "data": {"images": images, "annotations": annotations},
        "camera": {"1": camera, "2": camera},
        "joint_3d": {"2": {"1": {str(5 * i): JOINTS[i].tolist() for i in range(3)}}},
    }


def save(root: Path, value: dict[str, Any]) -> Path:
    folder = root / "annotations"
    folder.mkdir(exist_ok=True)
    for kind, table in value.items():
        (folder / f"Human36M_subject9_{kind}.json").write_text(json.dumps(table))
    return root


def test_joints_come_in_camera_coordinates_in_metres(tmp_path: Path) -> None:
    truth = open_truth(save(tmp_path, tables()))
    assert truth.kind == "human3.6m"
    assert [(v.name, v.n_frames, v.fps, v.source) for v in truth.views] == [
        (f"S9_action02_01_camera{c:02d}", 3, 10.0, None) for c in (1, 2)
    ]
    for i in range(3):
        frame = truth.views[1].frame(i)
        assert frame.camera is not None
        np.testing.assert_allclose(frame.camera.t, T / 1000)
        np.testing.assert_array_equal(frame.camera.K[:2, 2], (512.5, 515.5))
        (person,) = frame.people
        points = person.points_3d[0]
        assert points.layout.name == "h36m17"
        np.testing.assert_allclose(points.xyz, (JOINTS[i] @ R.T + T) / 1000, atol=1e-12)
        np.testing.assert_array_equal(person.box, [300, 200, 400, 400])
    assert points.layout.joints[:2] == ("mid_hip", "right_hip")


def test_pictures_are_found_and_one_subject_can_be_opened_alone(tmp_path: Path) -> None:
    save(tmp_path, tables())
    folder = tmp_path / "images" / "s_09" / "c1"
    folder.mkdir(parents=True)
    for i in range(3):
        cv2.imwrite(str(folder / f"{5 * i:06d}.jpg"), np.zeros((4, 4, 3), np.uint8))
    truth = open_truth(tmp_path / "annotations" / "Human36M_subject9_data.json")
    assert truth.root == tmp_path
    assert isinstance(truth.views[0].source, tuple)
    assert [p.name for p in truth.views[0].source] == ["000000.jpg", "000005.jpg", "000010.jpg"]
    assert truth.views[1].source is None


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    save(tmp_path, tables())
    (tmp_path / "annotations" / "Human36M_subject9_camera.json").unlink()
    with pytest.raises(DataSetError, match=r"Human36M_subject9_camera\.json is missing"):
        open_truth(tmp_path)


def harm(value: dict[str, Any], path: list[Any], new: object) -> dict[str, Any]:
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return value


@pytest.mark.parametrize(
    ("path", "new", "says"),
    [
        (["data", "images"], [], "lists no pictures"),
        (["data", "images"], {}, "images should be a list"),
        (["data", "images", 0, "cam_idx"], "1", "cam_idx should be"),
        (["data", "images", 0, "frame_idx"], -3, "frame_idx should be"),
        (["data", "images", 0, "file_name"], "../x.jpg", "within the data set"),
        (["data", "images", 0, "width"], 10**9, "width should be"),
        (["data", "annotations", 0, "bbox"], [1, 2, 3], "bbox should be numbers, 4"),
        (["camera", "1"], None, "camera 1 should be a table"),
        (["camera", "1", "R"], np.zeros((3, 3)).tolist(), "R of 1 is no rotation"),
        (["camera", "1", "f"], [0, 0], "no focal length"),
        (["joint_3d", "2", "1"], {}, "is missing"),
        (["joint_3d", "2", "1", "10"], [[0, 0, 0]] * 16, "17 x 3"),
        (["joint_3d", "2", "1", "10"], [[0, 0, float("nan")]] * 17, "NaN"),
    ],
)
def test_damage_gets_one_clear_error(tmp_path: Path, path: list[Any], new: object, says: str) -> None:
    value = harm(json.loads(json.dumps(tables())), path, new)
    with pytest.raises(DataSetError, match=says):
        open_truth(save(tmp_path, value)).views[0].frame(2)
