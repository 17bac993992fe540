"""How the room lies about a camera that nobody has calibrated."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.pipeline.upright import camera_up, standing
from app.review.level import levelled
from app.review.opening import create_project
from app.review.scene import camera_view
from backends.body import BodyParams, load_body, posed_joints
from backends.camera import Camera, assumed_camera
from backends.fitting.trial import random_body

BODY = load_body()
LEVEL = camera_view(assumed_camera(1280, 720))
DOWN = Rotation.from_euler("x", 90 + 30, degrees=True)
"""From a room with z up to a camera that looks down by 30 degrees."""
EYE_M = 2.4


def people(n: int, *, lean_deg: float = 0.0) -> np.ndarray:
    """(N, 55, 3) who stand on the floor before that camera, in its axes."""
    rng = np.random.default_rng(1)
    joints = []
    for i in range(n):
        params = random_body(BODY, rng)
        pose = np.zeros_like(params.pose)
        lean = Rotation.from_euler("y", lean_deg * (-1) ** i, degrees=True)
        pose[0] = (lean * Rotation.from_euler("x", 90, degrees=True)).as_rotvec()
        stand = posed_joints(BODY, BodyParams(params.betas, pose, np.zeros(3)))
        stand[:, 2] -= stand[:, 2].min()
        place = np.array([rng.uniform(-1, 1), rng.uniform(3, 5), -EYE_M])
        joints.append(DOWN.apply(stand + place))
    return np.array(joints)


def test_the_room_of_people_who_stand_is_level_and_has_a_floor() -> None:
    view = levelled(LEVEL, people(30))
    np.testing.assert_allclose(view.R.T @ view.R, np.eye(3), atol=1e-9)
    assert np.linalg.det(view.R) == pytest.approx(1.0)
    assert np.degrees(np.arccos(view.R[:, 2] @ DOWN.apply([0, 0, 1]))) < 2.0
    assert view.R[0, 0] > 0.99  # the camera's right stays the room's
    assert view.floor == pytest.approx(-EYE_M, abs=0.15)


def test_without_people_who_agree_the_camera_is_taken_to_be_level() -> None:
    nobody = np.zeros((0, 55, 3))
    fallen = Rotation.from_euler("z", 90, degrees=True).apply(people(30).reshape(-1, 3)).reshape(-1, 55, 3)
    for joints in (nobody, people(4), people(30, lean_deg=25.0), fallen):
        view = levelled(LEVEL, joints)
        assert view is LEVEL
        assert view.floor is None


def test_a_calibrated_camera_is_believed() -> None:
    camera = Camera(np.diag([900.0, 900.0, 1.0]), 1280, 720, R=DOWN.as_matrix(), t=np.array([0.0, 0.0, 3.0]))
    view = camera_view(camera)
    np.testing.assert_allclose(view.R, DOWN.as_matrix())
    np.testing.assert_allclose(view.t, [0.0, 0.0, 3.0])


def test_a_project_without_people_has_nobody_who_stands(tmp_path: Path) -> None:
    picture = tmp_path / "empty.png"
    cv2.imwrite(str(picture), np.zeros((90, 160, 3), np.uint8))
    store, footage = create_project(picture, tmp_path / "empty.understudy")
    assert standing(store, BODY).shape == (0, 55, 3)
    np.testing.assert_allclose(camera_up(store, BODY, store.camera()), [0, -1, 0])
    store.close()
    footage.close()
