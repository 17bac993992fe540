"""What the project knows of the people in the video: their heads, who is spared, whose a finding is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from app.audit.record import CoverageRecord
from app.deidentify.plan import DeidPlan
from app.export.believed import guess_belief
from app.export.coverage import Presence, Whereabouts
from app.project.store import ProjectStore
from backends.audit.blocks import BLOCK, around, share_in
from backends.audit.types import Finding
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Visibility

F4 = npt.NDArray[np.float32]

ARITHMETIC = "Coverage of known heads"

_FACE = tuple(INDEX[n] for n in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))

_LEAST_CLAIMED = 0.9
"""Share of the middle of a head that a cover has to claim."""

_LEAST_REPLACED = 0.3
"""Share of it that has to show something else than the camera saw. Real covers of heads reach 0.9; where
nothing was painted at all it is 0."""

_KEPT = 12
"""Frames whose people are kept: several are searched at a time."""

_SMALLEST = 3.0
_HEAD = 1.6
"""The head about its middle: with hair and chin."""

_LEAST_REACH = 0.12
"""Of somebody's height: so far from the middle of their face their head may be told by another network, also
where their own face is seen narrow."""

_AS_HIGH, _SAME = 0.6, 0.5
"""A body that another network sees is the known one where it is so much of its height, and shares so much of
the smaller box."""

_TOP = 0.35
"""Upper part of a body's box that holds the head, where no keypoint says more."""


class Known(Protocol):
    """What an audit asks of whoever knows the people."""

    def heads(self, frame: int) -> list[Finding]:
        """Heads that should be covered and are not."""

    def is_spared(self, frame: int, finding: Finding) -> bool:
        """Whether a finding is of somebody who may be seen, or of that of them which may be."""

    def is_free(self, frame: int, box: F4) -> bool:
        """Whether nobody is known to be there."""

    def track_of(self, frame: int, box: F4) -> int | None:
        """Whose place it is."""


class KnownPeople:
    """Coverage arithmetic and exceptions, frame by frame.

    Args:
        plan: as the export has used it.
        record: what the export has replaced.
    """

    def __init__(self, store: ProjectStore, fps: float, plan: DeidPlan, record: CoverageRecord) -> None:
        self._whereabouts = Whereabouts(store, fps, closing=False)
        self._plan = plan
        self._record = record
        self._at = lru_cache(maxsize=_KEPT)(self._whereabouts.at)

    def heads(self, frame: int) -> list[Finding]:
        """Heads of people who are to be covered, and are not."""
        people = self._at(frame)
        if not people:
            return []
        record, found = self._record.at(frame), []
        for presence in people:
            track = presence.track.track_id
            core = _core_of_head(presence)
            # Before a track begins and after it ends nobody knows whether a head is there.
            if core is None or not presence.drawn or self._plan.method_for(track, frame) is None:
                continue
            claimed, replaced = share_in(record.claimed, core), share_in(record.replaced, core)
            if _is_outside(core, record.claimed.shape):
                continue
            if claimed < _LEAST_CLAIMED:
                found.append(_head(core, 1.0 - claimed, track))
            elif replaced < _LEAST_REPLACED and not self._is_left_out(presence, people):
                found.append(_head(core, 1.0 - replaced, track))
        return found

    def _is_left_out(self, presence: Presence, people: Sequence[Presence]) -> bool:
        """Whether somebody is guessed where another was found: the room is shown there, and no body. It may
        look as the camera saw it, for there may be nobody; what the networks find there counts."""
        return self._plan.settings.believed_only and guess_belief(presence, people) < 1

    def is_spared(self, frame: int, finding: Finding) -> bool:
        """Whether a finding is of somebody who is spared in this frame, and of nobody else; or of the body of
        somebody of whom no more than the head was to be covered, and is."""
        if finding.kind == "person" and self._shows_a_body_only(frame, finding):
            return True
        spared: list[Presence] = []
        others: list[Presence] = []
        for presence in self._at(frame):
            is_covered = self._plan.method_for(presence.track.track_id, frame) is not None
            (others if is_covered else spared).append(presence)
        place = finding.anchor
        return any(_is_of(place, p) for p in spared) and not any(_is_of(place, p) for p in others)

    def _shows_a_body_only(self, frame: int, finding: Finding) -> bool:
        record = self._record.at(frame)
        for presence in self._at(frame):
            method = self._plan.method_for(presence.track.track_id, frame)
            core = _core_of_head(presence)
            if method is None or method.cover == "whole" or core is None or not presence.drawn:
                continue
            hidden = share_in(record.claimed, core) >= _LEAST_CLAIMED
            hidden = hidden and share_in(record.replaced, core) >= _LEAST_REPLACED
            if hidden and _is_same_body(finding.box, presence.box):
                return True
        return False

    def is_free(self, frame: int, box: F4) -> bool:
        """Whether nobody is known to be anywhere near a box."""
        return not any((box[:2] <= p.box[2:]).all() and (p.box[:2] <= box[2:]).all() for p in self._at(frame))

    def track_of(self, frame: int, box: F4) -> int | None:
        """Whose place it is: the smallest box of a known person that holds the middle."""
        middle = (box[:2] + box[2:]) / 2
        holding = [p for p in self._at(frame) if _holds(p.box, middle)]
        if not holding:
            return None
        return min(holding, key=lambda p: float(np.prod(p.box[2:] - p.box[:2]))).track.track_id


