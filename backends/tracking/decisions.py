"""At the end of the footage: which tracks were people, and which are one and the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from backends.detection.types import Region
from backends.tracking.track import Track, likeness_cost
from backends.tracking.types import PerceptionSettings, TrackDecisions

_MAX_REJOIN = 90
"""Frames; after a longer absence somebody who looks alike may be somebody else."""

_WEAK_PRESENCE = 0.75
_STILL_RADII = 0.4
_SHORT, _RESTLESS = 30, 0.2


def decide(tracks: Sequence[Track], settings: PerceptionSettings) -> TrackDecisions:
    """Discard what is too short or never convincing; join tracks that go on from each other."""
    real = [t for t in tracks if not _is_false(t, settings)]
    merged = _join(real)
    # A short piece is kept where it belongs to something long enough to be a person.
    length: dict[int, int] = {}
    for track in real:
        first = _first(track.track_id, merged)
        length[first] = max(length.get(first, 0), track.seen)
    kept = {t.track_id for t in real if length[_first(t.track_id, merged)] >= settings.min_frames}
    merged = {a: b for a, b in merged.items() if a in kept}
    return TrackDecisions(frozenset(t.track_id for t in tracks if t.track_id not in kept), merged)


def _first(track_id: int, merged: dict[int, int]) -> int:
    while track_id in merged:
        track_id = merged[track_id]
    return track_id


def _is_false(track: Track, settings: PerceptionSettings) -> bool:
    if track.presence < settings.presence:
        return True
    if track.seen < _SHORT and (track.flicker > _RESTLESS or track.seen < 0.3 * (track.last - track.first)):
        return True  # comes and goes, or jumps about: a shadow of somebody else
    # Something that stands still and never quite convinces is a thing: a heap of cloth, a poster.
    still = track.travel / max(track.seen, 1) * 25 < _STILL_RADII
    return track.presence < _WEAK_PRESENCE and still


def _join(tracks: Sequence[Track]) -> dict[int, int]:
    merged: dict[int, int] = {}
    if len(tracks) < 2:
        return merged
    cost = np.full((len(tracks), len(tracks)), 10.0)
    for i, before in enumerate(tracks):
        for j, after in enumerate(tracks):
            gap = after.first - before.last
            if i != j and 0 < gap <= _MAX_REJOIN:
                begin = Region(after.start, after.start + np.array([0.0, -after.start_radius]))
                cost[i, j] = likeness_cost(before, begin, after.colour, after.first)
    for i, j in zip(*linear_sum_assignment(cost)):
        if cost[i, j] < 0.8:
            merged[tracks[j].track_id] = tracks[i].track_id
    return merged
