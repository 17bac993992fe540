"""Where and when the feet of somebody who walks to and fro are put down."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from backends.synthetic.motion.rig import Rig

F8 = npt.NDArray[np.float64]

SPEEDS = (0.3, 1.7)
"""Metres a second that can be walked."""
_CORNER_M = 0.5
_WALK_RATIO_M_MIN = 0.0065
"""Step length over cadence, metres per step a minute: about constant in adults (Sekiya et al. 1996)."""
TOE_OUT = 0.09


@dataclass(frozen=True, slots=True)
class Step:
    """One foot's move: side 0 left, 1 right; to ``place`` (x, y, yaw of the flat foot under the ankle)."""

    side: int
    place: tuple[float, float, float]
    lift: float
    land: float


@dataclass(slots=True)
class Plan:
    """Steps within one period that ends where it began.

    Attributes:
        start: the places of left and right foot before the first step.
        steps: in the order of their lifting, which is also that of their landing.
        period: seconds.
        beat: seconds of an ordinary step.
    """

    start: tuple[tuple[float, float, float], tuple[float, float, float]]
    beat: float
    steps: list[Step] = field(default_factory=list)
    period: float = 0.0


def rounded(way: npt.ArrayLike) -> F8:
    """(M, 2) points about 2 cm apart along a polyline (N, 2) with its corners rounded.

    Raises:
        InputError: fewer than two points, points that are not finite, or a way under half a metre.
    """
    points = np.asarray(way, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or not np.isfinite(points).all():
        raise InputError(f"A way needs two or more finite points (N, 2); got shape {points.shape}.")
    points = points[np.r_[True, np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-6]]
    pieces: list[F8] = [points[:1]]
    for a, b, c in zip(points, points[1:], points[2:]):
        before, after = np.linalg.norm(b - a), np.linalg.norm(c - b)
        r = min(_CORNER_M, 0.5 * before, 0.5 * after)
        u = np.linspace(0, 1, 24)[:, None]
        p, q = b + (a - b) / before * r, b + (c - b) / after * r
        pieces.append((1 - u) ** 2 * p + 2 * u * (1 - u) * b + u**2 * q)
    pieces.append(points[-1:])
    line = np.concatenate(pieces)
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    if s[-1] < 0.5:
        raise InputError(f"A way to be walked needs half a metre; this one has {s[-1]:.2f} m.")
    even = np.linspace(0, s[-1], max(int(s[-1] / 0.02), 8))
    return np.stack([np.interp(even, s, line[:, k]) for k in (0, 1)], axis=1)


def step_length(rig: Rig, speed: float) -> float:
    """The step that goes with a speed, metres, from the walk ratio and the legs' length."""
    return float(min(np.sqrt(_WALK_RATIO_M_MIN * 60.0 * speed) * rig.leg / 0.88, 0.85 * rig.leg))


class Planner:
    """Adds steps one after the other."""

    def __init__(self, rig: Rig, at: F8, heading: float, beat: float) -> None:
        self._rig = rig
        self._wide, self._narrow = rig.hip_half, 0.52 * rig.hip_half
        self.time = 0.0
        self.at, self.heading = at, heading
        places = (self._place(0, at, heading, self._wide), self._place(1, at, heading, self._wide))
        self.plan = Plan(start=places, beat=beat)

    def _place(self, side: int, at: F8, heading: float, half: float) -> tuple[float, float, float]:
        sign = 1.0 if side == 0 else -1.0
        c, s = np.cos(heading), np.sin(heading)
        return (
            float(at[0] - sign * half * s - 0.03 * c),
            float(at[1] + sign * half * c - 0.03 * s),
            heading + sign * TOE_OUT,
        )

    def wait(self, seconds: float) -> None:
        """Stand."""
        self.time += seconds

    def _step(self, side: int, at: F8, heading: float, half: float, beat: float, swing: float = 0.80) -> None:
        place = self._place(side, at, heading, half)
        self.plan.steps.append(Step(side, place, self.time, self.time + swing * beat))
        self.time += beat
        self.at, self.heading = at, heading

    def walk(self, line: F8, speed: float, side: int) -> int:
        """Along ``line`` (M, 2) from where one stands, ``side`` first; the side that would be next."""
        gap = np.linalg.norm(np.diff(line, axis=0), axis=1)
        s = np.concatenate([[0.0], np.cumsum(gap)])
        length = float(s[-1])
        tangent = np.gradient(line, axis=0)
        headings = np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))
        headings += 2 * np.pi * np.round((self.heading - headings[0]) / (2 * np.pi))
        wanted = step_length(self._rig, speed)
        n = max(round(length / wanted + 0.6), 1)
        share = np.ones(n)
        share[0], share[-1] = 0.7, 0.85
        stations = length * np.cumsum(share) / share.sum()
        beat = self.plan.beat * float(np.sqrt(length / share.sum() / wanted))
        for k, station in enumerate([*stations, length]):
            heading = float(np.interp(station, s, headings))
            at = np.array([np.interp(station, s, line[:, c]) for c in (0, 1)])
            last = k >= n - 1
            soft = 1.18 if k == 0 else 1.12 if last else 1.0
            half = self._wide if last else self._narrow
            self._step(side, at, heading, half, beat * soft)
            side = 1 - side
        return side

    def turn(self, angle: float) -> None:
        """On the spot by ``angle`` radians (positive to the left) in steps of both feet."""
        first = 0 if angle > 0 else 1
        pairs = max(round(abs(angle) / 1.05), 1)
        start = self.heading
        for k in range(1, pairs + 1):
            for side in (first, 1 - first):
                self._step(side, self.at, start + angle * k / pairs, self._wide, 0.58, 0.80)


def to_and_fro(
    rig: Rig, way: npt.ArrayLike, speed: float, ends: tuple[float, float], first: int, left_turns: bool
) -> Plan:
    """Walk a way, stand, turn about, walk back, stand, turn about.

    Args:
        rig: whose legs.
        way: (N, 2) polyline, metres.
        speed: metres a second.
        ends: seconds to stand at the way's end and at its start.
        first: the side that begins, 0 left.
        left_turns: whether the turn at the far end is to the left.

    Raises:
        InputError: for a way or a speed that cannot be walked, or negative seconds.
    """
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise InputError(f"A walk needs a speed of {SPEEDS[0]} to {SPEEDS[1]} m/s; got {speed}.")
    if not (np.isfinite(ends).all() and min(ends) >= 0):
        raise InputError(f"The seconds at a walk's ends need to be finite and not negative; got {ends}.")
    line = rounded(way)
    along = line[1] - line[0]
    planner = Planner(rig, line[0], float(np.arctan2(along[1], along[0])), step_length(rig, speed) / speed)
    angle = np.pi if left_turns else -np.pi
    planner.wait(0.9)
    for points, pause, turned in ((line, ends[0], angle), (line[::-1], ends[1], -angle)):
        first = planner.walk(points, speed, first)
        planner.wait(0.5 + pause)
        planner.turn(turned)
        planner.wait(0.45)
    plan = planner.plan
    plan.period = planner.time
    return plan
