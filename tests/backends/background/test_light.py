"""A room in the light of a picture: exposure, white balance, a lamp on one side."""

from __future__ import annotations

import numpy as np
import pytest

from backends.background import Plate, light_of
from backends.background.light import gains_to_one_light

HEIGHT, WIDTH = 240, 320
EVERYTHING = (slice(0, HEIGHT), slice(0, WIDTH))


@pytest.fixture(scope="module")
def room() -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.kron(rng.integers(50, 140, (24, 32, 3)), np.ones((10, 10, 1))).astype(np.uint8)


def plate_of(room: np.ndarray, *, lit: bool = False) -> Plate:
    return Plate(room, np.ones(room.shape[:2], np.bool_), 1.0, lit=lit)


def hidden(x0: int = 100, x1: int = 160) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[60:, x0:x1] = True
    return mask


def worst(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).max())


def test_exposure_and_white_balance_are_matched_where_nobody_is(room: np.ndarray) -> None:
    truth = room * np.array([1.06, 0.97, 1.12])
    frame = truth.astype(np.uint8)
    frame[hidden()] = (255, 0, 90)
    light = light_of(frame, plate_of(room), hidden())
    assert worst(light.on(room, EVERYTHING), truth) <= 3


def test_a_lamp_that_shines_on_one_side_is_matched_on_that_side(room: np.ndarray) -> None:
    slope = np.linspace(0.85, 1.2, WIDTH)[None, :, None]
    truth = room * slope
    frame = truth.astype(np.uint8)
    light = light_of(frame, plate_of(room), hidden())
    assert light.places is not None
    evenly = np.abs(room * light.gain - truth).mean()
    assert np.abs(light.on(room, EVERYTHING) - truth).mean() < 0.25 * evenly


def test_a_part_of_the_room_is_lit_as_the_whole_is(room: np.ndarray) -> None:
    frame = (room * np.linspace(0.85, 1.2, WIDTH)[None, :, None]).astype(np.uint8)
    light = light_of(frame, plate_of(room), hidden())
    part = (slice(70, 131), slice(90, 201))
    np.testing.assert_array_equal(light.on(room, part), light.on(room, EVERYTHING)[part])


def test_light_cannot_be_told_from_a_picture_full_of_people_or_from_glare(room: np.ndarray) -> None:
    everywhere = np.ones((HEIGHT, WIDTH), np.bool_)
    for frame, mask in ((room // 2, everywhere), (np.full_like(room, 255), ~everywhere)):
        light = light_of(frame, plate_of(room), mask)
        np.testing.assert_array_equal(light.on(room, EVERYTHING), room)


def test_a_room_that_was_made_for_its_picture_stays_as_it_is(room: np.ndarray) -> None:
    light = light_of(room // 2, plate_of(room, lit=True), hidden())
    np.testing.assert_array_equal(light.on(room, EVERYTHING), room)


def test_people_in_the_way_do_not_change_the_light_of_the_samples(room: np.ndarray) -> None:
    factors = np.array([0.9, 1.0, 1.1])
    masks = np.stack([hidden(20 + 70 * i, 80 + 70 * i) for i in range(3)])
    frames = np.stack([np.where(m[..., None], 250, room * f) for m, f in zip(masks, factors)])
    gains = gains_to_one_light(frames.astype(np.uint8), masks)
    np.testing.assert_allclose(gains.mean(axis=1), 1 / factors, atol=0.02)
