"""Turned crops: where a pixel of the crop lies in the picture, at any size and turn."""

from __future__ import annotations

import numpy as np
import pytest

from backends.keypoints.crop import Square, placed, warp


@pytest.mark.parametrize(("side", "angle"), [(50.0, 0.0), (64.0, 0.7), (300.0, -2.0), (20.0, 3.0)])
def test_a_blob_is_found_again_in_the_crop(side: float, angle: float) -> None:
    rows, columns = np.mgrid[0:400, 0:500]
    x, y = 247.0 + 0.2 * side, 193.0 - 0.1 * side
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (0.05 * side) ** 2))
    image = np.repeat((255 * blob).astype(np.uint8)[..., None], 3, axis=2)
    square = Square(np.array([247.0, 193.0]), side, angle)
    to_picture = square.to_picture(96)
    crop = warp(image, to_picture, 96)[..., 0].astype(np.float64)
    assert crop.sum() > 0
    v, u = np.mgrid[0:96, 0:96]
    middle = np.array([[(crop * u).sum(), (crop * v).sum()]]) / crop.sum()
    assert np.abs(placed(middle, to_picture) - [[x, y]]).max() < 0.02 * side


@pytest.mark.parametrize("centre", [(247.0, 193.0), (20.0, 390.0), (480.0, 10.0)])
def test_a_crop_of_much_is_averaged_where_it_lies(centre: tuple[float, float]) -> None:
    rows, columns = np.mgrid[0:400, 0:500]
    ramps = np.stack([0.47 * columns, 0.61 * rows, 0.0 * rows], axis=-1)
    image = np.clip(np.rint(ramps), 0, 255).astype(np.uint8)
    for side in (2.3 * 64, 3.4 * 64, 5.2 * 64):
        to_picture = Square(np.array(centre), side, 0.5).to_picture(64)
        # Averages are rounded up: those of the negative are, too.
        crop, negative = (warp(i, to_picture, 64).astype(np.float64) for i in (image, 255 - image))
        crop = (crop + 255.0 - negative) / 2.0
        v, u = np.mgrid[0:64, 0:64]
        x, y = placed(np.stack([u.ravel(), v.ravel()], axis=1), to_picture).T.reshape(2, 64, 64)
        inside = (x > 12) & (x < 487) & (y > 12) & (y < 387)
        assert inside.sum() > 100
        off = np.stack([crop[..., 0] - 0.47 * x, crop[..., 1] - 0.61 * y], axis=-1)[inside]
        assert np.abs(off.mean(axis=0)).max() < 0.1
        assert np.abs(off).max() < 1.5


def test_a_crop_of_much_beside_the_picture_is_black() -> None:
    image = np.full((100, 120, 3), 200, np.uint8)
    assert not warp(image, Square(np.array([-900.0, 40.0]), 320.0, 0.3).to_picture(64), 64).any()
    one = warp(image[:1, :1], Square(np.array([0.0, 0.0]), 640.0, 0.0).to_picture(64), 64)
    assert one.shape == (64, 64, 3)


def test_the_middle_of_the_crop_is_the_squares_centre() -> None:
    square = Square(np.array([10.0, 20.0]), 32.0, 0.4)
    assert np.allclose(placed(np.array([[15.5, 15.5]]), square.to_picture(32)), [[10.0, 20.0]])
    across = placed(np.array([[0.0, 15.5], [31.0, 15.5]]), square.to_picture(32))
    assert np.allclose(np.diff(across, axis=0), 31.0 * np.array([[np.cos(0.4), np.sin(0.4)]]))


def test_numbers_that_are_none_make_no_square() -> None:
    assert Square(np.zeros(2), 10.0, 0.0).usable
    assert not Square(np.array([np.nan, 0.0]), 10.0, 0.0).usable
    assert not Square(np.zeros(2), np.inf, 0.0).usable
