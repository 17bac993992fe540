"""A hospital's corridor and its entrance hall: for people who walk, and for crowds."""

from __future__ import annotations

import numpy as np

from backends.synthetic.sets.shell import (
    DARK,
    STEEL,
    WHITE,
    ceiling_with_lights,
    counter,
    door,
    tiled_floor,
    walls,
)
from backends.synthetic.sets.types import Room
from backends.synthetic.shapes import Solid, box, lathe, plane, rod


def corridor() -> Room:
    """A corridor along y with doors, handrails, a bench and a bed; 4.4 m wide, 18 m long."""
    x, y, ceiling = (-2.2, 2.2), (-9.0, 9.0), 2.8
    panels = tuple((0.0, float(b)) for b in np.arange(-7.5, 8.0, 3.0))
    solids = [
        *walls(x, y, ceiling, (222, 220, 208), (196, 206, 196), (150, 120, 90), low=1.1),
        tiled_floor(x, y, 0.55, ((168, 164, 150), (174, 169, 156), (163, 160, 147))),
        *ceiling_with_lights(x, y, ceiling, panels, (1.2, 0.5)),
    ]
    for k, b in enumerate((-6.4, -2.6, 1.4, 5.4)):
        leaf = ((176, 140, 100), (120, 150, 160))[k % 2]
        solids += door((x[0] + 0.03, b), -np.pi / 2 + np.pi, (130, 110, 88), leaf)
        solids += door((x[1] - 0.03, b + 1.1), -np.pi / 2, (130, 110, 88), leaf)
        solids += _sign((x[0] + 0.02, b + 0.95, 1.7), np.pi / 2, k)
    solids += bench((-1.85, -0.6), np.pi / 2) + bench((-1.85, 3.3), np.pi / 2)
    solids += _bed((1.55, 0.4)) + _plant((1.85, 3.7)) + _plant((-1.85, -4.6))
    solids += door((0.0, y[1] - 0.03), 0.0, (120, 138, 140), (150, 172, 176), width=1.6)
    solids += counter((1.85, -4.2), -np.pi / 2, (1.6, 0.5, 0.95), (186, 160, 122), (216, 214, 206))
    return Room(x, y, ceiling, tuple(solids), panels=panels, panel=(1.2, 0.5), power=2.9)


def hall() -> Room:
    """An entrance hall, 12 by 14 m, with pillars, benches, a desk and plants."""
    x, y, ceiling = (-6.0, 6.0), (-7.5, 6.5), 3.4
    panels = tuple((float(a), float(b)) for a in (-4.0, 0.0, 4.0) for b in (-5.4, -1.8, 1.8, 5.0))
    solids = [
        *walls(x, y, ceiling, (224, 222, 214), (206, 204, 194), (140, 130, 116), low=1.0),
        tiled_floor(x, y, 0.9, ((182, 178, 168), (188, 184, 174), (178, 175, 166)), 0.07),
        *ceiling_with_lights(x, y, ceiling, panels, (0.9, 0.9)),
    ]
    for px in (-2.9, 2.9):
        solids.append(
            lathe([(0.24, 0.0), (0.22, 0.05), (0.22, ceiling)], (214, 212, 204)).placed((px, 2.7, 0))
        )
    for bx, by, yaw in ((-4.6, 3.2, 0.0), (-4.6, 4.6, 0.0), (4.4, 4.4, 0.0), (5.5, -1.0, -np.pi / 2)):
        solids += bench((bx, by), yaw)
    solids += counter((0.2, 5.4), 0.0, (3.2, 0.7, 1.08), (150, 112, 80), (226, 224, 216), doors=5)
    solids += door((-3.9, y[1] - 0.03), 0.0, (120, 138, 140), (150, 172, 176), width=1.6)
    solids += _plant((-1.9, 5.7)) + _plant((2.3, 5.7)) + _plant((5.5, 3.0)) + _plant((-5.5, 0.4))
    for k, cx in enumerate((-1.0, 0.2, 1.4)):
        solids += _sign((cx, y[1] - 0.02, 2.4), 0.0, k)
    solids += _board((3.9, y[1] - 0.03))
    return Room(x, y, ceiling, tuple(solids), panels=panels, panel=(0.9, 0.9), power=4.2)


