"""Keypoint similarity and the look at bones."""

from __future__ import annotations

import numpy as np
import pytest

from backends.keypoints.layout import INDEX, N_KEYPOINTS, OKS_SIGMAS
from backends.keypoints.plausible import bone_error
from backends.keypoints.similarity import oks

RNG = np.random.default_rng(2)
POSE = RNG.uniform(0, 200, (17, 2))


def test_a_pose_is_wholly_similar_to_itself() -> None:
    assert oks(POSE, POSE, 4000.0) == pytest.approx(1.0)


def test_similarity_falls_with_distance_and_rises_with_size() -> None:
    values = [oks(POSE, POSE + d, 4000.0) for d in (0.0, 2.0, 5.0, 20.0)]
    assert values == sorted(values, reverse=True)
    assert oks(POSE, POSE + 5.0, 8000.0) > oks(POSE, POSE + 5.0, 4000.0)


def test_one_point_one_sigma_off_counts_as_the_coco_formula_says() -> None:
    area = 2500.0
    moved = POSE.copy()
    moved[0, 0] += 2 * OKS_SIGMAS[0] * np.sqrt(area)
    assert oks(POSE, moved, area) == pytest.approx((16 + np.exp(-0.5)) / 17)


def test_points_of_no_weight_do_not_count() -> None:
    moved = POSE.copy()
    moved[3] += 500
    weight = np.ones(17)
    weight[3] = 0
    assert oks(POSE, moved, 2500.0, weight) == pytest.approx(1.0)
    assert oks(POSE, moved, 2500.0, np.zeros(17)) == 0.0


def standing() -> np.ndarray:
    world = np.full((N_KEYPOINTS, 3), np.nan, np.float32)
    for side, x in (("left", 0.12), ("right", -0.12)):
        world[INDEX[f"{side}_shoulder"]] = (x, -0.48, 0)
        world[INDEX[f"{side}_elbow"]] = (x, -0.24, 0)
        world[INDEX[f"{side}_hip"]] = (x, 0, 0)
        world[INDEX[f"{side}_knee"]] = (x, 0.39, 0)
        world[INDEX[f"{side}_ankle"]] = (x, 0.76, 0)
    return world


def test_usual_bones_are_plausible_however_the_body_lies() -> None:
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    assert bone_error(standing()) < 0.01
    assert bone_error(standing() @ turn.T) < 0.01
    assert bone_error(None) == 0.0


def test_a_short_leg_is_odd_unless_it_is_only_guessed() -> None:
    world = standing()
    world[INDEX["left_knee"]] = (0.12, 0.05, 0)
    assert bone_error(world) > 0.2
    score = np.ones(N_KEYPOINTS, np.float32)
    assert bone_error(world, score) == pytest.approx(bone_error(world))
    score[[INDEX["left_knee"], INDEX["left_ankle"]]] = 0.02
    assert bone_error(world, score) < 0.02
    assert bone_error(world, np.zeros(N_KEYPOINTS, np.float32)) > 0.2, "nothing is seen: all are asked"
