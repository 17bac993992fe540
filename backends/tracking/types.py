"""What tracking takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

from backends.keypoints.types import PoseEstimate


@dataclass(frozen=True, slots=True)
class PerceptionSettings:
    """How people are looked for and followed.

    Attributes:
        scales: how many times smaller than the picture the detector's tiles are.
        threshold: the detector's score from which a place is looked at.
        near_threshold: the same close up, where somebody was lost or may have company.
        presence: the landmarks' score from which a person is there.
        keep_presence: the same for somebody who is being followed.
        sure_presence: the same for somebody found within the outline of somebody else.
        still_presence: mean score below which something that never moves is a thing.
        odd_bones: bone error (see ``plausible.py``) above which a new find is no body.
        max_gap: for how many frames a lost person is waited for.
        same_person: keypoint similarity from which two bodies in one picture are one.
        min_frames: shorter tracks are no people, unless footage or shot is that short.
        threads: cores to work on; results do not depend on it.
    """

    scales: tuple[float, ...] = (1.0, 2.0, 3.0)
    threshold: float = 0.35
    near_threshold: float = 0.5
    presence: float = 0.6
    keep_presence: float = 0.5
    sure_presence: float = 0.97
    still_presence: float = 0.8
    odd_bones: float = 0.3
    max_gap: int = 30
    same_person: float = 0.5
    min_frames: int = 8
    threads: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class TrackedPose:
    """One person of one picture with an identity (from 1)."""

    track_id: int
    estimate: PoseEstimate


@dataclass(frozen=True, slots=True)
class TrackDecisions:
    """What is known at the end: tracks that were no people, and broken ones that belong together.

    Attributes:
        discarded: ids.
        merged: from the later id to the one that it goes on from.
    """

    discarded: frozenset[int]
    merged: dict[int, int]

    def whose(self, track_id: int) -> int:
        """The track that a track goes on from, first of all."""
        while track_id in self.merged:
            track_id = self.merged[track_id]
        return track_id
