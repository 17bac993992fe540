"""Faces of nobody who was found, over time."""

from __future__ import annotations

import numpy as np
import pytest

from backends.deidentify.strays import EVERY, Sighting, link


def seen(frame: int, x: float, y: float = 50.0, size: float = 20.0, score: float = 0.7) -> Sighting:
    return Sighting(frame, (x, y, x + size, y + size), score)


def test_a_face_that_moves_is_one_and_lies_on_its_way_in_between() -> None:
    (stray,) = link([seen(0, 100), seen(EVERY, 112), seen(3 * EVERY, 136)])
    assert stray.frames.tolist() == [0, EVERY, 3 * EVERY]
    box, there = stray.at(2 * EVERY, 4)  # type: ignore[misc]
    np.testing.assert_allclose(box, [124, 50, 144, 70])
    assert not there
    assert stray.at(EVERY, 4)[1]  # type: ignore[index]


def test_it_is_covered_a_little_before_and_after_and_then_no_more() -> None:
    (stray,) = link([seen(30, 100), seen(36, 100)])
    assert stray.at(26, 4) is not None
    assert stray.at(40, 4) is not None
    assert stray.at(25, 4) is None
    assert stray.at(41, 4) is None


def test_two_faces_are_two_and_a_single_weak_one_is_none() -> None:
    strays = link([seen(0, 100), seen(0, 300), seen(6, 104), seen(6, 303), seen(6, 600, score=0.55)])
    assert sorted(s.boxes[0, 0] for s in strays) == [100, 300]
    assert len(link([seen(6, 600, score=0.95)])) == 1


@pytest.mark.parametrize("other", [seen(6, 400), seen(6, 100, size=80), seen(200, 100)])
def test_far_away_of_another_size_or_much_later_is_another_face(other: Sighting) -> None:
    assert link([seen(0, 100), other]) == []


def test_without_sightings_there_is_nobody() -> None:
    assert link([]) == []
