"""Standing on planted feet: weight that shifts, breath, and a pelvis as high as the legs allow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.body.skeleton import JOINT_INDEX
from backends.synthetic.motion.goal import Goal, heading_frame, turn
from backends.synthetic.motion.noise import Dwell, Wander
from backends.synthetic.motion.rig import Rig

F8 = npt.NDArray[np.float64]

_HIPS = (JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"])
_KNEE_RAD = 0.04
"""Bend of the straighter knee when standing, from the rest pose."""


def stand_height(rig: Rig, root: F8, xy: F8, ankles: F8, knee: float = _KNEE_RAD) -> float:
    """How high the pelvis joint is over ``xy`` when the straighter leg's knee is bent by ``knee`` radians.

    A soft minimum over both legs, so that it stays smooth where the weight changes sides.
    """
    reach = rig.leg * np.cos((knee + rig.knee_rest) / 2)
    tops = []
    for side in (0, 1):
        hip = root @ (rig.J[_HIPS[side]] - rig.J[0])
        gap = np.hypot(xy[0] + hip[0] - ankles[side, 0], xy[1] + hip[1] - ankles[side, 1])
        tops.append(ankles[side, 2] + np.sqrt(max(reach * reach - gap * gap, 0.05)) - hip[2])
    soft = 0.004
    low, high = min(tops), max(tops)
    return float(low - soft * np.log1p(np.exp((low - high) / soft)))


def planted(rig: Rig, at: F8, heading: float, half_width: float, toe_out: float) -> tuple[F8, F8]:
    """Ankles (2, 3) and feet (2, 3) of somebody who stands about ``at`` (2,): see :class:`Goal`."""
    left = np.array([-np.sin(heading), np.cos(heading)])
    ankles, feet = np.zeros((2, 3)), np.zeros((2, 3))
    for side, sign in ((0, 1.0), (1, -1.0)):
        ankles[side, :2] = at + sign * half_width * left - 0.03 * np.array([np.cos(heading), np.sin(heading)])
        ankles[side, 2] = rig.ankle_height
        feet[side, 0] = heading + sign * toe_out
    return ankles, feet


class Stance:
    """Somebody who stands: feet that never move, the rest of the body alive.

    Args:
        rig: whose measures.
        at: (2,) world place between the feet.
        heading: radians; faces (cos, sin).
        rng: seeds the sway.
        ease: how much the weight goes from one leg to the other, 0 none, 1 at leisure.
    """

    def __init__(self, rig: Rig, at: F8, heading: float, rng: np.random.Generator, ease: float = 1.0) -> None:
        self.rig, self.heading, self._ease = rig, heading, ease
        self.at = np.asarray(at, dtype=np.float64)
        half = rig.hip_half * float(rng.uniform(0.92, 1.12))
        self.ankles, self.feet = planted(rig, self.at, heading, half, float(rng.uniform(0.06, 0.16)))
        self._half = half
        self._weight = Dwell(rng, 1, float(rng.uniform(6.0, 9.0)), 1.7)
        self._sway = Wander(rng, 4, 4.2)
        self._breath = float(rng.uniform(3.4, 4.4))
        self._phase = float(rng.uniform(0, 2 * np.pi))

    def plant_as(self, other: Stance) -> None:
        """Stand in another stance's footprints, facing as it does."""
        self.at, self.heading = other.at, other.heading
        self.ankles, self.feet, self._half = other.ankles, other.feet, other._half
        self._weight, self._sway, self._ease = other._weight, other._sway, other._ease
        self._breath, self._phase = other._breath, other._phase

    def breath(self, t: float) -> float:
        """Filling of the lungs, about -1 to 1."""
        phase = 2 * np.pi * t / self._breath + self._phase
        return float(np.sin(phase + 0.35 * np.sin(phase)))

    def goal(
        self,
        t: float,
        lean: float = 0.0,
        bend: float = 0.0,
        twist: float = 0.0,
        shift: tuple[float, float] = (0.0, 0.0),
        knee: float = _KNEE_RAD,
        drop: float = 0.0,
    ) -> Goal:
        """Both feet planted, arms not yet placed.

        Args:
            t: seconds.
            lean: of the pelvis forwards; bend: of the back forwards; twist: of the chest to the left.
            shift: metres that the pelvis goes forwards and to the left.
            knee: bend of the straighter knee; drop: metres that the pelvis is lower than that gives.
        """
        rig, sway = self.rig, self._sway(t)
        c, s = np.cos(self.heading), np.sin(self.heading)
        weight = self._ease * float(self._weight(t)[0])
        side = 0.36 * self._half * weight + 0.006 * sway[0] + shift[1]
        ahead = 0.007 * sway[1] + shift[0]
        xy = self.at + np.array([c * ahead - s * side, s * ahead + c * side])
        roll = 0.065 * weight
        breath = self.breath(t)
        root = heading_frame(self.heading + 0.03 * sway[2]) @ turn(x=lean) @ turn(z=roll)
        pelvis = np.array([xy[0], xy[1], stand_height(rig, root, xy, self.ankles, knee) - drop])
        goal = Goal(pelvis, root, self.ankles.copy(), self.feet.copy())
        goal.spine = np.array([bend - 0.012 * breath, twist + 0.03 * sway[3], -1.05 * roll])
        goal.shrug = np.full(2, 0.018 * breath)
        return goal
