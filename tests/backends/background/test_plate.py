"""The empty room: people taken out, light evened out, memory bounded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backends.background import PlateBuilder, fill
from backends.errors import InputError

HEIGHT, WIDTH = 240, 320


def still_room(seed: int = 0) -> np.ndarray:
    """A room with edges and texture but without people."""
    rng = np.random.default_rng(seed)
    image = cv2.GaussianBlur(rng.integers(30, 200, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 3)
    image = cv2.normalize(image, None, 40, 190, cv2.NORM_MINMAX)
    for _ in range(25):
        a, b = rng.integers(0, WIDTH, 2), rng.integers(0, HEIGHT, 2)
        cv2.line(image, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), rng.integers(40, 200, 3).tolist(), 2)
    return np.asarray(image, np.uint8)


def walkers(t: float) -> np.ndarray:
    """Where six people are at time ``t`` in [0, 1]."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for k in range(6):
        share = (t * (1 + 0.3 * k) + k / 6) % 1.0
        x, y = (share * WIDTH, 40 + 30 * k) if k % 2 else (30 + 45 * k, share * HEIGHT)
        cv2.ellipse(mask, (int(x), int(y)), (12, 34), 0, 0, 360, 1, -1)
    return mask.astype(bool)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-12)))


def test_the_room_under_six_walking_people_is_found_though_the_light_swings() -> None:
    room, rng = still_room(), np.random.default_rng(1)
    builder = PlateBuilder(HEIGHT, WIDTH)
    under = np.zeros((HEIGHT, WIDTH), bool)
    for i in range(40):
        light = 1.0 + 0.06 * np.sin(i / 3.0)
        mask = walkers(i / 40)
        frame = room * light + rng.normal(0, 2.0, room.shape)
        frame[mask] = (240, 20, 120)
        builder.add(np.clip(frame, 0, 255).astype(np.uint8), mask)
        under |= mask
    plate = builder.finish()
    assert plate.seen.all()
    assert plate.seen_fraction == 1.0
    assert plate.steady
    # The light of the plate is that of one of the pictures: compare after evening it out.
    level = np.median(room[under] / np.maximum(plate.rgb[under], 1.0), axis=0)
    assert np.abs(level - 1).max() < 0.07
    assert psnr(plate.rgb[under] * level, room[under]) >= 40.0


def test_places_never_seen_are_named_and_filled_from_around_them() -> None:
    room = np.full((HEIGHT, WIDTH, 3), (90, 120, 150), np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[80:160, 100:140] = True
    frame = room.copy()
    frame[mask] = (250, 0, 0)
    builder = PlateBuilder(HEIGHT, WIDTH)
    for _ in range(3):
        builder.add(frame, mask)
    plate = builder.finish()
    np.testing.assert_array_equal(plate.seen, ~mask)
    assert plate.seen_fraction == pytest.approx(1 - mask.mean())
    assert np.abs(plate.rgb.astype(int) - room).max() <= 2


def test_memory_is_bounded_whatever_the_length() -> None:
    room = still_room()
    nobody = np.zeros((HEIGHT, WIDTH), bool)
    builder = PlateBuilder(HEIGHT, WIDTH, max_samples=6)
    for _ in range(50):
        builder.add(room, nobody)
    kept = sum(v.nbytes for v in vars(builder).values() if isinstance(v, np.ndarray))
    assert kept == 6 * HEIGHT * WIDTH * 4
    assert psnr(builder.finish().rgb, room) > 45


def test_large_pictures_keep_fewer_samples() -> None:
    builder = PlateBuilder(4320, 7680)
    kept = sum(v.nbytes for v in vars(builder).values() if isinstance(v, np.ndarray))
    assert kept <= 700 << 20


def test_a_camera_that_moves_has_no_steady_room() -> None:
    room = np.tile(still_room(), (2, 2, 1))
    nobody = np.zeros((HEIGHT, WIDTH), bool)
    builder = PlateBuilder(HEIGHT, WIDTH)
    for i in range(12):
        builder.add(room[3 * i : 3 * i + HEIGHT, 5 * i : 5 * i + WIDTH].copy(), nobody)
    assert not builder.finish().steady


def test_a_plain_wall_does_not_make_a_moving_camera_steady_nor_a_fixed_one_moving() -> None:
    wall = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    moving, fixed = PlateBuilder(HEIGHT, WIDTH), PlateBuilder(HEIGHT, WIDTH)
    nobody = np.zeros((HEIGHT, WIDTH), bool)
    for i in range(10):
        frame = wall.copy()
        for bar in range(4):
            frame[60:140, 10 + 45 * bar + 9 * i : 16 + 45 * bar + 9 * i] = 20
        moving.add(frame, nobody)
        fixed.add(wall, nobody)
    assert not moving.finish().steady
    assert fixed.finish().steady


def test_a_picture_full_of_people_gives_no_light_and_no_background() -> None:
    builder = PlateBuilder(HEIGHT, WIDTH)
    builder.add(still_room(), np.ones((HEIGHT, WIDTH), bool))
    plate = builder.finish()
    assert plate.seen_fraction == 0.0
    assert len(np.unique(plate.rgb.reshape(-1, 3), axis=0)) == 1


def test_wrong_sizes_and_no_pictures_are_refused() -> None:
    builder = PlateBuilder(HEIGHT, WIDTH)
    with pytest.raises(InputError, match="at least one"):
        builder.finish()
    with pytest.raises(InputError):
        builder.add(np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), bool))


def test_filling_goes_on_smoothly_from_what_is_known() -> None:
    ramp = np.tile(np.linspace(20, 220, WIDTH)[None, :, None], (HEIGHT, 1, 3)).astype(np.uint8)
    known = np.ones((HEIGHT, WIDTH), bool)
    known[60:180, 120:200] = False
    holed = ramp.copy()
    holed[~known] = 0
    filled = fill(holed, known)
    np.testing.assert_array_equal(filled[known], ramp[known])
    assert np.abs(filled.astype(int) - ramp)[~known].max() < 40
    assert np.abs(np.diff(filled.astype(int), axis=1)).max() < 30
