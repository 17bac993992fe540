"""The z-buffer: bands of rows, first what each pixel's centre sees, then sixteen samples where surfaces end.

Every band is drawn on its own, its faces in the order given, so that the picture does not depend on
how many threads share the bands.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from backends.render.geometry import SUBPIXELS

BAND = 16
"""Rows of one band."""
SAMPLES = np.array(
    [
        [1, 1], [-1, -3], [-3, 2], [4, -1], [-5, -2], [2, 5], [5, 3], [3, -5],
        [-2, 6], [0, -7], [-4, -6], [-6, 4], [-8, 0], [7, -4], [6, 7], [-7, -8],
    ],
    np.int64,
) * (SUBPIXELS // 16)  # fmt: skip
"""(16, 2) places in an edge pixel, in steps of the fixed-point grid (Direct3D's standard pattern).
The pixel's centre alone decides depth, face and mesh."""
REACH = SUBPIXELS // 2
SMALL = 6
"""Columns of a triangle's box up to which all of the box counts as touched: to ask of each pixel costs more
than to look for samples in a few that have none."""

Array = Any


@numba.njit(cache=True, nogil=True)
def bound(screen: Array, triangles: Array, width: int, height: int) -> tuple[Array, int, int, int, int]:
    """Pixels that each triangle may touch.

    Args:
        screen: (V, 2) int64 fixed-point positions; triangles: (T, 3).

    Returns:
        boxes (T, 4) int32 first column, first row, last column, last row (clipped to the picture;
        last < first where it touches nothing), and the same of all of them together.
    """
    boxes = np.empty((len(triangles), 4), np.int32)
    x0, y0, x1, y1 = width, height, -1, -1
    for t in range(len(triangles)):
        ax, ay = screen[triangles[t, 0], 0], screen[triangles[t, 0], 1]
        bx, by = screen[triangles[t, 1], 0], screen[triangles[t, 1], 1]
        cx, cy = screen[triangles[t, 2], 0], screen[triangles[t, 2], 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        # The pixel p holds samples within REACH of p * SUBPIXELS.
        left = max((min(ax, bx, cx) - REACH + SUBPIXELS - 1) // SUBPIXELS, 0)
        top = max((min(ay, by, cy) - REACH + SUBPIXELS - 1) // SUBPIXELS, 0)
        right = min((max(ax, bx, cx) + REACH) // SUBPIXELS, width - 1)
        bottom = min((max(ay, by, cy) + REACH) // SUBPIXELS, height - 1)
        if area == 0 or left > right or top > bottom:
            boxes[t] = 0
            boxes[t, 3] = -1
            continue
        boxes[t, 0], boxes[t, 1], boxes[t, 2], boxes[t, 3] = left, top, right, bottom
        x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, right), max(y1, bottom)
    return boxes, x0, y0, x1, y1


@numba.njit(cache=True, nogil=True)
def sort_into_bands(boxes: Array, y0: int, n_bands: int) -> tuple[Array, Array]:
    """Which triangles touch which band of rows, in order.

    Returns:
        starts (n_bands + 1,) into members; members: triangle indices, rising within a band.
    """
    starts = np.zeros(n_bands + 1, np.int64)
    for t in range(len(boxes)):
        if boxes[t, 3] >= boxes[t, 1]:
            for band in range((boxes[t, 1] - y0) // BAND, (boxes[t, 3] - y0) // BAND + 1):
                starts[band + 1] += 1
    for band in range(n_bands):
        starts[band + 1] += starts[band]
    members = np.empty(starts[n_bands], np.int32)
    cursor = starts[:-1].copy()
    for t in range(len(boxes)):
        if boxes[t, 3] >= boxes[t, 1]:
            for band in range((boxes[t, 1] - y0) // BAND, (boxes[t, 3] - y0) // BAND + 1):
                members[cursor[band]] = t
                cursor[band] += 1
    return starts, members


@numba.njit(cache=True, nogil=True, inline="always")
def _edges(t: int, screen: Array, inverse: Array, triangles: Array) -> tuple[Any, ...]:
    """Edge functions u, v, w and the plane of 1/z of a triangle.

    Returns:
        For each edge its steps along x and y and its value at the grid's origin (positive inside; the
        fill rule is in the value: top and left edges own what lies on them), then 1/z: steps, value at
        the origin, least, largest.
    """
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    ax, ay, bx, by = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1]
    cx, cy = screen[c, 0], screen[c, 1]
    wa, wb, wc = float(inverse[a]), float(inverse[b]), float(inverse[c])
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area < 0:
        bx, by, cx, cy = cx, cy, bx, by
        wb, wc = wc, wb
        area = -area
    ux, uy = by - cy, cx - bx
    vx, vy = cy - ay, ax - cx
    wx, wy = ay - by, bx - ax
    u = -ux * bx - uy * by
    v = -vx * cx - vy * cy
    w = -wx * ax - wy * ay
    if not (ux > 0 or (ux == 0 and uy > 0)):
        u -= 1
    if not (vx > 0 or (vx == 0 and vy > 0)):
        v -= 1
    if not (wx > 0 or (wx == 0 and wy > 0)):
        w -= 1
    gx = (ux * wa + vx * wb + wx * wc) / area
    gy = (uy * wa + vy * wb + wy * wc) / area
    g = wa - gx * ax - gy * ay
    return ux, uy, u, vx, vy, v, wx, wy, w, gx, gy, g, min(wa, wb, wc), max(wa, wb, wc)


@numba.njit(cache=True, nogil=True)
def _span(band: Array, boxes: Array, x0: int, width: int) -> tuple[int, int]:
    """First and one past the last column of the rectangle that a band's triangles touch, and one beside."""
    low, high = width, -1
    for m in range(len(band)):
        low, high = min(low, boxes[band[m], 0] - x0), max(high, boxes[band[m], 2] - x0)
    return max(low - 1, 0), min(high + 2, width)


@numba.njit(cache=True, nogil=True)
def see(
    start: int, step: int, x0: int, y0: int, starts: Array, members: Array, boxes: Array,
    screen: Array, inverse: Array, triangles: Array, mesh_of: Array, smooth: Array,
    near: Array, owner: Array, touched: Array, label: Array,
) -> None:  # fmt: skip
    """Which triangle is seen at each pixel's centre, in bands ``start``, ``start + step`` ...

    Args:
        x0, y0: top-left pixel of the rectangle that is drawn.
        near: (h, w) float32 1/z of what is seen, 0 where nothing; owner: (h, w) int32 triangle or -1;
        touched: (h, w) uint8, 1 where a triangle may cover a part of the pixel;
        label: (h, w) int32, the same for what is one surface but for its depth. All written.
    """
    height = len(near)
    for band in range(start, len(starts) - 1, step):
        first = band * BAND
        last = min(first + BAND, height) - 1
        near[first : last + 1] = 0.0
        owner[first : last + 1] = -1
        touched[first : last + 1] = 0
        label[first : last + 1] = -1
        for m in range(starts[band], starts[band + 1]):
            t = members[m]
            ux, uy, u0, vx, vy, v0, wx, wy, w0, gx, gy, g, low, high = _edges(t, screen, inverse, triangles)
            left, right = boxes[t, 0] - x0, boxes[t, 2] - x0
            small = right - left < SMALL
            ureach = -REACH * (abs(ux) + abs(uy))
            vreach = -REACH * (abs(vx) + abs(vy))
            wreach = -REACH * (abs(wx) + abs(wy))
            px = boxes[t, 0] * SUBPIXELS
            for row in range(max(boxes[t, 1] - y0, first), min(boxes[t, 3] - y0, last) + 1):
                py = (row + y0) * SUBPIXELS
                u = ux * px + uy * py + u0
                v = vx * px + vy * py + v0
                w = wx * px + wy * py + w0
                z = g + gx * px + gy * py
                for column in range(left, right + 1):
                    if small or (u >= ureach and v >= vreach and w >= wreach):
                        touched[row, column] = 1
                    if (u | v | w) >= 0:
                        value = np.float32(min(max(z, low), high))
                        if value > near[row, column]:
                            near[row, column] = value
                            owner[row, column] = t
                    u += ux * SUBPIXELS
                    v += vx * SUBPIXELS
                    w += wx * SUBPIXELS
                    z += gx * SUBPIXELS
        for row in range(first, last + 1):
            for column in range(*_span(members[starts[band] : starts[band + 1]], boxes, x0, near.shape[1])):
                t = owner[row, column]
                if t < 0:
                    continue
                if smooth[mesh_of[t]]:
                    label[row, column] = mesh_of[t]
                else:
                    label[row, column] = len(smooth) + t


@numba.njit(cache=True, nogil=True)
def _find_edges(first: int, near: Array, touched: Array, label: Array, step: float, slots: Array) -> int:
    """Number the pixels of a band in which more than one surface may be seen.

    A pixel is one where its neighbourhood holds another surface, nothing, or a step of depth; or where a
    triangle covers a part but not the centre. Plain loops over rows, which the compiler widens.

    Args:
        slots: (rows, w) int32, written: the number, or -1.

    Returns:
        How many there are.
    """
    height, width = near.shape
    low, high = np.empty(width, np.float32), np.empty(width, np.float32)
    least, most = np.empty(width, np.int32), np.empty(width, np.int32)
    edge = np.empty(width, np.uint8)
    slack = np.float32(step)
    n_edges = 0
    for row in range(len(slots)):
        y = first + row
        up, down = max(y - 1, 0), min(y + 1, height - 1)
        above, here, below = near[up], near[y], near[down]
        above_label, here_label, below_label = label[up], label[y], label[down]
        for x in range(width):
            low[x] = min(above[x], here[x], below[x])
            high[x] = max(above[x], here[x], below[x])
            least[x] = min(above_label[x], here_label[x], below_label[x])
            most[x] = max(above_label[x], here_label[x], below_label[x])
        for x in range(1, width - 1):
            v = here[x]
            reach = slack * v
            jump = max(high[x - 1], high[x], high[x + 1]) - v > reach
            drop = v - min(low[x - 1], low[x], low[x + 1]) > reach
            other = min(least[x - 1], least[x], least[x + 1]) != max(most[x - 1], most[x], most[x + 1])
            edge[x] = jump | drop | other
        for x in (0, width - 1):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            v = here[x]
            jump = max(high[left], high[x], high[right]) - v > slack * v
            drop = v - min(low[left], low[x], low[right]) > slack * v
            other = min(least[left], least[x], least[right]) != max(most[left], most[x], most[right])
            edge[x] = jump | drop | other
        for x in range(width):
            if touched[y, x] and (edge[x] or here_label[x] < 0):
                slots[row, x] = n_edges
                n_edges += 1
            else:
                slots[row, x] = -1
    return n_edges


@numba.njit(cache=True, nogil=True, inline="always")
def _shade(
    t: int, px: int, py: int, screen: Array, inverse: Array, triangles: Array, lit: Array
) -> tuple[float, float, float]:
    """Colour of triangle ``t`` at a fixed-point place inside it, perspective-correct."""
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    ax, ay = float(screen[a, 0] - px), float(screen[a, 1] - py)
    bx, by = float(screen[b, 0] - px), float(screen[b, 1] - py)
    cx, cy = float(screen[c, 0] - px), float(screen[c, 1] - py)
    u = bx * cy - by * cx
    v = cx * ay - cy * ax
    w = ax * by - ay * bx
    # With x right, y down, z forward a face whose normal points at the camera turns anticlockwise here.
    side = 0 if u + v + w < 0.0 else 3
    u, v, w = u * inverse[a], v * inverse[b], w * inverse[c]
    total = u + v + w
    u, v, w = u / total, v / total, w / total
    return (
        u * lit[a, side] + v * lit[b, side] + w * lit[c, side],
        u * lit[a, side + 1] + v * lit[b, side + 1] + w * lit[c, side + 1],
        u * lit[a, side + 2] + v * lit[b, side + 2] + w * lit[c, side + 2],
    )


@numba.njit(cache=True, nogil=True)
def _sample_edges(
    slots: Array, first: int, x0: int, y0: int, members: Array, boxes: Array,
    screen: Array, inverse: Array, triangles: Array, samples: Array, cells: Array, names: Array,
) -> None:  # fmt: skip
    """Z-test a band's triangles against all samples of its edge pixels.

    Args:
        slots: (rows, w) int32 index of the edge pixel or -1; first: the band's first row.
        cells, names: (E, S) 1/z and triangle of each sample, updated.
    """
    rows, n = len(slots), len(samples)
    least = np.zeros(len(cells), np.float32)
    du, dv, dw, dz = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    for m in range(len(members)):
        t = members[m]
        left, right = boxes[t, 0] - x0, boxes[t, 2] - x0
        top, bottom = max(boxes[t, 1] - y0 - first, 0), min(boxes[t, 3] - y0 - first, rows - 1)
        nearest = max(inverse[triangles[t, 0]], inverse[triangles[t, 1]], inverse[triangles[t, 2]])
        found = False
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                slot = slots[row, column]
                found = found or (slot >= 0 and least[slot] < nearest)
        if not found:
            continue
        ux, uy, u0, vx, vy, v0, wx, wy, w0, gx, gy, g, low, high = _edges(t, screen, inverse, triangles)
        ureach = -REACH * (abs(ux) + abs(uy))
        vreach = -REACH * (abs(vx) + abs(vy))
        wreach = -REACH * (abs(wx) + abs(wy))
        for k in range(n):
            ox, oy = samples[k, 0], samples[k, 1]
            du[k] = ux * ox + uy * oy
            dv[k] = vx * ox + vy * oy
            dw[k] = wx * ox + wy * oy
            dz[k] = gx * ox + gy * oy
        for row in range(top, bottom + 1):
            py = (row + first + y0) * SUBPIXELS
            for column in range(left, right + 1):
                slot = slots[row, column]
                if slot < 0 or least[slot] >= nearest:
                    continue
                px = (column + x0) * SUBPIXELS
                u = ux * px + uy * py + u0
                v = vx * px + vy * py + v0
                w = wx * px + wy * py + w0
                if u < ureach or v < vreach or w < wreach:
                    continue
                z = g + gx * px + gy * py
                cell, name = cells[slot], names[slot]
                # No branches, so that the compiler takes several samples at once.
                for k in range(n):
                    inside = ((u + du[k]) | (v + dv[k]) | (w + dw[k])) >= 0
                    value = np.float32(min(max(z + dz[k], low), high))
                    better = inside & (value > cell[k])
                    cell[k] = value if better else cell[k]
                    name[k] = t if better else name[k]
                worst = cell[0]
                for k in range(1, n):
                    worst = min(worst, cell[k])
                least[slot] = worst


@numba.njit(cache=True, nogil=True)
def paint(
    start: int, step: int, x0: int, y0: int, starts: Array, members: Array, boxes: Array,
    screen: Array, inverse: Array, triangles: Array, lit: Array, mesh_of: Array, face_of: Array,
    samples: Array, jump: float, near: Array, owner: Array, touched: Array, label: Array,
    rgb: Array, coverage: Array, depth: Array, face_id: Array, mesh_id: Array,
) -> None:  # fmt: skip
    """Shade what :func:`see` found, with many samples where surfaces end, in bands ``start``, ...

    Args:
        lit: (V, 6), see ``light_vertices``; mesh_of, face_of: (T,) what each triangle is called.
        jump: relative step of depth that is taken for the end of a surface.
        rgb .. mesh_id: the rectangle's outputs, see ``Picture``.
    """
    height, width = near.shape
    n = len(samples)
    slots = np.empty((BAND, width), np.int32)
    for band in range(start, len(starts) - 1, step):
        first = band * BAND
        rows = min(BAND, height - first)
        band_members = members[starts[band] : starts[band + 1]]
        left, right = _span(band_members, boxes, x0, width)
        slots[:] = -1
        n_edges = 0
        if right > left:
            n_edges = _find_edges(
                first, near[:, left:right], touched[:, left:right], label[:, left:right], jump,
                slots[:rows, left:right],
            )  # fmt: skip
        cells = np.zeros((n_edges, n), np.float32)
        names = np.full((n_edges, n), np.int32(-1))
        _sample_edges(
            slots[:rows], first, x0, y0, band_members, boxes,
            screen, inverse, triangles, samples, cells, names,
        )  # fmt: skip
        for row in range(rows):
            y = first + row
            py = (y + y0) * SUBPIXELS
            depth[y] = np.inf
            face_id[y] = -1
            mesh_id[y] = -1
            coverage[y] = 0.0
            rgb[y] = 0
            for column in range(left, right):
                if not touched[y, column]:
                    continue
                px = (column + x0) * SUBPIXELS
                t = owner[y, column]
                if t >= 0:
                    depth[y, column] = 1.0 / near[y, column]
                    face_id[y, column] = face_of[t]
                    mesh_id[y, column] = mesh_of[t]
                slot = slots[row, column]
                count = 0
                r, g, b = 0.0, 0.0, 0.0
                if slot >= 0:
                    for k in range(n):
                        name = names[slot, k]
                        if name < 0:
                            continue
                        weight = 1
                        for other in range(k + 1, n):
                            if names[slot, other] == name:
                                weight += 1
                                names[slot, other] = -1
                        sr, sg, sb = _shade(
                            name, px + samples[k, 0], py + samples[k, 1], screen, inverse, triangles, lit
                        )
                        r, g, b = r + weight * sr, g + weight * sg, b + weight * sb
                        count += weight
                if count > 0:
                    coverage[y, column] = count / n
                    r, g, b = r / count, g / count, b / count
                elif t >= 0:
                    r, g, b = _shade(t, px, py, screen, inverse, triangles, lit)
                    # A speck between the samples still counts as one of them.
                    coverage[y, column] = 1.0 if slot < 0 else 1.0 / n
                rgb[y, column, 0] = int(r + 0.5)
                rgb[y, column, 1] = int(g + 0.5)
                rgb[y, column, 2] = int(b + 0.5)
