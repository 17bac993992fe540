"""The operating room: walls, floor, table with a draped patient, lamp, monitors, cabinet, trolley.

World coordinates in metres, z up; the camera looks along +y. Walls at x = -3.1 and 3.1 and y = 3.1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.synthetic.shapes import Solid, box, joined, lathe, placed, plane, rod, sheet

WALL_X, WALL_Y, FRONT_Y, CEILING = 3.1, 3.1, -6.6, 3.0
TABLE = (0.0, 0.55)
TABLE_TOP = 0.90

_WALL = (206, 214, 209)
_WALL_LOW = (173, 192, 188)
_RAIL = (120, 138, 140)
_STEEL = (150, 157, 163)
_DARK = (52, 58, 66)
_WHITE = (226, 229, 228)
_DRAPE = (46, 112, 132)


def room() -> list[Solid]:
    """Everything that does not move."""
    return [
        *_shell(),
        *_table(),
        *_lamp(),
        *_anaesthesia(),
        *_cabinet(),
        *_trolley(),
        *_wall_things(),
        *_pole(),
    ]


def _shell() -> list[Solid]:
    depth = WALL_Y - FRONT_Y
    low = 1.25
    solids = [
        plane((-WALL_X, WALL_Y, low), (2 * WALL_X, 0, 0), (0, 0, CEILING - low), _WALL),
        plane((-WALL_X, WALL_Y, 0), (2 * WALL_X, 0, 0), (0, 0, low), _WALL_LOW),
    ]
    for x in (-WALL_X, WALL_X):
        y, dy = (FRONT_Y, depth) if x < 0 else (WALL_Y, -depth)
        solids.append(plane((x, y, low), (0, dy, 0), (0, 0, CEILING - low), _WALL))
        solids.append(plane((x, y, 0), (0, dy, 0), (0, 0, low), _WALL_LOW))
        solids.append(box((x * 0.995, (FRONT_Y + WALL_Y) / 2, low), (0.05, depth, 0.09), _RAIL))
        solids.append(box((x * 0.998, (FRONT_Y + WALL_Y) / 2, 0.05), (0.03, depth, 0.10), _RAIL))
    solids.append(box((0, WALL_Y * 0.995, low), (2 * WALL_X, 0.05, 0.09), _RAIL))
    solids.append(box((0, WALL_Y * 0.998, 0.05), (2 * WALL_X, 0.03, 0.10), _RAIL))
    return [*solids, _floor()]


def _floor() -> Solid:
    """Vinyl in large tiles of two close shades."""
    side = 0.62
    xs = np.arange(-WALL_X, WALL_X, side)
    ys = np.arange(FRONT_Y, WALL_Y, side)
    shades = ((128, 142, 150), (134, 148, 155))
    tiles = [
        plane((x, y, 0), (min(side, WALL_X - x), 0, 0), (0, min(side, WALL_Y - y), 0), shades[(i + j) % 2])
        for i, x in enumerate(xs)
        for j, y in enumerate(ys)
    ]
    return joined(tiles)


def _body_height(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Height of the draped patient over the table top; head towards -x."""

    def bump(cx: float, cy: float, sx: float, sy: float, h: float) -> npt.NDArray[np.float64]:
        return h * np.exp(-(np.abs((x - cx) / sx) ** 2.6) - np.abs((y - cy) / sy) ** 2.6)

    parts = (
        bump(-0.80, 0.0, 0.12, 0.10, 0.20), bump(-0.38, 0.0, 0.30, 0.22, 0.20),
        bump(0.02, 0.0, 0.26, 0.19, 0.17),
        bump(0.42, -0.10, 0.40, 0.09, 0.13), bump(0.42, 0.10, 0.40, 0.09, 0.13),
        bump(0.86, -0.11, 0.09, 0.08, 0.15), bump(0.86, 0.11, 0.09, 0.08, 0.15),
    )  # fmt: skip
    soft = np.logaddexp.reduce([18 * p for p in parts], axis=0) - np.log(len(parts))
    top: npt.NDArray[np.float64] = soft / 18
    return top


