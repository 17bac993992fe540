"""What stands in an operating room."""

from __future__ import annotations

import numpy as np

from backends.synthetic.sets.shell import DARK, STEEL, WHITE, door
from backends.synthetic.sets.types import Screen
from backends.synthetic.shapes import F8, Solid, box, lathe, plane, rod, turned

RAIL = (120, 138, 140)
Fitted = tuple[list[Solid], list[Screen]]
"""Solids, and the screens among them (their ``solid`` counts within the list)."""


def monitor(width: float, height: float) -> list[Solid]:
    """A flat monitor that faces -y, centred at the origin; its second part is the screen."""
    return [
        box((0, 0.03, 0), (width + 0.05, 0.05, height + 0.05), DARK),
        plane((-width / 2, 0, -height / 2), (width, 0, 0), (0, 0, height), (12, 20, 26), glow=0.85),
    ]


def _screen(width: float, height: float, at: F8, yaw: float, kind: str, solid: int) -> Screen:
    turn = turned(yaw)
    return Screen(
        at + turn @ (-width / 2, 0.0, -height / 2),
        turn @ (width, 0.0, 0.0),
        np.array([0.0, 0.0, height]),
        kind,
        solid,
    )


def anaesthesia() -> Fitted:
    """The anaesthesia machine with its monitor."""
    x, y = -2.05, 1.35
    solids = [
        box((x, y, 0.50), (0.62, 0.52, 0.86), (190, 198, 202), yaw=0.35),
        box((x, y, 0.055), (0.66, 0.56, 0.09), DARK, yaw=0.35),
        box((x, y, 0.95), (0.70, 0.56, 0.04), WHITE, yaw=0.35),
        box((x, y + 0.16, 1.22), (0.46, 0.18, 0.50), (176, 186, 192), yaw=0.35),
        rod((x + 0.02, y + 0.1, 1.40), (x + 0.02, y + 0.1, 1.75), 0.025, STEEL),
    ]
    for z in (0.34, 0.53, 0.72):
        solids.append(box((0, -0.262, 0), (0.50, 0.012, 0.155), (214, 219, 221)).placed((x, y, z), yaw=0.35))
        solids.append(box((0, -0.275, 0.03), (0.20, 0.02, 0.016), STEEL).placed((x, y, z), yaw=0.35))
    first = len(solids)
    solids += [s.placed((x + 0.04, y - 0.02, 1.76), yaw=0.35) for s in monitor(0.62, 0.40)]
    bag = lathe([(0.01, 0.0), (0.06, 0.03), (0.075, 0.11), (0.05, 0.2), (0.015, 0.25)], (50, 96, 88), 20)
    screen = _screen(0.62, 0.40, np.array([x + 0.04, y - 0.02, 1.76]), 0.35, "vitals", first + 1)
    solids.append(bag.placed((x + 0.42, y - 0.1, 0.92)))
    solids.append(rod((x + 0.42, y - 0.1, 1.16), (x + 0.22, y + 0.1, 1.26), 0.012, DARK))
    return solids, [screen]


def cabinet() -> list[Solid]:
    """A cabinet with glass doors over drawers."""
    x, y = 2.25, 2.78
    solids = [
        box((x, y, 1.02), (1.35, 0.55, 2.04), (216, 220, 219)),
        box((x, y, 0.04), (1.30, 0.5, 0.08), DARK),
    ]
    rng = np.random.default_rng(8)
    for leaf in (-0.33, 0.33):
        solids.append(box((x + leaf, y - 0.278, 1.42), (0.60, 0.012, 1.10), (108, 128, 140)))
        for shelf in (0.98, 1.32, 1.66):
            solids.append(box((x + leaf, y - 0.288, shelf), (0.58, 0.012, 0.020), WHITE))
            place = -0.25
            while place < 0.22:
                w, h = rng.uniform(0.05, 0.13), rng.uniform(0.08, 0.22)
                tint = [(214, 221, 222), (120, 164, 178), (196, 176, 122), (94, 128, 160)][rng.integers(4)]
                solids.append(
                    box((x + leaf + place + w / 2, y - 0.290, shelf + h / 2 + 0.01), (w, 0.01, h), tint)
                )
                place += w + 0.02
        for z in (0.24, 0.46, 0.68):
            solids.append(box((x + leaf, y - 0.280, z), (0.60, 0.012, 0.195), (200, 206, 206)))
            solids.append(box((x + leaf, y - 0.295, z + 0.04), (0.22, 0.02, 0.018), STEEL))
    return solids


