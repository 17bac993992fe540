"""Two people at a table: one hands instruments to the other."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.synthetic.motion import hands
from backends.synthetic.motion.goal import Goal, mixed
from backends.synthetic.motion.noise import Beats, ease
from backends.synthetic.motion.stand import checked_point
from backends.synthetic.motion.types import Hold, Kind
from backends.synthetic.motion.work import Work

F8 = npt.NDArray[np.float64]
_UP = np.array([0.0, 0.0, 1.0])

_FETCH_S, _MEET_S, _BACK_S = 1.5, 1.0, 0.9
"""Seconds to fetch an instrument, to bring it to the other's hand, to go back to work."""
_TOUCH_S = 0.35
"""Seconds that both hands are at it."""


class _Exchange:
    """When instruments are handed over, and where: known to both."""

    def __init__(
        self, rng: np.random.Generator, seconds: float, kinds: tuple[Kind, ...], meeting: F8
    ) -> None:
        self.beats = Beats(rng, seconds, 0.3)
        self.kinds, self.meeting = kinds, meeting

    def since(self, t: float) -> tuple[int, float]:
        """The hand-over that is nearest in time and the seconds since it, negative before."""
        k = self.beats.last(t)
        before, after = t - self.beats.when(k), t - self.beats.when(k + 1)
        return (k, before) if before < -after else (k + 1, after)

    def kind(self, k: int) -> Kind:
        """What is handed over at number ``k``."""
        return self.kinds[self.beats.chance.pick(k, len(self.kinds), 7)]


class _Side(ABC):
    """One of the two; works as ``inner`` does except when something is handed over."""

    def __init__(self, inner: Work, exchange: _Exchange, side: int) -> None:
        self.inner, self.exchange, self.side = inner, exchange, side
        self.rig, self.stance = inner.rig, inner.stance

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    @abstractmethod
    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""

    def _hand_to(self, goal: Goal, point: F8, palm: F8, fingers: F8 | None = None) -> Goal:
        """``goal`` with the hand at ``point``; the grasp lies there, not the wrist."""
        out = mixed(goal, goal, 0.0)
        away = point - goal.shoulder(self.rig, self.side)
        away /= max(float(np.sqrt(away @ away)), 1e-6)
        out.put_hand(self.side, point, away, palm, np.array([0.09, -0.01, 0.0]))
        out.swivel[self.side] = 0.15
        if fingers is not None:
            out.fingers[self.side] = fingers
        return out


class Giver(_Side):
    """Stands beside with an instrument table: fetches from ``tray`` (3,) and hands over."""

    def __init__(self, inner: Work, exchange: _Exchange, side: int, tray: F8) -> None:
        super().__init__(inner, exchange, side)
        self._tray = tray

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        goal = self.inner.goal(t)
        _, since = self.exchange.since(t)
        if not -_FETCH_S - _MEET_S - 0.4 < since < _TOUCH_S + _BACK_S:
            return goal
        to_tray = ease((since + _FETCH_S + _MEET_S + 0.4) / 0.9)
        to_meet = ease((since + _MEET_S) / _MEET_S)
        back = ease((since - _TOUCH_S) / _BACK_S)
        grip = hands.HELD[self.exchange.kind(self.exchange.since(t)[0])]
        tray = self._hand_to(goal, self._tray, -_UP, grip)
        meet = self._hand_to(goal, self.exchange.meeting, -_UP + 0.3 * goal.root[:, 0], grip)
        out = mixed(mixed(goal, tray, to_tray), meet, to_meet)
        out = mixed(out, goal, back)
        out.wrists[self.side] += 4 * to_meet * (1 - to_meet) * 0.06 * _UP
        look_at = self._tray + to_meet * (self.exchange.meeting - self._tray)
        share = to_tray * (1 - back)
        a, b = goal.gaze(self.rig, self.inner.field), goal.gaze(self.rig, look_at)
        look = a + share * (b - a)
        out.face(float(look[0]), float(look[1]))
        return out

    def holds(self, t: float) -> tuple[Hold, ...]:
        """The instrument from the table to the other's hand."""
        k, since = self.exchange.since(t)
        if -_MEET_S - 0.45 < since < _TOUCH_S / 2:
            return (Hold(self.exchange.kind(k), "left" if self.side == 0 else "right"),)
        return ()


class Receiver(_Side):
    """Holds a hand out without looking up, takes the instrument and works on with it."""

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        goal = self.inner.goal(t)
        if self._holding(t) is not None:
            goal.fingers[self.side] = hands.PEN
        _, since = self.exchange.since(t)
        if not -_MEET_S < since < _TOUCH_S + _BACK_S:
            return goal
        share = ease((since + _MEET_S) / (0.8 * _MEET_S)) * (1 - ease((since - _TOUCH_S) / _BACK_S))
        closed = ease((since - 0.05) / 0.3)
        fingers = hands.OPEN + closed * (hands.PEN - hands.OPEN)
        ready = self._hand_to(goal, self.exchange.meeting, _UP - 0.2 * goal.root[:, 0], fingers)
        return mixed(goal, ready, share)

    def _holding(self, t: float) -> Kind | None:
        k = self.exchange.beats.last(t)
        since = t - self.exchange.beats.when(k)
        # It is laid down before the next one comes.
        until = self.exchange.beats.when(k + 1) - _MEET_S - 0.6 - self.exchange.beats.when(k)
        return self.exchange.kind(k) if _TOUCH_S / 2 <= since < until else None

    def holds(self, t: float) -> tuple[Hold, ...]:
        """The instrument that was handed over last."""
        kind = self._holding(t)
        return () if kind is None else (Hold(kind, "left" if self.side == 0 else "right"),)


def hand_over(
    giver: Work,
    receiver: Work,
    rng: np.random.Generator,
    tray: npt.ArrayLike,
    kinds: tuple[Kind, ...] = ("scalpel", "forceps", "scissors"),
    seconds: float = 8.0,
) -> tuple[Giver, Receiver]:
    """Two who work side by side: every ``seconds`` or so one hands the other something from ``tray`` (3,).

    Both give what they do in between. The hands that are nearer to each other meet; the instrument passes
    from one to the other there.

    Raises:
        InputError: a tray that is no point.
    """
    places = giver.stance.at, receiver.stance.at
    c, s = np.cos(receiver.stance.heading), np.sin(receiver.stance.heading)
    # The receiver's hand on the giver's side.
    side = 0 if (places[0] - places[1]) @ np.array([-s, c]) > 0 else 1
    c, s = np.cos(giver.stance.heading), np.sin(giver.stance.heading)
    own = 0 if (places[1] - places[0]) @ np.array([-s, c]) > 0 else 1
    middle = np.append((places[0] + places[1]) / 2, 0.0)
    field = (giver.field + receiver.field) / 2
    meeting = np.array([*(0.55 * middle[:2] + 0.45 * field[:2]), field[2] + 0.16])
    exchange = _Exchange(rng, max(seconds, 5.0), kinds, meeting)
    return Giver(giver, exchange, own, checked_point(tray, "A tray")), Receiver(receiver, exchange, side)