def _table() -> list[Solid]:
    cx, cy = TABLE
    half_x, half_y, drop = 1.02, 0.30, 0.42
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
    z = (
        _body_height(U, np.clip(S, -half_y, half_y)) * np.clip((half_y - np.abs(S)) / 0.08 + 0.25, 0, 1)
        - fall
    )
    ripple = 0.004 * np.sin(23 * U + 9 * S) * np.cos(15 * S - 4 * U)
    points = np.stack([U + cx, y + cy, z + ripple + TABLE_TOP + 0.01], axis=-1)
    colors = np.tile(np.array(_DRAPE, np.uint8), (*points.shape[:2], 1))
    site = (np.abs(U + 0.10) < 0.13) & (np.abs(S) < 0.09)
    colors[(np.abs(U + 0.10) < 0.16) & (np.abs(S) < 0.12)] = (196, 204, 206)
    colors[site] = (168, 104, 72)
    drape = sheet(points[:, ::-1], colors[:, ::-1])
    base = [
        box((cx, cy, 0.84), (1.98, 0.54, 0.07), _DARK), box((cx, cy, 0.45), (0.36, 0.32, 0.74), _STEEL),
        box((cx, cy, 0.06), (1.05, 0.52, 0.12), _STEEL), box((cx, cy, 0.15), (0.62, 0.40, 0.06), _DARK),
    ]  # fmt: skip
    # The screen between the patient's head and the field, as anaesthetists hang it.
    rail = [rod((cx - 0.60, cy + s, 0.9), (cx - 0.60, cy + s, 1.34), 0.011, _STEEL) for s in (-0.36, 0.36)]
    rail.append(rod((cx - 0.60, cy - 0.36, 1.34), (cx - 0.60, cy + 0.36, 1.34), 0.011, _STEEL))
    yy, zz = np.meshgrid(np.linspace(-0.35, 0.35, 41), np.linspace(0.98, 1.33, 17), indexing="ij")
    wave = cx - 0.60 + 0.014 * np.sin(26 * yy) * (1.33 - zz) / 0.35
    return [drape, *base, *rail, sheet(np.stack([wave, yy + cy, zz], -1), (52, 120, 140))]


