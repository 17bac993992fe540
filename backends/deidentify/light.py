"""Bodies in the light of the place where they stand: no lamp-lit figure in a dark room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.deidentify.types import PersonCover
from backends.render import Picture

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
Array = Any

_USUAL = 118.0
"""Mean level of a room in which a body keeps its own colours."""
_FOLLOWS = 0.5
"""Exponent: a body follows the room's level only by half, so that it can be seen in the dark."""
_DARKEST, _BRIGHTEST = 0.6, 1.12
_TINT = 0.07
"""How far a room's colour may tint a body, as a share of each channel."""


@numba.njit(cache=True, nogil=True)
def _scale(rgb: Array, members: Array, coverage: Array, factors: Array, out: Array) -> None:
    """Multiply by each body's factor; a pixel on an edge, of no body, takes that of the one beside it."""
    h, w = members.shape
    for y in range(h):
        for x in range(w):
            if coverage[y, x] <= 0:
                continue
            k = members[y, x]
            if k < 0:
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        v, u = min(max(y + dy, 0), h - 1), min(max(x + dx, 0), w - 1)
                        k = max(k, members[v, u])
            for c in range(3):
                value = rgb[y, x, c] * (factors[k, c] if k >= 0 else 1.0) + 0.5
                out[y, x, c] = np.uint8(min(value, 255.0))


def in_light(picture: Picture, covers: Sequence[PersonCover], members: Sequence[int], behind: U1) -> Picture:
    """The drawn bodies as bright, and a little as warm or cool, as what is behind them.

    Args:
        members: the place in ``covers`` of every mesh of ``picture``, by its number.
        behind: (H, W, 3) the picture in which nobody is any more.
    """
    here = behind[picture.window]
    factors = np.ones((max(len(members), 1), 3), np.float32)
    for number, place in enumerate(members):
        if covers[place].own_colors:
            continue
        mine = (picture.crop_mesh_id == number).view(np.uint8)
        x, y, w, h = cv2.boundingRect(mine)
        if w:
            part = (slice(y, y + h), slice(x, x + w))
            level = np.array(cv2.mean(np.ascontiguousarray(here[part]), mine[part])[:3], np.float32)
            factors[number] = factor_of(level)
    if np.abs(factors - 1).max() < 0.01:
        return picture
    out = np.zeros_like(picture.crop_rgb)
    _scale(picture.crop_rgb, picture.crop_mesh_id, picture.crop_coverage, factors, out)
    return replace(picture, crop_rgb=out)


def factor_of(level: F4) -> F4:
    """(3,) what a body's colours are multiplied by, where the mean colour behind it is ``level`` (3,)."""
    mean = max(float(level.mean()), 1.0)
    bright = float(np.clip((mean / _USUAL) ** _FOLLOWS, _DARKEST, _BRIGHTEST))
    tint = np.clip(level / mean, 1 - _TINT, 1 + _TINT)
    factor: F4 = (bright * tint).astype(np.float32)
    return factor
