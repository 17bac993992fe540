"""At the end of the footage: which tracks were people, and which are one and the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from backends.tracking.appearance import difference
from backends.tracking.association import IMPOSSIBLE
from backends.tracking.track import Track
from backends.tracking.types import PerceptionSettings, TrackDecisions

_MAX_REJOIN: Final = 60
"""Frames; after a longer absence somebody who looks alike may be somebody else."""

_SAME_LOOK: Final = 1.1
_ODD_BONES, _WRONG_BONES = 0.17, 0.26
_WEAK_STILL, _WEAK_MOVING = 0.97, 0.93
_STILL_RADII: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Whole:
    """Tracks that belong together, as one."""

    seen: int
    presence: float
    bones: float
    travel: float
    chance: int


def decide(
    tracks: Sequence[Track], shots: Sequence[int], last: int, settings: PerceptionSettings
) -> TrackDecisions:
    """Join tracks that go on from each other, then discard what is too short or never convincing.

    Args:
        shots: the first frame of each shot, rising.
        last: the last frame of the footage.
    """
    merged = _join(tracks)
    groups: dict[int, list[Track]] = {}
    for track in tracks:
        groups.setdefault(_first(track.track_id, merged), []).append(track)
    discarded = {
        t.track_id
        for group in groups.values()
        if _is_false(_whole(group, shots, last), settings)
        for t in group
    }
    return TrackDecisions(frozenset(discarded), {a: b for a, b in merged.items() if a not in discarded})


def _first(track_id: int, merged: dict[int, int]) -> int:
    while track_id in merged:
        track_id = merged[track_id]
    return track_id


def _whole(group: Sequence[Track], shots: Sequence[int], last: int) -> _Whole:
    seen = sum(t.seen for t in group)
    begin = min(t.first for t in group)
    # For how many frames they could have been seen at all: until the next shot or the end.
    end = min((s for s in shots if s > begin), default=last + 1)
    low, high = np.min([t.low for t in group], axis=0), np.max([t.high for t in group], axis=0)
    return _Whole(
        seen=seen,
        presence=sum(t.presence * t.seen for t in group) / seen,
        bones=sum(t.bones * t.seen for t in group) / seen,
        travel=float(np.hypot(*(high - low))) / max(max(t.radius for t in group), 1e-6),
        chance=end - begin,
    )


def _is_false(whole: _Whole, settings: PerceptionSettings) -> bool:
    if whole.seen < min(settings.min_frames, -(-whole.chance // 2)):
        return True
    if whole.presence < settings.presence or whole.bones > _WRONG_BONES:
        return True
    # A thing in the shape of a person: the network half believes in it, but its bones are odd.
    still = whole.travel < _STILL_RADII
    if whole.bones > _ODD_BONES:
        return whole.presence < (_WEAK_STILL if still else _WEAK_MOVING)
    return still and whole.presence < settings.still_presence


def _join(tracks: Sequence[Track]) -> dict[int, int]:
    merged: dict[int, int] = {}
    if len(tracks) < 2:
        return merged
    costs = np.array([[_join_cost(a, b) for b in tracks] for a in tracks])
    for i, j in zip(*linear_sum_assignment(np.minimum(costs, 1.0))):
        if costs[i, j] < 1.0:
            merged[tracks[j].track_id] = tracks[i].track_id
    return merged


def _join_cost(before: Track, after: Track) -> float:
    """Below 1 where ``after`` may be ``before`` again, who was out of sight."""
    gap = after.first - before.last
    if before is after or before.left or not 0 < gap <= _MAX_REJOIN:
        return IMPOSSIBLE
    radius = max(before.radius, 1e-6)
    # Somebody who is hidden goes on or waits: both are near enough.
    way = before.velocity * gap
    along = np.clip(np.dot(after.start - before.centre, way) / max(float(np.dot(way, way)), 1e-9), 0.0, 1.0)
    off = float(np.hypot(*(after.start - before.centre - along * way))) / radius
    far = off / min(0.6 + 0.04 * gap, 1.6)
    size = abs(float(np.log(max(after.start_radius, 1e-6) / radius))) / 0.5
    unlike = difference(before.look, after.look) / _SAME_LOOK
    if not np.isfinite(unlike):
        unlike = 1.0
    return max(far, size, unlike) if before.looks > 2 else IMPOSSIBLE
