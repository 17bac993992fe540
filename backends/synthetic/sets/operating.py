"""The operating room: a table with a draped patient, surgical lamps, machines, cupboards, a scrub sink.

World coordinates in metres, z up. The table lies along x with the patient's head towards -x; the first
camera looks along +y.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.synthetic.sets import equipment as kit
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
from backends.synthetic.sets.types import Room, Screen
from backends.synthetic.shapes import Solid, box, lathe, rod, sheet

X, Y, CEILING = (-3.1, 3.1), (-6.6, 3.1), 3.0
TABLE = (0.0, 0.55)
TABLE_TOP = 0.90
SITE = np.array([TABLE[0] - 0.10, TABLE[1] + 0.02, TABLE_TOP + 0.15])
"""Where the drape is open: the place that is worked on."""
TRAY = (0.90, 0.52, 1.13)
"""The middle of the mayo stand's tray, from which instruments are handed."""
STOOL, STOOL_HEIGHT = (-1.55, -0.30), 0.46
RAIL = (120, 138, 140)
DRAPE = (46, 112, 132)
_PANELS = ((-1.5, -1.2), (1.5, -1.2), (-1.5, 1.5), (1.5, 1.5), (-1.5, -4.4), (1.5, -4.4))


def operating_room() -> Room:
    """The room with everything that does not move."""
    solids = [
        *walls(X, Y, CEILING, (206, 214, 209), (173, 192, 188), RAIL),
        tiled_floor(X, Y, 0.62, ((128, 142, 150), (133, 147, 154))),
        *ceiling_with_lights(X, Y, CEILING, _PANELS, (0.55, 0.9)),
        *_table(), *_lamp(),
        *kit.cabinet(), *kit.trolley(), *kit.wall_things(Y[1] - 0.03), *kit.pole(),
        *counter((-2.78, -2.6), np.pi / 2, (1.8, 0.55, 0.9), (206, 212, 212), (176, 186, 190)),
        *kit.scrub_sink((1.2, -6.28)), *door((-0.6, -6.57), np.pi, RAIL, (150, 172, 176), width=1.2),
        *kit.rack((2.82, -3.9)), *kit.bins((2.75, -1.75)), *kit.ultrasound((2.55, -0.75), -1.2),
        *kit.mayo_stand(TRAY[:2], TRAY[2]), *kit.stool(STOOL, STOOL_HEIGHT), *kit.step((0.15, 0.02)),
        *kit.notice((-2.2, -6.56)),
    ]  # fmt: skip
    screens: list[Screen] = []
    for group, extra in (
        kit.anaesthesia(),
        kit.wall_monitor((3.04, 0.95, 1.78), np.pi / 2),
        kit.desk((-2.75, -4.7)),
    ):
        first = len(solids)
        solids += group
        screens += [Screen(s.corner, s.across, s.up, s.kind, first + s.solid) for s in extra]
    return Room(
        X, Y, CEILING, tuple(solids), tuple(screens), _PANELS, spot=(TABLE[0] - 0.1, TABLE[1], 0.5),
    )  # fmt: skip


