"""Shadows at the feet of somebody who always stood there run out softly; dark things stay dark things."""

from __future__ import annotations

import cv2
import numpy as np

from backends.background.shade import complete_in_shade, shade

HEIGHT, WIDTH = 360, 640


def floor() -> np.ndarray:
    tiles = np.full((HEIGHT, WIDTH, 3), (150, 160, 170), np.float32)
    tiles[:, ::80] -= 8
    tiles[::60] -= 8
    return np.clip(tiles + np.random.default_rng(2).normal(0, 1, tiles.shape), 0, 255)


def soft_shadow() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    far = ((x - 320) / 48.0) ** 2 + ((y - 280) / 20.0) ** 2
    return np.asarray(1 - 0.5 * np.exp(-far), np.float32)


def standing() -> np.ndarray:
    known = np.ones((HEIGHT, WIDTH), np.bool_)
    known[80:284, 290:350] = False
    return known


def test_a_soft_shadow_is_found_and_led_on() -> None:
    shadow, known = soft_shadow(), standing()
    picture = np.clip(floor() * shadow[..., None], 0, 255).astype(np.uint8)
    found = shade(picture, known)
    about = known & (shadow < 0.85)
    assert np.abs(found - shadow)[about].mean() < 0.1
    assert found[275, 320] < 0.75
    assert found[100, 320] > 0.9
    filled = complete_in_shade(picture, known)
    np.testing.assert_array_equal(filled[known], picture[known])
    # Down through where they stood: nowhere a hard step between shadow and light.
    down = cv2.GaussianBlur(filled.astype(np.float32).mean(axis=2), (0, 0), 3)[150:300, 300:340]
    assert np.abs(np.diff(down, axis=0)).max() < 6


def test_a_dark_thing_with_edges_is_no_shadow() -> None:
    picture = floor()
    picture[250:300, 260:380] *= 0.5
    assert shade(picture.astype(np.uint8), standing()).min() > 0.99


def test_colour_tells_a_thing_from_a_shadow() -> None:
    red = np.dstack([np.ones((HEIGHT, WIDTH), np.float32), soft_shadow(), soft_shadow()])
    assert shade(np.clip(floor() * red, 0, 255).astype(np.uint8), standing()).min() > 0.99


def test_everything_known_and_nothing_known() -> None:
    picture = floor().astype(np.uint8)
    every = np.ones((HEIGHT, WIDTH), np.bool_)
    assert shade(picture, every).min() == 1
    assert shade(picture, ~every).min() == 1
    np.testing.assert_array_equal(complete_in_shade(picture, every), picture)
