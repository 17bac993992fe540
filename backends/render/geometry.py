"""Vertices before the pixels: normals, light, projection to a fixed-point grid, clipping.

Screen positions are whole numbers of 1/256 pixel. Two triangles that share an edge then see exactly
the same edge, so that no pixel between them is drawn twice or left open, whatever the rounding.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from backends.render.types import F4

SUBPIXELS = 256
"""Steps of the fixed-point grid in one pixel."""
GUARD = float(1 << 20)
"""Faces are cut where they leave this many pixels about the origin: keeps 64-bit products exact."""
READY, CUT, BROKEN = 0, 1, 2
"""States of a vertex: usable as it is, its faces need clipping, not finite."""

Array = Any
_N_ENCODE = 4096


def _decode_table() -> F4:
    s = np.arange(256) / 255.0
    return np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _encode_table() -> F4:
    x = np.arange(_N_ENCODE + 1) / _N_ENCODE
    y = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return (255.0 * y).astype(np.float32)


DECODE = _decode_table()
"""(256,) sRGB byte to linear light."""
ENCODE = _encode_table()
"""(4097,) linear light in [0, 1] to sRGB in [0, 255]."""


@numba.njit(cache=True, nogil=True)
def vertex_normals(vertices: Array, faces: Array) -> Array:
    """(V, 3) float32 sums of the neighbouring faces' normals weighted by area, not normalised."""
    normals = np.zeros(vertices.shape, np.float32)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux = vertices[b, 0] - vertices[a, 0]
        uy = vertices[b, 1] - vertices[a, 1]
        uz = vertices[b, 2] - vertices[a, 2]
        vx = vertices[c, 0] - vertices[a, 0]
        vy = vertices[c, 1] - vertices[a, 1]
        vz = vertices[c, 2] - vertices[a, 2]
        nx = uy * vz - uz * vy
        ny = uz * vx - ux * vz
        nz = ux * vy - uy * vx
        if not np.isfinite(nx + ny + nz):
            continue
        for k in range(3):
            v = faces[f, k]
            normals[v, 0] += nx
            normals[v, 1] += ny
            normals[v, 2] += nz
    return normals


@numba.njit(cache=True, nogil=True, inline="always")
def _encode(light: float, encode: Array) -> float:
    # Light above 0.85 is rolled off, so that a bright body keeps its form and never burns out.
    if light > 0.85:
        light = 0.85 + 0.15 * (1.0 - np.exp(-(light - 0.85) / 0.15))
    return encode[int(max(light, 0.0) * _N_ENCODE)]  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def turned(screen: Array, faces: Array, closed: Array, sides: Array) -> Array:
    """Which faces may be seen.

    Args:
        screen: (V, 2) int64 fixed-point positions; faces: (F, 3); closed: (F,) bool, see ``Mesh``, or empty.
        sides: (V,) uint8, written: 1 where the side that the normals point to is seen, 2 where the other is.

    Returns:
        (K,) int32 indices of all faces but those ``closed`` ones whose normal points away from the camera.
    """
    kept = np.empty(len(faces), np.int32)
    n = 0
    sides[:] = 0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy = screen[b, 0] - screen[a, 0], screen[b, 1] - screen[a, 1]
        vx, vy = screen[c, 0] - screen[a, 0], screen[c, 1] - screen[a, 1]
        front = ux * vy < uy * vx
        if len(closed) and closed[f] and not front:
            continue
        side = 1 if front else 2
        sides[a] |= side
        sides[b] |= side
        sides[c] |= side
        kept[n] = f
        n += 1
    return kept[:n]


@numba.njit(cache=True, nogil=True)
def light_vertices(
    vertices: Array, normals: Array, colors: Array, table: Array, decode: Array, encode: Array, sides: Array,
    out: Array,
) -> None:  # fmt: skip
    """Lit colours of the vertices, of the sides that are seen.

    Args:
        vertices, normals: (V, 3) camera coordinates; normals of any length.
        colors: (V, 3) or (1, 3) uint8 sRGB.
        table: see :meth:`Light.table`.
        sides: (V,) uint8, see :func:`turned`; of others nothing is written.
        out: (V, 6) float32 sRGB in [0, 255]: the side the normal points to, then the other.
    """
    n_lamps = len(table) - 2
    edge = table[0, 3]
    one = len(colors) == 1
    for v in range(len(vertices)):
        if not sides[v]:
            continue
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        if length > 0.0:
            nx, ny, nz = nx / length, ny / length, nz / length
        px, py, pz = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        far = np.sqrt(px * px + py * py + pz * pz)
        facing = abs(nx * px + ny * py + nz * pz) / far if far > 0.0 else 1.0
        dim = 1.0 - edge * (1.0 - facing) * (1.0 - facing)
        c = 0 if one else v
        for side in range(2):
            if not sides[v] & (1 << side):
                continue
            sign = 1.0 - 2.0 * side
            up = 0.5 - 0.5 * sign * ny
            r = table[1, 0] + (table[0, 0] - table[1, 0]) * up
            g = table[1, 1] + (table[0, 1] - table[1, 1]) * up
            b = table[1, 2] + (table[0, 2] - table[1, 2]) * up
            for i in range(n_lamps):
                row = table[2 + i]
                wrap = row[6]
                cos = (sign * (nx * row[0] + ny * row[1] + nz * row[2]) + wrap) / (1.0 + wrap)
                if cos > 0.0:
                    r += row[3] * cos
                    g += row[4] * cos
                    b += row[5] * cos
            out[v, 3 * side] = _encode(decode[colors[c, 0]] * r * dim, encode)
            out[v, 3 * side + 1] = _encode(decode[colors[c, 1]] * g * dim, encode)
            out[v, 3 * side + 2] = _encode(decode[colors[c, 2]] * b * dim, encode)


