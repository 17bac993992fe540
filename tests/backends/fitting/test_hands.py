"""Hands and jaw from points: bends that are known come back, mistakes change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backends.body import BodyModel, BodyParams, load_body, posed_vertices
from backends.body.skeleton import JOINT_NAMES
from backends.camera import assumed_camera
from backends.errors import InputError
from backends.fitting.hands import HandBender, jaw_angle
from backends.fitting.problem import resting_hands
from backends.fitting.start import ray_frame
from backends.keypoints.details import Details, FaceLandmarks, HandLandmarks

BODY = load_body()
BENDER = HandBender(BODY)
CAMERA = assumed_camera(1280, 720)
SIDES = ("left", "right")


def _params() -> BodyParams:
    pose = np.zeros((55, 3))
    pose[0] = [np.pi, 0.0, 0.0]
    pose[22:] = resting_hands()
    pose[16], pose[17] = [0.0, 0.0, -0.9], [0.0, 0.0, 0.9]
    pose[18], pose[19] = [0.0, -0.8, 0.0], [0.0, 0.8, 0.0]
    return BodyParams(np.full(BODY.n_betas, 0.3), pose, np.array([0.3, 0.2, 2.5]))


def _seen(params: BodyParams, side: str, noise: float = 0.0) -> HandLandmarks:
    """What an estimator says of the hand: pixels, and points in the axes of its line of sight."""
    points = BENDER.points(params, side)
    points = points + np.random.default_rng(1).normal(0.0, noise, points.shape)
    xy = CAMERA.project(points)
    world = (points - points.mean(axis=0)) @ ray_frame(CAMERA, xy.mean(axis=0))
    return HandLandmarks(xy.astype(np.float32), world.astype(np.float32), 0.9)


def _held(side: str) -> BodyParams:
    """A turned wrist, and fingers bent more from the index to the little one."""
    params = _params()
    pose = params.pose.copy()
    sign = 1.0 if side == "left" else -1.0
    pose[JOINT_NAMES.index(f"{side}_wrist")] = [0.4, 0.2 * sign, -0.3 * sign]
    for i, finger in enumerate(("index", "middle", "ring", "pinky")):
        for k in (1, 2, 3):
            pose[JOINT_NAMES.index(f"{side}_{finger}{k}")] = [0.0, 0.0, -sign * (0.2 + 0.12 * i + 0.1 * k)]
    pose[JOINT_NAMES.index(f"{side}_thumb2")] = [0.0, 0.5 * sign, 0.0]
    return replace(params, pose=pose)


def _details(side: str, hand: HandLandmarks) -> Details:
    return Details(left_hand=hand) if side == "left" else Details(right_hand=hand)


def _miss_mm(a: BodyParams, b: BodyParams, side: str) -> float:
    apart = np.linalg.norm(BENDER.points(a, side) - BENDER.points(b, side), axis=1)
    return float(1e3 * apart.mean())


@pytest.mark.parametrize("side", SIDES)
def test_a_hand_is_held_as_its_points_show(side: str) -> None:
    true, start = _held(side), _params()
    assert _miss_mm(start, true, side) > 25
    bent = BENDER.bend(start, _details(side, _seen(true, side)), CAMERA)
    assert _miss_mm(bent, true, side) < 4
    noisy = BENDER.bend(start, _details(side, _seen(true, side, noise=0.004)), CAMERA)
    assert _miss_mm(noisy, true, side) < 12
    own = {f"{side}_wrist"} | {n for n in JOINT_NAMES if n.startswith(side) and n[-1].isdigit()}
    others = [j for j, name in enumerate(JOINT_NAMES) if name not in own]
    assert np.array_equal(bent.pose[others], start.pose[others]), "nothing else moves"
    assert np.array_equal(bent.transl, start.transl)


def test_bends_stay_within_what_fingers_do() -> None:
    hand = _seen(_params(), "left")
    rng = np.random.default_rng(4)
    for _ in range(20):
        world = hand.world.copy()
        tips = [4, 7, 8, 11, 12, 15, 16, 19, 20]
        world[tips] += rng.normal(0.0, 0.08, (len(tips), 3)).astype(np.float32)
        bent = BENDER.bend(_params(), Details(left_hand=replace(hand, world=world)), CAMERA)
        angles = np.linalg.norm(bent.pose[25:40], axis=1)
        assert angles.max() < 2.0


@pytest.mark.parametrize("side", SIDES)
def test_what_is_no_hand_changes_nothing(side: str) -> None:
    start = _params()
    hand = _seen(_held(side), side)
    rng = np.random.default_rng(0)
    heap = replace(hand, world=rng.normal(0.0, 0.05, (21, 3)).astype(np.float32))
    spot = replace(hand, world=np.zeros((21, 3), np.float32))
    backwards = replace(hand, world=(hand.world * [-1.0, -1.0, 1.0]).astype(np.float32))
    for wrong in (heap, spot, backwards):
        assert np.array_equal(BENDER.bend(start, _details(side, wrong), CAMERA).pose, start.pose)


def test_points_that_are_not_finite_are_refused() -> None:
    hand = _seen(_params(), "left")
    with pytest.raises(InputError, match="finite"):
        BENDER.bend(_params(), Details(left_hand=replace(hand, world=hand.world * np.nan)), CAMERA)
    broken = replace(_params(), pose=np.full((55, 3), np.inf))
    with pytest.raises(InputError, match="finite"):
        BENDER.bend(broken, Details(left_hand=hand), CAMERA)


def test_a_mouth_that_opens_drops_the_chin() -> None:
    points = np.zeros((468, 3), np.float32)
    points[10, 1], points[152, 1] = 0.0, 170.0
    points[13, 1], points[14, 1] = 120.0, 145.0
    start = _params()
    opened = BENDER.bend(start, Details(face=FaceLandmarks(points, 0.9)), CAMERA)
    moved = posed_vertices(BODY, opened) - posed_vertices(BODY, start)
    lowest = moved[np.argmax(np.linalg.norm(moved, axis=1))]
    assert lowest[1] > 0.008, "down in the picture"
    assert jaw_angle(0.0) == jaw_angle(0.015) == jaw_angle(np.nan) == 0.0
    assert 0.1 < jaw_angle(0.1) < jaw_angle(0.2) <= jaw_angle(9.0) <= 0.5


def test_a_body_without_fingers_keeps_its_hands() -> None:
    J = BODY.J_template.copy()
    for side in SIDES:
        for j, name in enumerate(JOINT_NAMES):
            if name.startswith(side) and name[-1].isdigit():
                J[j] = J[JOINT_NAMES.index(f"{side}_wrist")]
    plain: BodyModel = replace(BODY, J_template=J)
    bender = HandBender(plain)
    assert BENDER.has_hands
    assert not bender.has_hands
    start = _params()
    assert np.array_equal(
        bender.bend(start, Details(left_hand=_seen(_held("left"), "left")), CAMERA).pose, start.pose
    )


@pytest.mark.parametrize("side", SIDES)
def test_points_in_space_bend_a_hand_too(side: str) -> None:
    true, start = _held(side), _params()
    points = BENDER.points(true, side) + np.random.default_rng(2).normal(0.0, 0.003, (21, 3))
    given = (points, None) if side == "left" else (None, points)
    bent = BENDER.bend_to_points(start, *given)
    assert _miss_mm(bent, true, side) < 9
    other = "right" if side == "left" else "left"
    assert _miss_mm(bent, start, other) < 1e-9
    points[4] = np.nan  # one point that no two cameras agree on
    same = BENDER.bend_to_points(start, *given)
    assert np.array_equal(same.pose, start.pose)


def test_points_in_space_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match="21 points"):
        BENDER.bend_to_points(_params(), np.zeros((20, 3)), None)
    broken = _params()
    broken.pose[4, 1] = np.nan
    with pytest.raises(InputError, match="finite"):
        BENDER.bend_to_points(broken, np.zeros((21, 3)), None)
