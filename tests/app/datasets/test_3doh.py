"""3DOH50K: annots.json as the data set stores it, written small by the test."""

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
from app.datasets.read.smpl import as_55
from backends.body import load_body, posed_joints
from backends.body.params import BodyParams

K = np.array([[900.0, 0.0, 319.5], [0.0, 905.0, 239.5], [0.0, 0.0, 1.0]])
SCALE = 7.0


def entry(*, in_world: bool = False, scale: float = SCALE) -> dict[str, Any]:
    """One picture: scale * body + trans in the world, seen by a camera."""
    rng = np.random.default_rng(5)
    body = load_body()
    pose = rng.normal(0, 0.2, (24, 3))
    betas = np.zeros(body.n_betas)
    trans = np.array([0.3, 0.2, 0.1])
    still = BodyParams(betas, as_55(pose), np.zeros(3))
    joints = posed_joints(body, still)[[*range(22), 28, 43]]
    world = scale * joints + trans
    R = Rotation.from_euler("xyz", (0.1, 0.2, 0.3)).as_matrix()
    t = np.array([0.0, 0.5, 25.0])
    camera = world @ R.T + t
    xy = (camera @ K.T)[:, :2] / camera[:, 2:]
    lsp = [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15]
    E = np.eye(4)
    E[:3, :3], E[:3, 3] = R, t
    three = world if in_world else camera
    return {
        "img_path": "images/00000.jpg", "mask_path": "masks/00000.png",
        "bbox": [[100.0, 50.0], [300.0, 400.0]], "intri": K.tolist(), "extri": E.tolist(),
        "pose": [pose.ravel().tolist()], "betas": [[0.0] * 10], "trans": [trans.tolist()], "scale": [scale],
        "smpl_joints_2d": xy.tolist(), "smpl_joints_3d": three.tolist(),
        "lsp_joints_2d": xy[lsp].tolist(), "lsp_joints_3d": three[lsp].tolist(),
    }  # fmt: skip


def save(root: Path, **entries: object) -> Path:
    (root / "annots.json").write_text(json.dumps(entries))
    return root


@pytest.mark.parametrize("in_world", [False, True])
def test_a_person_comes_in_ordinary_size_and_projects_where_it_did(tmp_path: Path, in_world: bool) -> None:
    (tmp_path / "masks").mkdir()
    white = np.zeros((480, 640), np.uint8)
    white[60:80, 110:150] = 255
    cv2.imwrite(str(tmp_path / "masks" / "00000.png"), white)
    truth = open_truth(save(tmp_path, **{"00000": entry(in_world=in_world)}))
    (view,) = truth.views
    assert (truth.kind, view.n_frames, view.fps, view.source) == ("3doh50k", 1, None, None)
    frame = view.frame(0)
    assert frame.camera is not None
    assert (frame.camera.width, frame.camera.height) == (639, 479)
    (person,) = frame.people
    two, three = person.points_2d, person.points_3d
    assert [p.layout.name for p in three] == ["smpl24", "lsp14"]
    for a, b in zip(two, three):
        np.testing.assert_allclose(frame.camera.project(b.xyz), a.xy, atol=1e-6)
    hips = np.linalg.norm(three[0].xyz[1] - three[0].xyz[2])
    assert 0.05 < hips < 0.3
    assert person.params is not None
    betas = np.zeros(load_body().n_betas)
    posed = posed_joints(load_body(), BodyParams(betas, person.params.pose, person.params.transl))
    np.testing.assert_allclose(posed[:22], three[0].xyz[:22], atol=1e-6)
    np.testing.assert_array_equal(person.box, [100, 50, 300, 400])
    assert person.mask is not None
    assert (person.mask.x0, person.mask.y0, int(person.mask.decode().sum())) == (110, 60, 800)


def test_pictures_give_the_size(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "00000.jpg"), np.zeros((48, 64, 3), np.uint8))
    view = open_truth(save(tmp_path, a=entry()) / "annots.json").views[0]
    assert view.source == (tmp_path / "images" / "00000.jpg",)
    camera = view.frame(0).camera
    assert camera is not None
    assert (camera.width, camera.height) == (64, 48)


def test_parameters_that_do_not_fit_the_joints_are_not_said(tmp_path: Path) -> None:
    wrong = entry() | {"trans": [[50.0, 0.0, 0.0]]}
    person = open_truth(save(tmp_path, a=wrong)).views[0].frame(0).people[0]
    assert person.params is None
    assert person.body is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"intri": [[1, 2], [3, 4]]}, "intri should be numbers, 3 x 3"),
        ({"extri": np.full((4, 4), 2.0).tolist()}, "extri is no rotation"),
        ({"scale": [0.0]}, "no scale"),
        ({"scale": [float("nan")]}, "NaN"),
        ({"smpl_joints_3d": [[0, 0, 1]] * 23}, "24 x 3"),
        ({"lsp_joints_2d": [[0]] * 14}, "two columns"),
        ({"pose": [[0.0] * 71]}, "pose should be numbers, 72"),
        ({"bbox": "big"}, "bbox should be numbers"),
        ({"img_path": "../../secret.jpg"}, "within the data set"),
        ({"mask_path": "/etc/passwd"}, "within the data set"),
    ],
)
def test_damage_gets_one_clear_error(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataSetError, match=says) as raised:
        open_truth(save(tmp_path, a=entry() | change)).views[0].frame(0)
    assert "annots.json" in str(raised.value)


@pytest.mark.parametrize("content", ["{}", "[]", '{"a": 1}', "nonsense"])
def test_another_annots_json_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "annots.json").write_text(content)
    with pytest.raises(DataSetError, match=r"annots\.json is damaged"):
        open_truth(tmp_path)
