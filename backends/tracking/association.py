"""Who is who: the cost of taking somebody who was seen for somebody who is being followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from backends.keypoints.similarity import oks
from backends.tracking.appearance import difference
from backends.tracking.observer import Observation
from backends.tracking.track import Track

F8 = npt.NDArray[np.float64]

IMPOSSIBLE: Final = 1e6
_LIMIT: Final = 1.0
_KNOWN_LOOKS: Final = 5
"""Pictures after which the look of a person is known well enough to count in full."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far off the expected place, and how unlike, a person may be; and how much looks weigh."""

    far: float
    unlike: float
    weight: float


STRICT: Final = Limits(far=2.0, unlike=1.2, weight=0.65)
VANISHED: Final = Limits(far=1.2, unlike=1.6, weight=0.2)
"""For those who vanished only just now, right where somebody turns up: place counts most."""

VANISHED_ALONE: Final = Limits(far=1.2, unlike=float("inf"), weight=0.2)
"""The same where nobody else was about: in another light people look like somebody else."""


def torso_area(radius: float) -> float:
    """Pixels squared that stand for a person's area in keypoint similarity, from the body's radius."""
    return 0.6 * radius * radius


def similarity(a: Observation, b: Observation) -> float:
    """Keypoint similarity of two observations of one picture, points that are sure counting most."""
    p, q = a.estimate.keypoints, b.estimate.keypoints
    weight = np.minimum(p.score, q.score)[:17]
    return oks(p.xy[:17], q.xy[:17], torso_area(max(a.region.radius, b.region.radius)), weight)


def cost(track: Track, seen: Observation, frame: int, limits: Limits = STRICT) -> float:
    """From 0 (surely the same) to 1 (the limit); beyond, they are two people.

    Motion, size, keypoints moved along with the expected motion, and colours: each is in units of what
    is usual for one and the same person, and none of them can make up for a wholly wrong other one.
    """
    gap = max(frame - track.last, 1)
    radius = max(track.radius, 1e-6)
    off = float(np.hypot(*(seen.region.centre - track.predicted(gap).centre))) / radius
    # The longer somebody is out of sight, the farther they may have got.
    reach = min(0.22 + 2.0 * track.error + 0.05 * (gap - 1), 2.0)
    size = abs(float(np.log(max(seen.region.radius, 1e-6) / radius))) / (0.45 + 0.01 * min(gap, 30))
    far = off / reach
    unlike = _unlikeness(track, seen)
    if far > limits.far or size > 1.5 or unlike > limits.unlike:
        return IMPOSSIBLE
    pose = 0.0
    if gap <= 3:
        moved = track.xy[:17] + track.shift(gap)
        now = seen.estimate.keypoints
        pose = 1.0 - oks(moved, now.xy[:17], torso_area(radius), now.score[:17])
    return 0.3 * far + 0.15 * size + 0.15 * pose + limits.weight * unlike


def _unlikeness(track: Track, seen: Observation) -> float:
    """0 for the usual difference of one person's looks, 1 where another person is more likely."""
    value = difference(track.look, seen.look)
    if not np.isfinite(value):
        return 0.3
    return max(value - 0.6, 0.0) / 0.9 * min(1.0, track.looks / _KNOWN_LOOKS)


def assign(
    tracks: Sequence[Track], people: Sequence[Observation], frame: int, limits: Limits = STRICT
) -> dict[int, int]:
    """Index of the track -> index of the person; whoever has no good partner is left out."""
    if not tracks or not people:
        return {}
    costs = np.array([[cost(t, p, frame, limits) for p in people] for t in tracks])
    # Leaving a pair apart costs as much as the limit: cheaper than forcing strangers together.
    pairs = zip(*linear_sum_assignment(np.minimum(costs, _LIMIT)))
    return {int(i): int(j) for i, j in pairs if costs[i, j] < _LIMIT}


def shared(a: npt.NDArray[np.floating[Any]], b: npt.NDArray[np.floating[Any]]) -> float:
    """Share of the smaller of two boxes (x0 y0 x1 y1) that lies within the other."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return 0.0
    smaller = min(float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2])))
    return float(np.prod(sides)) / max(smaller, 1.0)
