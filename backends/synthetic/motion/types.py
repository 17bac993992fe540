"""What a motion is, and what a person holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams

F8 = npt.NDArray[np.float64]

Side = Literal["left", "right"]
Kind = Literal["scalpel", "forceps", "scissors", "clipboard", "phone"]

SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Hold:
    """Something held: what, and in which hand."""

    kind: Kind
    hand: Side


class Motion(Protocol):
    """One person's movement: a pure function of time, in world coordinates (metres, z up)."""

    def at(self, t: float) -> BodyParams:
        """Parameters of the body at ``t`` seconds (any sign, any size), world coordinates."""
        ...

    def holds(self, t: float) -> tuple[Hold, ...]:
        """What is held at ``t`` seconds."""
        ...