def trolley() -> list[Solid]:
    """The instrument table, by the cabinet's side."""
    x, y = 2.12, 0.72
    solids = [
        box((x, y, 0.90), (0.62, 0.44, 0.025), STEEL),
        box((x, y, 0.30), (0.58, 0.40, 0.02), STEEL),
        box((x, y, 0.918), (0.56, 0.38, 0.012), (70, 134, 150)),
    ]
    for dx in (-0.27, 0.27):
        for dy in (-0.18, 0.18):
            solids.append(rod((x + dx, y + dy, 0.03), (x + dx, y + dy, 0.90), 0.013, STEEL))
    for k, length in enumerate((0.20, 0.16, 0.22, 0.14)):
        solids.append(box((x - 0.18 + 0.11 * k, y, 0.930), (0.018, length, 0.010), (206, 212, 216)))
    bowl = lathe(
        [(0.03, 0.0), (0.075, 0.02), (0.095, 0.07), (0.088, 0.07), (0.01, 0.02)], (176, 186, 190), 24
    )
    return [*solids, bowl.placed((x + 0.19, y + 0.06, 0.925)), bowl.placed((x - 0.12, y, 0.31))]


def mayo_stand(at: tuple[float, float], height: float) -> list[Solid]:
    """The tray that stands over the patient's feet, with the instruments in use; its foot is at +x."""
    x, y = at
    solids = [
        box((x, y, height), (0.36, 0.46, 0.016), STEEL),
        box((x, y, height + 0.011), (0.33, 0.43, 0.010), (64, 128, 146)),
        rod((x + 0.14, y, height), (x + 0.34, y, height - 0.04), 0.012, STEEL),
        rod((x + 0.34, y, 0.05), (x + 0.34, y, height - 0.04), 0.016, STEEL),
        box((x + 0.34, y, 0.035), (0.05, 0.50, 0.05), DARK),
        box((x + 0.20, y, 0.035), (0.30, 0.05, 0.05), DARK),
    ]
    for k, length in enumerate((0.17, 0.15, 0.19, 0.14, 0.16)):
        tool = box((0, 0, 0), (length, 0.012, 0.008), (212, 217, 220))
        solids.append(tool.placed((x - 0.03, y - 0.16 + 0.065 * k, height + 0.020), yaw=0.06 * (k % 3 - 1)))
    solids.append(box((x + 0.02, y + 0.17, height + 0.024), (0.09, 0.07, 0.016), (226, 224, 216)))
    return solids


def wall_things(y: float) -> list[Solid]:
    """On the far wall: the door, a light box, a clock, sockets."""
    entrance = door((-0.95, y), 0.0, RAIL, (150, 172, 176))
    light_box = [
        box((0.62, y, 1.72), (1.10, 0.06, 0.62), STEEL),
        plane((0.10, y - 0.04, 1.45), (0.50, 0, 0), (0, 0, 0.54), (222, 234, 240), glow=0.75),
        plane((0.64, y - 0.04, 1.45), (0.50, 0, 0), (0, 0, 0.54), (222, 234, 240), glow=0.75),
        box((0.36, y - 0.05, 1.72), (0.30, 0.01, 0.40), (58, 70, 82)),
    ]
    rim = lathe([(0.15, 0.0), (0.15, 0.03), (0.135, 0.035)], DARK, 40)
    dial = lathe([(0.136, 0.028), (0.01, 0.029)], (244, 244, 240), 40)
    clock = [
        s.placed((-2.2, y, 2.22), tilt=np.pi / 2)
        for s in (rim, Solid(dial.vertices, dial.faces, -dial.normals, dial.colors))
    ]
    hands = [
        box((-2.2, y - 0.035, 2.255), (0.012, 0.004, 0.09), DARK),
        box((-2.165, y - 0.035, 2.22), (0.08, 0.004, 0.010), DARK),
    ]
    outlets = [box((x, y - 0.01, 1.02), (0.42, 0.03, 0.10), WHITE) for x in (0.45, -2.35)]
    return [*entrance, *light_box, *clock, *hands, *outlets]


