"""A consulting room with two chairs: for interviews filmed from a tripod."""

from __future__ import annotations

import numpy as np

from backends.synthetic.sets.shell import DARK, WHITE, ceiling_with_lights, tiled_floor, walls
from backends.synthetic.sets.types import Room
from backends.synthetic.shapes import Color, Solid, box, lathe, plane, rod

SEAT_HEIGHT = 0.45
CHAIRS = ((-0.72, 0.35, -np.pi / 2 + 0.62), (0.72, 0.35, -np.pi / 2 - 0.62))
"""Where the chairs stand (x, y) and the heading of who sits in them, radians from +x."""


def interview_room() -> Room:
    """A room of 5 by 6 m with a window, shelves, a lamp, a rug, two chairs and a low table."""
    x, y, ceiling = (-2.5, 2.5), (-3.4, 2.4), 2.7
    panels = ((-1.1, 0.6), (1.1, 0.6), (0.0, -1.9))
    solids = [
        *walls(x, y, ceiling, (222, 214, 200), (206, 196, 180), (234, 232, 226), low=0.9),
        tiled_floor(x, y, 0.30, ((148, 112, 80), (156, 119, 86), (141, 106, 76)), 0.10),
        *ceiling_with_lights(x, y, ceiling, panels, (0.6, 0.6)),
        box((0, 0.2, 0.006), (2.9, 1.9, 0.012), (112, 122, 134)),
        box((0, 0.2, 0.008), (2.7, 1.7, 0.012), (132, 142, 152)),
        *_window(y[1]),
        *_shelves((1.75, y[1] - 0.18)),
        *_picture((0.25, y[1] - 0.02)),
        *_floor_lamp((-2.1, 1.9)),
        *_low_table((0.0, -0.12)),
    ]
    for cx, cy, heading in CHAIRS:
        solids += armchair((cx, cy), heading, (84, 96, 104) if cx < 0 else (120, 92, 78))
    return Room(
        x,
        y,
        ceiling,
        tuple(solids),
        panels=panels,
        panel=(0.6, 0.6),
        power=2.6,
        sky=((0.44, 0.43, 0.42), (0.27, 0.25, 0.23)),
    )


def armchair(at: tuple[float, float], heading: float, color: Color) -> list[Solid]:
    """A chair with a padded seat and back; who sits in it faces ``heading``."""
    shade: Color = (int(color[0] * 0.85), int(color[1] * 0.85), int(color[2] * 0.85))
    parts = [
        box((0, 0.06, SEAT_HEIGHT - 0.06), (0.56, 0.56, 0.10), color),
        box((0, 0.36, SEAT_HEIGHT + 0.22), (0.56, 0.09, 0.62), shade),
    ]
    for dx in (-0.30, 0.30):
        parts.append(box((dx, 0.08, SEAT_HEIGHT + 0.17), (0.05, 0.50, 0.04), (96, 70, 50)))
        parts.append(
            box((dx, -0.14, (SEAT_HEIGHT + 0.17) / 2), (0.04, 0.04, SEAT_HEIGHT + 0.17), (96, 70, 50))
        )
        parts.append(
            box((dx, 0.34, (SEAT_HEIGHT + 0.17) / 2), (0.04, 0.04, SEAT_HEIGHT + 0.17), (96, 70, 50))
        )
    return [p.placed((*at, 0.0), heading + np.pi / 2) for p in parts]


def _window(y: float) -> list[Solid]:
    x0, x1, z0, z1 = -1.75, -0.55, 0.95, 2.25
    solids = [
        plane((x0, y - 0.02, z0), (x1 - x0, 0, 0), (0, 0, z1 - z0), (206, 226, 240), glow=0.8),
        plane((x0, y - 0.025, z0), (x1 - x0, 0, 0), (0, 0, 0.45), (158, 178, 150), glow=0.6),
    ]
    for x in (x0, (x0 + x1) / 2, x1):
        solids.append(box((x, y - 0.03, (z0 + z1) / 2), (0.06, 0.06, z1 - z0 + 0.06), WHITE))
    for z in (z0, z1):
        solids.append(box(((x0 + x1) / 2, y - 0.03, z), (x1 - x0 + 0.06, 0.06, 0.06), WHITE))
    solids.append(box(((x0 + x1) / 2, y - 0.09, z0 - 0.04), (x1 - x0 + 0.2, 0.20, 0.035), WHITE))
    return solids


