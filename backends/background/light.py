"""The empty room in the light of one picture: exposure, white balance, and lamps here and there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.background.types import F4, U1, BoolArray, Plate

Array = Any

_SAMPLES = 60
"""Light is measured on about so many pixels along the shorter side."""
_DARKEST, _BRIGHTEST = 8, 247
"""Levels beyond these say nothing about light."""
_ENOUGH = 100
_LOW, _HIGH = 0.6, 1.7
_STRIDE = 6
"""The same where many pictures are brought to one light."""
_LEAST_GAIN, _MOST_GAIN = 0.5, 2.0
_ROWS, _COLUMNS = 3, 4
"""Places in which light is measured apart."""
_TRUST = 30.0
"""A place with so many samples counts half, the whole picture the other half."""
_LOCAL_LOW, _LOCAL_HIGH = 0.75, 1.33
_EVEN = 0.01
"""Light that differs less than this from place to place is the same everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Factors that bring a room to the light of a picture.

    Attributes:
        gain: (3,) over the whole picture.
        places: (rows, columns, 3) factors on top of it, or None where light is even.
        size: (H, W) of the picture.
    """

    gain: F4
    places: F4 | None
    size: tuple[int, int]

    def on(self, rgb: U1, window: tuple[slice, slice]) -> U1:
        """(h, w, 3) the part ``window`` (rows, columns) of the room ``rgb`` (H, W, 3) in this light."""
        crop = np.ascontiguousarray(rgb[window])
        if self.places is None:
            return lit_evenly(crop, self.gain)
        h, w = crop.shape[:2]
        out = np.empty_like(crop)
        field = self.places * self.gain
        step = np.array([field.shape[0] / self.size[0], field.shape[1] / self.size[1]])
        _lit_by_place(crop, field, window[0].start or 0, window[1].start or 0, step, out)
        return out.reshape(h, w, 3)


def lit_evenly(rgb: U1, gain: npt.ArrayLike) -> U1:
    """``rgb`` (..., 3) times ``gain`` (3,)."""
    levels = np.arange(256, dtype=np.float32)[:, None] * np.asarray(gain, np.float32)
    table = np.clip(levels + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(rgb, table[None]), np.uint8)


def light_of(frame: U1, plate: Plate, hidden: BoolArray) -> Light:
    """The light of a picture against the room's, where nobody is.

    Args:
        frame: (H, W, 3) uint8; hidden: (H, W) where people are.
    """
    size = (frame.shape[0], frame.shape[1])
    if plate.lit:
        return Light(np.ones(3, np.float32), None, size)
    step = max(min(size) // _SAMPLES, 1)
    some = (slice(step // 2, None, step), slice(step // 2, None, step))
    a, b = frame[some].astype(np.float32), plate.rgb[some].astype(np.float32)
    fair = ~hidden[some] & plate.seen[some]
    for picture in (a, b):
        for c in range(3):
            fair &= (picture[..., c] > _DARKEST) & (picture[..., c] < _BRIGHTEST)
    if int(fair.sum()) < _ENOUGH:
        return Light(np.ones(3, np.float32), None, size)
    ratio = a / np.maximum(b, 1.0)
    gain = np.clip(_medians(ratio, fair)[1], _LOW, _HIGH).astype(np.float32)
    return Light(gain, _by_place((ratio / gain).astype(np.float32), fair), size)


def gains_to_one_light(frames: U1, masks: BoolArray, step: int = _STRIDE) -> F4:
    """(N, 3) factors that bring each picture to the light of the middle one, from pixels without people.

    Args:
        frames: (N, H, W, 3); masks: (N, H, W) where people are; step: look at every n-th row and column.
    """
    small = frames[:, ::step, ::step].astype(np.float32)
    hidden = masks[:, ::step, ::step]
    level = np.array(
        [c[~h].mean(axis=0) if not h.all() else np.full(3, np.nan) for c, h in zip(small, hidden)]
    )
    usable = np.flatnonzero(np.isfinite(level[:, 0]))
    gains = np.ones((len(frames), 3), np.float32)
    if not len(usable):
        return gains
    middle = int(usable[np.argsort(level[usable].sum(axis=1))[len(usable) // 2]])
    fair = ~hidden
    for c in range(3):  # many times faster than the smallest and largest of each pixel
        fair &= (small[..., c] > _DARKEST) & (small[..., c] < _BRIGHTEST)
    for i in usable:
        both = fair[i] & fair[middle]
        if int(both.sum()) >= _ENOUGH:
            ratio = np.median(small[middle][both] / small[i][both], axis=0)
            gains[i] = np.clip(ratio, _LEAST_GAIN, _MOST_GAIN)
    return gains


def _by_place(ratio: F4, fair: BoolArray) -> F4 | None:
    """(rows, columns, 3) medians of ``ratio`` (h, w, 3) in each place, drawn to 1 where few samples are."""
    field = np.ones((_ROWS, _COLUMNS, 3), np.float32)
    h, w = fair.shape
    for y in range(_ROWS):
        rows = slice(y * h // _ROWS, (y + 1) * h // _ROWS)
        for x in range(_COLUMNS):
            columns = slice(x * w // _COLUMNS, (x + 1) * w // _COLUMNS)
            n, middle = _medians(ratio[rows, columns], fair[rows, columns])
            if n:
                field[y, x] = 1 + n / (n + _TRUST) * (middle - 1)
    field = np.clip(field, _LOCAL_LOW, _LOCAL_HIGH)
    return field if float(np.abs(field - 1).max()) > _EVEN else None


@numba.njit(cache=True, nogil=True)
def _medians(values: Array, which: Array) -> tuple[int, Array]:
    """How many of (h, w) are chosen by ``which``, and the medians (3,) of their ``values`` (h, w, 3)."""
    h, w = which.shape
    chosen = np.empty((3, h * w), np.float32)
    n = 0
    for y in range(h):
        for x in range(w):
            if which[y, x]:
                for c in range(3):
                    chosen[c, n] = values[y, x, c]
                n += 1
    found = np.ones(3, np.float32)
    if n:
        for c in range(3):
            found[c] = np.median(chosen[c, :n])
    return n, found


@numba.njit(cache=True, nogil=True)
def _lit_by_place(crop: Array, field: Array, top: int, left: int, step: Array, out: Array) -> None:
    """Multiply by ``field`` (rows, columns, 3), bilinear between the middles of its places."""
    rows, columns = field.shape[:2]
    h, w = crop.shape[:2]
    # Across first, for each row of the field: what is left for each pixel are loops that the compiler widens.
    across = np.empty((rows, 3 * w), np.float32)
    for x in range(w):
        u = min(max((left + x + 0.5) * step[1] - 0.5, 0.0), columns - 1.0)
        u0 = min(int(u), max(columns - 2, 0))
        u1, fu = min(u0 + 1, columns - 1), u - u0
        for r in range(rows):
            for c in range(3):
                across[r, 3 * x + c] = field[r, u0, c] * (1 - fu) + field[r, u1, c] * fu
    pixels, result = crop.reshape(h, 3 * w), out.reshape(h, 3 * w)
    for y in range(h):
        v = min(max((top + y + 0.5) * step[0] - 0.5, 0.0), rows - 1.0)
        v0 = min(int(v), max(rows - 2, 0))
        upper, lower, fv = across[v0], across[min(v0 + 1, rows - 1)], np.float32(v - v0)
        for i in range(3 * w):
            gain = upper[i] + (lower[i] - upper[i]) * fv
            value = np.float32(pixels[y, i]) * gain + np.float32(0.5)
            result[y, i] = np.uint8(np.int32(min(value, np.float32(255.0))))