def pole() -> list[Solid]:
    """An infusion stand."""
    x, y = -1.38, 0.95
    solids = [
        rod((x, y, 0.05), (x, y, 1.98), 0.012, STEEL),
        rod((x - 0.14, y, 1.96), (x + 0.14, y, 1.96), 0.008, STEEL),
    ]
    for k in range(5):
        a = 2 * np.pi * k / 5
        solids.append(rod((x, y, 0.10), (x + 0.25 * np.cos(a), y + 0.25 * np.sin(a), 0.045), 0.012, DARK))
    bag = box((0, 0, 0), (0.12, 0.035, 0.20), (206, 222, 226))
    solids.append(box((x + 0.03, y - 0.04, 1.30), (0.12, 0.10, 0.18), (184, 192, 198)))
    return [*solids, bag.placed((x - 0.12, y, 1.83)), bag.placed((x + 0.12, y, 1.83))]


def wall_monitor(at: tuple[float, float, float], yaw: float) -> Fitted:
    """A large screen on a wall: the patient's record."""
    solids = [s.placed(at, yaw - np.pi) for s in monitor(1.0, 0.58)]
    return solids, [_screen(1.0, 0.58, np.asarray(at), yaw - np.pi, "record", 1)]


def desk(at: tuple[float, float]) -> Fitted:
    """A desk against the left wall with a computer and a chair."""
    x, y = at
    solids = [
        box((x, y, 0.73), (0.62, 1.3, 0.035), (196, 190, 178)),
        box((x, y - 0.6, 0.36), (0.56, 0.04, 0.72), STEEL),
        box((x, y + 0.6, 0.36), (0.56, 0.04, 0.72), STEEL),
        box((x + 0.14, y, 0.756), (0.15, 0.44, 0.015), DARK),
        box((x + 0.14, y + 0.34, 0.758), (0.10, 0.06, 0.02), DARK),
        box((x - 0.12, y + 0.1, 0.84), (0.05, 0.05, 0.18), DARK),
        box((x - 0.1, y + 0.1, 0.755), (0.16, 0.24, 0.012), DARK),
    ]
    first = len(solids)
    at3 = np.array([x - 0.08, y + 0.1, 1.06])
    solids += [s.placed(at3, np.pi / 2) for s in monitor(0.52, 0.32)]
    solids += stool((x + 0.55, y), seat=(62, 84, 118))
    return solids, [_screen(0.52, 0.32, at3, np.pi / 2, "record", first + 1)]


def stool(
    at: tuple[float, float], height: float = 0.46, seat: tuple[int, int, int] = (44, 62, 76)
) -> list[Solid]:
    """A round stool on wheels."""
    x, y = at
    solids = [
        lathe(
            [
                (0.01, height - 0.055),
                (0.17, height - 0.05),
                (0.185, height - 0.02),
                (0.17, height),
                (0.01, height),
            ],
            seat,
        ).placed((x, y, 0)),
        rod((x, y, 0.09), (x, y, height - 0.04), 0.024, STEEL),
    ]
    for k in range(5):
        a = 2 * np.pi * k / 5
        solids.append(rod((x, y, 0.10), (x + 0.24 * np.cos(a), y + 0.24 * np.sin(a), 0.05), 0.014, DARK))
    return solids


def step(at: tuple[float, float]) -> list[Solid]:
    """A mat to stand on."""
    return [box((*at, 0.006), (0.9, 0.5, 0.012), (84, 96, 102))]


