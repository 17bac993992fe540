"""Standing about: waiting, looking round, listening with nods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.errors import InputError
from backends.synthetic.motion.arms import STYLES
from backends.synthetic.motion.gaze import Glances, Moments
from backends.synthetic.motion.goal import Goal, turn
from backends.synthetic.motion.maths import log_map
from backends.synthetic.motion.noise import Wander
from backends.synthetic.motion.rig import Rig, make_rig
from backends.synthetic.motion.stance import Stance
from backends.synthetic.motion.types import Hold

F8 = npt.NDArray[np.float64]

Arms = Literal["sides", "low", "high", "behind", "crossed", "phone", "clipboard"]


def checked_place(at: npt.ArrayLike, heading: float) -> tuple[F8, float]:
    """A place (2,) and a heading, both finite.

    Raises:
        InputError: where they are not.
    """
    place = np.asarray(at, dtype=np.float64)
    if place.shape != (2,) or not np.isfinite(place).all() or not np.isfinite(heading):
        raise InputError(f"A place needs two finite numbers and a finite heading; got {at!r}, {heading!r}.")
    return place, float(heading)


def checked_point(point: npt.ArrayLike, what: str) -> F8:
    """A point (3,), finite.

    Raises:
        InputError: where it is not; the message names ``what``.
    """
    out = np.asarray(point, dtype=np.float64)
    if out.shape != (3,) or not np.isfinite(out).all():
        raise InputError(f"{what} needs three finite numbers, metres in the world; got {point!r}.")
    return out


def ahead_of(rig: Rig, at: F8, heading: float, metres: float = 2.5, turned: float = 0.0) -> F8:
    """(3,) a point before somebody, a little under eye height."""
    angle = heading + turned
    return np.array([at[0] + metres * np.cos(angle), at[1] + metres * np.sin(angle), 0.88 * rig.height])


class Stand:
    """Stands and waits: weight from leg to leg, breath, looks from point to point.

    Args:
        body, betas: whose body.
        rng: seeds everything.
        at: (2,) world place; heading: radians, faces (cos, sin).
        looks: (N, 3) world points to glance at; none: straight ahead and about.
        arms: what the arms do; None: chosen by chance among sides, low, behind and crossed.
        nods: nods now and then, as somebody who listens.

    Raises:
        InputError: a place, points, arms or betas that cannot be used.
    """

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        rng: np.random.Generator,
        at: npt.ArrayLike,
        heading: float,
        looks: Sequence[npt.ArrayLike] = (),
        arms: Arms | None = None,
        nods: bool = False,
    ) -> None:
        self.rig = make_rig(body, betas)
        place, heading = checked_place(at, heading)
        points = [checked_point(p, "A point to look at") for p in looks]
        if not points:
            points = [ahead_of(self.rig, place, heading, 2.5, turned) for turned in (0.0, 0.5, -0.6, 0.15)]
        if arms is None:
            arms = ("sides", "low", "behind", "crossed")[int(rng.integers(4))]
        if arms not in STYLES:
            raise InputError(f"Arms can be {', '.join(STYLES)}; got {arms!r}.")
        self._arms = arms
        self.stance = Stance(self.rig, place, heading, rng)
        self._glances = Glances(rng, points, float(rng.uniform(2.4, 4.0)) if len(points) > 1 else 6.0)
        self._sway = Wander(rng, 4, 2.6)
        self._read = Moments(rng, 9.0, (1.5, 3.5), 0.6)
        self._nod = Moments(rng, 4.5, (1.0, 1.9), 0.3) if nods else None
        self._mirrored = bool(rng.integers(2)) and arms in ("low", "behind", "crossed")

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    def holds(self, t: float) -> tuple[Hold, ...]:
        """The telephone or the clipboard."""
        if self._arms == "phone":
            return (Hold("phone", "right"),)
        return (Hold("clipboard", "left"),) if self._arms == "clipboard" else ()

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        rig = self.rig
        goal = self.stance.goal(t, bend=0.03)
        STYLES[self._arms](goal, rig, self._sway(t))
        self._glances.turn_head(goal, rig, t)
        if self._arms in ("phone", "clipboard"):
            # Eyes on what is held, except now and then.
            up = self._read(t)[1]
            look = goal.gaze(rig, goal.wrists[1 if self._arms == "phone" else 0] + 0.08 * goal.root[:, 2])
            head, eyes = goal.head.copy(), goal.eyes.copy()
            goal.face(float(look[0]), float(look[1]))
            goal.head += up * (head - goal.head)
            goal.eyes += up * (eyes - goal.eyes)
        if self._nod is not None:
            nod(goal, self._nod, t)
        return goal


def nod(goal: Goal, moments: Moments, t: float) -> None:
    """Nod a few times where ``moments`` says so."""
    k, share = moments(t)
    if share > 0.0:
        depth = 0.05 + 0.06 * moments.chance(k, 1)
        pace = 2 * np.pi * (1.3 + 0.7 * moments.chance(k, 2))
        angle = share * depth * (1.0 - np.cos(pace * t)) * 0.9
        goal.head = log_map(np.ascontiguousarray(turn(*goal.head) @ turn(x=angle)))


class Listen(Stand):
    """Stands and listens to somebody: looks at them, nods. Arguments as for :class:`Stand`."""

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        rng: np.random.Generator,
        at: npt.ArrayLike,
        heading: float,
        looks: Sequence[npt.ArrayLike] = (),
        arms: Arms | None = None,
    ) -> None:
        super().__init__(body, betas, rng, at, heading, looks, arms, nods=True)
