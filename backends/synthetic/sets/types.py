"""What a room is made of."""

from __future__ import annotations

from dataclasses import dataclass

from backends.synthetic.shapes import F8, Solid


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """A monitor's picture: ``corner`` is its lower left, ``across`` and ``up`` its edges (3,), metres.

    ``kind`` says what runs on it: ``vitals`` (curves, a name, a clock) or ``record`` (a patient's record).
    ``solid`` is the index of the screen's plane in the room's list.
    """

    corner: F8
    across: F8
    up: F8
    kind: str
    solid: int


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A room that does not move; world coordinates, metres, z up.

    Attributes:
        x, y: the walls; ceiling: its height.
        solids: everything in it.
        screens: those whose pictures change.
        panels: (x, y) of the ceiling's lights; panel: their size; power: of each.
        spot: (x, y, strength) of the surgical lamp's pool, or None.
        sky: light from everywhere, linear RGB above and below.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    ceiling: float
    solids: tuple[Solid, ...]
    screens: tuple[Screen, ...] = ()
    panels: tuple[tuple[float, float], ...] = ()
    panel: tuple[float, float] = (0.55, 0.9)
    power: float = 3.6
    spot: tuple[float, float, float] | None = None
    sky: tuple[tuple[float, float, float], tuple[float, float, float]] = (
        (0.36, 0.375, 0.39),
        (0.22, 0.22, 0.215),
    )