def _head(core: F4, score: float, track: int) -> Finding:
    return Finding("head", around(core, _HEAD), score, ARITHMETIC, track)


def _face_points(presence: Presence) -> F4:
    """(K, 2) those of nose, eyes and ears that are seen."""
    keypoints = presence.keypoints
    shown = [k for k in _FACE if keypoints.visibility[k] == Visibility.VISIBLE]
    xy: F4 = keypoints.xy[shown]
    return xy[np.isfinite(xy).all(axis=1)]


def _core_of_head(presence: Presence) -> F4 | None:
    """(4,) the middle of a head that is seen: half as wide as its ears are apart, to each side.

    None where fewer than two points of it are seen: then somebody or something is in front of it, and what
    the networks find there counts.
    """
    points = _face_points(presence)
    if len(points) < 2:
        return None
    apart = float(np.linalg.norm(points[:, None] - points[None], axis=-1).max())
    middle, reach = points.mean(axis=0), max(0.5 * apart, _SMALLEST)
    return np.concatenate([middle - reach, middle + reach]).astype(np.float32)


def _is_outside(box: F4, shape: Sequence[int]) -> bool:
    """Whether the middle of a box lies beyond the picture's border."""
    x, y = (box[:2] + box[2:]) / 2
    return not (0 <= x < BLOCK * shape[1] and 0 <= y < BLOCK * shape[0])


def _is_of(place: F4, presence: Presence) -> bool:
    """Whether the middle of a place lies in somebody's head, or where the head must be."""
    middle = (place[:2] + place[2:]) / 2
    core = _core_of_head(presence)
    x0, y0, x1, y1 = presence.box
    if core is not None:
        wide = float(core[2] - core[0])
        reach = max(_HEAD * wide, _LEAST_REACH * float(y1 - y0))
        return _holds(around(core, 2 * reach / wide), middle)
    return _holds(np.array([x0, y0, x1, y0 + _TOP * (y1 - y0)], np.float32), middle)


def _is_same_body(a: F4, b: F4) -> bool:
    """Whether two boxes hold the same body: about as high, and the smaller one mostly in the other."""
    shared = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    size_a, size_b = a[2:] - a[:2], b[2:] - b[:2]
    alike = min(size_a[1], size_b[1]) / max(size_a[1], size_b[1], 1e-6)
    smaller = max(min(float(np.prod(size_a)), float(np.prod(size_b))), 1e-6)
    return bool(alike >= _AS_HIGH and float(np.prod(shared)) / smaller >= _SAME)


def _holds(box: F4, point: npt.NDArray[np.floating[Any]]) -> bool:
    return bool((box[:2] <= point).all() and (point <= box[2:]).all())
