"""The distances about one person as a small picture, small enough to be kept with their keypoints.

A cell's value is the median of the readings in it, so that noise, holes and flying pixels (readings between
two surfaces at a jump in depth) do not get through; where the person's mask reaches into a cell, only what
it holds counts, so that a limb before a wall is not mixed with the wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from backends.masks import CropMask

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
U2 = npt.NDArray[np.uint16]
BoolArray = npt.NDArray[np.bool_]
Array = Any

CELLS = 700
"""About as many cells a person has: a forearm is some four of them wide."""
MOST_MM = 32767
"""What lies farther away is no room; sensors end long before."""
_SIDE = 5
"""So many readings of each row and column of a cell are looked at, at most."""
_LEAST = 0.25
"""Of a cell's readings that have to be there, and of a cell that a mask has to hold to count as theirs."""


@dataclass(frozen=True, slots=True, eq=False)
class DepthPatch:
    """Attributes:
    x0, y0: the picture's pixel in the corner of the first cell; step: pixels along a cell's side.
    mm: (rows, columns) uint16 millimetres along the camera's axis, 0 where there is no reading.
    own: (rows, columns) whether the cell is the person's, by their mask; True everywhere without one.
    """

    x0: int
    y0: int
    step: int
    mm: U2
    own: BoolArray

    def __post_init__(self) -> None:
        if self.mm.ndim != 2 or self.mm.shape != self.own.shape or self.step < 1 or not self.mm.size:
            raise InputError(f"A patch of depth needs two equal arrays (h, w), got {self.mm.shape}.")

    def metres_at(self, xy: F8, *, own: bool = False) -> F8:
        """(N,) metres at pixels (N, 2), NaN where there is no reading; ``own`` for those of the person."""
        cell = np.floor((np.nan_to_num(xy, nan=-1e9) + 0.5 - (self.x0, self.y0)) / self.step)
        column, row = np.clip(cell, -1, 1e6).astype(np.int64).T
        inside = (row >= 0) & (row < self.mm.shape[0]) & (column >= 0) & (column < self.mm.shape[1])
        row, column = np.where(inside, row, 0), np.where(inside, column, 0)
        value = self.mm[row, column].astype(np.float64) / 1e3
        told = inside & (value > 0)
        if own:
            told &= self.own[row, column]
        out: F8 = np.where(told, value, np.nan)
        return out


def take_patch(
    depth_m: F4, box: npt.ArrayLike, mask: CropMask | None, size: tuple[int, int]
) -> DepthPatch | None:
    """The distances about one person; None where the sensor says nothing there.

    Args:
        depth_m: (h, w) metres along the camera's axis, 0 or NaN where unknown; a smaller picture of the same
            view is taken too.
        box: (4,) x0 y0 x1 y1 in pixels of the colour picture.
        mask: the person's pixels in it.
        size: width and height of the colour picture.

    Raises:
        InputError: a depth picture of another shape than (h, w), or a box that is not finite.
    """
    if depth_m.ndim != 2 or not depth_m.size:
        raise InputError(f"A depth picture needs shape (h, w), got {depth_m.shape}.")
    given = np.asarray(box, np.float64)
    if given.shape != (4,) or not np.isfinite(given).all():
        raise InputError("Depth is taken about a box of four finite values.")
    width, height = size
    x0, y0 = (int(v) for v in np.clip(np.floor(given[:2]), 0, (width - 1, height - 1)))
    x1, y1 = (int(v) for v in np.clip(np.ceil(given[2:]) + 1, (x0 + 1, y0 + 1), (width, height)))
    step = max(1, round(((x1 - x0) * (y1 - y0) / CELLS) ** 0.5))
    mm = np.zeros((-(-(y1 - y0) // step), -(-(x1 - x0) // step)), np.uint16)
    own = np.ones(mm.shape, np.bool_)
    held, corner = np.ones((0, 0), np.bool_), (0, 0)
    if mask is not None:
        held, corner = mask.decode(), (mask.x0, mask.y0)
    ratio = (depth_m.shape[1] / width, depth_m.shape[0] / height)
    _cells(
        np.ascontiguousarray(depth_m, np.float32), np.ascontiguousarray(held), *corner, *ratio,
        (x0, y0, min(x1, width), min(y1, height)), step, mm, own,
    )  # fmt: skip
    return DepthPatch(x0, y0, step, mm, own) if mm.any() else None


@numba.njit(cache=True, nogil=True)
def _cells(
    depth: Array, held: Array, mx: int, my: int, rx: float, ry: float, box: tuple[int, int, int, int],
    step: int, mm: Array, own: Array,
) -> None:  # fmt: skip
    """Fill ``mm`` and ``own``: see :func:`take_patch`. ``held`` (h, w) is the mask, its corner at (mx, my);
    rx, ry: pixels of the depth picture a pixel of the colour picture."""
    x0, y0, x1, y1 = box
    dh, dw = depth.shape
    mh, mw = held.shape
    stride = max(1, step // _SIDE)
    room = (step // stride + 1) ** 2
    mine, others = np.empty(room, np.float32), np.empty(room, np.float32)
    for r in range(mm.shape[0]):
        for c in range(mm.shape[1]):
            n = k = inside = looked = 0
            for y in range(y0 + r * step, min(y0 + (r + 1) * step, y1), stride):
                for x in range(x0 + c * step, min(x0 + (c + 1) * step, x1), stride):
                    looked += 1
                    u, v = x - mx, y - my
                    is_mine = mh > 0 and 0 <= u < mw and 0 <= v < mh and held[v, u]
                    if is_mine:
                        inside += 1
                    z = depth[min(int((y + 0.5) * ry), dh - 1), min(int((x + 0.5) * rx), dw - 1)]
                    if not 0.0 < z * 1000.0 < MOST_MM:
                        continue
                    if is_mine:
                        mine[n] = z
                        n += 1
                    else:
                        others[k] = z
                        k += 1
            if mh > 0:
                own[r, c] = inside >= max(_LEAST * looked, 1.0)
            if mh > 0 and own[r, c]:
                found, count, of = mine, n, inside
            else:
                found, count, of = others, k, looked
            if count >= max(_LEAST * of, 1.0):
                mm[r, c] = np.uint16(1000.0 * np.median(found[:count]) + 0.5)
