"""The inner loops of :mod:`backends.background.completion`: patches compared, searched and put together.

``place`` (H, W, 2) int32 holds row and column of the patch that stands for the one about a pixel, -1 where
there is none; ``source`` (H, W) where a patch lies wholly in what is known. A patch has the side
2 ``radius`` + 1; one that reaches beyond the picture counts with what is inside.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

Array = Any

_TRIES = 24
"""Places tried at random for a patch that has none."""
_NEVER = 1e30
_FLAT = 0.02
"""Where no edge runs into the unknown, the order follows what the rim is worth, by this share."""


@numba.njit(cache=True, nogil=True, fastmath=True)
def _apart(
    features: Array, y: int, x: int, j: int, i: int, radius: int, limit: float, down: float, across: float
) -> float:  # fmt: skip
    """Mean squared difference of two patches, and what their distance costs; above ``limit`` it may stop."""
    height, width, n = features.shape
    y0, y1 = max(-radius, -y), min(radius, height - 1 - y)
    x0, x1 = max(-radius, -x), min(radius, width - 1 - x)
    count = (y1 - y0 + 1) * (x1 - x0 + 1)
    far = down * (j - y) * (j - y) + across * (i - x) * (i - x)
    most = (limit - far) * count
    if most <= 0:
        return _NEVER
    total = np.float32(0.0)
    for dy in range(y0, y1 + 1):
        for dx in range(x0, x1 + 1):
            for c in range(n):
                d = features[y + dy, x + dx, c] - features[j + dy, i + dx, c]
                total += d * d
        if total > most:
            break
    return float(total / count + far)


@numba.njit(cache=True, nogil=True)
def _next(state: int) -> int:
    """A pseudo-random number of 32 bits (Marsaglia, Xorshift RNGs, 2003)."""
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    state ^= (state << 5) & 0xFFFFFFFF
    return state & 0xFFFFFFFF


@numba.njit(cache=True, nogil=True)
def search(
    features: Array, source: Array, targets: Array, place: Array, cost: Array, radius: int, sweeps: int,
    seed: int, reach: int, down: float, across: float,
) -> None:  # fmt: skip
    """PatchMatch: what suits a neighbour, one step on, suits often; and a few places at random, from
    ``reach`` pixels away to next to it."""
    height, width = source.shape
    state = 2463534242 ^ (seed * 7919)
    n = len(targets)
    for k in range(n):
        y, x = targets[k]
        cost[y, x] = _NEVER
        if place[y, x, 0] >= 0:
            j, i = place[y, x]
            cost[y, x] = _apart(features, y, x, j, i, radius, _NEVER, down, across)
            continue
        for _ in range(_TRIES):
            state = _next(state)
            j = state % height
            state = _next(state)
            i = state % width
            if source[j, i]:
                d = _apart(features, y, x, j, i, radius, cost[y, x], down, across)
                if d < cost[y, x]:
                    cost[y, x], place[y, x, 0], place[y, x, 1] = d, j, i
    for sweep in range(sweeps):
        step = 1 if sweep % 2 == 0 else -1
        for k in range(n):
            y, x = targets[k if step == 1 else n - 1 - k]
            best, bj, bi = cost[y, x], place[y, x, 0], place[y, x, 1]
            for across_first in range(2):
                ny, nx = y - step * across_first, x - step * (1 - across_first)
                if ny < 0 or nx < 0 or ny >= height or nx >= width or place[ny, nx, 0] < 0:
                    continue
                j, i = place[ny, nx, 0] + y - ny, place[ny, nx, 1] + x - nx
                if j < 0 or i < 0 or j >= height or i >= width or not source[j, i]:
                    continue
                d = _apart(features, y, x, j, i, radius, best, down, across)
                if d < best:
                    best, bj, bi = d, j, i
            if bj < 0:
                continue
            near = reach
            while near >= 1:
                state = _next(state)
                j = bj + state % (2 * near + 1) - near
                state = _next(state)
                i = bi + state % (2 * near + 1) - near
                if 0 <= j < height and 0 <= i < width and source[j, i]:
                    d = _apart(features, y, x, j, i, radius, best, down, across)
                    if d < best:
                        best, bj, bi = d, j, i
                near //= 2
            cost[y, x], place[y, x, 0], place[y, x, 1] = best, bj, bi


@numba.njit(cache=True, nogil=True)
def rebuild(
    rgb: Array, unknown: Array, place: Array, cost: Array, worth: Array, radius: int, blend: float
) -> None:  # fmt: skip
    """Unknown pixels from what all patches about them say; ``blend``: those count that suit worse than the
    best by about this share. Patches are copied from what is known, so the order does not matter."""
    height, width = cost.shape
    for k in range(len(unknown)):
        y, x = unknown[k]
        y0, y1 = max(y - radius, 0), min(y + radius, height - 1)
        x0, x1 = max(x - radius, 0), min(x + radius, width - 1)
        least = _NEVER
        for j in range(y0, y1 + 1):
            for i in range(x0, x1 + 1):
                if place[j, i, 0] >= 0:
                    least = min(least, cost[j, i] / worth[j, i])
        total, r, g, b = 0.0, 0.0, 0.0, 0.0
        for j in range(y0, y1 + 1):
            for i in range(x0, x1 + 1):
                if place[j, i, 0] < 0:
                    continue
                sy, sx = place[j, i, 0] + y - j, place[j, i, 1] + x - i
                w = worth[j, i] * math.exp(-(cost[j, i] / worth[j, i] - least) / (blend * least + 1.0))
                total += w
                r, g, b = r + w * rgb[sy, sx, 0], g + w * rgb[sy, sx, 1], b + w * rgb[sy, sx, 2]
        if total > 0:
            rgb[y, x, 0], rgb[y, x, 1], rgb[y, x, 2] = r / total, g / total, b / total


@numba.njit(cache=True, nogil=True)
def lead(rgb: Array, unknown: Array, place: Array) -> None:
    """Unknown pixels from the middle of their own patch, before anything was compared."""
    for k in range(len(unknown)):
        y, x = unknown[k]
        if place[y, x, 0] >= 0:
            for c in range(3):
                rgb[y, x, c] = rgb[place[y, x, 0], place[y, x, 1], c]


@numba.njit(cache=True, nogil=True)
def grow(
    rgb: Array, known: Array, source: Array, place: Array, guess: Array, radius: int, lean: float,
    down: float, across: float,
) -> None:  # fmt: skip
    """Fill from the rim inwards, patch by patch, edges that run into the unknown first.

    Criminisi, Perez and Toyama, Region filling and object removal by exemplar-based image inpainting, IEEE
    Transactions on Image Processing 13, 2004, with a cost for distance and for what differs in the mean
    from a ``guess`` (H, W, 3). Every source is tried.
    """
    height, width = known.shape
    done = known.copy()
    trust = known.astype(np.float32)
    left = known.size - np.sum(known)
    while left > 0:
        most, y, x, worth = -1.0, -1, -1, 0.0
        for j in range(height):
            for i in range(width):
                if not done[j, i]:
                    urgent, mean = _urgency(rgb, done, trust, j, i, radius)
                    if urgent > most:
                        most, y, x, worth = urgent, j, i, mean
        sj, si = _best_source(rgb, done, source, guess, y, x, radius, lean, down, across)
        for dy in range(max(-radius, -y), min(radius, height - 1 - y) + 1):
            for dx in range(max(-radius, -x), min(radius, width - 1 - x) + 1):
                j, i = y + dy, x + dx
                if done[j, i]:
                    continue
                for c in range(3):
                    rgb[j, i, c] = rgb[sj + dy, si + dx, c]
                if source[sj + dy, si + dx]:
                    place[j, i, 0], place[j, i, 1] = sj + dy, si + dx
                else:
                    place[j, i, 0], place[j, i, 1] = sj, si
                trust[j, i], done[j, i] = worth, True
                left -= 1


@numba.njit(cache=True, nogil=True)
def _urgency(rgb: Array, done: Array, trust: Array, y: int, x: int, radius: int) -> tuple[float, float]:
    """How soon the patch about an unknown pixel is to be filled, -1 where it is not at the rim; and how far
    what is there already can be trusted."""
    height, width = done.shape
    # The rim's normal.
    ny, nx, at_rim = 0.0, 0.0, False
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            if done[j, i]:
                ny, nx, at_rim = ny + y - j, nx + x - i, True
    if not at_rim:
        return -1.0, 0.0
    total, count = 0.0, 0
    gy, gx, strongest = 0.0, 0.0, 0.0
    for j in range(max(y - radius, 0), min(y + radius + 1, height)):
        for i in range(max(x - radius, 0), min(x + radius + 1, width)):
            total, count = total + trust[j, i], count + 1
            if not (0 < j < height - 1 and 0 < i < width - 1 and done[j, i]):
                continue
            if not (done[j, i - 1] and done[j, i + 1] and done[j - 1, i] and done[j + 1, i]):
                continue
            hy, hx = 0.0, 0.0
            for c in range(3):
                hy, hx = hy + rgb[j + 1, i, c] - rgb[j - 1, i, c], hx + rgb[j, i + 1, c] - rgb[j, i - 1, c]
            if hy * hy + hx * hx > strongest:
                strongest, gy, gx = hy * hy + hx * hx, hy, hx
    # Edges run across the change of brightness; 1530 is the largest change of two pixels' three channels.
    edge = abs(gx * ny - gy * nx) / (math.sqrt(ny * ny + nx * nx) + 1e-6) / 1530.0
    return total / count * (edge + _FLAT), total / count


@numba.njit(cache=True, nogil=True)
def _best_source(
    rgb: Array, done: Array, source: Array, guess: Array, y: int, x: int, radius: int, lean: float,
    down: float, across: float,
) -> tuple[int, int]:  # fmt: skip
    """Row and column of the patch that suits best what is there already about a pixel."""
    height, width = done.shape
    best, bj, bi = _NEVER, -1, -1
    for j in range(height):
        for i in range(width):
            far = down * (j - y) * (j - y) + across * (i - x) * (i - x)
            if not source[j, i]:
                continue
            for c in range(3):
                d = guess[y, x, c] - guess[j, i, c]
                far += lean * d * d
            if far >= best:
                continue
            total, count = 0.0, 0
            for dy in range(max(-radius, -y), min(radius, height - 1 - y) + 1):
                for dx in range(max(-radius, -x), min(radius, width - 1 - x) + 1):
                    if done[y + dy, x + dx]:
                        count += 1
                        for c in range(3):
                            d = rgb[y + dy, x + dx, c] - rgb[j + dy, i + dx, c]
                            total += d * d
            if total / count + far < best:
                best, bj, bi = total / count + far, j, i
    return bj, bi
