"""What ``bench plate`` measures, on small drawings: truth fits the pictures, better rooms score higher."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from app.cli.bench.plate_scene import Case, rendered, with_lamp_and_door, without_shadows
from backends.background import Plate, light_of, survey

bench = import_module("app.cli.bench.plate")
score = import_module("app.cli.bench.plate_scores")
moving = import_module("app.cli.bench.plate_moving")
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
    exact = [Plate(t, np.ones(t.shape[:2], np.bool_), 1.0, lit=True) for t in pasted.truth]
    scores = [
        score.scores([first] * N, pasted, bench._evenly)["shown_dB"],
        score.scores([ours.at(i) for i in range(N)], pasted, light_of)["shown_dB"],
        score.scores(exact, pasted, light_of)["shown_dB"],
    ]
    assert scores[0] > 30
    assert scores[1] > scores[0] - 0.5
    assert scores[2] > 80
    assert score.scores([first] * N, pasted, bench._evenly)["never_seen_percent"] == pytest.approx(
        100 * (1 - first.seen_fraction)
    )


def test_what_changes_from_picture_to_picture_is_told_and_what_stays_is_not(case: Case) -> None:
    exact = list(case.truth)
    assert score.flicker(exact, case) == pytest.approx(0, abs=1e-6)
    steady = [np.clip(t.astype(int) - 20, 0, 255).astype(np.uint8) for t in exact]
    restless = [np.clip(t.astype(int) - 20 * (k % 2), 0, 255).astype(np.uint8) for k, t in enumerate(exact)]
    assert score.flicker(steady, case) < 3
    assert score.flicker(restless, case) > 12


def test_a_moving_camera_is_compared_with_two_ways_that_look_at_one_picture(case: Case) -> None:
    few = Case(without_shadows(case).frames[:6], case.truth[:6])
    rows = moving.moving_rows("a camera", few)
    assert [r["what"].split(",")[0] for r in rows] == [
        "a camera: surroundings blurred", "a camera: Telea", "a camera: Understudy",
    ]  # fmt: skip
    for told in rows:
        assert np.isfinite(told["all_dB"])
        assert np.isfinite(told["flicker"])
    assert rows[2]["flicker"] < rows[1]["flicker"]


def test_cameras_are_turned_and_zoomed() -> None:
    names = []
    for name, draw in moving.moving_scenes(2, lambda: None):
        names.append(name)
        assert callable(draw)
    assert names == ["camera in a hand", "camera that turns", "camera that zooms", "camera that follows"]
