"""Lay a drawn scene over a picture."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from backends.errors import InputError
from backends.render.types import U1, Picture

Array = Any


@numba.njit(cache=True, nogil=True)
def _blend(image: Array, rgb: Array, coverage: Array, opacity: float) -> None:
    for y in range(coverage.shape[0]):
        for x in range(coverage.shape[1]):
            a = coverage[y, x] * opacity
            if a <= 0.0:
                continue
            for c in range(3):
                below = float(image[y, x, c])
                image[y, x, c] = int(below + (rgb[y, x, c] - below) * a + 0.5)


def composite(image: U1, picture: Picture, opacity: float = 1.0, *, out: U1 | None = None) -> U1:
    """``picture`` over ``image``: edges mix by coverage, so that no halo stays.

    Args:
        image: (H, W, 3) uint8, the picture's size.
        opacity: in [0, 1].
        out: written instead of a new array; may be ``image`` itself.

    Raises:
        InputError: the sizes differ.
    """
    if image.shape != (picture.height, picture.width, 3):
        raise InputError(
            f"cannot lay a {picture.width} x {picture.height} drawing over a picture of shape {image.shape}"
        )
    if out is None:
        out = image.copy()
    elif out is not image:
        np.copyto(out, image)
    _blend(out[picture.window], picture.crop_rgb, picture.crop_coverage, min(max(opacity, 0.0), 1.0))
    return out
