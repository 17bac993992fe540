"""Standing and doing something with the right arm: pointing, reaching up; and bending down."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.synthetic.motion import hands
from backends.synthetic.motion.gaze import Moments
from backends.synthetic.motion.goal import Goal, mixed
from backends.synthetic.motion.noise import Wander
from backends.synthetic.motion.rig import make_rig
from backends.synthetic.motion.stand import Stand, checked_point
from backends.synthetic.motion.types import Hold

F8 = npt.NDArray[np.float64]
_UP = np.array([0.0, 0.0, 1.0])


class _NowAndThen(ABC):
    """Stands, and now and then does one thing; made by the classes below."""

    every, lasts, rise = 7.0, (1.6, 3.0), 0.9

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        rng: np.random.Generator,
        at: npt.ArrayLike,
        heading: float,
        target: npt.ArrayLike,
    ) -> None:
        self.rig = make_rig(body, betas)
        self.target = checked_point(target, "A target")
        self._rest = Stand(body, betas, rng, at, heading, looks=self._looks(at, heading), arms="sides")
        self.stance = self._rest.stance
        self._moments = Moments(rng, self.every, self.lasts, self.rise)
        self._wave = Wander(rng, 3, 1.4)

    def _looks(self, at: npt.ArrayLike, heading: float) -> tuple[F8, ...]:
        place = np.asarray(at, dtype=np.float64)
        ahead = [heading + turned for turned in (0.0, 0.45, -0.4)]
        height = 0.85 * self.rig.height
        return tuple(
            np.array([place[0] + 2.2 * np.cos(a), place[1] + 2.2 * np.sin(a), height]) for a in ahead
        )

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    def holds(self, t: float) -> tuple[Hold, ...]:
        """Nothing."""
        return ()

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        k, share = self._moments(t)
        rest = self._rest.goal(t)
        if share <= 0.0:
            return rest
        return self._blend(rest, self._doing(rest, t, k, share), share)

    def _blend(self, rest: Goal, doing: Goal, share: float) -> Goal:
        goal = mixed(rest, doing, share)
        # A hand goes round the body, not through it.
        arc = 4 * share * (1 - share)
        for side, sign in ((0, 1.0), (1, -1.0)):
            goal.wrists[side] += arc * (0.05 * sign * goal.root[:, 0] + 0.05 * goal.root[:, 2])
        return goal

    @abstractmethod
    def _doing(self, rest: Goal, t: float, k: int, share: float) -> Goal:
        """The goal while the thing is done; ``rest`` is the goal while standing."""


class Point(_NowAndThen):
    """Stands and points at ``target`` (3,) now and then with the nearer arm."""

    def _doing(self, rest: Goal, t: float, k: int, share: float) -> Goal:
        rig, wave = self.rig, self._wave(t)
        goal = self.stance.goal(t, bend=0.03)
        goal.wrists, goal.hands, goal.fingers = rest.wrists.copy(), rest.hands.copy(), rest.fingers.copy()
        side = 0 if goal.gaze(rig, self.target)[0] > 0 else 1
        towards = self.target - goal.shoulder(rig, side)
        towards /= np.sqrt(towards @ towards)
        towards = towards + 0.03 * wave
        towards /= np.sqrt(towards @ towards)
        goal.put_hand(
            side, goal.shoulder(rig, side) + 0.93 * rig.arm * towards, towards, -_UP + 0.1 * goal.root[:, 0]
        )
        goal.swivel[side] = 0.1
        goal.fingers[side] = hands.POINTING
        look = goal.gaze(rig, self.target)
        goal.spine[1] += 0.22 * float(np.tanh(look[0]))
        look = goal.gaze(rig, self.target)
        goal.face(float(look[0]), float(look[1]))
        return goal


class ReachUp(_NowAndThen):
    """Stands and now and then takes hold of something over head height at ``target`` (3,), a lamp's handle,
    and moves it a little."""

    every, lasts, rise = 9.0, (2.2, 4.0), 1.1

    def _doing(self, rest: Goal, t: float, k: int, share: float) -> Goal:
        rig, wave = self.rig, self._wave(t)
        goal = self.stance.goal(t, bend=-0.05)
        goal.wrists, goal.hands, goal.fingers = rest.wrists.copy(), rest.hands.copy(), rest.fingers.copy()
        side = 0 if goal.gaze(rig, self.target)[0] > 0.2 else 1
        point = self.target + 0.035 * wave
        away = point - goal.shoulder(rig, side)
        flat = away - _UP * away[2]
        flat /= max(float(np.sqrt(flat @ flat)), 1e-6)
        goal.put_hand(side, point, _UP + 0.35 * flat, flat - 0.2 * _UP, np.array([0.09, -0.02, 0.0]))
        goal.swivel[side] = 0.25
        goal.fingers[side] = hands.GRIP
        goal.shrug[side] += 0.10
        look = goal.gaze(rig, self.target)
        goal.face(float(look[0]), float(look[1]))
        return goal


class Bend(_NowAndThen):
    """Stands and now and then bends down to ``target`` (3,), something low before the feet."""

    every, lasts, rise = 10.0, (2.6, 4.2), 1.3

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        k, share = self._moments(t)
        rest = self._rest.goal(t)
        return rest if share <= 0.0 else self._doing(rest, t, k, share)

    def _doing(self, rest: Goal, t: float, k: int, share: float) -> Goal:
        rig, wave = self.rig, self._wave(t)
        depth = float(np.clip((0.95 - self.target[2]) / 0.85, 0.1, 1.0)) * share
        goal = self.stance.goal(
            t, lean=0.62 * depth, bend=0.03 + 0.55 * depth, shift=(-0.17 * depth, 0.0),
            drop=0.30 * rig.leg / 0.85 * depth,
        )  # fmt: skip
        c, s = np.cos(self.stance.heading), np.sin(self.stance.heading)
        ahead, left = np.array([c, s, 0.0]), np.array([-s, c, 0.0])
        down = Goal(goal.pelvis, goal.root, goal.ankles, goal.feet)
        down.spine, down.wrists, down.hands = goal.spine, rest.wrists.copy(), rest.hands.copy()
        for side, sign in ((0, 1.0), (1, -1.0)):
            point = self.target + sign * 0.09 * left + 0.02 * wave
            inwards = -0.6 * _UP - sign * 0.7 * left - 0.3 * ahead
            down.put_hand(side, point, 0.75 * ahead - 0.75 * _UP, inwards, np.array([0.10, 0.0, 0.0]))
        hanging = self._hanging(goal, rest)
        out = mixed(hanging, down, share)
        out.pelvis, out.root, out.spine = goal.pelvis, goal.root, goal.spine
        out.ankles, out.feet, out.shrug = goal.ankles, goal.feet, goal.shrug
        for side in (0, 1):
            out.fingers[side] = rest.fingers[side] + share * (hands.CUP - rest.fingers[side])
            out.wrists[side] += 4 * share * (1 - share) * 0.10 * ahead
        look = goal.gaze(rig, self.target)
        before = rest.head.copy()
        out.face(float(look[0]), float(look[1]))
        out.head = before + share * (out.head - before)
        out.eyes = rest.eyes + share * (out.eyes - rest.eyes)
        return out

    def _hanging(self, goal: Goal, rest: Goal) -> Goal:
        """The rest's arms, carried along by the bending trunk."""
        out = Goal(goal.pelvis, goal.root, goal.ankles, goal.feet)
        out.spine, out.hands, out.swivel = goal.spine, rest.hands.copy(), rest.swivel.copy()
        for side in (0, 1):
            moved = goal.shoulder(self.rig, side) - rest.shoulder(self.rig, side)
            out.wrists[side] = rest.wrists[side] + moved
        return out
