"""What to look at next, in words that a clinician understands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.review.lanes import Series, TrackSeries, gaps, runs
from app.review.types import TRACK_ENDS, ReviewItem
from backends.confidence.reasons import TITLES, Reason, ReasonKind, limb_of_joint
from backends.keypoints.layout import INDEX

BAD_MM = 100.0
"""Twice the default tolerance, over all joints: a body that is not to be believed."""

DOUBTFUL_MM, BAD_PART_MM = 100.0, 140.0
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
_JOIN_FRAMES = 6


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


def touches_border(box: npt.NDArray[np.float32], width: int, height: int) -> bool:
    """Whether somebody's box reaches the picture's border, or nearly."""
    pad = 0.02 * max(width, height)
    return bool(box[0] <= pad or box[1] <= pad or box[2] >= width - 1 - pad or box[3] >= height - 1 - pad)


def _frames_text(first: int, last: int) -> str:
    return f"frame {first + 1}" if first == last else f"frames {first + 1}–{last + 1}"


def _part_items(
    track: int, name: str, series: TrackSeries, why: Sequence[Reason], done: Collection[str]
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
        for first, last in runs(whole, at_least=_MIN_FRAMES, join=_JOIN_FRAMES):
            item = _item(track, name, "body", "Body not to be believed", 2, first, last, None, done)
            items.append(_explained(item, causes(None, first, last)))
        for part in _PARTS:
            worst = series.keypoint_mm[:, part.keypoints].max(axis=1)
            doubtful = open_frames & ~whole & (worst > DOUBTFUL_MM)
            for first, last in runs(doubtful, at_least=_MIN_FRAMES, join=_JOIN_FRAMES):
                span = series.keypoint_mm[first : last + 1, part.keypoints].astype(np.float32)
                span = span[np.isfinite(span).all(axis=1)]  # a run may reach over frames without the person
                usual = float(span.max(axis=1).mean())
                keypoint = part.keypoints[int(span.mean(axis=0).argmax())]
                bad = usual > BAD_PART_MM
                title = f"{part.label} not to be believed" if bad else f"{part.label} doubtful"
                key = part.label.lower().replace(" ", "-")
                item = _item(track, name, key, title, 2 if bad else 1, first, last, keypoint, done)
                items.append(_explained(item, causes(part.label.lower(), first, last)))
    for r, frames in zip(why, told):
        # What a person has looked at and left is right as it is.
        if frames.mean() < _TOLD and open_frames[r.first : r.last + 1].any():
            items.append(_reason_item(track, name, r, done))
    return items


def _explained(item: ReviewItem, causes: Sequence[Reason]) -> ReviewItem:
    """The item with its reasons: all for the filters, the worst in words."""
    own = _NOT_BELIEVED if item.severity == 2 else _DOUBTFUL
    if not causes:
        return replace(item, reasons=(own,))
    worst = max(causes, key=lambda r: r.severity)
    kinds = dict.fromkeys(TITLES[r.kind] for r in causes)
    return replace(
        item, detail=f"{item.detail} · {TITLES[worst.kind].lower()}", reasons=(own, *kinds),
        sentence=worst.sentence,
    )  # fmt: skip


def _reason_item(track: int, name: str, r: Reason, done: Collection[str]) -> ReviewItem:
    severity = 2 if r.severity >= _SERIOUS else 1
    keypoint = INDEX.get(r.joint.replace("_foot", "_big_toe"))
    key = f"{r.kind}-{r.joint}" if r.joint else str(r.kind)
    item = _item(track, name, key, r.title, severity, r.first, r.last, keypoint, done)
    return replace(item, reasons=(TITLES[r.kind],), sentence=r.sentence)


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
    longest_bridged: int,
    done: Collection[str],
) -> list[ReviewItem]:
    items = []
    for first, last in gaps(series.seen):
        length = last - first + 1
        if length > longest_bridged:
            items.append(_item(track, name, "gap", "Person lost from sight", 2, first, last, None, done))
        elif length > _BLINK_FRAMES:
            items.append(_item(track, name, "gap", "Out of sight for a moment", 1, first, last, None, done))
    frames = np.flatnonzero(series.seen)
    first, last = int(frames[0]), int(frames[-1])
    if first > span[0] and ends.begins_inside:
        items.append(_item(track, name, "begin", "Track begins in mid-picture", 1, first, first, None, done))
    if last < span[1] and ends.ends_inside:
        # Whoever is still there after this is not covered: as bad as being lost from sight.
        items.append(_item(track, name, "end", TRACK_ENDS, 2, last, last, None, done))
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
    series: Series,
    people: Sequence[tuple[int, str]],
    done: Collection[str],
    ends: Callable[[int], TrackEnds],
    longest_bridged: int,
    reasons: Callable[[int], Sequence[Reason]] = lambda track: (),
) -> list[ReviewItem]:
    """Everything worth a look: what is open first, the worst first, then in order of time.

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
        items += _track_items(track, name, s, span, ends(track), longest_bridged, done)
        items += _part_items(track, name, s, _named(reasons(track), people), done)
    return sorted(items, key=lambda i: (i.done, -i.severity, i.first_frame, i.person_id))
