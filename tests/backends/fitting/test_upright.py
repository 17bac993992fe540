"""Which way is up, told by people who stand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backends.body import BodyParams, load_body, posed_joints
from backends.errors import InputError
from backends.fitting.trial import random_body
from backends.fitting.upright import find_upright

BODY = load_body()


def crowd(n: int, *, bent: int = 0) -> np.ndarray:
    """(N, 55, 3) joints in the axes of a camera that looks down by 35 degrees and is a little rolled."""
    rng = np.random.default_rng(3)
    camera = Rotation.from_euler("xyz", [90 + 35, 4, 10], degrees=True)
    joints = []
    for i in range(n + bent):
        params = random_body(BODY, rng)
        pose = np.zeros_like(params.pose)
        pose[0], pose[3:] = params.pose[0], 0.3 * params.pose[3:]
        pose[4:6] = 0.0
        if i >= n:  # squats, leaning far forwards
            pose[1:3, 0], pose[4:6, 0] = -1.5, 1.8
            pose[0] = (Rotation.from_rotvec(pose[0]) * Rotation.from_euler("x", 60, degrees=True)).as_rotvec()
        joints.append(camera.apply(posed_joints(BODY, BodyParams(params.betas, pose, params.transl))))
    return np.array(joints)


UP = Rotation.from_euler("xyz", [90 + 35, 4, 10], degrees=True).apply([0, 0, 1])


def test_those_who_stand_tell_it_and_those_who_squat_do_not() -> None:
    for joints in (crowd(40), crowd(40, bent=60)):
        found = find_upright(joints)
        assert found is not None
        assert found.count <= 40
        assert np.linalg.norm(found.up) == pytest.approx(1.0)
        assert np.degrees(np.arccos(found.up @ UP)) < 4.0
        assert 1.0 < found.spread_deg < 15.0


def test_too_few_tell_nothing() -> None:
    assert find_upright(crowd(5)) is None
    assert find_upright(crowd(0, bent=30)) is None


def test_joints_that_are_none_are_refused() -> None:
    broken = crowd(10)
    broken[3, 4] = np.nan
    for joints in (broken, np.zeros((3, 5, 3)), np.zeros((4, 55))):
        with pytest.raises(InputError, match="Joints"):
            find_upright(joints)
