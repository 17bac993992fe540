"""What to look at next, in words that a clinician understands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from app.review.lanes import TrackSeries, gaps, runs
from app.review.types import TRACK_ENDS, ReviewItem
from backends.confidence.reasons import TITLES, Reason, ReasonKind, limb_of_joint
from backends.keypoints.layout import INDEX


class OverTime(Protocol):
    """Everybody's expected errors over N frames: :class:`app.review.lanes.Series` is one."""

    tracks: dict[int, TrackSeries]
    processed: npt.NDArray[np.bool_]


BAD_MM = 100.0
"""Twice the default tolerance, over all joints: a body that is not to be believed."""

DOUBTFUL_MM, BAD_PART_MM = 120.0, 140.0
"""Of hands and feet, which are less sure than the rest."""


@dataclass(frozen=True, slots=True)
class TrackEnds:
    """Whether a track begins and ends away from the picture's border: nobody appears out of nothing."""

    begins_inside: bool
    ends_inside: bool


_BLINK_FRAMES = 5
"""Shorter gaps are bridged without anybody noticing; they are no work for a person."""

_SERIOUS = 0.7
"""From this severity on a reason is as bad as a body that is not to be believed."""

_NOT_BELIEVED, _DOUBTFUL = "Not to be believed", "Doubtful"
_TOLD = 0.6
"""A reason of whose frames so many are listed as not to be believed is told there, not by itself."""

_MIN_FRAMES = 4

_LEAST_S = 0.2
"""Also what is over at once takes a look."""

_EVENT_S = 6.0
"""Somebody who may be left uncovered is worth as much as so many seconds of something doubtful."""

_BODY_WORTH = 2.0
"""A whole body is worth more than a limb."""

_BY_ITSELF: Final = {
    ReasonKind.TWO_TRACKS: 3.0, ReasonKind.SIDES_SWAPPED: 4.0, ReasonKind.JUMP: 3.0,
    ReasonKind.BENT_WRONG: 3.0, ReasonKind.FOOT_SLIDES: 0.7, ReasonKind.CUT_OFF: 0.3,
    ReasonKind.KEYPOINT_FAR: 0.7, ReasonKind.OUTSIDE_MASK: 0.6, ReasonKind.DISAGREE: 0.7,
    ReasonKind.LOW_SCORE: 0.3, ReasonKind.DEPTH_APART: 0.7,
}  # fmt: skip
"""What a second of each reason is worth at its worst, for those that stand by themselves."""

_DOUBTED: Final = frozenset({ReasonKind.KEYPOINT_FAR, ReasonKind.OUTSIDE_MASK, ReasonKind.DISAGREE})
"""Reasons that went into the expected errors: where these are small, such a reason was a false alarm more
often than not (``understudy confidence-model evaluate`` counts them), and it is not asked about."""

ASKED_MM: Final = 90.0
"""Expected error from which on reasons of :data:`_DOUBTED` are asked about by themselves, mm."""


@dataclass(frozen=True, slots=True)
class _Part:
    label: str
    keypoints: tuple[int, ...]


def _part(label: str, *names: str) -> _Part:
    return _Part(label, tuple(INDEX[n] for n in names))