def bench(at: tuple[float, float], yaw: float) -> list[Solid]:
    """Three seats in a row, their backs towards +y at yaw 0."""
    parts = [box((0, 0.05, 0.36), (1.7, 0.05, 0.05), STEEL)]
    for k in (-0.55, 0.0, 0.55):
        parts.append(box((k, 0, 0.43), (0.48, 0.44, 0.05), (60, 92, 120)))
        parts.append(box((k, 0.22, 0.70), (0.48, 0.04, 0.44), (60, 92, 120)))
    for k in (-0.7, 0.7):
        parts.append(box((k, 0.05, 0.18), (0.05, 0.05, 0.36), STEEL))
        parts.append(box((k, 0.0, 0.02), (0.06, 0.46, 0.03), STEEL))
    return [p.placed((*at, 0.0), yaw) for p in parts]


def _bed(at: tuple[float, float]) -> list[Solid]:
    x, y = at
    solids = [
        box((x, y, 0.55), (0.86, 2.0, 0.12), (206, 212, 216)),
        box((x, y, 0.65), (0.80, 1.92, 0.12), WHITE),
        box((x, y + 0.72, 0.74), (0.56, 0.40, 0.10), (236, 238, 238)),
        box((x, y - 0.35, 0.72), (0.82, 1.15, 0.04), (128, 166, 186)),
        box((x, y + 1.0, 0.80), (0.84, 0.05, 0.55), (186, 160, 122)),
        box((x, y - 1.0, 0.70), (0.84, 0.05, 0.36), (186, 160, 122)),
    ]
    for dx in (-0.35, 0.35):
        for dy in (-0.85, 0.85):
            solids.append(rod((x + dx, y + dy, 0.05), (x + dx, y + dy, 0.5), 0.02, STEEL))
    return solids


def _plant(at: tuple[float, float]) -> list[Solid]:
    pot = lathe([(0.14, 0.0), (0.19, 0.36), (0.17, 0.38), (0.01, 0.36)], (196, 188, 174)).placed((*at, 0))
    solids = [pot]
    rng = np.random.default_rng(int(abs(at[0]) * 100))
    for _ in range(26):
        a, lean, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.9), rng.uniform(0.5, 1.0)
        base = np.array([at[0], at[1], 0.36])
        tip = base + length * np.array([np.cos(a) * np.sin(lean), np.sin(a) * np.sin(lean), np.cos(lean)])
        side = np.array([-np.sin(a), np.cos(a), 0.0]) * 0.035
        u = tip - base
        shade = int(rng.integers(-14, 14))
        solids.append(plane(base - side, 2 * side, u, (66 + shade, 112 + shade, 62 + shade)))
    return solids


def _sign(at: tuple[float, float, float], yaw: float, k: int) -> list[Solid]:
    color = ((40, 90, 140), (150, 60, 60), (60, 120, 90))[k % 3]
    parts = [box((0, 0, 0), (0.34, 0.012, 0.22), color)]
    for line, width in ((0.05, 0.24), (0.0, 0.18), (-0.05, 0.21)):
        parts.append(box((0, -0.009, line), (width, 0.006, 0.018), (236, 238, 240)))
        parts.append(box((0, 0.009, line), (width, 0.006, 0.018), (236, 238, 240)))
    return [p.placed(at, yaw) for p in parts]


def _board(at: tuple[float, float]) -> list[Solid]:
    x, y = at
    solids = [
        box((x, y, 1.8), (1.6, 0.04, 1.1), DARK),
        plane((x - 0.76, y - 0.03, 1.29), (1.52, 0, 0), (0, 0, 1.02), (34, 58, 84), glow=0.3),
    ]
    for k in range(7):
        solids.append(
            box((x - 0.15, y - 0.035, 2.18 - 0.13 * k), (1.0 - 0.07 * (k % 3), 0.004, 0.03), (206, 216, 226))
        )
    return solids
