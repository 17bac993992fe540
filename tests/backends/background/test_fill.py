"""What is put where nothing was ever seen."""

from __future__ import annotations

import numpy as np
import pytest

from backends.background import fill, fill_along_edges

HEIGHT, WIDTH = 240, 320


def hole(rows: slice, columns: slice) -> np.ndarray:
    known = np.ones((HEIGHT, WIDTH), np.bool_)
    known[rows, columns] = False
    return known


def two_walls() -> np.ndarray:
    """A dark wall over a light floor: the edge between runs across."""
    room = np.full((HEIGHT, WIDTH, 3), (60, 70, 90), np.uint8)
    room[130:] = (190, 180, 160)
    return room


def error(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a[where].astype(float) - b[where]) ** 2)))


def test_an_edge_runs_on_through_what_was_never_seen() -> None:
    room, known = two_walls(), hole(slice(70, 190), slice(130, 170))
    holed = np.where(known[..., None], room, 0).astype(np.uint8)
    led = fill_along_edges(holed, known)
    np.testing.assert_array_equal(led[known], room[known])
    assert error(led, room, ~known) < 0.75 * error(fill(holed, known), room, ~known)


@pytest.mark.parametrize("way", [fill, fill_along_edges])
def test_no_pixel_of_what_is_hidden_comes_through(way) -> None:
    room, known = two_walls(), hole(slice(70, 190), slice(100, 200))
    results = []
    for color in ((255, 0, 255), (0, 255, 0)):
        picture = room.copy()
        picture[~known] = color
        results.append(way(picture, known))
    np.testing.assert_array_equal(results[0], results[1])


def test_holes_at_the_border_thin_rests_and_nothing_at_all_are_filled() -> None:
    room = two_walls()
    corner = hole(slice(0, 100), slice(0, 90))
    assert error(fill_along_edges(room, corner), room, ~corner) < 30
    only_one = np.zeros((HEIGHT, WIDTH), np.bool_)
    only_one[200, 300] = True
    assert (np.abs(fill_along_edges(room, only_one).astype(int) - room[200, 300]) <= 1).all()
    nothing = fill_along_edges(room, np.zeros((HEIGHT, WIDTH), np.bool_))
    assert len(np.unique(nothing)) == 1
    everything = np.ones((HEIGHT, WIDTH), np.bool_)
    np.testing.assert_array_equal(fill_along_edges(room, everything), room)


def test_tiny_pictures_are_filled() -> None:
    picture = np.full((3, 5, 3), 77, np.uint8)
    known = np.zeros((3, 5), np.bool_)
    known[0, 0] = True
    assert (fill_along_edges(picture, known) == 77).all()
