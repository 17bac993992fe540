"""A median over time that leaves out the pixels in which people were."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from backends.background.types import F4, U1, BoolArray

Array = Any

_SIXTEENTHS = 16
_NEAR = 6 * _SIXTEENTHS
"""Values this near to the median are noise of the same thing: their mean is quieter than the median."""


def masked_median(
    frames: U1, masks: BoolArray, gains: F4, which: npt.NDArray[np.int64] | None = None
) -> tuple[U1, BoolArray]:
    """The typical value of each pixel where nobody was.

    Args:
        frames: (N, H, W, 3) uint8; masks: (N, H, W) where people are; gains: (N, 3) factors that bring
            each picture to one light; which: (M,) of the N that count, all by default.

    Returns:
        (H, W, 3) uint8, zero where people always were, and (H, W) where they were not always.
    """
    height, width = masks.shape[1:]
    chosen = np.arange(len(frames)) if which is None else which
    bytes_in_light = np.arange(256) * gains[..., None].astype(np.float64) * _SIXTEENTHS
    table = np.clip(np.round(bytes_in_light), 0, 65535).astype(np.uint16)
    rgb = np.zeros((height, width, 3), np.uint8)
    seen = np.zeros((height, width), np.bool_)
    middle = height // 2
    with ThreadPoolExecutor(2) as pool:
        halves = [
            pool.submit(_rows, frames, masks, chosen, table, first, last, rgb, seen)
            for first, last in [(0, middle), (middle, height)]
        ]
        for half in halves:
            half.result()
    return rgb, seen


@numba.njit(cache=True, nogil=True)
def _middle(values: Array, count: int) -> float:
    """Median of ``values[:count]``, uint16, by halving the range: plain loops that the compiler widens."""
    low, high = 65535, 0
    for k in range(count):
        low, high = min(low, values[k]), max(high, values[k])
    rank = (count - 1) // 2
    while low < high:
        half = (low + high) // 2
        limit, below = np.uint16(half), np.int32(0)
        for k in range(count):
            below += np.int32(values[k] <= limit)
        if below > rank:
            high = half
        else:
            low = half + 1
    if count % 2 == 1:
        return float(low)
    reached, upper = 0, 65535
    for k in range(count):
        reached += values[k] <= low
        if values[k] > low:
            upper = min(upper, values[k])
    return float(low) if reached > count // 2 else 0.5 * (low + upper)


@numba.njit(cache=True, nogil=True)
def _typical(values: Array, count: int) -> float:
    """The mean of what is near the median."""
    middle = _middle(values, count)
    total, near = 0.0, 0
    for k in range(count):
        value = float(values[k])
        if abs(value - middle) <= _NEAR:
            total += value
            near += 1
    return total / near if near else middle


@numba.njit(cache=True, nogil=True)
def _rows(
    frames: Array, masks: Array, which: Array, table: Array, first: int, last: int, rgb: Array, seen: Array
) -> None:
    """Fill rows ``first`` .. ``last`` - 1 of ``rgb`` and ``seen``.

    Args:
        which: (M,) pictures that count.
        table: (N, 3, 256) uint16, each picture's byte in the light of the plate, in 1/16 levels.
    """
    width = frames.shape[2]
    values = np.empty((3 * width, len(which)), np.uint16)
    counts = np.zeros(width, np.int64)
    for y in range(first, last):
        counts[:] = 0
        for i in which:
            for x in range(width):
                if not masks[i, y, x]:
                    k = counts[x]
                    for c in range(3):
                        values[3 * x + c, k] = table[i, c, frames[i, y, x, c]]
                    counts[x] = k + 1
        for x in range(width):
            if counts[x] > 0:
                seen[y, x] = True
                for c in range(3):
                    level = _typical(values[3 * x + c], counts[x]) / _SIXTEENTHS
                    rgb[y, x, c] = min(int(level + 0.5), 255)
