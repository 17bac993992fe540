"""How well people are found again in a de-identified video."""

from __future__ import annotations

import numpy as np
import pytest

from app.evaluate.utility import Utility, similarity
from backends.keypoints.types import Keypoints, PoseEstimate


def estimate(x: float, visibility: int = 2) -> PoseEstimate:
    rng = np.random.default_rng(1)
    xy = (rng.uniform(0, 100, (23, 2)) + np.array([x, 0])).astype(np.float32)
    keypoints = Keypoints(
        xy, np.ones(23, np.float32), np.full(23, visibility, np.uint8), np.zeros(23, np.uint8)
    )
    return PoseEstimate(keypoints, np.array([x, 0, x + 100, 100], np.float32), 0.9)


def test_similarity_is_of_each_person_before_with_their_own_counterpart_after() -> None:
    assert similarity([estimate(0)], [estimate(500), estimate(0)]) == pytest.approx([1.0])
    assert similarity([estimate(0), estimate(300)], [estimate(1)])[1] < 0.05
    assert similarity([estimate(0)], []) == [0.0]
    assert similarity([], [estimate(0)]) == []
    assert similarity([estimate(0, visibility=0)], [estimate(0)]) == []


def test_nobody_counts_for_two() -> None:
    both = similarity([estimate(0), estimate(2)], [estimate(1)])
    assert sorted(both)[0] == 0.0
    assert sorted(both)[1] > 0.9


def test_people_whom_the_networks_lose_in_the_original_itself_are_told_apart() -> None:
    utility = Utility()
    here, there = estimate(0), estimate(500)
    utility.add([here, there], [here], [here])
    utility.add([here, there], [here, there], [here, there])
    assert utility.mean == pytest.approx(0.75)
    assert utility.found == pytest.approx(0.75)
    assert utility.steady == pytest.approx(1.0)
    assert np.isnan(Utility().mean)
    assert np.isnan(Utility().steady)