@numba.njit(cache=True, nogil=True)
def project(vertices: Array, K: Array, near: float, screen: Array, inverse: Array, state: Array) -> None:
    """Screen position on the fixed-point grid, 1/z and state of every vertex.

    Args:
        vertices: (V, 3) camera coordinates, metres.
        K: (3, 3) intrinsics, pixels.
        near: metres; nearer vertices need clipping.
        screen: (V, 2) int64, inverse: (V,) float32, state: (V,) uint8, all written.
    """
    for v in range(len(vertices)):
        x, y, z = float(vertices[v, 0]), float(vertices[v, 1]), float(vertices[v, 2])
        screen[v, 0] = 0
        screen[v, 1] = 0
        inverse[v] = 0.0
        if not np.isfinite(x + y + z):
            state[v] = BROKEN
            continue
        if z < near:
            state[v] = CUT
            continue
        sx = (K[0, 0] * x + K[0, 1] * y) / z + K[0, 2]
        sy = K[1, 1] * y / z + K[1, 2]
        if not (abs(sx) <= GUARD and abs(sy) <= GUARD):
            state[v] = CUT
            continue
        state[v] = READY
        screen[v, 0] = int(np.rint(sx * SUBPIXELS))
        screen[v, 1] = int(np.rint(sy * SUBPIXELS))
        inverse[v] = 1.0 / z


@numba.njit(cache=True, nogil=True)
def clip_face(corner: Array, K: Array, near: float, buffers: Array) -> int:
    """Sutherland-Hodgman against the near plane and the four sides of the guard band.

    Args:
        corner: (3, 9) camera coordinates and the lit colours of both sides.
        buffers: (2, 16, 9) scratch; the polygon is left in ``buffers[0]``.

    Returns:
        Corners of the polygon that is left, 0 where nothing is.
    """
    guard = GUARD * (1.0 - 1e-6)
    n = 3
    buffers[0, :3] = corner
    distance = np.empty(16)
    for plane in range(5):
        source = buffers[0]
        for i in range(n):
            x, y, z = source[i, 0], source[i, 1], source[i, 2]
            if plane == 0:
                distance[i] = z - near
            elif plane < 3:
                side = K[0, 0] * x + K[0, 1] * y + K[0, 2] * z
                distance[i] = guard * z - side if plane == 1 else guard * z + side
            else:
                side = K[1, 1] * y + K[1, 2] * z
                distance[i] = guard * z - side if plane == 3 else guard * z + side
        m = 0
        target = buffers[1]
        for i in range(n):
            j = (i + 1) % n
            di, dj = distance[i], distance[j]
            if di >= 0.0:
                target[m] = source[i]
                m += 1
            if (di >= 0.0) != (dj >= 0.0):
                # From the inner to the outer corner, so that the neighbouring face cuts at the same place.
                if di >= 0.0:
                    target[m] = source[i] + (source[j] - source[i]) * (di / (di - dj))
                else:
                    target[m] = source[j] + (source[i] - source[j]) * (dj / (dj - di))
                m += 1
        n = m
        if n < 3:
            return 0
        buffers[0, :n] = buffers[1, :n]
    return n


@numba.njit(cache=True, nogil=True)
def clip_faces(
    vertices: Array, faces: Array, lit: Array, K: Array, near: float, state: Array
) -> tuple[Array, Array, Array]:
    """Replace the faces that need clipping by what is left of them.

    Returns:
        corners (N, 9) new vertices with their colours; triangles (M, 3) into them; source (M,) face index.
    """
    count = 0
    for f in range(len(faces)):
        s = max(state[faces[f, 0]], state[faces[f, 1]], state[faces[f, 2]])
        count += s == CUT
    corners = np.empty((count * 8, 9))
    triangles = np.empty((count * 6, 3), np.int32)
    source = np.empty(count * 6, np.int32)
    buffers = np.empty((2, 16, 9))
    corner = np.empty((3, 9))
    n, m = 0, 0
    for f in range(len(faces)):
        if max(state[faces[f, 0]], state[faces[f, 1]], state[faces[f, 2]]) != CUT:
            continue
        for k in range(3):
            v = faces[f, k]
            for i in range(3):
                corner[k, i] = vertices[v, i]
            for i in range(6):
                corner[k, 3 + i] = lit[v, i]
        size = clip_face(corner, K, near, buffers)
        for i in range(size):
            corners[n + i] = buffers[0, i]
        for i in range(2, size):
            triangles[m, 0], triangles[m, 1], triangles[m, 2] = n, n + i - 1, n + i
            source[m] = f
            m += 1
        n += size
    return corners[:n], triangles[:m], source[:m]
