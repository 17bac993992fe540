"""Sitting: listening with hands in the lap, or talking with gestures; two people who take turns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.body.skeleton import JOINT_INDEX
from backends.errors import InputError
from backends.synthetic.motion import hands
from backends.synthetic.motion.arms import at_sides, folded_low
from backends.synthetic.motion.gaze import Moments
from backends.synthetic.motion.goal import Goal, heading_frame, mixed, turn
from backends.synthetic.motion.noise import Beats, Wander, ease
from backends.synthetic.motion.rig import Rig, make_rig
from backends.synthetic.motion.stance import Stance
from backends.synthetic.motion.stand import ahead_of, checked_place, checked_point, nod
from backends.synthetic.motion.types import Hold

F8 = npt.NDArray[np.float64]
Share = Callable[[float], float]
"""How much somebody talks at a time, 0 listens, 1 talks."""


def always(t: float) -> float:
    """Talks all the time."""
    return 1.0


class Turns:
    """Two people who take turns: each talks for some seconds, then the other."""

    def __init__(self, rng: np.random.Generator, seconds: float = 6.5) -> None:
        self._beats = Beats(rng, seconds)

    def of(self, number: int) -> Share:
        """How much person ``number`` (0 or 1) talks."""

        def share(t: float) -> float:
            k = self._beats.last(t)
            change = ease((t - self._beats.when(k)) / 0.7)
            now, before = float(k % 2 == number), float((k - 1) % 2 == number)
            return before + change * (now - before)

        return share


class Speech:
    """What talking does to head, jaw and hands. Gestures follow one another; each has a shape of its own."""

    def __init__(self, rng: np.random.Generator, talks: Share) -> None:
        self.talks = talks
        self._gestures = Beats(rng, 2.3, 0.4)
        self._syllables = Wander(rng, 2, 0.24)
        self._beat = Wander(rng, 3, 0.55)
        self._drift = Wander(rng, 6, 2.0)
        self._nods = Moments(rng, 4.0, (0.9, 1.7), 0.3)
        self._listening = Moments(rng, 4.5, (1.0, 1.9), 0.3)

    def voice(self, goal: Goal, t: float) -> None:
        """Jaw, nods and the head's liveliness; the head must be turned already."""
        talks = self.talks(t)
        loud = self._syllables(t)
        goal.jaw = 0.012 + talks * 0.085 * float(np.clip(0.45 + 0.6 * loud[0], 0.0, 1.2))
        sway = self._drift(t)
        goal.head = goal.head + talks * np.array([0.05 * loud[1] * 0.6, 0.06 * sway[0], 0.05 * sway[1]])
        nod(goal, self._nods if talks > 0.5 else self._listening, t)

    def gesture(self, goal: Goal, rig: Rig, t: float) -> Goal:
        """``goal`` with the hands where talking takes them; as they were where nobody talks."""
        talks = self.talks(t)
        if talks <= 0.0:
            return goal
        k = self._gestures.last(t)
        share = ease((t - self._gestures.when(k)) / 0.75)
        before = self._shaped(goal, rig, k - 1, t)
        now = self._shaped(goal, rig, k, t)
        return mixed(goal, mixed(before, now, share), 0.96 * talks)

    def _shaped(self, goal: Goal, rig: Rig, k: int, t: float) -> Goal:
        """The goal with the arms in gesture number ``k``."""
        chance = self._gestures.chance
        kind = (_rest, _open_palms, _one_hand, _count, _together, _open_palms, _one_hand)[
            chance.pick(k, 7, 1)
        ]
        out = mixed(goal, goal, 0.0)
        size = 0.75 + 0.45 * chance(k, 2)
        kind(out, rig, size, self._beat(t), chance(k, 3), self._drift(t))
        return out


def _place(goal: Goal, rig: Rig, side: int, x: float, y: float, z: float) -> F8:
    """World place before the chest: ``x`` outwards, ``y`` over the pelvis joint, ``z`` before the torso."""
    sign = 1.0 if side == 0 else -1.0
    spine3 = rig.J[JOINT_INDEX["spine3"]] - rig.J[0]
    return goal.from_chest(rig, np.array([sign * x, y, rig.depth_at(y) + z]) - spine3)


def _axes(goal: Goal, rig: Rig) -> tuple[F8, F8, F8]:
    R, _ = goal.chest(rig)
    return R[:, 0], R[:, 1], R[:, 2]


def _rest(goal: Goal, rig: Rig, size: float, beat: F8, chance: float, drift: F8) -> None:
    """Hands stay where they are."""


def _open_palms(goal: Goal, rig: Rig, size: float, beat: F8, chance: float, drift: F8) -> None:
    left, up, ahead = _axes(goal, rig)
    for side, sign in ((0, 1.0), (1, -1.0)):
        point = _place(
            goal,
            rig,
            side,
            0.17 * size + 0.02 * drift[side],
            0.15 + 0.03 * size + 0.02 * beat[0],
            0.20 * size,
        )
        goal.put_hand(
            side, point, 0.85 * ahead + sign * 0.35 * left + 0.15 * up, 0.75 * up - sign * 0.6 * left
        )
        goal.swivel[side] = 0.12
        goal.fingers[side] = hands.OPEN


