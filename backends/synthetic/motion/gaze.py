"""Where somebody looks: from one point to the next, with small wandering."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.synthetic.motion.goal import Goal
from backends.synthetic.motion.noise import Beats, Choice, Wander, ease
from backends.synthetic.motion.rig import Rig

F8 = npt.NDArray[np.float64]


class Glances:
    """Looks at one point after the other, never twice at the same.

    Args:
        rng: seeds it.
        points: (N, 3) in the world.
        seconds: mean time at each.
        wander: radians that the gaze strays.
    """

    def __init__(
        self, rng: np.random.Generator, points: Sequence[npt.ArrayLike], seconds: float, wander: float = 0.07
    ) -> None:
        self._points = [np.asarray(p, dtype=np.float64) for p in points]
        self._choice = Choice(rng, len(points), seconds, 0.55)
        self._wander, self._stray = Wander(rng, 3, 2.3), wander

    def turn_head(self, goal: Goal, rig: Rig, t: float) -> None:
        """Turn the goal's head and eyes, chest already placed."""
        old, new, share = self._choice(t)
        a, b = goal.gaze(rig, self._points[old]), goal.gaze(rig, self._points[new])
        stray = self._wander(t) * self._stray
        yaw, pitch = a + share * (b - a) + stray[:2]
        goal.face(float(yaw), float(pitch), 0.5 * float(stray[2]))


class Moments:
    """Something that happens now and then for a while: 0 to 1 and back, softly.

    Args:
        rng: seeds it.
        every: mean seconds from one to the next.
        lasts: seconds that one lasts, shortest and longest; the longest at most half of ``every``.
        rise: seconds to come and to go.
    """

    def __init__(
        self, rng: np.random.Generator, every: float, lasts: tuple[float, float], rise: float
    ) -> None:
        self._beats, self._lasts, self._rise = Beats(rng, every), lasts, rise

    def __call__(self, t: float) -> tuple[int, float]:
        """The number of the last moment and how present it is, in [0, 1]."""
        k = self._beats.last(t)
        since = t - self._beats.when(k)
        length = self._lasts[0] + (self._lasts[1] - self._lasts[0]) * self._beats.chance(k, 5)
        return k, ease(since / self._rise) * ease((length - since) / self._rise)

    def chance(self, k: int, channel: int) -> float:
        """A number in [0, 1) that belongs to moment ``k``."""
        return self._beats.chance(k, channel)
