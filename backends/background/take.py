"""Takes pixels of one picture over into another, moved."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

Array = Any


@numba.njit(cache=True, nogil=True)
def take(
    rgb: Array, hidden: Array, back: Array, departs: Array, cell: float, gain: Array, wanted: Array,
    own: Array, surely: Array, same: float, top: int, left: int, most: int, alike: float, total: Array,
    count: Array,
) -> int:  # fmt: skip
    """Add pixels of ``rgb`` (H, W, 3) to ``total`` (h, w, 3) and ``count`` (h, w).

    Only where ``wanted`` (h, w), fewer than ``most`` were added, no pixel that is asked is ``hidden``
    (H, W), the colour is within ``alike`` levels of the mean so far, and it is not that of somebody: where
    people surely are, it has to differ by ``same`` levels from what is there.

    Args:
        back: (3, 3) takes pixels of the picture that is made to ``rgb``.
        departs: (rows, columns, 2) see :class:`backends.background.motion.Motion`, a cell ``cell`` wide.
        gain: (3,) brings ``rgb`` to the light of the picture that is made.
        own: (h, w, 3) the picture that is made, as it was; surely: (h, w) where it shows people.
        top, left: where ``wanted`` lies in the picture that is made.

    Returns:
        How many pixels were added that had nothing before.
    """
    height, width = hidden.shape
    rows, columns = departs.shape[:2]
    color = np.zeros(3)
    fresh = 0
    for y in range(wanted.shape[0]):
        v = min(max((top + y + 0.5) / cell - 0.5, 0.0), rows - 1.0)
        v0 = min(int(v), max(rows - 2, 0))
        v1, fv = min(v0 + 1, rows - 1), v - v0
        for x in range(wanted.shape[1]):
            if not wanted[y, x] or count[y, x] >= most:
                continue
            u = min(max((left + x + 0.5) / cell - 0.5, 0.0), columns - 1.0)
            u0 = min(int(u), max(columns - 2, 0))
            u1, fu = min(u0 + 1, columns - 1), u - u0
            a, b = (1 - fv) * (1 - fu), (1 - fv) * fu
            c, d = fv * (1 - fu), fv * fu
            px, py = float(left + x), float(top + y)
            px -= a * departs[v0, u0, 0] + b * departs[v0, u1, 0]
            px -= c * departs[v1, u0, 0] + d * departs[v1, u1, 0]
            py -= a * departs[v0, u0, 1] + b * departs[v0, u1, 1]
            py -= c * departs[v1, u0, 1] + d * departs[v1, u1, 1]
            z = back[2, 0] * px + back[2, 1] * py + back[2, 2]
            if z <= 1e-6:
                continue
            sx = (back[0, 0] * px + back[0, 1] * py + back[0, 2]) / z
            sy = (back[1, 0] * px + back[1, 1] * py + back[1, 2]) / z
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
            if off >= alike or (surely[y, x] and differs < same):
                continue
            for k in range(3):
                total[y, x, k] += color[k]
            fresh += n == 0
            count[y, x] = n + 1
    return fresh
