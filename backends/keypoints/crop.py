"""Turned square crops, as landmark networks take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from backends.errors import InputError

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]
Found = TypeVar("Found")

MIN_SIDE_PX = 40.0
"""Smaller crops of a hand or a face hold too little to place points by."""


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """A turned square in a picture.

    Attributes:
        centre: (2,) pixels; side: pixels; angle: radians, clockwise as seen (x right, y down), of the
            square's own x axis.
    """

    centre: F8
    side: float
    angle: float

    @property
    def usable(self) -> bool:
        """Whether all numbers are finite."""
        return bool(np.isfinite(self.centre).all() and np.isfinite(self.side) and np.isfinite(self.angle))

    @property
    def turn(self) -> F8:
        """(2, 2) from the square's axes to the picture's."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.array([[c, -s], [s, c]])

    def to_picture(self, size: int) -> F8:
        """(2, 3) from pixels of a crop of ``size`` x ``size`` to pixels of the picture."""
        linear = self.turn * (self.side / size)
        middle = np.full(2, (size - 1) / 2)
        return np.concatenate([linear, (self.centre - linear @ middle)[:, None]], axis=1)


def warp(image: U1, to_picture: F8, size: int) -> U1:
    """(size, size, 3) crop of (H, W, 3); black beside the picture.

    Args:
        to_picture: (2, 3) from pixels of the crop to pixels of the picture, a similarity.
    """
    step = float(np.hypot(to_picture[0, 0], to_picture[1, 0]))
    if step > 2.0:  # far larger than the crop: average first, or most pixels are never looked at
        image, to_picture = _shrunk(image, to_picture, size, 1.5 / step)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, to_picture, (size, size), flags=flags), np.uint8)


def _shrunk(image: U1, to_picture: F8, size: int, factor: float) -> tuple[U1, F8]:
    """What a crop shows of a picture, made smaller, and where the crop lies in it.

    Averaging the whole picture would take several times as long.
    """
    height, width = image.shape[:2]
    corners = placed(np.array([[0.0, 0.0], [size, 0.0], [0.0, size], [size, size]]), to_picture)
    margin = 2.0 / factor
    low = np.clip(np.floor(corners.min(axis=0) - margin), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + margin), low + 1, [width, height]).astype(int)
    few = np.maximum(np.rint((high - low) * factor), 1).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    small = np.asarray(cv2.resize(part, few.tolist(), interpolation=cv2.INTER_AREA), np.uint8)
    scale = few / (high - low)
    moved = to_picture * scale[:, None]
    moved[:, 2] = (to_picture[:, 2] - low + 0.5) * scale - 0.5  # pixels are counted from their middles
    return small, moved


def placed(points: F8, to_picture: F8) -> F8:
    """(N, 2) pixels of the picture from pixels of the crop."""
    return np.asarray(points @ to_picture[:, :2].T + to_picture[:, 2])


def looked_closer(
    image: U1, square: Square, look: Callable[[U1, Square], Found | None],
    around: Callable[[Found], Square], *, passes: int,
) -> Found | None:  # fmt: skip
    """What ``look`` finds in a square; each further pass looks ``around`` what the one before has found.

    Returns:
        None where the crop is too small, or a pass finds nothing.

    Raises:
        InputError: not a picture.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InputError(f"a picture needs shape (H, W, 3) and uint8, got {image.shape}")
    found: Found | None = None
    for _ in range(passes):
        if not square.usable or not MIN_SIDE_PX <= square.side < 4.0 * max(image.shape):
            return found
        seen = look(image, square)
        if seen is None:
            return None
        found, square = seen, around(seen)
    return found
