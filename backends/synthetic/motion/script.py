"""One thing after another at the same place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from backends.body.params import BodyParams
from backends.errors import InputError
from backends.synthetic.motion.goal import Goal, mixed
from backends.synthetic.motion.noise import ease
from backends.synthetic.motion.rig import Rig
from backends.synthetic.motion.stance import Stance
from backends.synthetic.motion.types import Hold

_CHANGE_S = 1.2


class Standing(Protocol):
    """A motion of somebody who stands on planted feet."""

    rig: Rig
    stance: Stance

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        ...

    def holds(self, t: float) -> tuple[Hold, ...]:
        """What is held at ``t`` seconds."""
        ...


class Script:
    """Does one thing for some seconds, then the next, and begins again; the feet stay put.

    Args:
        parts: seconds and motion of the same person at the same place.

    Raises:
        InputError: no parts, or parts too short to change between.
    """

    def __init__(self, parts: Sequence[tuple[float, Standing]]) -> None:
        if not parts or any(seconds < 2 * _CHANGE_S for seconds, _ in parts):
            raise InputError(f"A script needs parts of at least {2 * _CHANGE_S:g} seconds each.")
        self._parts = [motion for _, motion in parts]
        self._ends = np.cumsum([seconds for seconds, _ in parts])
        self.rig, self.stance = self._parts[0].rig, self._parts[0].stance
        for motion in self._parts[1:]:
            motion.stance.plant_as(self.stance)

    def _now(self, t: float) -> tuple[int, float]:
        """Which part, and how far the change from the one before is done."""
        inside = t % float(self._ends[-1])
        k = int(np.searchsorted(self._ends, inside, side="right"))
        begun = inside - (float(self._ends[k - 1]) if k else 0.0)
        return k, ease(begun / _CHANGE_S)

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        k, share = self._now(t)
        goal = self._parts[k].goal(t)
        if share < 1.0 and len(self._parts) > 1:
            goal = mixed(self._parts[k - 1].goal(t), goal, share)
        return goal

    def holds(self, t: float) -> tuple[Hold, ...]:
        """What is held at ``t`` seconds."""
        return self._parts[self._now(t)[0]].holds(t)
