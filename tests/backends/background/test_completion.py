"""Pieces of the room where nothing was ever seen."""

from __future__ import annotations

import numpy as np
import pytest

from backends.background import complete, fill_along_edges

HEIGHT, WIDTH = 240, 320


def shelf() -> np.ndarray:
    """Books of five colours on shelves, a pattern that goes on and on."""
    rng = np.random.default_rng(4)
    colors = rng.integers(30, 220, (5, 3))
    room = np.full((HEIGHT, WIDTH, 3), 235, np.uint8)
    for x in range(WIDTH):
        room[:, x] = colors[(x // 6) % 5]
    for y in range(0, HEIGHT, 40):
        room[y : y + 6] = 235
    return room


def hole(rows: slice, columns: slice) -> np.ndarray:
    known = np.ones((HEIGHT, WIDTH), np.bool_)
    known[rows, columns] = False
    return known


def error(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a[where].astype(float) - b[where]) ** 2)))


def steepness(picture: np.ndarray, where: np.ndarray) -> float:
    return float(np.hypot(*np.gradient(picture.mean(axis=2)))[where].mean())


def test_a_shelf_goes_on_with_its_books_behind_somebody() -> None:
    room, known = shelf(), hole(slice(50, 190), slice(120, 180))
    holed = np.where(known[..., None], room, 0).astype(np.uint8)
    done, led = complete(holed, known), fill_along_edges(holed, known)
    np.testing.assert_array_equal(done[known], room[known])
    middle = hole(slice(70, 170), slice(135, 165))
    assert steepness(done, ~middle) > 0.6 * steepness(room, ~middle) > steepness(led, ~middle)


def test_a_skirting_board_runs_on_and_walls_stay_walls() -> None:
    room = np.full((HEIGHT, WIDTH, 3), (200, 205, 190), np.uint8)
    room[150:] = (120, 100, 80)
    room[144:150] = 30
    known = hole(slice(60, 220), slice(120, 190))
    done = complete(np.where(known[..., None], room, 0).astype(np.uint8), known)
    assert error(done, room, ~known) < 12


def test_no_pixel_of_what_is_hidden_comes_through() -> None:
    room, known = shelf(), hole(slice(50, 190), slice(0, 120))
    results = []
    for color in ((255, 0, 255), (0, 255, 0)):
        picture = room.copy()
        picture[~known] = color
        results.append(complete(picture, known))
    np.testing.assert_array_equal(results[0], results[1])


def test_the_same_picture_is_filled_in_the_same_way() -> None:
    room, known = shelf(), hole(slice(50, 190), slice(120, 180))
    np.testing.assert_array_equal(complete(room, known), complete(room, known))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(0, 60), slice(0, 90)), (slice(0, None), slice(100, 180)), (slice(100, 104), slice(0, None)),
        (slice(0, 236), slice(0, None)), (slice(30, 31), slice(40, 41)),
    ],
)  # fmt: skip
def test_holes_at_the_border_thin_ones_and_nearly_everything(rows: slice, columns: slice) -> None:
    room, known = shelf(), hole(rows, columns)
    done = complete(room, known)
    np.testing.assert_array_equal(done[known], room[known])
    colors = {tuple(c) for c in room.reshape(-1, 3).tolist()}
    if (~known).mean() < 0.5:  # most pixels are pieces of the room, not mixtures
        filled = done[~known].astype(int)
        known_colors = np.array(sorted(colors))
        far = np.abs(filled[:, None] - known_colors[None]).max(axis=2).min(axis=1)
        assert np.mean(far < 12) > 0.7


def test_nothing_known_everything_known_and_tiny_pictures() -> None:
    room = shelf()
    assert len(np.unique(complete(room, np.zeros((HEIGHT, WIDTH), np.bool_)))) == 1
    np.testing.assert_array_equal(complete(room, np.ones((HEIGHT, WIDTH), np.bool_)), room)
    picture = np.full((3, 5, 3), 77, np.uint8)
    known = np.zeros((3, 5), np.bool_)
    known[0, 0] = True
    assert (complete(picture, known) == 77).all()