def _one_hand(goal: Goal, rig: Rig, size: float, beat: F8, chance: float, drift: F8) -> None:
    left, up, ahead = _axes(goal, rig)
    side = 0 if chance < 0.35 else 1
    sign = 1.0 if side == 0 else -1.0
    point = _place(goal, rig, side, 0.16 + 0.02 * drift[2], 0.20 + 0.05 * size + 0.035 * beat[0], 0.22 * size)
    goal.put_hand(side, point, 0.80 * ahead - sign * 0.25 * left + 0.45 * up, -sign * 0.85 * left - 0.25 * up)
    goal.swivel[side] = 0.10
    goal.fingers[side] = hands.FLAT if chance < 0.7 else hands.PEN


def _count(goal: Goal, rig: Rig, size: float, beat: F8, chance: float, drift: F8) -> None:
    left, up, ahead = _axes(goal, rig)
    point = _place(goal, rig, 1, 0.17, 0.33 + 0.015 * beat[0], 0.20 * size)
    goal.put_hand(1, point, 0.85 * up + 0.35 * ahead, 0.6 * left - 0.4 * ahead)
    goal.swivel[1] = 0.05
    goal.fingers[1] = (hands.ONE, hands.TWO, hands.THREE)[int(2.999 * chance)]


def _together(goal: Goal, rig: Rig, size: float, beat: F8, chance: float, drift: F8) -> None:
    left, up, ahead = _axes(goal, rig)
    for side, sign in ((0, 1.0), (1, -1.0)):
        point = _place(goal, rig, side, 0.075 + 0.012 * drift[side], 0.17 + 0.02 * beat[1], 0.19 * size)
        goal.put_hand(side, point, 0.80 * ahead - sign * 0.45 * left + 0.30 * up, -sign * 0.9 * left)
        goal.swivel[side] = 0.08
        goal.fingers[side] = hands.CUP


class Sit:
    """Sits on something and talks or listens.

    Args:
        body, betas: whose body.
        rng: seeds everything.
        at: (2,) world place of the seat's middle; heading: radians, faces (cos, sin).
        seat: height of the seat, metres.
        partner: (3,) whom or what it looks at; by default somebody before it.
        talks: how much it talks when; never by default.
        hands_at: (3,) a world point that the hands work at instead of the lap, a keyboard for instance.

    Raises:
        InputError: a place, a seat, a point or betas that cannot be used.
    """

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        rng: np.random.Generator,
        at: npt.ArrayLike,
        heading: float,
        seat: float = 0.45,
        partner: npt.ArrayLike | None = None,
        talks: Share | None = None,
        hands_at: npt.ArrayLike | None = None,
    ) -> None:
        if not 0.25 <= seat <= 0.8:
            raise InputError(f"A seat is 0.25 to 0.8 m high, not {seat!r}.")
        self.rig = make_rig(body, betas)
        self._at, self._heading = checked_place(at, heading)
        self._seat = seat
        self._partner = (
            ahead_of(self.rig, self._at, heading, 1.6) - np.array([0.0, 0.0, 0.45])
            if partner is None
            else checked_point(partner, "A partner")
        )
        self._hands_at = None if hands_at is None else checked_point(hands_at, "The hands' place")
        self._speech = Speech(rng, talks) if talks is not None else None
        self._sway = Wander(rng, 4, 4.0)
        self._aside = Moments(rng, 9.0, (1.2, 2.4), 0.7)
        self._typing = (Wander(rng, 3, 0.8), Wander(rng, 3, 0.7))
        self._breath = float(rng.uniform(3.4, 4.4))
        self._width = float(rng.uniform(0.9, 1.25)) * self.rig.hip_half
        self._forward = float(rng.uniform(-0.03, 0.05))
        self._lean = float(rng.uniform(-0.10, 0.06))

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    def holds(self, t: float) -> tuple[Hold, ...]:
        """Nothing."""
        return ()

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        rig, sway = self.rig, self._sway(t)
        goal = self._seated(t, sway)
        if self._hands_at is not None:
            self._at_work(goal, t)
        else:
            self._in_lap(goal, sway)
        talks = 0.0 if self._speech is None else self._speech.talks(t)
        if self._speech is not None:
            goal = self._speech.gesture(goal, rig, t)
        k, aside = self._aside(t)
        look = goal.gaze(rig, self._partner)
        away = np.array([0.5 if self._aside.chance(k, 1) > 0.5 else -0.5, 0.22])
        look = look + (0.35 + 0.65 * talks) * aside * away + 0.04 * sway[:2]
        goal.face(float(look[0]), float(look[1]), 0.05 * float(sway[2]))
        if self._speech is not None:
            self._speech.voice(goal, t)
        return goal

    def _seated(self, t: float, sway: F8) -> Goal:
        rig = self.rig
        c, s = np.cos(self._heading), np.sin(self._heading)
        ahead, left = np.array([c, s, 0.0]), np.array([-s, c, 0.0])
        breath = float(np.sin(2 * np.pi * t / self._breath))
        thigh = float(np.linalg.norm(rig.J[JOINT_INDEX["left_knee"]] - rig.J[JOINT_INDEX["left_hip"]]))
        pelvis = np.array([*self._at, self._seat + rig.seat]) - 0.06 * ahead
        root = heading_frame(self._heading + 0.01 * sway[3]) @ turn(x=self._lean)
        ankles, feet = np.zeros((2, 3)), np.zeros((2, 3))
        for side, sign in ((0, 1.0), (1, -1.0)):
            out = sign * (self._width + 0.02) * left
            ankles[side] = pelvis + (0.97 * thigh + self._forward) * ahead + out
            ankles[side, 2] = rig.ankle_height
            feet[side, 0] = self._heading + sign * 0.14
        goal = Goal(pelvis, root, ankles, feet)
        goal.spine = np.array(
            [0.14 - self._lean + 0.04 * sway[0] - 0.012 * breath, 0.03 * sway[1], 0.02 * sway[2]]
        )
        goal.shrug = np.full(2, 0.016 * breath)
        return goal

    def _in_lap(self, goal: Goal, sway: F8) -> None:
        left, up, ahead = goal.root[:, 0], np.array([0.0, 0.0, 1.0]), goal.root[:, 2]
        lap = 0.095 + 0.004 * sway[0]
        for side, sign in ((0, 1.0), (1, -1.0)):
            over = lap + (0.045 if side == 1 else 0.0)
            point = goal.pelvis + sign * 0.055 * left + (0.235 + 0.005 * sway[1]) * ahead + over * up
            goal.put_hand(side, point, 0.62 * ahead - sign * 0.85 * left - 0.10 * up, -up)
            goal.swivel[side] = 0.22
            goal.fingers[side] = hands.CUP

    def _at_work(self, goal: Goal, t: float) -> None:
        assert self._hands_at is not None
        up = np.array([0.0, 0.0, 1.0])
        ahead = self._hands_at - goal.pelvis
        ahead[2] = 0.0
        ahead /= max(float(np.sqrt(ahead @ ahead)), 1e-6)
        left = np.array([-ahead[1], ahead[0], 0.0])
        for side, sign in ((0, 1.0), (1, -1.0)):
            move = self._typing[side](t)
            point = self._hands_at + sign * (0.10 + 0.03 * move[0]) * left + 0.02 * move[1] * ahead
            point = point + (0.03 + 0.01 * move[2]) * up
            goal.put_hand(side, point, ahead - sign * 0.25 * left - 0.1 * up, -up, np.array([0.09, 0.0, 0.0]))
            goal.swivel[side] = 0.15
            goal.fingers[side] = hands.CUP