def _dish(radius: float) -> list[Solid]:
    shell = lathe(
        [(0.92 * radius, -0.045), (radius, -0.02), (radius, 0.015), (0.8 * radius, 0.07),
         (0.3 * radius, 0.10), (0.01, 0.105)],
        _WHITE, segments=40,
    )  # fmt: skip
    face = lathe([(0.01, -0.030), (0.92 * radius, -0.045)], (214, 222, 226), segments=40, glow=0.55)
    ring = [
        placed(lathe([(0.01, -0.052), (0.15 * radius, -0.052)], (255, 252, 240), 18, glow=1.0),
               (0.58 * radius * np.cos(a), 0.58 * radius * np.sin(a), 0.0))
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
        solids += [placed(s, at, yaw, tilt) for s in _dish(radius)]
        elbow = (at[0] * 0.9 + 0.1, at[1] + 0.25, at[2] + 0.36)
        solids.append(rod((at[0], at[1], at[2] + 0.09), elbow, 0.025, _WHITE))
        solids.append(rod(elbow, (0.08, 1.15, 2.78), 0.03, _WHITE))
    return [*solids, rod((0.08, 1.15, 2.70), (0.08, 1.15, CEILING), 0.06, _WHITE)]


def _screen(width: float, height: float, seed: int) -> list[Solid]:
    """A monitor that faces -y, centred at the origin: curves and numbers' places, no text."""
    rng = np.random.default_rng(seed)
    solids = [
        box((0, 0.03, 0), (width + 0.05, 0.05, height + 0.05), _DARK),
        plane((-width / 2, 0, -height / 2), (width, 0, 0), (0, 0, height), (12, 20, 26), glow=0.5),
    ]
    x = np.linspace(-0.46, 0.22, 90) * width
    for row, color in enumerate(((70, 220, 120), (90, 190, 240), (240, 210, 80), (235, 110, 100))):
        z0 = (0.34 - 0.23 * row) * height
        phase = 2 * np.pi * (x / width * (5 - row) + rng.random())
        beat = np.exp(-(((phase / (2 * np.pi)) % 1 - 0.5) ** 2) / (0.002 + 0.012 * row))
        z = z0 + height * (0.11 * beat + 0.012 * np.sin(phase))
        band = np.stack([z, z + 0.014 * height], axis=0)
        points = np.stack([np.broadcast_to(x, band.shape), np.full(band.shape, -0.004), band], axis=-1)
        trace = sheet(points, color)
        solids.append(Solid(trace.vertices, trace.faces, trace.normals, trace.colors, 0.9))
        for k in range(2):
            solids.append(
                box(((0.30 + 0.09 * k) * width, -0.003, z0 + 0.05 * height),
                    (0.065 * width, 0.004, 0.10 * height), color, glow=0.9)
            )  # fmt: skip
    return solids


def _anaesthesia() -> list[Solid]:
    x, y = -2.05, 1.35
    solids = [
        box((x, y, 0.50), (0.62, 0.52, 0.86), (190, 198, 202), yaw=0.35),
        box((x, y, 0.055), (0.66, 0.56, 0.09), _DARK, yaw=0.35),
        box((x, y, 0.95), (0.70, 0.56, 0.04), _WHITE, yaw=0.35),
        box((x, y + 0.16, 1.22), (0.46, 0.18, 0.50), (176, 186, 192), yaw=0.35),
        rod((x + 0.02, y + 0.1, 1.40), (x + 0.02, y + 0.1, 1.75), 0.025, _STEEL),
    ]
    for z in (0.34, 0.53, 0.72):
        solids.append(placed(box((0, -0.262, 0), (0.50, 0.012, 0.155), (214, 219, 221)), (x, y, z), yaw=0.35))
        solids.append(placed(box((0, -0.275, 0.03), (0.20, 0.02, 0.016), _STEEL), (x, y, z), yaw=0.35))
    solids += [placed(s, (x + 0.04, y - 0.02, 1.76), yaw=0.35) for s in _screen(0.62, 0.40, 3)]
    bag = lathe([(0.01, 0.0), (0.06, 0.03), (0.075, 0.11), (0.05, 0.2), (0.015, 0.25)], (50, 96, 88), 20)
    return [*solids, placed(bag, (x + 0.42, y - 0.1, 0.92)),
            rod((x + 0.42, y - 0.1, 1.16), (x + 0.22, y + 0.1, 1.26), 0.012, _DARK)]  # fmt: skip


def _cabinet() -> list[Solid]:
    x, y = 2.25, 2.78
    solids = [
        box((x, y, 1.02), (1.35, 0.55, 2.04), (216, 220, 219)),
        box((x, y, 0.04), (1.30, 0.5, 0.08), _DARK),
    ]
    rng = np.random.default_rng(8)
    for door in (-0.33, 0.33):
        solids.append(box((x + door, y - 0.278, 1.42), (0.60, 0.012, 1.10), (108, 128, 140)))
        for shelf in (0.98, 1.32, 1.66):
            solids.append(box((x + door, y - 0.288, shelf), (0.58, 0.012, 0.020), _WHITE))
            place = -0.25
            while place < 0.22:
                w, h = rng.uniform(0.05, 0.13), rng.uniform(0.08, 0.22)
                tint = [(214, 221, 222), (120, 164, 178), (196, 176, 122), (94, 128, 160)][rng.integers(4)]
                solids.append(
                    box((x + door + place + w / 2, y - 0.290, shelf + h / 2 + 0.01), (w, 0.01, h), tint)
                )
                place += w + 0.02
        for z in (0.24, 0.46, 0.68):
            solids.append(box((x + door, y - 0.280, z), (0.60, 0.012, 0.195), (200, 206, 206)))
            solids.append(box((x + door, y - 0.295, z + 0.04), (0.22, 0.02, 0.018), _STEEL))
    return solids


def _trolley() -> list[Solid]:
    """The instrument table, by the cabinet's side."""
    x, y = 2.12, 0.72
    solids = [box((x, y, 0.90), (0.62, 0.44, 0.025), _STEEL), box((x, y, 0.30), (0.58, 0.40, 0.02), _STEEL),
              box((x, y, 0.918), (0.56, 0.38, 0.012), (70, 134, 150))]  # fmt: skip
    for dx in (-0.27, 0.27):
        for dy in (-0.18, 0.18):
            solids.append(rod((x + dx, y + dy, 0.03), (x + dx, y + dy, 0.90), 0.013, _STEEL))
    for k, length in enumerate((0.20, 0.16, 0.22, 0.14)):
        solids.append(box((x - 0.18 + 0.11 * k, y, 0.930), (0.018, length, 0.010), (206, 212, 216)))
    bowl = lathe(
        [(0.03, 0.0), (0.075, 0.02), (0.095, 0.07), (0.088, 0.07), (0.01, 0.02)], (176, 186, 190), 24
    )
    return [*solids, placed(bowl, (x + 0.19, y + 0.06, 0.925)), placed(bowl, (x - 0.12, y, 0.31))]


def _wall_things() -> list[Solid]:
    y = WALL_Y - 0.03
    door = [
        box((-0.95, y, 1.05), (1.12, 0.05, 2.14), _RAIL),
        box((-0.95, y - 0.02, 1.03), (1.0, 0.05, 2.06), (150, 172, 176)),
        box((-0.72, y - 0.045, 1.50), (0.22, 0.02, 0.62), (72, 92, 104)),
        box((-1.36, y - 0.06, 1.05), (0.03, 0.03, 0.34), _STEEL),
        box((-0.95, y - 0.045, 0.22), (0.92, 0.02, 0.34), _STEEL),
    ]
    light_box = [
        box((0.62, y, 1.72), (1.10, 0.06, 0.62), _STEEL),
        plane((0.10, y - 0.04, 1.45), (0.50, 0, 0), (0, 0, 0.54), (222, 234, 240), glow=0.75),
        plane((0.64, y - 0.04, 1.45), (0.50, 0, 0), (0, 0, 0.54), (222, 234, 240), glow=0.75),
        box((0.36, y - 0.05, 1.72), (0.30, 0.01, 0.40), (58, 70, 82)),
    ]
    rim = lathe([(0.15, 0.0), (0.15, 0.03), (0.135, 0.035)], _DARK, 40)
    dial = lathe([(0.136, 0.028), (0.01, 0.029)], (244, 244, 240), 40)
    clock = [
        placed(s, (-2.2, y, 2.22), tilt=np.pi / 2)
        for s in (rim, Solid(dial.vertices, dial.faces, -dial.normals, dial.colors))
    ]
    hands = [
        box((-2.2, y - 0.035, 2.255), (0.012, 0.004, 0.09), _DARK),
        box((-2.165, y - 0.035, 2.22), (0.08, 0.004, 0.010), _DARK),
    ]
    outlets = [box((x, y - 0.01, 1.02), (0.42, 0.03, 0.10), _WHITE) for x in (0.45, -2.35)]
    return [*door, *light_box, *clock, *hands, *outlets]


def _pole() -> list[Solid]:
    x, y = -1.38, 0.95
    solids = [
        rod((x, y, 0.05), (x, y, 1.98), 0.012, _STEEL),
        rod((x - 0.14, y, 1.96), (x + 0.14, y, 1.96), 0.008, _STEEL),
    ]
    for k in range(5):
        a = 2 * np.pi * k / 5
        solids.append(rod((x, y, 0.10), (x + 0.25 * np.cos(a), y + 0.25 * np.sin(a), 0.045), 0.012, _DARK))
    bag = box((0, 0, 0), (0.12, 0.035, 0.20), (206, 222, 226))
    solids.append(box((x + 0.03, y - 0.04, 1.30), (0.12, 0.10, 0.18), (184, 192, 198)))
    return [*solids, placed(bag, (x - 0.12, y, 1.83)), placed(bag, (x + 0.12, y, 1.83))]
