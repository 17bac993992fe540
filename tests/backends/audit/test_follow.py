"""A head followed by its look: as far as it is surely the same, and no farther."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backends.audit.follow import HeadTrail

H, W = 200, 320


def texture(seed: int, height: int, width: int, grain: int = 4) -> np.ndarray:
    """Blots of a few pixels."""
    rng = np.random.default_rng(seed)
    small = rng.integers(20, 235, (height // grain + 2, width // grain + 2)).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def picture(x: float, y: float, side: int, head: np.ndarray) -> np.ndarray:
    """A room, and a head whose middle is at a place."""
    matrix = np.float32([[1, 0, x - (side - 1) / 2], [0, 1, y - (side - 1) / 2]])
    on = cv2.warpAffine(np.full_like(head, 255), matrix, (W, H)) > 128
    moved = cv2.warpAffine(head, matrix, (W, H))
    return np.where(on, moved, texture(1, H, W, 9)).astype(np.uint8)


def box(x: float, y: float, side: float) -> np.ndarray:
    return np.float32([x - side / 2, y - side / 2, x + side / 2, y + side / 2])


@pytest.mark.parametrize("side", [11, 24, 61])
def test_a_head_that_walks_is_followed_to_the_pixel(side: int) -> None:
    head = texture(2, side, side, max(3, side // 6))
    trail = HeadTrail(picture(80, 90, side, head), box(80, 90, side))
    for i in range(1, 30):
        x, y = 80 + 0.15 * side / 2 * min(i, 15), 90 + 4 * np.sin(i / 4)
        found = trail.step(picture(x, y, side, head))
        assert found is not None
        tolerance = max(1.5, 0.06 * side)
        np.testing.assert_allclose(found.reshape(2, 2).mean(axis=0), [x, y], atol=tolerance)
        np.testing.assert_allclose(found[2:] - found[:2], side, atol=0.1)


def test_a_head_that_turns_slowly_is_followed_and_one_that_has_become_another_is_not() -> None:
    side, a, b = 24, texture(2, 24, 24), texture(3, 24, 24)
    trail = HeadTrail(picture(100, 90, side, a), box(100, 90, side))
    lost = None
    for i in range(1, 101):
        look = cv2.addWeighted(a, 1 - i / 100, b, i / 100, 0)
        if trail.step(picture(100, 90, side, look)) is None:
            lost = i
            break
    assert lost is not None
    assert 40 <= lost <= 90


def test_what_comes_to_lie_before_it_is_not_followed() -> None:
    head, other = texture(2, 24, 24), texture(7, 90, 90)
    trail = HeadTrail(picture(100, 90, 24, head), box(100, 90, 24))
    seen = 0
    for i in range(1, 60):
        image = picture(100, 90, 24, head)
        x = 20 + 3 * i  # something large passes slowly before the head
        image[50:140, max(x - 90, 0) : x] = other[:, -min(x, 90) :]
        if trail.step(image) is None:
            break
        seen = i
    assert 20 <= seen <= 30, "as long as at least a part of it shows"
    assert trail.lost
    assert trail.step(picture(100, 90, 24, head)) is None, "who is lost stays lost"


def test_it_is_lost_where_it_leaves_the_picture_and_where_it_jumps() -> None:
    head = texture(2, 24, 24)
    trail = HeadTrail(picture(20, 90, 24, head), box(20, 90, 24))
    xs = [x for x in range(18, -30, -2) if trail.step(picture(x, 90, 24, head)) is not None]
    assert min(xs) >= 8
    trail = HeadTrail(picture(100, 90, 24, head), box(100, 90, 24))
    assert trail.step(picture(160, 90, 24, head)) is None


@pytest.mark.parametrize(
    "place", [box(100, 90, 2), box(-40, 90, 24), box(1000, 1000, 24), box(2, 2, 24), box(100, 90, 0)]
)
def test_what_is_too_small_or_not_in_the_picture_cannot_be_followed(place: np.ndarray) -> None:
    image = picture(100, 90, 24, texture(2, 24, 24))
    trail = HeadTrail(image, place)
    assert trail.lost
    assert trail.step(image) is None


def test_a_place_without_a_look_cannot_be_followed() -> None:
    blank = np.full((H, W), 130, np.uint8)
    assert HeadTrail(blank, box(100, 90, 24)).lost