_PARTS = (
    _part("Head", "nose", "left_ear", "right_ear"),
    _part("Left arm", "left_elbow", "left_wrist"),
    _part("Right arm", "right_elbow", "right_wrist"),
    _part("Left leg", "left_knee", "left_ankle"),
    _part("Right leg", "right_knee", "right_ankle"),
)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Frames as time: ``bridged`` frames without somebody the export bridges, which is two seconds."""

    bridged: int

    @property
    def join(self) -> int:
        """Doubts that are nearer together are one item: frames in a second."""
        return max(self.bridged // 2, 1)

    def seconds(self, first: int, last: int) -> float:
        return max((last - first + 1) / self.join, _LEAST_S)

    def worth(self, bad: npt.NDArray[np.bool_], first: int, last: int, weight: float) -> float:
        """Of the frames that are ``bad`` among ``first`` .. ``last``."""
        return weight * max(float(bad[first : last + 1].sum()) / self.join, _LEAST_S)


def touches_border(box: npt.NDArray[np.float32], width: int, height: int) -> bool:
    """Whether somebody's box reaches the picture's border, or nearly."""
    pad = 0.02 * max(width, height)
    return bool(box[0] <= pad or box[1] <= pad or box[2] >= width - 1 - pad or box[3] >= height - 1 - pad)


def _frames_text(first: int, last: int) -> str:
    return f"frame {first + 1}" if first == last else f"frames {first + 1}–{last + 1}"


def _part_items(
    track: int, name: str, series: TrackSeries, why: Sequence[Reason], done: Collection[str], clock: _Clock
) -> list[ReviewItem]:
    """Stretches of low confidence, with the reasons that go with them, and the reasons that stand alone."""
    items = []
    open_frames = series.seen & ~series.corrected
    told = [np.zeros(r.last - r.first + 1, np.bool_) for r in why]

    def causes(limb: str | None, first: int, last: int) -> list[Reason]:
        found = []
        for r, frames in zip(why, told):
            mine = limb is None or limb_of_joint(r.joint) in (limb, "")
            if mine and r.first <= last and r.last >= first:
                found.append(r)
                frames[max(first - r.first, 0) : last - r.first + 1] = True
        return found

    with np.errstate(invalid="ignore"):
        whole = open_frames & (series.mm > BAD_MM)
        told_whole = whole.copy()
        for first, last in runs(whole, at_least=_MIN_FRAMES, join=clock.join):
            item = _item(track, name, "body", "Body not to be believed", 2, first, last, None, done)
            mean = float(series.mm[first : last + 1][whole[first : last + 1]].mean())
            worth = _BODY_WORTH * clock.worth(whole, first, last, mean / DOUBTFUL_MM)
            items.append(_explained(replace(item, worth=worth), causes(None, first, last)))
            told_whole[first : last + 1] = True
        for part in _PARTS:
            worst = series.keypoint_mm[:, part.keypoints].max(axis=1)
            doubtful = open_frames & ~told_whole & (worst > DOUBTFUL_MM)
            for first, last in runs(doubtful, at_least=_MIN_FRAMES, join=clock.join):
                span = series.keypoint_mm[first : last + 1, part.keypoints].astype(np.float32)
                span = span[doubtful[first : last + 1]]  # a run reaches over frames that are better
                usual = float(span.max(axis=1).mean())
                keypoint = part.keypoints[int(span.mean(axis=0).argmax())]
                bad = usual > BAD_PART_MM
                title = f"{part.label} not to be believed" if bad else f"{part.label} doubtful"
                key = part.label.lower().replace(" ", "-")
                item = _item(track, name, key, title, 2 if bad else 1, first, last, keypoint, done)
                worth = clock.worth(doubtful, first, last, usual / DOUBTFUL_MM)
                items.append(_explained(replace(item, worth=worth), causes(part.label.lower(), first, last)))
    for r, frames in zip(why, told):
        # What a person has looked at and left is right as it is.
        if frames.mean() < _TOLD and open_frames[r.first : r.last + 1].any() and _asked(series, r):
            items.append(_reason_item(track, name, r, done, clock))
    return items


def _asked(series: TrackSeries, r: Reason) -> bool:
    """Whether a reason is asked about by itself; see :data:`_DOUBTED`. That a limb is hard to see is not: on
    synthetic scenes it was no likelier to be wrong then than at other times."""
    keypoint = _keypoint_of(r.joint)
    if r.kind is ReasonKind.LOW_SCORE:
        return keypoint is None
    if r.kind not in _DOUBTED or keypoint is None:
        return True
    expected = series.keypoint_mm[r.first : r.last + 1, keypoint].astype(np.float32)
    known = expected[np.isfinite(expected)]
    return not len(known) or float(known.mean()) > ASKED_MM


def _keypoint_of(joint: str) -> int | None:
    """The keypoint by which a joint is shown."""
    return INDEX.get("nose" if joint == "head" else joint.replace("_foot", "_big_toe"))


def _explained(item: ReviewItem, causes: Sequence[Reason]) -> ReviewItem:
    """The item with its reasons: all for the filters, the worst in words."""
    own = _NOT_BELIEVED if item.severity == 2 else _DOUBTFUL
    item = replace(item, group=f"{item.person_id}:{own}")
    if not causes:
        return replace(item, reasons=(own,))
    worst = max(causes, key=lambda r: r.severity)
    kinds = dict.fromkeys(TITLES[r.kind] for r in causes)
    return replace(
        item, detail=f"{item.detail} · {TITLES[worst.kind].lower()}", reasons=(own, *kinds),
        sentence=worst.sentence,
    )  # fmt: skip


def _reason_item(track: int, name: str, r: Reason, done: Collection[str], clock: _Clock) -> ReviewItem:
    severity = 2 if r.severity >= _SERIOUS else 1
    key = f"{r.kind}-{r.joint}" if r.joint else str(r.kind)
    item = _item(track, name, key, r.title, severity, r.first, r.last, _keypoint_of(r.joint), done)
    worth = _BY_ITSELF[r.kind] * r.severity * clock.seconds(r.first, r.last)
    return replace(
        item, reasons=(TITLES[r.kind],), sentence=r.sentence, worth=worth, group=f"{track}:{r.kind}"
    )


def _item(
    track: int, name: str, key: str, title: str, severity: int, first: int, last: int,
    keypoint: int | None, done: Collection[str],
) -> ReviewItem:  # fmt: skip
    item_id = f"{track}:{key}:{first}"
    detail = f"{name} · {_frames_text(first, last)}"
    return ReviewItem(item_id, severity, title, detail, track, first, last, keypoint, item_id in done)


def _track_items(
    track: int,
    name: str,
    series: TrackSeries,
    span: tuple[int, int],
    ends: TrackEnds,
    clock: _Clock,
    done: Collection[str],
) -> list[ReviewItem]:
    items = []

    def add(key: str, title: str, severity: int, first: int, last: int, worth: float) -> None:
        item = _item(track, name, key, title, severity, first, last, None, done)
        items.append(replace(item, worth=worth, group=f"{track}:{key}{severity}"))

    for first, last in gaps(series.seen):
        length = last - first + 1
        if length > clock.bridged:
            add("gap", "Person lost from sight", 2, first, last, _EVENT_S + clock.seconds(first, last))
        elif length > _BLINK_FRAMES:
            add("gap", "Out of sight for a moment", 1, first, last, clock.seconds(first, last))
    frames = np.flatnonzero(series.seen)
    first, last = int(frames[0]), int(frames[-1])
    if first > span[0] and ends.begins_inside:
        add("begin", "Track begins in mid-picture", 1, first, first, 1.0)
    if last < span[1] and ends.ends_inside:
        # Whoever is still there after this is not covered: as bad as being lost from sight.
        add("end", TRACK_ENDS, 2, last, last, _EVENT_S)
    return items


def _named(reasons: Sequence[Reason], people: Sequence[tuple[int, str]]) -> list[Reason]:
    """Reasons with the names of the people whom they speak of; those about people who are gone left out."""
    names = {str(track): name for track, name in people}
    found = []
    for r in reasons:
        if r.kind is ReasonKind.TWO_TRACKS:
            other = r.sentence.split(" ", 1)[0]
            if other not in names:
                continue
            r = replace(r, sentence=f"{names[other]} {r.sentence.split(' ', 1)[1]}")
        found.append(r)
    return found


def review_items(
    series: OverTime,
    people: Sequence[tuple[int, str]],
    done: Collection[str],
    ends: Callable[[int], TrackEnds],
    longest_bridged: int,
    reasons: Callable[[int], Sequence[Reason]] = lambda track: (),
) -> list[ReviewItem]:
    """Everything worth a look: what is open first, of that what is most worth it, then in order of time.

    Doubts about one thing that are less than half of ``longest_bridged`` frames apart are one item.

    Args:
        people: (track, name) of the people shown.
        done: ids of items that a person has accepted.
        ends: how a track begins and ends.
        longest_bridged: gaps up to this many frames are bridged by the export.
        reasons: why a track's bodies should be looked at.
    """
    processed = np.flatnonzero(series.processed)
    span = (int(processed[0]), int(processed[-1])) if processed.size else (0, 0)
    items: list[ReviewItem] = []
    for track, name in people:
        s = series.tracks.get(track)
        if s is None or not s.seen.any():
            continue
        clock = _Clock(longest_bridged)
        items += _track_items(track, name, s, span, ends(track), clock, done)
        items += _part_items(track, name, s, _named(reasons(track), people), done, clock)
    return sorted(items, key=lambda i: (i.done, -i.worth, i.first_frame, i.person_id))