def _shelves(at: tuple[float, float]) -> list[Solid]:
    x, y = at
    rng = np.random.default_rng(21)
    solids = [box((x, y + 0.14, 1.0), (1.0, 0.02, 2.0), (150, 116, 84))]
    solids += [box((x + dx, y, 1.0), (0.03, 0.30, 2.0), (166, 128, 92)) for dx in (-0.5, 0.5)]
    for z in (0.05, 0.45, 0.85, 1.25, 1.65, 2.0):
        solids.append(box((x, y, z), (1.0, 0.30, 0.03), (166, 128, 92)))
        place = -0.46
        while place < 0.40 and z < 1.9:
            w, h = rng.uniform(0.018, 0.05), rng.uniform(0.18, 0.30)
            if rng.random() < 0.12:
                place += 0.09
                continue
            tint = tuple(int(c) for c in rng.uniform(0.35, 1.0) * (110 + 0.35 * rng.integers(-110, 110, 3)))
            solids.append(
                box(
                    (x + place + w / 2, y - 0.02, z + h / 2 + 0.015),
                    (w, 0.20, h),
                    (tint[0], tint[1], tint[2]),
                )
            )
            place += w + 0.002
    return solids


def _picture(at: tuple[float, float]) -> list[Solid]:
    x, y = at
    return [
        box((x, y, 1.75), (0.86, 0.03, 0.62), (70, 62, 56)),
        box((x, y - 0.018, 1.75), (0.78, 0.006, 0.54), (232, 228, 218)),
        box((x - 0.1, y - 0.022, 1.72), (0.40, 0.004, 0.26), (96, 132, 150)),
        box((x + 0.12, y - 0.024, 1.80), (0.26, 0.004, 0.22), (206, 150, 96)),
    ]


def _floor_lamp(at: tuple[float, float]) -> list[Solid]:
    x, y = at
    shade = lathe([(0.20, 1.45), (0.14, 1.75), (0.13, 1.75), (0.19, 1.46)], (244, 226, 190), glow=0.55)
    return [
        rod((x, y, 0.02), (x, y, 1.6), 0.012, DARK),
        lathe([(0.16, 0.0), (0.15, 0.03), (0.01, 0.035)], DARK).placed((x, y, 0)),
        shade.placed((x, y, 0)),
    ]


def _low_table(at: tuple[float, float]) -> list[Solid]:
    x, y = at
    cup = lathe([(0.025, 0.0), (0.038, 0.04), (0.040, 0.085), (0.036, 0.085), (0.02, 0.01)], (232, 232, 226))
    return [
        lathe(
            [(0.01, 0.40), (0.33, 0.40), (0.34, 0.415), (0.33, 0.43), (0.01, 0.43)], (176, 140, 104), 40
        ).placed((x, y, 0)),
        *(
            rod(
                (x + 0.2 * np.cos(a), y + 0.2 * np.sin(a), 0.40),
                (x + 0.26 * np.cos(a), y + 0.26 * np.sin(a), 0.0),
                0.016,
                (120, 92, 66),
            )
            for a in (0.6, 2.7, 4.8)
        ),
        cup.placed((x - 0.12, y + 0.04, 0.43)),
        cup.placed((x + 0.15, y - 0.05, 0.43)),
        box((x + 0.02, y - 0.16, 0.436), (0.21, 0.15, 0.012), (214, 218, 222), yaw=0.3),
    ]
