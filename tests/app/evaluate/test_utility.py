"""How well people are found again in a de-identified video."""

from __future__ import annotations

import numpy as np
import pytest

from app.datasets.types import TruePerson
from app.evaluate.people import TrueSide
from app.evaluate.utility import Utility, similarity, somebody
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


def true_side(person: PoseEstimate) -> TrueSide:
    """Somebody who stands exactly where ``person`` was found."""
    xy = person.keypoints.xy.astype(np.float64)
    return TrueSide(
        TruePerson(1), person.box.astype(np.float64), xy, np.ones(23, np.bool_), np.full(23, 2, np.uint8),
        5300.0, False, False,
    )  # fmt: skip


def test_a_second_skeleton_on_somebody_is_nobody_and_counts_only_in_the_figure_of_all() -> None:
    utility = Utility()
    person, second, elsewhere = estimate(0), estimate(3), estimate(900)
    assert somebody([person, second, elsewhere], [true_side(person)]) == [True, False, False]
    assert somebody([person, estimate(5, visibility=0)], [true_side(person)]) == [True]
    assert somebody([person], []) == [False]
    utility.add([person, second], [person], [person], [true_side(person)])
    assert utility.mean == pytest.approx(0.5)
    assert utility.of_people == pytest.approx(1.0)
    assert utility.nobody == pytest.approx(0.5)
    blind = Utility()
    blind.add([person], [person], [person])
    assert np.isnan(blind.of_people)
    assert np.isnan(blind.nobody)
