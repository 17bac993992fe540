"""Compiled loops over pixels: light through shadow maps, and laying people over the room."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

Array = Any


@numba.njit(cache=True, nogil=True)
def add_lamp(
    points: Array, normals: Array, lamp: Array, R: Array, t: Array, focal: float, centre: float,
    nearest: Array, bias: float, out: Array,
) -> None:  # fmt: skip
    """Add a downward lamp's light to ``out`` (N,) where its depth map ``nearest`` (P, P) sees the point.

    Light falls with the cosines at both ends and the squared distance.
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
        if cz > 0.05:
            cx = R[0, 0] * x + R[0, 1] * y + R[0, 2] * z + t[0]
            cy = R[1, 0] * x + R[1, 1] * y + R[1, 2] * z + t[1]
            u, v = int(focal * cx / cz + centre + 0.5), int(focal * cy / cz + centre + 0.5)
            if 0 <= u < pixels and 0 <= v < pixels and nearest[v, u] < cz - bias:
                continue
        out[i] += facing * dz / (d2 * max(d2, 0.3))


@numba.njit(cache=True, nogil=True)
def shadow_share(index: Array, depth: Array, nearest: Array, weight: float, out: Array) -> None:
    """Add ``weight`` to ``out`` (N,) where ``nearest[index]`` is closer to the lamp than ``depth``."""
    for i in range(len(index)):
        k = index[i]
        if k >= 0 and nearest[k] < depth[i]:
            out[i] += weight


@numba.njit(cache=True, nogil=True)
def darken(lit: Array, shaded: Array, share: Array, out: Array) -> None:
    """``lit`` towards ``shaded`` by ``share`` (H, W), into uint8 ``out``."""
    h, w = share.shape
    for y in range(h):
        for x in range(w):
            s = share[y, x]
            for c in range(3):
                value = lit[y, x, c] + (shaded[y, x, c] - lit[y, x, c]) * s
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
