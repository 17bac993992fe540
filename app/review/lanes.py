"""Expected errors of everybody over time, held in memory so that a cursor move never asks the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from app.export.coverage import LEAD_S, MAX_GAP_S, guessed_frames
from app.project.arrays import pack, unpack
from app.project.store import VIEW, ProjectStore
from app.review.types import COVERED, LEAK, NOT_PROCESSED, PREDICTED, Lane
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Source

F2 = npt.NDArray[np.float16]
F4 = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

_HEADER = len(pack(np.zeros(N_KEYPOINTS, np.uint8))) - N_KEYPOINTS
"""Bytes before the values of a stored array of one number a keypoint."""


@dataclass
class TrackSeries:
    """One track over all N frames; NaN in ``mm`` and False in ``seen`` where the person is not there."""

    mm: F4
    keypoint_mm: F2
    seen: BoolArray
    masked: BoolArray
    corrected: BoolArray
    carried: BoolArray


@dataclass
class Series:
    """All tracks of a project over time, loaded once and brought up to date range by range."""

    store: ProjectStore
    n_frames: int
    tracks: dict[int, TrackSeries] = field(default_factory=dict)
    processed: BoolArray = field(init=False)

    def __post_init__(self) -> None:
        self.processed = np.zeros(self.n_frames, dtype=np.bool_)

    def _track(self, track: int) -> TrackSeries:
        series = self.tracks.get(track)
        if series is None:
            n = self.n_frames
            series = TrackSeries(
                np.full(n, np.nan, np.float32),
                np.full((n, N_KEYPOINTS), np.nan, np.float16),
                np.zeros(n, np.bool_),
                np.zeros(n, np.bool_),
                np.zeros(n, np.bool_),
                np.zeros(n, np.bool_),
            )
            self.tracks[track] = series
        return series

    def load(self, first: int = 0, last: int | None = None) -> None:
        """Read frames ``first`` .. ``last`` (default: all) from the project."""
        end = self.n_frames - 1 if last is None else last
        for series in self.tracks.values():
            span = slice(first, end + 1)
            series.mm[span] = np.nan
            series.keypoint_mm[span] = np.nan
            series.seen[span] = series.masked[span] = series.corrected[span] = False
            series.carried[span] = False
        rows = self.store.query(
            "SELECT o.frame, o.track_id, o.reviewed, o.mask_box IS NOT NULL AS masked,"
            " instr(substr(o.source, ?), ?) > 0 AS carried, c.mean_mm, c.keypoint_mm FROM observations o"
            " LEFT JOIN confidence c"
            " ON c.view_id = o.view_id AND c.frame = o.frame AND c.track_id = o.track_id"
            " WHERE o.view_id = ? AND o.frame BETWEEN ? AND ?",
            (_HEADER + 1, bytes([Source.CARRIED]), VIEW, first, end),
        )
        for row in rows:
            frame = row["frame"]
            if not 0 <= frame < self.n_frames:
                continue
            series = self._track(row["track_id"])
            series.seen[frame] = True
            series.masked[frame] = bool(row["masked"])
            series.corrected[frame] = bool(row["reviewed"])
            series.carried[frame] = bool(row["carried"]) and not series.corrected[frame]
            if row["mean_mm"] is not None:
                series.mm[frame] = row["mean_mm"]
                series.keypoint_mm[frame] = unpack(row["keypoint_mm"], shape=(N_KEYPOINTS,))
        self.processed[:] = False
        for a, b in self.store.processed():
            self.processed[a : b + 1] = True

    def lanes(self, people: Iterable[tuple[int, str, int]], fps: float) -> list[Lane]:
        """Lanes of ``people`` (track, name, colour index), in that order."""
        result = []
        for track, name, color in people:
            s = self.tracks.get(track)
            if s is None:
                continue
            corrected, carried = (np.flatnonzero(a).astype(np.int32) for a in (s.corrected, s.carried))
            predicted = self._predicted(s, fps).astype(np.int32)
            result.append(Lane(track, name, color, s.mm, corrected, carried, predicted))
        return result

    def coverage(self, people: Iterable[int], fps: float) -> npt.NDArray[np.uint8]:
        """Per frame: not processed, everybody is covered, somebody only by a guess, or may be seen.

        Short gaps inside a track are bridged by the export, and the rims of long ones; in between nobody
        knows where the person is.
        """
        longest, lead = longest_gap(fps), lead_frames(fps)
        result = np.where(self.processed, COVERED, NOT_PROCESSED).astype(np.uint8)
        everybody = [s for t in people if (s := self.tracks.get(t)) is not None and s.seen.any()]
        for s in everybody:
            predicted = self._predicted(s, fps)
            result[predicted[self.processed[predicted]]] = PREDICTED
        for s in everybody:
            for first, last in gaps(s.seen):
                if last - first + 1 > longest:
                    open_to_view = slice(first + lead, last + 1 - lead)
                    result[open_to_view][self.processed[open_to_view]] = LEAK
        return result

    def _predicted(self, series: TrackSeries, fps: float) -> npt.NDArray[np.int64]:
        """(K,) frames in which the export covers a person where they are guessed to be."""
        return guessed_frames(np.flatnonzero(series.seen), self.n_frames, longest_gap(fps), lead_frames(fps))


def lead_frames(fps: float) -> int:
    """Frames before, after and into a long gap for which the export guesses where somebody is."""
    return max(2, round(LEAD_S * fps))


def longest_gap(fps: float) -> int:
    """Frames that the export bridges at most."""
    return max(2, round(MAX_GAP_S * fps))


def gaps(seen: BoolArray) -> list[tuple[int, int]]:
    """Runs of frames (first, last) inside a track in which the person is not seen."""
    frames = np.flatnonzero(seen)
    breaks = np.flatnonzero(np.diff(frames) > 1)
    return [(int(frames[b]) + 1, int(frames[b + 1]) - 1) for b in breaks]


def runs(condition: BoolArray, *, at_least: int = 1, join: int = 0) -> list[tuple[int, int]]:
    """Runs of True (first, last), those at most ``join`` frames apart taken as one, short ones left out."""
    frames = np.flatnonzero(condition)
    if frames.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(frames) > join + 1)
    starts = frames[np.concatenate([[0], breaks + 1])]
    ends = frames[np.concatenate([breaks, [frames.size - 1]])]
    return [(int(a), int(b)) for a, b in zip(starts, ends) if b - a + 1 >= at_least]
