"""Takes pixels of one picture over into another, moved."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

Array = Any

_EVERY = 3
"""Whether somebody is seen is asked at every n-th pixel of every n-th row."""
_ENOUGH = 30
"""Of so many pixels."""
_TURNS = 5
_SETTLED = 0.75
"""Pixels within which the place of a point has to settle: at edges of near things it may not."""


@numba.njit(cache=True, nogil=True)
def _relief(g: Array, x: float, y: float, step: float) -> Any:
    """Relief at a pixel (full size), bilinear; ``step`` pixels apart."""
    height, width = g.shape
    u = min(max((x + 0.5) / step - 0.5, 0.0), width - 1.0)
    v = min(max((y + 0.5) / step - 0.5, 0.0), height - 1.0)
    i, j = min(int(u), max(width - 2, 0)), min(int(v), max(height - 2, 0))
    i1, j1 = min(i + 1, width - 1), min(j + 1, height - 1)
    fu, fv = u - i, v - j
    upper = g[j, i] * (1 - fu) + g[j, i1] * fu
    return upper * (1 - fv) + (g[j1, i] * (1 - fu) + g[j1, i1] * fu) * fv


@numba.njit(cache=True, nogil=True, inline="always")
def _lies(
    px: float, py: float, back: Array, lifts: Array, relief: Array, step: float, departs: Array, cell: float
) -> tuple[float, float]:  # fmt: skip
    """Where in the other picture what belongs to a pixel lies; (-1, -1) where that does not settle."""
    rows, columns = departs.shape[:2]
    v = min(max((py + 0.5) / cell - 0.5, 0.0), rows - 1.0)
    v0 = min(int(v), max(rows - 2, 0))
    v1, fv = min(v0 + 1, rows - 1), v - v0
    u = min(max((px + 0.5) / cell - 0.5, 0.0), columns - 1.0)
    u0 = min(int(u), max(columns - 2, 0))
    u1, fu = min(u0 + 1, columns - 1), u - u0
    a, b = (1 - fv) * (1 - fu), (1 - fv) * fu
    c, d = fv * (1 - fu), fv * fu
    px -= a * departs[v0, u0, 0] + b * departs[v0, u1, 0] + c * departs[v1, u0, 0] + d * departs[v1, u1, 0]
    py -= a * departs[v0, u0, 1] + b * departs[v0, u1, 1] + c * departs[v1, u0, 1] + d * departs[v1, u1, 1]
    z = back[2, 0] * px + back[2, 1] * py + back[2, 2]
    if abs(z) <= 1e-9:
        return -1.0, -1.0
    fx = (back[0, 0] * px + back[0, 1] * py + back[0, 2]) / z
    fy = (back[1, 0] * px + back[1, 1] * py + back[1, 2]) / z
    if lifts[0] == 0.0 and lifts[1] == 0.0 and lifts[2] == 0.0:
        return fx, fy
    sx, sy, moved = fx, fy, 1e9
    for _ in range(_TURNS):
        g = _relief(relief, sx, sy, step)
        along = 1.0 + g * lifts[2]
        nx, ny = along * fx - g * lifts[0], along * fy - g * lifts[1]
        moved = abs(nx - sx) + abs(ny - sy)
        sx, sy = nx, ny
        if moved < 0.1:
            break
    if moved > _SETTLED:
        return -1.0, -1.0
    return sx, sy


@numba.njit(cache=True, nogil=True)
def looks_alike(
    rgb: Array, hidden: Array, back: Array, lifts: Array, relief: Array, step: float, departs: Array,
    cell: float, gain: Array, own: Array, person: Array, same: float, top: int, left: int, shares: Array,
) -> None:  # fmt: skip
    """Fill ``shares`` (P,) with how much of each ``person`` (h, w; 1 .. P - 1, 0 for nobody) looks, within
    ``same`` levels, as ``rgb`` does there, of what is not ``hidden`` in it; all where that is too little to
    tell. See :func:`take`."""
    height, width = hidden.shape
    total = np.zeros(len(shares))
    shares[:] = 0
    for y in range(0, person.shape[0], _EVERY):
        for x in range(0, person.shape[1], _EVERY):
            who = person[y, x]
            if who == 0:
                continue
            sx, sy = _lies(float(left + x), float(top + y), back, lifts, relief, step, departs, cell)
            if not (0.0 <= sx < width - 1.0 and 0.0 <= sy < height - 1.0):
                continue
            i, j = int(sx + 0.5), int(sy + 0.5)
            if hidden[j, i]:
                continue
            differs = 0.0
            for k in range(3):
                differs = max(differs, abs(rgb[j, i, k] * gain[k] - own[y, x, k]))
            total[who] += 1
            shares[who] += differs < same
    for who in range(len(shares)):
        shares[who] = shares[who] / total[who] if total[who] >= _ENOUGH else 1.0


@numba.njit(cache=True, nogil=True)
def take(
    rgb: Array, hidden: Array, back: Array, lifts: Array, relief: Array, step: float, departs: Array,
    cell: float, gain: Array, wanted: Array, own: Array, person: Array, same: Array, top: int, left: int,
    most: int, alike: float, total: Array, count: Array,
) -> int:  # fmt: skip
    """Add pixels of ``rgb`` (H, W, 3) to ``total`` (h, w, 3) and ``count`` (h, w).

    Only where ``wanted`` (h, w), fewer than ``most`` were added, no pixel that is asked is ``hidden``
    (H, W), the colour is within ``alike`` levels of the mean so far, and it is not that of somebody: where
    a ``person`` surely is, it has to differ by ``same`` levels from what is there.

    Args:
        back: (3, 3) takes pixels of the picture that is made to the plane of ``rgb``; lifts: (3,) the same
            for one unit of relief; relief: (r, c) of ``rgb``, ``step`` pixels apart.
        departs: (rows, columns, 2) see :class:`backends.background.motion.Motion`, a cell ``cell`` wide.
        gain: (3,) brings ``rgb`` to the light of the picture that is made.
        own: (h, w, 3) the picture that is made, as it was; person: (h, w) who is in it, 0 for nobody; same:
            (P,) levels, for each of them.
        top, left: where ``wanted`` lies in the picture that is made.

    Returns:
        How many pixels were added that had nothing before.
    """
    height, width = hidden.shape
    color = np.zeros(3)
    fresh = 0
    for y in range(wanted.shape[0]):
        for x in range(wanted.shape[1]):
            if not wanted[y, x] or count[y, x] >= most:
                continue
            sx, sy = _lies(float(left + x), float(top + y), back, lifts, relief, step, departs, cell)
            if not (0.0 <= sx < width - 1.0 and 0.0 <= sy < height - 1.0):
                continue
            i, j = int(sx), int(sy)
            if hidden[j, i] or hidden[j, i + 1] or hidden[j + 1, i] or hidden[j + 1, i + 1]:
                continue
            fx, fy = sx - i, sy - j
            a, b = (1 - fy) * (1 - fx), (1 - fy) * fx
            c, d = fy * (1 - fx), fy * fx
            n = count[y, x]
            off, differs = 0.0, 0.0
            for k in range(3):
                value = a * rgb[j, i, k] + b * rgb[j, i + 1, k]
                value += c * rgb[j + 1, i, k] + d * rgb[j + 1, i + 1, k]
                color[k] = value * gain[k]
                differs = max(differs, abs(color[k] - own[y, x, k]))
                if n > 0:
                    off = max(off, abs(color[k] - total[y, x, k] / n))
            who = person[y, x]
            if off >= alike or (who > 0 and differs < same[who]):
                continue
            for k in range(3):
                total[y, x, k] += color[k]
            fresh += n == 0
            count[y, x] = n + 1
    return fresh
