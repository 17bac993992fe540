"""Where the detector looks, and when."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from backends.detection.schedule import TileSchedule
from backends.detection.tiles import make_tiles
from backends.detection.types import Region, overlap, suppress

SCALES = (1.0, 2.0, 3.0)


def region(x: float, y: float, radius: float, score: float = 1.0) -> Region:
    return Region(np.array([x, y]), np.array([x, y - radius]), score)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (768, 576), (1080, 1920), (97, 40), (4000, 300)])
def test_every_scale_of_tiles_covers_the_whole_picture(width: int, height: int) -> None:
    for scale in SCALES:
        tiles = make_tiles(width, height, (scale,))
        seen = np.zeros((height, width), bool)
        for tile in tiles:
            x0, y0 = max(0, int(np.ceil(tile.x0))), max(0, int(np.ceil(tile.y0)))
            seen[y0 : int(tile.y0 + tile.side) + 1, x0 : int(tile.x0 + tile.side) + 1] = True
        assert seen.all()


def test_neighbouring_tiles_share_enough_for_a_person_on_the_seam() -> None:
    tiles = make_tiles(1280, 720, (2.0,))
    starts = sorted({t.x0 for t in tiles})
    assert all(b - a <= 0.71 * tiles[0].side for a, b in pairwise(starts))


def test_the_better_of_two_overlapping_regions_is_kept_and_a_distant_one_too() -> None:
    kept = suppress([region(100, 100, 50, 0.6), region(104, 98, 52, 0.9), region(300, 100, 50, 0.4)])
    assert [r.score for r in kept] == [0.9, 0.4]


def test_a_circle_overlaps_itself_wholly_and_one_a_radius_away_not_at_all() -> None:
    assert overlap(region(0, 0, 10), region(0, 0, 10)) == pytest.approx(1.0)
    assert overlap(region(0, 0, 10), region(10, 0, 10)) == pytest.approx(0.0)


def test_the_angle_of_a_region_is_zero_upright_and_grows_clockwise() -> None:
    assert region(5, 5, 3).angle == pytest.approx(0.0)
    assert Region(np.zeros(2), np.array([1.0, 0.0])).angle == pytest.approx(np.pi / 2)


def still(level: int = 100) -> np.ndarray:
    return np.full((480, 640, 3), level, np.uint8)


def test_all_tiles_are_looked_at_first_and_then_each_in_turn() -> None:
    schedule = TileSchedule(640, 480, SCALES)
    schedule.watch(still(), [])
    assert schedule.is_urgent
    assert len(schedule.choose(1)) == len(schedule.tiles)
    seen = []
    for _ in schedule.tiles:
        schedule.watch(still(), [])
        seen += schedule.choose(1)
    assert {(t.x0, t.y0, t.side) for t in seen} == {(t.x0, t.y0, t.side) for t in schedule.tiles}


def watched(image: np.ndarray, explained: list[np.ndarray]) -> TileSchedule:
    schedule = TileSchedule(640, 480, SCALES)
    schedule.watch(still(), [])
    schedule.choose(1)
    schedule.watch(image, explained)
    return schedule


def test_movement_that_nobody_explains_is_looked_at_at_once() -> None:
    image = still()
    image[380:460, 540:600] = 250
    schedule = watched(image, [])
    assert schedule.is_urgent
    (tile,) = schedule.choose(1)
    assert tile.x0 <= 540
    assert tile.x0 + tile.side >= 600
    assert tile.y0 + tile.side >= 420


def test_movement_of_known_people_calls_for_no_detector() -> None:
    image = still()
    image[380:460, 540:600] = 250
    assert not watched(image, [np.array([530.0, 370.0, 610.0, 470.0])]).is_urgent


def test_another_shot_makes_every_tile_due() -> None:
    schedule = TileSchedule(640, 480, SCALES)
    schedule.watch(still(20), [])
    schedule.choose(1)
    assert schedule.watch(still(200), [])
    assert len(schedule.choose(1)) == len(schedule.tiles)


def test_a_restored_schedule_goes_on_exactly() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 60, (480, 640, 3)).astype(np.uint8) for _ in range(8)]
    schedule = TileSchedule(640, 480, SCALES)
    for picture in pictures[:4]:
        schedule.watch(picture, [])
        schedule.choose(2)
    other = TileSchedule.restore(schedule.state(), SCALES)
    for picture in pictures[4:]:
        schedule.watch(picture, [])
        other.watch(picture, [])
        assert schedule.choose(2) == other.choose(2)
