"""Bodies in the light of the room."""

from __future__ import annotations

import numpy as np
from small_room import CAMERA, HEIGHT, WIDTH, changed, person, standing

from backends.background import Plate
from backends.deidentify import cover_frame
from backends.deidentify.light import factor_of
from backends.render import rasterize


def shown(level: tuple[int, int, int], *, own_colors: bool = False) -> np.ndarray:
    a, _ = person(standing())
    room = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
    plate = Plate(room, np.ones((HEIGHT, WIDTH), bool), 1.0)
    out, _ = cover_frame(room, [changed(a, own_colors=own_colors)], CAMERA, plate=plate)
    body = rasterize([a.mesh], CAMERA).coverage == 1.0  # type: ignore[list-item]
    return out[body].astype(float)


def test_a_body_is_darker_in_a_dark_room_and_warmer_in_a_warm_one() -> None:
    usual, dark, warm = shown((118, 118, 118)), shown((25, 25, 25)), shown((140, 118, 96))
    assert dark.mean() < 0.75 * usual.mean()
    assert dark.mean() > 0.4 * usual.mean()
    assert (warm[:, 0] / warm[:, 2]).mean() > 1.1 * (usual[:, 0] / usual[:, 2]).mean()


def test_colours_with_a_meaning_stay() -> None:
    dark, usual = (shown((v, v, v), own_colors=True) for v in (25, 118))
    np.testing.assert_array_equal(dark, usual)


def test_a_room_of_the_usual_level_changes_nothing() -> None:
    np.testing.assert_allclose(factor_of(np.full(3, 118, np.float32)), 1.0, atol=1e-3)
    assert (factor_of(np.zeros(3, np.float32)) > 0).all()
