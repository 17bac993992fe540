"""What ``bench plate`` measures, on small drawings: truth fits the pictures, better rooms score higher."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from app.cli.bench.plate_scene import Case, rendered, with_lamp_and_door, without_shadows
from backends.background import light_of, survey

bench = import_module("app.cli.bench.plate")
N = 12


@pytest.fixture(scope="module")
def case() -> Case:
    return rendered("interview", 2, N, 2.0, lambda: None, width=256, height=144)


def test_the_truth_is_the_picture_where_nobody_is(case: Case) -> None:
    for frame, truth in zip(case.frames, case.truth):
        free = ~frame.hidden
        assert np.median(np.abs(frame.rgb.astype(int) - truth)[free]) <= 2
        assert np.abs(frame.rgb.astype(int) - truth)[frame.surely].mean() > 10


def test_people_are_pasted_and_the_room_changes_halfway(case: Case) -> None:
    pasted = without_shadows(case)
    changed = with_lamp_and_door(pasted)
    for before, frame in zip(case.frames, pasted.frames):
        inside = np.abs(frame.rgb.astype(int) - before.rgb)[before.surely]
        assert np.median(inside) <= 3
    np.testing.assert_array_equal(changed.truth[0], case.truth[0])
    assert np.abs(changed.truth[-1].astype(int) - case.truth[-1]).max() > 30
    free = ~changed.frames[-1].hidden
    assert np.abs(changed.frames[-1].rgb.astype(int) - changed.truth[-1])[free].mean() < 4


def test_rooms_are_scored_by_how_near_they_come(case: Case) -> None:
    pasted = without_shadows(case)
    first = bench._first_plate(np.stack([f.rgb for f in pasted.frames]), pasted.hidden)
    ours = survey(range(N), lambda i: pasted.frames[i])
    exact = [bench.Plate(t, np.ones(t.shape[:2], np.bool_), 1.0, lit=True) for t in pasted.truth]
    scores = [
        bench._scores([first] * N, pasted, bench._evenly)["shown_dB"],
        bench._scores([ours.at(i) for i in range(N)], pasted, light_of)["shown_dB"],
        bench._scores(exact, pasted, light_of)["shown_dB"],
    ]
    assert scores[0] > 30
    assert scores[1] > scores[0] - 0.5
    assert scores[2] > 80
    assert bench._scores([first] * N, pasted, bench._evenly)["never_seen_percent"] == pytest.approx(
        100 * (1 - first.seen_fraction)
    )
