"""Pictures of people before and after: who is shown to a network, when, and what comes of it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import numpy as np
import pytest

from app.datasets.layouts import KEYPOINTS23
from app.datasets.types import Points2D, TrueFrame, TruePerson
from app.evaluate.identity import Lineup, Sighting, moments, true_sightings
from backends.body import load_body
from backends.masks import encode_mask

reidentify = importlib.import_module("app.cli.bench.reidentify")
FACE = np.array([(60.0, 50.0), (70.0, 40.0), (50.0, 40.0)])


class Colour:
    """Knows people by the colour in the middle, which is all that these have of their own."""

    name = "colour"

    def __init__(self, subject: str) -> None:
        self.subject, self.size = subject, (150, 150)

    def embed(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        middle = np.array([p[60:90, 60:90].mean(axis=(0, 1)) + 1 for p in pictures], np.float32)
        return middle / np.linalg.norm(middle, axis=1, keepdims=True)


def sighting(who: str) -> Sighting:
    mask = encode_mask(np.ones((100, 40), np.bool_), 40, 10)
    return Sighting(who, FACE, mask, np.array([40.0, 10, 79, 109]))


def picture(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((120, 120, 3), colour, np.uint8)


COLOURS = {"a": (255, 0, 0), "b": (0, 255, 0), "c": (0, 0, 255), "d": (200, 200, 0)}


@pytest.fixture
def lineup() -> Lineup:
    made = Lineup([Colour("face"), Colour("person")])
    for who, colour in COLOURS.items():
        for what in ("known", "original", "known, head blurred", "head blurred"):
            made.add(what, picture(colour), [sighting(who)])
        for way in reidentify.WAYS:
            if way.what not in ("original", "head blurred"):
                made.add(way.what, picture((9, 9, 9)), [sighting(who)])
    return made


def test_the_bench_tells_who_is_found_beside_chance(lineup: Lineup) -> None:
    heights = {k: np.array([[h]], np.float32) for k, h in zip("abcd", (1.6, 1.7, 1.8, 1.9))}
    rows = {row["what"]: row for row in reidentify._rows("room", lineup, (heights, heights))}
    assert len(rows) == 2 * len(reidentify.WAYS) + 1
    for subject in ("face", "person"):
        original = rows[f"room, {subject}: original"]
        assert (original["found_%"], original["people"], original["known"]) == (100, 4, 4)
        solid = rows[f"room, {subject}: head solid"]
        assert solid["found_%"] == pytest.approx(25) == pytest.approx(solid["chance_%"])
        assert (solid["chance_95_%"], solid["place"]) == ("0-75", 2.5)
        assert rows[f"room, {subject}: head blurred"]["same_way_%"] == 100
        assert np.isnan(solid["same_way_%"])
    assert rows["room, height of the mesh alone"]["found_%"] == 100


def test_nobody_seen_gives_no_rows() -> None:
    assert reidentify._rows("room", Lineup([Colour("face")]), ({}, {})) == []


def test_a_network_is_shown_only_what_it_takes(lineup: Lineup) -> None:
    made = Lineup([Colour("face"), Colour("person")])
    box = np.array([40.0, 10, 79, 109])
    made.add("x", picture((1, 2, 3)), [Sighting("e", None, sighting("e").mask, box)])
    made.add("x", picture((1, 2, 3)), [Sighting("f", FACE, None, box)])
    assert list(made.of("x", 0)) == ["f"]
    assert list(made.of("x", 1)) == ["e"]
    assert made.of("y", 0) == {}


@pytest.mark.parametrize(("n", "count"), [(100, 4), (3, 4), (1, 1), (40, 30)])
def test_people_are_known_from_other_moments_than_those_in_which_they_are_sought(n: int, count: int) -> None:
    early, late = moments(n, count)
    assert len(early) == len(late) <= count
    assert min(early) >= 0
    assert max(late) < n
    if n > 1:
        assert max(early) < min(late)


def test_truth_says_whose_face_and_figure_are_seen() -> None:
    xy = np.zeros((23, 2))
    xy[:3] = FACE
    points = (Points2D(KEYPOINTS23, xy, np.full(23, 2, np.uint8)),)
    mask, box = sighting("a").mask, sighting("a").box
    people = (
        TruePerson(1, points, box=box, mask=mask, seen=0.9, face_seen=0.9),
        TruePerson(2, points, box=box, mask=mask, seen=0.2, face_seen=0.1),
        TruePerson(3, points, box=None, mask=None),
    )
    first, second = true_sightings(TrueFrame(0, people), "clip", load_body())
    assert (first.who, second.who) == ("clip:1", "clip:2")
    assert first.face is not None
    np.testing.assert_array_equal(first.face, FACE)
    assert first.mask is mask
    assert second.face is None
    assert second.mask is None
    assert np.isnan(first.height)
