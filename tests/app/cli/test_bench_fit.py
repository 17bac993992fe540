"""What ``bench fit`` measures with: rows, drawn people, OpenPose's files, the textbook fit."""

from __future__ import annotations

import numpy as np
import pytest

from app.cli.bench.fit_baseline import Textbook
from app.cli.bench.fit_data import Watched, watch
from app.cli.bench.fit_exact import aligned_mm
from app.cli.bench.fit_rows import measured
from backends.body import load_body, posed_keypoints


@pytest.fixture(scope="module")
def room() -> Watched:
    return watch(cameras=2, people=2, frames=2, fps=1.0, seed=4)


@pytest.mark.parametrize(
    ("value", "bounds", "target", "reached"),
    [
        (3.0, {}, "", ""),
        (3.0, {"at_most": 4.0}, "<= 4", "yes"),
        (5.0, {"at_most": 4.0}, "<= 4", "no"),
        (5.0, {"at_least": 1000.0}, ">= 1,000", "no"),
        (90.0, {"at_least": 85.0, "at_most": 95.0}, "85 to 95", "yes"),
        (96.0, {"at_least": 85.0, "at_most": 95.0}, "85 to 95", "no"),
        (float("nan"), {"at_most": 4.0}, "<= 4", "no"),
    ],
)
def test_rows_say_whether_a_target_is_reached(
    value: float, bounds: dict[str, float], target: str, reached: str
) -> None:
    row = measured("w", value, "mm", **bounds)
    assert (row["target"], row["reached"]) == (target, reached)


def test_drawn_people_are_seen_where_they_are(room: Watched) -> None:
    assert (len(room.people), len(room.people[0]), len(room.cameras)) == (2, 2, 2)
    body = load_body()
    for person in room.people:
        for sights in person:
            for sight, camera in zip(sights, room.cameras):
                assert (camera.width, camera.height) == (1280, 720)
                xy = camera.project(posed_keypoints(body, sight.truth.params))
                np.testing.assert_allclose(sight.xy, xy, atol=1e-6)
                # The small picture's keypoints are the same places in larger pixels.
                np.testing.assert_allclose((sight.truth.keypoints_2d + 0.5) * 4 - 0.5, xy, atol=1e-6)
                noisy = sight.keypoints(np.random.default_rng(0), 2.0)
                there = sight.truth.visibility > 0
                assert np.abs(noisy.xy - xy)[there].max() < 10
                assert (noisy.visibility == sight.truth.visibility).all()


def test_the_textbook_way_finds_a_body(room: Watched) -> None:
    seen = [(s, c) for p in room.people for f in p for s, c in zip(f, room.cameras)]
    sight, camera = max(seen, key=lambda pair: int((pair[0].truth.visibility > 0).sum()))
    body = load_body()
    params, rms = Textbook(body, steps=6).fit(sight.keypoints(), camera)
    assert rms < 60
    assert aligned_mm(body, params, sight.truth) < 150