def scrub_sink(at: tuple[float, float]) -> list[Solid]:
    """A steel trough with taps and a mirror, against the near wall."""
    x, y = at
    return [
        box((x, y, 0.95), (1.5, 0.5, 0.30), STEEL),
        box((x, y + 0.02, 1.09), (1.36, 0.36, 0.03), (92, 100, 106)),
        box((x, y - 0.22, 1.35), (1.5, 0.04, 0.5), (188, 196, 198)),
        box((x, y - 0.24, 2.0), (1.4, 0.02, 0.6), (160, 180, 186)),
        *(rod((x + d, y - 0.2, 1.25), (x + d, y + 0.0, 1.30), 0.016, WHITE) for d in (-0.4, 0.4)),
        *(box((x + d, y - 0.19, 1.50), (0.1, 0.1, 0.2), (206, 214, 216)) for d in (-0.15, 0.62)),
    ]


def rack(at: tuple[float, float]) -> list[Solid]:
    """Wire shelves with boxes."""
    x, y = at
    rng = np.random.default_rng(11)
    solids = [
        rod((x + dx, y + dy, 0), (x + dx, y + dy, 1.8), 0.014, STEEL)
        for dx in (-0.2, 0.2)
        for dy in (-0.6, 0.6)
    ]
    tints = ((206, 196, 172), (120, 156, 186), (224, 226, 226), (150, 186, 164), (188, 120, 96))
    for z in (0.25, 0.75, 1.25, 1.75):
        solids.append(box((x, y, z), (0.44, 1.24, 0.02), STEEL))
        place = -0.56
        while place < 0.45 and z < 1.7:
            w, h = rng.uniform(0.14, 0.30), rng.uniform(0.12, 0.34)
            solids.append(
                box((x, y + place + w / 2, z + h / 2 + 0.01), (0.34, w, h), tints[int(rng.integers(5))])
            )
            place += w + 0.03
    return solids


def bins(at: tuple[float, float]) -> list[Solid]:
    """Two waste bins with bags."""
    solids = []
    for k, color in enumerate(((214, 196, 70), (70, 110, 160))):
        x, y = at[0], at[1] - 0.48 * k
        solids.append(
            lathe([(0.15, 0.02), (0.19, 0.55), (0.205, 0.60), (0.18, 0.62), (0.14, 0.56)], color).placed(
                (x, y, 0)
            )
        )
    return solids


def ultrasound(at: tuple[float, float], yaw: float) -> list[Solid]:
    """A scanner on wheels."""
    parts = [
        box((0, 0, 0.14), (0.50, 0.60, 0.12), DARK),
        box((0, 0.05, 0.55), (0.40, 0.42, 0.72), (214, 218, 220)),
        box((0, -0.14, 0.95), (0.46, 0.40, 0.06), (190, 198, 204)),
        box((0, -0.16, 0.985), (0.40, 0.28, 0.012), DARK),
        rod((0, 0.12, 0.95), (0, 0.12, 1.30), 0.03, STEEL),
        *(
            s.placed((0, 0.04, 1.42))
            for s in (
                box((0, 0.03, 0), (0.5, 0.05, 0.36), DARK),
                plane((-0.23, 0, -0.155), (0.46, 0, 0), (0, 0, 0.31), (20, 26, 32), glow=0.4),
            )
        ),
    ]
    return [p.placed((*at, 0.0), yaw) for p in parts]


def notice(at: tuple[float, float]) -> list[Solid]:
    """A notice board with papers, on the near wall."""
    x, y = at
    rng = np.random.default_rng(4)
    solids = [box((x, y, 1.75), (1.1, 0.03, 0.8), (150, 120, 84))]
    for k in range(6):
        px, pz = x - 0.36 + 0.36 * (k % 3) + rng.uniform(-0.04, 0.04), 1.94 - 0.36 * (k // 3)
        solids.append(box((px, y + 0.02, pz), (0.21, 0.004, 0.28), (238, 238, 230)))
        for line in range(5):
            solids.append(
                box((px, y + 0.0235, pz + 0.09 - 0.04 * line), (0.15, 0.003, 0.010), (120, 124, 132))
            )
    return solids
