"""Compiled loops over pixels: light through shadow maps, and laying people over the room."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

Array = Any


@numba.njit(cache=True, nogil=True)
def _seen(nearest: Array, u: float, v: float, limit: float) -> float:
    """Share of the four cells about (u, v) of a lamp's map in which nothing is nearer than ``limit``."""
    c, r = int(u), int(v)
    a, b = u - c, v - r
    seen = 0.0
    if nearest[r, c] >= limit:
        seen += (1.0 - a) * (1.0 - b)
    if nearest[r, c + 1] >= limit:
        seen += a * (1.0 - b)
    if nearest[r + 1, c] >= limit:
        seen += (1.0 - a) * b
    if nearest[r + 1, c + 1] >= limit:
        seen += a * b
    return seen


@numba.njit(cache=True, nogil=True)
def add_lamp(
    points: Array, normals: Array, lamp: Array, R: Array, t: Array, focal: float, centre: float,
    nearest: Array, bias: float, out: Array,
) -> None:  # fmt: skip
    """Add a downward lamp's light to ``out`` (N,) where its depth map ``nearest`` (P, P) sees the point.

    Light falls with the cosines at both ends and the squared distance. A shadow's edge is the share of four
    neighbouring cells that see the point (Reeves, Salesin & Cook 1987).
    """
    pixels = nearest.shape[0]
    for i in range(len(points)):
        dx, dy, dz = lamp[0] - points[i, 0], lamp[1] - points[i, 1], lamp[2] - points[i, 2]
        d2 = dx * dx + dy * dy + dz * dz
        facing = dx * normals[i, 0] + dy * normals[i, 1] + dz * normals[i, 2]
        if facing <= 0.0 or dz <= 0.0:
            continue
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        cz = R[2, 0] * x + R[2, 1] * y + R[2, 2] * z + t[2]
        share = 1.0
        if cz > 0.05:
            u = focal * (R[0, 0] * x + R[0, 1] * y + R[0, 2] * z + t[0]) / cz + centre
            v = focal * (R[1, 0] * x + R[1, 1] * y + R[1, 2] * z + t[1]) / cz + centre
            if 0.0 <= u < pixels - 1 and 0.0 <= v < pixels - 1:
                share = _seen(nearest, u, v, cz - bias)
        out[i] += share * facing * dz / (d2 * max(d2, 0.3))


@numba.njit(cache=True, nogil=True)
def shadow_share(index: Array, depth: Array, nearest: Array, weight: float, out: Array) -> None:
    """Add ``weight`` to ``out`` (N,) where ``nearest[index]`` is closer to the lamp than ``depth``."""
    for i in range(len(index)):
        k = index[i]
        if k >= 0 and nearest[k] < depth[i]:
            out[i] += weight


@numba.njit(cache=True, nogil=True)
def add_contact(index: Array, places: Array, soles: Array, out: Array) -> None:
    """Add to ``out`` (N,) how much of the light from everywhere soles keep from the floor about them.

    ``places`` (F, 2) floor points in metres, ``index`` (F,) theirs in ``out``; ``soles`` (S, 4): x, y,
    radius, strength.
    """
    for i in range(len(index)):
        total = 0.0
        for k in range(len(soles)):
            dx, dy = places[i, 0] - soles[k, 0], places[i, 1] - soles[k, 1]
            d = (dx * dx + dy * dy) / (soles[k, 2] * soles[k, 2])
            if d < 16.0:
                total += soles[k, 3] / (1.0 + d * d)
        out[index[i]] += min(total, 0.42)


@numba.njit(cache=True, nogil=True)
def darken(lit: Array, shaded: Array, share: Array, contact: Array, out: Array) -> None:
    """``lit`` towards ``shaded`` by ``share`` (H, W), less by ``contact`` (H, W), into uint8 ``out``."""
    h, w = share.shape
    for y in range(h):
        for x in range(w):
            s, kept = share[y, x], 1.0 - contact[y, x]
            for c in range(3):
                value = (lit[y, x, c] + (shaded[y, x, c] - lit[y, x, c]) * s) * kept
                out[y, x, c] = min(max(int(value + 0.5), 0), 255)


