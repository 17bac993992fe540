"""Connected pieces of a mask, chosen by their size."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

U1 = npt.NDArray[np.uint8]
Array = Any


def pieces(mask: U1, least: float, most: float = np.inf) -> U1:
    """(H, W) uint8, 1 where ``mask`` (H, W) is above 0 and the piece there has ``least`` to ``most`` pixels.

    Pixels that touch by a corner belong together. Works on runs of rows, which is many times faster than
    labelling each pixel where a mask is mostly empty or mostly full.
    """
    kept: U1 = _kept(np.ascontiguousarray(mask), float(least), float(most))
    return kept


@numba.njit(cache=True, nogil=True)
def _root(parent: Array, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True, nogil=True)
def _kept(mask: Array, least: float, most: float) -> Array:
    height, width = mask.shape
    n = 0
    for y in range(height):
        before = False
        for x in range(width):
            here = mask[y, x] > 0
            n += here and not before
            before = here
    rows, starts, ends = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    parent, area = np.empty(n, np.int32), np.zeros(n, np.int64)
    n = above = here = 0
    for y in range(height):
        above, here = here, n  # the first run of the row above, and of this one
        x = 0
        while x < width:
            if mask[y, x] == 0:
                x += 1
                continue
            start = x
            while x < width and mask[y, x] > 0:
                x += 1
            rows[n], starts[n], ends[n], parent[n] = y, start, x, n
            # Runs above that end before this one begins, touch neither it nor any later one.
            while above < here and ends[above] < start:
                above += 1
            other = above
            while other < here and starts[other] <= x:
                a, b = _root(parent, other), _root(parent, n)
                parent[max(a, b)] = min(a, b)
                other += 1
            n += 1
    for i in range(n):
        area[_root(parent, i)] += ends[i] - starts[i]
    out = np.zeros((height, width), np.uint8)
    for i in range(n):
        size = area[_root(parent, i)]
        if least <= size <= most:
            out[rows[i], starts[i] : ends[i]] = 1
    return out
