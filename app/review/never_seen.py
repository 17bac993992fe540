"""What the empty room shows that nobody ever saw: for a person to look at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.background import Plate, StillRoom

U1 = npt.NDArray[np.uint8]

_TINT = (236, 120, 60)
_OPACITY = 120
_STRIPE = 10
"""Stripes of so many pixels: they are seen on every colour, and by people who tell no colours apart."""


def never_seen_overlay(room: Plate) -> U1:
    """(H, W, 4) RGBA, striped where the room was filled in, transparent elsewhere."""
    height, width = room.seen.shape
    y, x = np.ogrid[:height, :width]
    overlay = np.zeros((height, width, 4), np.uint8)
    overlay[..., :3] = _TINT
    alpha = np.where((x + y) // _STRIPE % 2 == 0, _OPACITY, _OPACITY // 3)
    overlay[..., 3] = np.where(room.seen, 0, alpha)
    return overlay


def room_words(room: Plate | StillRoom) -> str:
    """What is known of the background, in words."""
    if not room.steady:
        return "Moving camera: from nearby frames"
    words = f"Plate, {100 * room.seen_fraction:.0f} % seen"
    states = len(room.plates) if isinstance(room, StillRoom) else 1
    return f"{words}, {states} states" if states > 1 else words
