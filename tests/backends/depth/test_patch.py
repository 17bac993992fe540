"""The distances about one person as a small picture."""

from __future__ import annotations

import numpy as np
import pytest

from backends.camera import Camera
from backends.depth import DepthPatch, take_patch
from backends.depth.register import Registration
from backends.errors import InputError
from backends.masks import encode_mask

SIZE = (200, 100)
BOX = np.array([50, 20, 89, 79], np.float32)


def wall(metres: float = 3.0) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0]), metres, np.float32)


def test_a_limb_before_a_wall_is_not_mixed_with_it() -> None:
    depth = wall()
    depth[20:80, 60:64] = 2.0
    held = np.zeros((60, 40), np.bool_)
    held[:, 10:14] = True
    patch = take_patch(depth, BOX, encode_mask(held, 50, 20), SIZE)
    assert patch is not None
    assert patch.metres_at(np.array([[61.0, 50.0]]), own=True) == pytest.approx(2.0)
    assert patch.metres_at(np.array([[80.0, 50.0]])) == pytest.approx(3.0)
    assert np.isnan(patch.metres_at(np.array([[80.0, 50.0]]), own=True)).all()


def test_holes_noise_and_flying_pixels_do_not_get_through() -> None:
    rng = np.random.default_rng(0)
    depth = wall(2.5) + rng.normal(0, 0.02, (SIZE[1], SIZE[0])).astype(np.float32)
    depth[rng.random(depth.shape) < 0.2] = 0.0
    depth[rng.random(depth.shape) < 0.1] = np.nan
    depth[rng.random(depth.shape) < 0.1] = 4.0
    patch = take_patch(depth, BOX, None, SIZE)
    assert patch is not None
    assert (patch.mm > 0).mean() > 0.95
    assert np.abs(np.median(patch.mm[patch.mm > 0]) - 2500) < 8
    assert patch.own.all()


def test_a_smaller_picture_of_the_same_view_is_taken_too() -> None:
    depth = wall()
    depth[:, :100] = 1.0
    patch = take_patch(np.ascontiguousarray(depth[::2, ::2]), np.array([80, 20, 120, 80]), None, SIZE)
    assert patch is not None
    near, far = patch.metres_at(np.array([[90.0, 50.0], [112.0, 50.0]]))
    assert (near, far) == (1.0, 3.0)


def test_where_nothing_is_known_nothing_is_told() -> None:
    assert take_patch(wall(0.0), BOX, None, SIZE) is None
    assert take_patch(wall(np.nan), BOX, None, SIZE) is None
    assert take_patch(wall(90.0), BOX, None, SIZE) is None
    patch = take_patch(wall(), BOX, None, SIZE)
    assert patch is not None
    outside = np.array([[-5.0, 50.0], [500.0, 50.0], [np.nan, np.nan]])
    assert np.isnan(patch.metres_at(outside)).all()


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        take_patch(np.zeros((4, 4, 3), np.float32), BOX, None, SIZE)
    with pytest.raises(InputError, match="finite"):
        take_patch(wall(), np.array([0, 0, np.nan, 5]), None, SIZE)
    with pytest.raises(InputError, match="equal arrays"):
        DepthPatch(0, 0, 4, np.zeros((2, 2), np.uint16), np.zeros((3, 2), np.bool_))


def test_a_box_beyond_the_picture_is_cut_off() -> None:
    patch = take_patch(wall(), np.array([-40, -40, 400, 400]), None, SIZE)
    assert patch is not None
    assert (patch.x0, patch.y0) == (0, 0)
    assert (patch.mm == 3000).all()


def camera(width: int, height: int, shift: float = 0.0, dist: float = 0.0) -> Camera:
    f = 0.9 * width
    K = np.array([[f, 0.0, (width - 1) / 2], [0.0, f, (height - 1) / 2], [0.0, 0.0, 1.0]])
    return Camera(K, width, height, t=np.array([shift, 0.0, 0.0]), dist=np.array([dist, 0, 0, 0, 0.0]))


def test_depth_of_a_camera_beside_lands_where_the_colour_camera_sees_it() -> None:
    colour, sensor = camera(320, 240, dist=-0.05), camera(160, 120, shift=0.05)
    depth = np.full((120, 160), 3.0, np.float32)
    depth[40:80, 60:100] = 1.5  # a box before a wall
    seen = Registration(colour, sensor).to_colour(depth)
    assert seen.shape == (120, 160)
    # The middle of the box, as the sensor has it, seen by the colour camera 5 cm beside.
    point = np.array([(79.5 - 79.5) / 144 * 1.5 - 0.05, 0.0, 1.5])
    column = round(float(colour.project(point)[0]) / 2)
    assert seen[60, column] == pytest.approx(1.5)
    assert set(np.unique(seen).round(3)) <= {0.0, 1.5, 3.0}
    with pytest.raises(InputError, match="pictures of"):
        Registration(colour, sensor).to_colour(depth[:10])
