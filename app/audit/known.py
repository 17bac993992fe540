"""What the project knows of the people in the video: their heads, who is spared, whose a finding is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from app.audit.followed import FollowedHeads
from app.audit.heads import core_of_head
from app.audit.record import CoverageRecord
from app.deidentify.plan import DeidPlan
from app.export.believed import guess_belief
from app.export.coverage import Presence, Whereabouts
from app.pipeline.faces import as_sightings
from app.project.notes import faces
from app.project.store import ProjectStore
from backends.audit.blocks import BLOCK, around, share_in
from backends.audit.types import Finding
from backends.deidentify.strays import link

F4 = npt.NDArray[np.float32]

ARITHMETIC = "Coverage of known heads"
FOLLOWED = "Coverage of followed heads"

_LEAST_CLAIMED = 0.9
"""Share of the middle of a head that a cover has to claim."""

_LEAST_REPLACED = 0.7
"""Share of it that has to show something else than the camera saw. Real covers of heads reach 0.99; where
nothing was painted at all it is 0, and half an open head shows whose it is."""

_KEPT = 12
"""Frames whose people are kept: several are searched at a time."""

_HEAD = 1.6
"""The head about its middle: with hair and chin."""

_LEAST_REACH = 0.12
"""Of somebody's height: so far from the middle of their face their head may be told by another network, also
where their own face is seen narrow."""

_AS_HIGH, _SAME = 0.6, 0.5
"""A body that another network sees is the known one where it is so much of its height, and shares so much of
the smaller box."""

_FACE_CORE = 0.7
"""The middle of a face that a detector has found."""

_TOP = 0.35
"""Upper part of a body's box that holds the head, where no keypoint says more."""


class Known(Protocol):
    """What an audit asks of whoever knows the people.

    ``follows``: heads are reckoned beyond where they are known, too.
    """

    follows: bool

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
        followed: heads beyond where the run knew them, where somebody has watched for them.
    """

    def __init__(
        self, store: ProjectStore, fps: float, plan: DeidPlan, record: CoverageRecord,
        followed: FollowedHeads | None = None,
    ) -> None:  # fmt: skip
        self._whereabouts = Whereabouts(store, fps, closing=False)
        self._plan = plan
        self._record = record
        self._followed = followed
        self.follows = followed is not None
        self._strays = link(as_sightings(faces(store)))
        self._at = lru_cache(maxsize=_KEPT)(self._whereabouts.at)

    def heads(self, frame: int) -> list[Finding]:
        """Heads of people who are to be covered, and are not."""
        people, followed, strays = self._at(frame), self._followed_at(frame), self._strays_at(frame)
        if not people and not followed and not strays:
            return []
        record, found = self._record.at(frame), []
        for presence in people:
            track = presence.track.track_id
            core = core_of_head(presence.keypoints)
            # Before a track begins and after it ends nobody knows whether a head is there.
            if core is None or not presence.drawn or self._plan.method_for(track, frame) is None:
                continue
            claimed, replaced = share_in(record.claimed, core), share_in(record.replaced, core)
            if _is_outside(core, record.claimed.shape):
                continue
            if claimed < _LEAST_CLAIMED:
                found.append(_head(core, 1.0 - claimed, track))
            elif replaced < _LEAST_REPLACED and not self._is_left_out(presence, people, frame):
                found.append(_head(core, 1.0 - replaced, track))
        spared = [p.box for p in people if self._plan.method_for(p.track.track_id, frame) is None]
        others: list[tuple[F4, int | None, str]] = [
            (core, track, FOLLOWED) for track, core in followed
            if self._plan.method_for(track, frame) is not None
        ]  # fmt: skip
        # A face of somebody spared is theirs: the export leaves it, too.
        others += [
            (face, None, ARITHMETIC) for face in strays
            if not any(_holds(box, (face[:2] + face[2:]) / 2) for box in spared)
        ]  # fmt: skip
        for core, whose, by in others:
            if _is_outside(core, record.claimed.shape):
                continue
            if any(p.drawn and _is_head_of(core, p) for p in people):
                continue  # who was found in this very place has been reckoned
            share, least = share_in(record.claimed, core), _LEAST_CLAIMED
            if share >= least and (whose is not None or not self._shows_room):
                share, least = share_in(record.replaced, core), _LEAST_REPLACED
            if share < least:
                found.append(_head(core, 1.0 - share, whose, by))
        return found

    @property
    def _shows_room(self) -> bool:
        """Whether faces of nobody are covered with the empty room. What was taken for a face and is a thing
        looks there as the camera saw it; what the networks find there counts."""
        settings = self._plan.settings
        return settings.background == "plate" and settings.fill in ("mesh", "remove")

    def _strays_at(self, frame: int) -> list[F4]:
        """(4,) the middle of each face that belonged to nobody who was found, between its sightings."""
        places = [stray.at(frame, 0) for stray in self._strays]
        return [around(place[0], _FACE_CORE) for place in places if place is not None]

    def _followed_at(self, frame: int) -> list[tuple[int, F4]]:
        return [] if self._followed is None else self._followed.at(frame)

    def _is_left_out(self, presence: Presence, people: Sequence[Presence], frame: int) -> bool:
        """Whether somebody is guessed where another was found: the room is shown there, and no body. It may
        look as the camera saw it, for there may be nobody; what the networks find there counts."""
        method = self._plan.method_for(presence.track.track_id, frame)
        draws = method is not None and method.cover == "whole" and method.fill == "mesh"
        return draws and self._plan.settings.believed_only and guess_belief(presence, people) < 1

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
            core = core_of_head(presence.keypoints)
            if method is None or method.cover == "whole" or core is None or not presence.drawn:
                continue
            hidden = share_in(record.claimed, core) >= _LEAST_CLAIMED
            hidden = hidden and share_in(record.replaced, core) >= _LEAST_REPLACED
            if hidden and _is_same_body(finding.box, presence.box):
                return True
        return False

    def is_free(self, frame: int, box: F4) -> bool:
        """Whether nobody is known to be anywhere near a box."""
        boxes = [p.box for p in self._at(frame)] + [core for _, core in self._followed_at(frame)]
        boxes += self._strays_at(frame)
        return not any((box[:2] <= b[2:]).all() and (b[:2] <= box[2:]).all() for b in boxes)

    def track_of(self, frame: int, box: F4) -> int | None:
        """Whose place it is: the smallest box of a known person that holds the middle."""
        middle = (box[:2] + box[2:]) / 2
        holding = [p for p in self._at(frame) if _holds(p.box, middle)]
        if not holding:
            return None
        return min(holding, key=lambda p: float(np.prod(p.box[2:] - p.box[:2]))).track.track_id


def _head(core: F4, score: float, track: int | None, by: str = ARITHMETIC) -> Finding:
    return Finding("head", around(core, _HEAD), score, by, track)


def _is_outside(box: F4, shape: Sequence[int]) -> bool:
    """Whether the middle of a box lies beyond the picture's border."""
    x, y = (box[:2] + box[2:]) / 2
    return not (0 <= x < BLOCK * shape[1] and 0 <= y < BLOCK * shape[0])


def _is_head_of(place: F4, presence: Presence) -> bool:
    """Whether the middle of a place lies in somebody's head that is seen."""
    core = core_of_head(presence.keypoints)
    return core is not None and _holds(around(core, 2 * _HEAD), (place[:2] + place[2:]) / 2)


def _is_of(place: F4, presence: Presence) -> bool:
    """Whether the middle of a place lies in somebody's head, or where the head must be."""
    middle = (place[:2] + place[2:]) / 2
    core = core_of_head(presence.keypoints)
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
