"""Walls, floors, ceilings and what is built into them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backends.synthetic.shapes import Color, Solid, box, joined, plane

WHITE: Color = (226, 229, 228)
STEEL: Color = (150, 157, 163)
DARK: Color = (52, 58, 66)


def walls(
    x: tuple[float, float], y: tuple[float, float], ceiling: float, upper: Color, lower: Color, rail: Color,
    *, low: float = 1.25,
) -> list[Solid]:  # fmt: skip
    """Four walls in two colours with a rail between them and a skirting board."""
    corners = [(x[0], y[1]), (x[1], y[1]), (x[1], y[0]), (x[0], y[0])]
    solids = []
    for k in range(4):
        (ax, ay), (bx, by) = corners[k], corners[(k + 1) % 4]
        along = (bx - ax, by - ay, 0)
        solids.append(plane((ax, ay, low), along, (0, 0, ceiling - low), upper, grain=0.012))
        solids.append(plane((ax, ay, 0), along, (0, 0, low), lower, grain=0.012))
        middle = ((ax + bx) / 2, (ay + by) / 2)
        size = (abs(along[0]) + 0.02, abs(along[1]) + 0.02)
        for z, height, depth in ((low, 0.09, 0.05), (0.05, 0.10, 0.03)):
            solids.append(
                box((*middle, z), (max(size[0], depth) - 0.02, max(size[1], depth) - 0.02, height), rail)
            )
    return solids


def tiled_floor(
    x: tuple[float, float], y: tuple[float, float], side: float, shades: Sequence[Color], grain: float = 0.05
) -> Solid:
    """Vinyl or stone in large tiles of close shades."""
    tiles = []
    for i, a in enumerate(np.arange(x[0], x[1], side)):
        for j, b in enumerate(np.arange(y[0], y[1], side)):
            shade = shades[(i + j) % len(shades)]
            size = (min(side, x[1] - a), min(side, y[1] - b))
            tiles.append(plane((a, b, 0), (size[0], 0, 0), (0, size[1], 0), shade, grain=grain))
    return joined(tiles)


def ceiling_with_lights(
    x: tuple[float, float], y: tuple[float, float], height: float, panels: Sequence[tuple[float, float]],
    panel: tuple[float, float],
) -> list[Solid]:  # fmt: skip
    """A white ceiling with its light panels, in steel frames."""
    solids = [plane((x[0], y[0], height), (0, y[1] - y[0], 0), (x[1] - x[0], 0, 0), (228, 229, 226))]
    for cx, cy in panels:
        solids.append(box((cx, cy, height - 0.004), (panel[0] + 0.06, panel[1] + 0.06, 0.008), STEEL))
        solids.append(
            plane((cx - panel[0] / 2, cy - panel[1] / 2, height - 0.009), (0, panel[1], 0), (panel[0], 0, 0),
                  (255, 255, 250), glow=1.0)
        )  # fmt: skip
    return solids


def door(
    at: tuple[float, float], yaw: float, frame: Color, leaf: Color, *, width: float = 1.0
) -> list[Solid]:
    """A door with a window, seen from -y at yaw 0."""
    parts = [
        box((0, 0, 1.05), (width + 0.12, 0.05, 2.14), frame),
        box((0, -0.02, 1.03), (width, 0.05, 2.06), leaf),
        box((0.23, -0.045, 1.50), (0.22, 0.02, 0.62), (72, 92, 104)),
        box((-0.41, -0.06, 1.05), (0.03, 0.03, 0.34), STEEL),
        box((0, -0.045, 0.22), (width - 0.08, 0.02, 0.34), STEEL),
    ]
    return [p.placed((*at, 0.0), yaw) for p in parts]


def counter(
    at: tuple[float, float], yaw: float, size: tuple[float, float, float], body: Color, top: Color,
    *, doors: int = 3,
) -> list[Solid]:  # fmt: skip
    """A cupboard under a worktop, seen from -y at yaw 0."""
    w, d, h = size
    parts = [
        box((0, 0, h / 2), (w, d, h - 0.06), body),
        box((0, -0.01, 0.04), (w - 0.04, d, 0.08), DARK),
        box((0, -0.015, h), (w + 0.04, d + 0.05, 0.04), top),
    ]
    step = w / doors
    for k in range(doors):
        cx = -w / 2 + step * (k + 0.5)
        parts.append(box((cx, -d / 2 - 0.006, h * 0.40), (step - 0.02, 0.012, h * 0.62), body))
        parts.append(box((cx, -d / 2 - 0.006, h * 0.84), (step - 0.02, 0.012, h * 0.17), body))
        for z in (h * 0.66, h * 0.88):
            parts.append(box((cx, -d / 2 - 0.022, z), (0.14, 0.02, 0.016), STEEL))
    return [p.placed((*at, 0.0), yaw) for p in parts]