def _body_height(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Height of the draped patient over the table top; head towards -x."""

    def bump(cx: float, cy: float, sx: float, sy: float, h: float) -> npt.NDArray[np.float64]:
        return h * np.exp(-(np.abs((x - cx) / sx) ** 2.6) - np.abs((y - cy) / sy) ** 2.6)

    parts = (
        bump(-0.80, 0.0, 0.12, 0.10, 0.20), bump(-0.42, 0.0, 0.27, 0.22, 0.19),
        bump(-0.02, 0.0, 0.26, 0.19, 0.125),
        bump(0.42, -0.10, 0.40, 0.09, 0.115), bump(0.42, 0.10, 0.40, 0.09, 0.115),
        bump(0.86, -0.11, 0.10, 0.09, 0.155), bump(0.86, 0.11, 0.10, 0.09, 0.155),
    )  # fmt: skip
    # A soft maximum: cloth spans the dips between what it lies over.
    top: npt.NDArray[np.float64] = sum(p**5 for p in parts) ** 0.2
    return top


def drape_height(x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """World height of the drape over the table at points of the floor plan, metres; no folds."""
    u, s = np.asarray(x, np.float64) - TABLE[0], np.asarray(y, np.float64) - TABLE[1]
    over = np.clip(s, -_HALF_Y, _HALF_Y)
    edge = np.clip((_HALF_Y - np.abs(s)) / 0.08 + 0.25, 0, 1)
    height: npt.NDArray[np.float64] = _body_height(u, over) * edge + TABLE_TOP + 0.01
    return height


_HALF_Y = 0.30


def _table() -> list[Solid]:
    cx, cy = TABLE
    half_x, half_y, drop = 1.02, _HALF_Y, 0.42
    u = np.linspace(-half_x, half_x, 121)
    s = np.linspace(-half_y - drop, half_y + drop, 97)
    U, S = np.meshgrid(u, s, indexing="ij")
    over = np.maximum(np.abs(S) - half_y, 0.0)
    soft = 0.05
    fall = np.sqrt(over**2 + soft**2) - soft
    out = over - fall
    folds = (
        0.022 * np.clip(over / drop, 0, 1) * (np.sin(17 * U + 1.3 * np.sign(S)) + 0.5 * np.sin(41 * U + S))
    )
    y = np.clip(S, -half_y, half_y) + np.sign(S) * (out + 0.03 * over + folds)
    z = drape_height(U + cx, S + cy) - fall
    ripple = 0.004 * np.sin(23 * U + 9 * S) * np.cos(15 * S - 4 * U)
    points = np.stack([U + cx, y + cy, z + ripple], axis=-1)
    colors = np.tile(np.array(DRAPE, np.uint8), (*points.shape[:2], 1))
    site = (np.abs(U + 0.10) < 0.13) & (np.abs(S) < 0.09)
    colors[(np.abs(U + 0.10) < 0.16) & (np.abs(S) < 0.12)] = (132, 172, 176)
    # Skin painted with iodine, a cut in it, and two swabs.
    colors[site] = (130, 94, 72)
    colors[site & (np.abs(S) < 0.012) & (np.abs(U + 0.10) < 0.085)] = (112, 28, 26)
    colors[site & (np.abs(U + 0.19) < 0.025) & (np.abs(S - 0.05) < 0.03)] = (214, 210, 204)
    drape = sheet(points[:, ::-1], colors[:, ::-1])
    base = [
        box((cx, cy, 0.84), (1.98, 0.54, 0.07), DARK), box((cx, cy, 0.45), (0.36, 0.32, 0.74), STEEL),
        box((cx, cy, 0.06), (1.05, 0.52, 0.12), STEEL), box((cx, cy, 0.15), (0.62, 0.40, 0.06), DARK),
    ]  # fmt: skip
    # The screen between the patient's head and the field, as anaesthetists hang it.
    rail = [rod((cx - 0.60, cy + s, 0.9), (cx - 0.60, cy + s, 1.34), 0.011, STEEL) for s in (-0.36, 0.36)]
    rail.append(rod((cx - 0.60, cy - 0.36, 1.34), (cx - 0.60, cy + 0.36, 1.34), 0.011, STEEL))
    yy, zz = np.meshgrid(np.linspace(-0.35, 0.35, 41), np.linspace(0.98, 1.33, 17), indexing="ij")
    wave = cx - 0.60 + 0.014 * np.sin(26 * yy) * (1.33 - zz) / 0.35
    return [drape, *base, *rail, sheet(np.stack([wave, yy + cy, zz], -1), (52, 120, 140))]


def _dish(radius: float) -> list[Solid]:
    shell = lathe(
        [(0.92 * radius, -0.045), (radius, -0.02), (radius, 0.015), (0.8 * radius, 0.07),
         (0.3 * radius, 0.10), (0.01, 0.105)],
        WHITE, segments=40,
    )  # fmt: skip
    face = lathe([(0.01, -0.030), (0.92 * radius, -0.045)], (214, 222, 226), segments=40, glow=0.55)
    ring = [
        lathe([(0.01, -0.052), (0.15 * radius, -0.052)], (255, 252, 240), 18, glow=1.0)
        .placed((0.58 * radius * np.cos(a), 0.58 * radius * np.sin(a), 0.0))
        for a in np.linspace(0, 2 * np.pi, 7)[:-1]
    ]  # fmt: skip
    ring.append(lathe([(0.01, -0.056), (0.17 * radius, -0.056)], (255, 252, 240), 18, glow=1.0))
    return [shell, face, *ring]


def _lamp() -> list[Solid]:
    solids: list[Solid] = []
    for at, radius, tilt, yaw in (
        ((-0.45, 1.0, 2.10), 0.34, -0.50, 0.35),
        ((0.60, 1.15, 2.16), 0.27, -0.55, -0.4),
    ):
        solids += [s.placed(at, yaw, tilt) for s in _dish(radius)]
        elbow = (at[0] * 0.9 + 0.1, at[1] + 0.25, at[2] + 0.36)
        solids.append(rod((at[0], at[1], at[2] + 0.09), elbow, 0.025, WHITE))
        solids.append(rod(elbow, (0.08, 1.15, 2.78), 0.03, WHITE))
    return [*solids, rod((0.08, 1.15, 2.70), (0.08, 1.15, CEILING), 0.06, WHITE)]