@numba.njit(cache=True, nogil=True)
def grain(image: Array, noise: Array, shift: int, strength: float) -> None:
    """Sensor noise from a table of standard normal numbers, read from ``shift`` on, added in place."""
    flat = image.reshape(-1)
    n = len(noise)
    k = shift % n
    for i in range(len(flat)):
        # Shot noise: a little stronger in the light than in the dark, as in a camera.
        value = flat[i] + strength * noise[k] * (0.6 + flat[i] * (0.6 / 255.0))
        flat[i] = np.uint8(min(max(int(value + 0.5), 0), 255))
        k += 1
        if k == n:
            k = 0


@numba.njit(cache=True, nogil=True)
def lit_share(
    points: Array, R: Array, t: Array, focal: float, centre: float, nearest: Array, bias: float,
    weight: float, out: Array,
) -> None:  # fmt: skip
    """Add ``weight`` times the share of four neighbouring map cells from which the lamp sees each point.

    ``points`` (N, 3) world; ``nearest`` (P, P) depth below the lamp; ``out`` (N,). Outside the map is lit.
    """
    pixels = nearest.shape[0]
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        cz = R[2, 0] * x + R[2, 1] * y + R[2, 2] * z + t[2]
        if cz <= 0.05:
            out[i] += weight
            continue
        u = focal * (R[0, 0] * x + R[0, 1] * y + R[0, 2] * z + t[0]) / cz + centre
        v = focal * (R[1, 0] * x + R[1, 1] * y + R[1, 2] * z + t[1]) / cz + centre
        if u < 0.0 or v < 0.0 or u >= pixels - 1 or v >= pixels - 1:
            out[i] += weight
            continue
        out[i] += weight * _seen(nearest, u, v, cz - bias)


@numba.njit(cache=True, nogil=True)
def smear(image: Array, flow: Array, amount: float, out: Array) -> None:
    """Mean of ``image`` (H, W, 3) along ``amount`` of ``flow`` (H, W, 2) pixels, centred, into ``out``."""
    h, w = flow.shape[:2]
    for y in range(h):
        for x in range(w):
            dx, dy = flow[y, x, 0] * amount, flow[y, x, 1] * amount
            length = abs(dx) + abs(dy)
            if length < 0.7:
                for c in range(3):
                    out[y, x, c] = image[y, x, c]
                continue
            n = min(int(length) + 2, 12)
            r = g = b = 0.0
            for k in range(n):
                s = (k + 0.5) / n - 0.5
                yy = min(max(int(y + dy * s + 0.5), 0), h - 1)
                xx = min(max(int(x + dx * s + 0.5), 0), w - 1)
                r += image[yy, xx, 0]
                g += image[yy, xx, 1]
                b += image[yy, xx, 2]
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = int(r / n + 0.5), int(g / n + 0.5), int(b / n + 0.5)


@numba.njit(cache=True, nogil=True)
def sense_depth(depth: Array, noise: Array, shift: int, far: float, out: Array) -> None:
    """Depth as a time-of-flight sensor gives it, uint16 millimetres into ``out`` (H, W); 0 where it fails.

    It fails beyond ``far`` metres, at jumps in depth (mixed pixels), and on surfaces seen at less than about
    ten degrees; noise grows with the square of the distance.
    """
    h, w = depth.shape
    n = len(noise)
    k = shift % n
    for y in range(h):
        for x in range(w):
            k += 1
            if k == n:
                k = 0
            z = depth[y, x]
            if not (0.25 < z < far):
                out[y, x] = 0
                continue
            x0, x1, y0, y1 = max(x - 1, 0), min(x + 1, w - 1), max(y - 1, 0), min(y + 1, h - 1)
            low = min(min(depth[y, x0], depth[y, x1]), min(depth[y0, x], depth[y1, x]))
            high = max(max(depth[y, x0], depth[y, x1]), max(depth[y0, x], depth[y1, x]))
            steep = (high - low) / z
            # The step between neighbours on a plane seen at ten degrees is about 1 % of its distance.
            if steep > 0.02 + 0.004 * noise[k]:
                out[y, x] = 0
                continue
            if noise[(k * 7) % n] > 2.6 - 0.12 * z - 40.0 * steep:
                out[y, x] = 0
                continue
            sigma = 1.2 + 0.9 * z * z * 0.5
            value = 1000.0 * z + sigma * noise[k]
            out[y, x] = np.uint16(min(max(int(value + 0.5), 0), 65535))