def interview(
    bodies: tuple[tuple[BodyModel, F8], tuple[BodyModel, F8]],
    rng: np.random.Generator,
    places: tuple[tuple[npt.ArrayLike, float], tuple[npt.ArrayLike, float]],
    seat: float = 0.45,
) -> tuple[Sit, Sit]:
    """Two people who sit at ``places`` ((2,) and heading), look at each other and talk in turns."""
    turns = Turns(rng)
    heads = []
    for (body, betas), (at, _) in zip(bodies, places):
        rig = make_rig(body, betas)
        heads.append(np.array([*np.asarray(at, dtype=np.float64), seat + rig.seat + 0.40 * rig.height]))
    first, second = (
        Sit(body, betas, rng, at, heading, seat, partner=heads[1 - k], talks=turns.of(k))
        for k, ((body, betas), (at, heading)) in enumerate(zip(bodies, places))
    )
    return first, second


class Talk:
    """Stands and talks with gestures; arguments as for :class:`Sit`, without a seat."""

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        rng: np.random.Generator,
        at: npt.ArrayLike,
        heading: float,
        partner: npt.ArrayLike | None = None,
        talks: Share = always,
    ) -> None:
        self.rig = make_rig(body, betas)
        place, heading = checked_place(at, heading)
        self._partner = (
            ahead_of(self.rig, place, heading) if partner is None else checked_point(partner, "A partner")
        )
        self.stance = Stance(self.rig, place, heading, rng)
        self._speech = Speech(rng, talks)
        self._sway = Wander(rng, 4, 2.6)
        self._arms = folded_low if rng.random() < 0.5 else at_sides

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    def holds(self, t: float) -> tuple[Hold, ...]:
        """Nothing."""
        return ()

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        sway = self._sway(t)
        goal = self.stance.goal(t, bend=0.03)
        self._arms(goal, self.rig, sway)
        goal = self._speech.gesture(goal, self.rig, t)
        look = goal.gaze(self.rig, self._partner) + 0.06 * sway[:2]
        goal.face(float(look[0]), float(look[1]), 0.04 * float(sway[2]))
        self._speech.voice(goal, t)
        return goal
