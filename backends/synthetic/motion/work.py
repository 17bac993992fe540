"""Working with both hands at a table."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.synthetic.motion import hands
from backends.synthetic.motion.gaze import Moments
from backends.synthetic.motion.goal import Goal
from backends.synthetic.motion.noise import Dwell, Wander
from backends.synthetic.motion.rig import Rig, make_rig
from backends.synthetic.motion.stance import Stance
from backends.synthetic.motion.stand import ahead_of, checked_place, checked_point
from backends.synthetic.motion.types import Hold

F8 = npt.NDArray[np.float64]

Tool = Literal["scalpel", "forceps", "scissors"]


class Work:
    """Stands at a table and works on something with both hands; now and then looks up.

    Args:
        body, betas: whose body.
        rng: seeds everything.
        at: (2,) world place; heading: radians, faces (cos, sin).
        field: (3,) world point that is worked on.
        tools: what the left and the right hand hold, None for nothing.
        partner: (3,) a point to look at now and then; by default somebody opposite.

    Raises:
        InputError: a place, a point or betas that cannot be used.
    """

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        rng: np.random.Generator,
        at: npt.ArrayLike,
        heading: float,
        field: npt.ArrayLike,
        tools: tuple[Tool | None, Tool | None] = (None, None),
        partner: npt.ArrayLike | None = None,
    ) -> None:
        self.rig = make_rig(body, betas)
        place, heading = checked_place(at, heading)
        self.field = checked_point(field, "The point worked on")
        self._partner = (
            ahead_of(self.rig, place, heading, 1.5)
            if partner is None
            else checked_point(partner, "A partner")
        )
        self.stance = Stance(self.rig, place, heading, rng, ease=0.45)
        self.tools = tools
        self._reach = (Wander(rng, 3, 1.9), Wander(rng, 3, 1.6))
        self._places = (Dwell(rng, 3, 2.6, 0.8), Dwell(rng, 3, 2.1, 0.7))
        self._fine = (Wander(rng, 3, 0.7), Wander(rng, 3, 0.6))
        self._trunk = Wander(rng, 3, 3.4)
        self._up = Moments(rng, 8.0, (1.2, 2.6), 0.6)
        self._stray = Wander(rng, 3, 1.5)
        self._grasp = tuple(
            None if tool is None else hands.grasp_point(self.rig.J, hands.HELD[tool]) for tool in tools
        )

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    def holds(self, t: float) -> tuple[Hold, ...]:
        """The instruments."""
        left, right = self.tools
        found = [] if left is None else [Hold(left, "left")]
        return (*found, *(() if right is None else (Hold(right, "right"),)))

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        rig, trunk = self.rig, self._trunk(t)
        lean, bend = self._posture()
        goal = self.stance.goal(t, lean=lean, bend=bend + 0.03 * trunk[0], twist=0.04 * trunk[1])
        for side in (0, 1):
            self._hand(goal, side, t)
        self._look(goal, rig, t)
        return goal

    def _posture(self) -> tuple[float, float]:
        """How far the body leans so that the hands reach the field with bent elbows."""
        rig = self.rig
        gap = float(np.hypot(*(self.field[:2] - self.stance.at)))
        over = gap - 0.58 * rig.arm
        return float(np.clip(0.04 + 0.30 * over, 0.0, 0.20)), float(np.clip(0.15 + 0.8 * over, 0.06, 0.50))

    def _hand(self, goal: Goal, side: int, t: float) -> None:
        sign = 1.0 if side == 0 else -1.0
        c, s = np.cos(self.stance.heading), np.sin(self.stance.heading)
        ahead, left, up = np.array([c, s, 0.0]), np.array([-s, c, 0.0]), np.array([0.0, 0.0, 1.0])
        place, wave, fine = self._places[side](t), self._reach[side](t), self._fine[side](t)
        move = 0.6 * place + 0.4 * wave
        # Hands keep to their own side of the field and over it.
        across = sign * (0.075 + 0.030 * move[0]) + 0.004 * fine[0]
        along = -0.035 + 0.040 * move[1] + 0.005 * fine[1]
        height = 0.045 + 0.022 * (1 + move[2]) + 0.003 * fine[2]
        point = self.field + across * left + along * ahead + height * up
        tilt = 0.20 * wave[2]
        fingers = 0.80 * ahead - sign * (0.45 + 0.15 * wave[0]) * left - (0.42 + tilt) * up
        palm = -sign * 0.55 * left - 0.80 * up - 0.15 * ahead
        tool = self.tools[side]
        if tool is None:
            grasp = np.array([0.10, 0.0, 0.0])
            goal.fingers[side] = hands.CUP + 0.10 * fine[1] * (hands.PEN - hands.CUP)
        else:
            found = self._grasp[side]
            grasp = found if found is not None else np.zeros(3)
            goal.fingers[side] = hands.HELD[tool]
        goal.put_hand(side, point, fingers, palm, grasp)
        goal.swivel[side] = 0.18 + 0.06 * wave[1]

    def _look(self, goal: Goal, rig: Rig, t: float) -> None:
        _, share = self._up(t)
        a, b = goal.gaze(rig, self.field), goal.gaze(rig, self._partner)
        stray = 0.05 * self._stray(t)
        yaw, pitch = a + share * (b - a) + stray[:2]
        goal.face(float(yaw), float(pitch), float(stray[2]))
