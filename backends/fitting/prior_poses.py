"""Poses to learn a prior from: what drawn people do (:mod:`backends.synthetic.motion`), sampled apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, load_body
from backends.synthetic import motion as m
from backends.synthetic.staff import cast_body

F8 = npt.NDArray[np.float64]

_MINUTE = 60.0
_APART_S = 1.5


def sample_poses(seeds: Sequence[int], *, per_motion: int = 12) -> F8:
    """(N, 63) axis-angles of joints 1 to 21, radians: for each seed people of other bodies who work, reach,
    bend, walk, turn, sit, talk, point, listen, wait and hand things over, ``per_motion`` moments of each, at
    least 1.5 s apart. The same seeds give the same poses."""
    body = load_body()
    poses = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 77])
        for motion in _motions(body, rng):
            for t in _moments(rng, per_motion):
                poses.append(motion.at(float(t)).pose[1:22].reshape(-1))
    return np.array(poses)


def _moments(rng: np.random.Generator, count: int) -> F8:
    free = max(_MINUTE - _APART_S * count, 1.0)
    moments: F8 = np.sort(rng.uniform(0.0, free, count)) + _APART_S * np.arange(count)
    return moments


def _motions(body: BodyModel, rng: np.random.Generator) -> Iterator[m.Motion]:
    """One of each kind, each by somebody else."""

    def who() -> tuple[BodyModel, F8, np.random.Generator]:
        own = np.random.default_rng(rng.integers(1 << 62))
        return body, cast_body(own, woman=bool(own.random() < 0.5)), own

    def near(distance: float, height: float, spread: float = 0.25) -> F8:
        """A point before somebody at the origin who faces +x."""
        angle = rng.uniform(-0.9, 0.9)
        away = distance + rng.uniform(-spread, spread)
        return np.array([away * np.cos(angle), away * np.sin(angle), height + rng.uniform(-spread, spread)])

    at = (0.0, 0.0)
    field = np.array([0.46 + rng.uniform(-0.05, 0.1), rng.uniform(-0.2, 0.2), 1.0 + rng.uniform(-0.1, 0.1)])
    yield m.Work(*who(), at, 0.0, field, tools=("forceps", "scissors"))
    yield m.Work(*who(), at, 0.0, field)
    giver = m.Work(*who(), (0.0, -0.35), 0.0, field)
    taker = m.Work(*who(), (0.0, 0.35), 0.0, field, tools=("forceps", None))
    yield from m.hand_over(giver, taker, rng, np.array([0.5, -0.8, 1.0]))
    yield m.Bend(*who(), at, 0.0, near(0.5, 0.45, 0.12))
    yield m.ReachUp(*who(), at, 0.0, near(0.5, 1.8, 0.15))
    yield m.Point(*who(), at, 0.0, near(2.5, 1.4, 0.6))
    yield m.Stand(*who(), at, 0.0)
    yield m.Stand(*who(), at, 0.0, arms="phone")
    yield m.Listen(*who(), at, 0.0, looks=[near(2.0, 1.5)])
    yield m.Talk(*who(), at, 0.0, partner=near(1.5, 1.5))
    way = [(0.0, 0.0), (float(rng.uniform(1.5, 3)), 0.0), (3.5, float(rng.uniform(-2.5, 2.5)))]
    yield m.Walk(*who(), way, float(rng.uniform(0.8, 1.4)), 0.8)
    yield m.Walk(*who(), way[::-1], float(rng.uniform(0.8, 1.4)), 0.8, carry="clipboard")
    seat = float(rng.uniform(0.4, 0.5))
    yield m.Sit(*who(), at, 0.0, seat, talks=m.sit.Turns(rng).of(0))
    yield m.Sit(*who(), at, 0.0, seat, hands_at=(0.45, 0.0, 0.75 + float(rng.uniform(-0.05, 0.1))))
