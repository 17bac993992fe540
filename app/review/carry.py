"""Carries a person's corrections to the frames around them, on a thread beside the window's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.errors import ProjectError
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.fit_stage import FitStage
from app.pipeline.hand_motion import calm_hands
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.pipeline.smooth import CLIP
from app.pipeline.trust import boxes_beside, track_times
from app.pipeline.windows import fingerprint_of
from app.project.edits import Edit, Prepared
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from app.review.editing import Editor, keypoint_label, replace_keypoints
from app.review.guess import moved_between
from app.review.types import CarryRange
from backends.body.params import BodyParams
from backends.errors import InputError
from backends.fitting import propagate
from backends.keypoints.types import Visibility

BoolArray = npt.NDArray[np.bool_]

STAGE = "carry"
KIND = "carry"
"""The word in the log of edits; the first and last frame follow it, each after a colon."""

_MOST_S = 10.0
"""So far on each side at most: a correction says little about what is longer ago."""
_MARGIN = 2
_MOVED_PX = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """Frames ``first`` .. ``last`` (inclusive) of a track, among them the ``fixed`` ones."""

    track: int
    first: int
    last: int
    fixed: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """What became of the frames; nothing is stored. ``seen`` tells whether they have changed since."""

    span: Span
    frame: int
    people: tuple[PersonRecord, ...]
    seen: str
    label: str


def find_span(
    store: ProjectStore, track: int, frame: int, reach: CarryRange, fps: float, n_frames: int
) -> Span:
    """The frames that a correction at ``frame`` is to be carried to.

    Raises:
        ProjectError: nothing has been corrected there, or there are no other frames.
    """
    reviewed = sorted(store.reviewed_frames(track))
    most = max(1, round(_MOST_S * fps))
    earlier = [f for f in reviewed if f < frame]
    later = [f for f in reviewed if f > frame]
    first = earlier[-1] if reach.back_s is None and earlier else frame - _frames(reach.back_s, fps, most)
    last = later[0] if reach.ahead_s is None and later else frame + _frames(reach.ahead_s, fps, most)
    first, last = max(first, frame - most, 0), min(last, frame + most, n_frames - 1)
    fixed = tuple(f for f in reviewed if first <= f <= last)
    if not fixed:
        raise ProjectError("Nothing to carry along: correct a keypoint of this person in this frame first.")
    if len(fixed) > last - first:
        raise ProjectError("Nothing to carry along: choose a longer range, or a frame with neighbours.")
    return Span(track, first, last, fixed)


def _frames(seconds: float | None, fps: float, most: int) -> int:
    return most if seconds is None else round(max(seconds, 0.0) * fps)


def carry(
    store: ProjectStore, stage: FitStage, span: Span, frame: int, fps: float, control: Control,
    listener: Listener,
) -> Carried:  # fmt: skip
    """Fit the frames of a span anew so that they follow the fixed ones; nothing is stored.

    Keypoints that a person has corrected move with the body in the other frames and are marked as carried.

    Raises:
        ProjectError: the corrected frames have no bodies.
        Cancelled: when asked to stop.
    """
    listener(StageStarted(STAGE, "Carrying the correction along"))
    seen = fingerprint_of(store, span.track, span.first, span.last)
    low, high = span.first - _MARGIN, span.last + _MARGIN
    found = {p.frame: p for p in store.track_people(span.track, low, high)}
    low, high = min(found, default=span.first), max(found, default=span.last)
    fixed = [f for f in span.fixed if (p := found.get(f)) is not None and p.body is not None]
    if not fixed:
        raise ProjectError("The corrected frames have no bodies to follow. Place more of their keypoints.")
    first, last = max(span.first, low), min(span.last, high)
    placed = {f: found[f].estimate.keypoints.placed for f in fixed}
    guessed = moved_between(found, fixed, placed)
    people = [guessed.get(f) for f in range(low, high + 1)]
    control.check()
    try:
        fit = propagate(
            stage.fitter,
            [stage.observed(p) for p in people],
            [stage.camera],
            [p.body.params if p is not None and p.body is not None else None for p in people],
            [f - low for f in fixed], first - low, last - low, fps=fps, settings=CLIP,
        )  # fmt: skip
    except InputError as error:
        raise ProjectError(f"The correction cannot be carried along. {error}") from error
    named = np.asarray(np.any(list(placed.values()), axis=0))
    moved = dict(found)
    bodies: dict[int, BodyParams] = {}
    for i, body in enumerate(fit.params):
        person = found.get(first + i)
        if person is not None and not person.reviewed:
            bodies[person.frame] = body
            moved[person.frame] = _moved(person, fit.reprojected_xy[i, 0], named)
    frames, times = sorted(moved), store.footage().times
    meter = RateMeter(len(frames))

    def step() -> None:
        control.check()
        meter.advance()
        listener(Progress(STAGE, meter.done, meter.total, meter.rate, meter.remaining_s))

    judged = stage.assess_track(
        [moved[f] for f in frames], [float(times[f]) for f in frames],
        boxes_beside(store, span.track, frames[0], frames[-1]), track_times(store, span.track, times),
        bodies=bodies, step=step,
    )  # fmt: skip
    result = [p for p in judged if first <= p.frame <= last and not p.reviewed]
    return Carried(span, frame, tuple(calm_hands(result)), seen, _label(named))


def _moved(person: PersonRecord, xy: npt.NDArray[np.float32], named: BoolArray) -> PersonRecord:
    """The person with the named keypoints where the body has them now; what the frame by itself had said of
    the body is out of date."""
    keypoints = person.estimate.keypoints
    away = np.linalg.norm(xy - keypoints.xy, axis=1)
    follow = named & np.isfinite(away) & (away > _MOVED_PX) & (keypoints.visibility != Visibility.ABSENT)
    estimate = replace_keypoints(person.estimate, keypoints.carried(follow, xy))
    body = replace(person.body, single=None) if person.body is not None else None
    return replace(person, estimate=estimate, body=body)


def _label(named: BoolArray) -> str:
    which = np.flatnonzero(named)
    what = keypoint_label(int(which[0])) if len(which) == 1 else "the corrections"
    return f"Carry {what} along"


def store_carried(editor: Editor, carried: Carried, prepared: Prepared) -> Edit:
    """Store what was carried as one edit.

    Args:
        prepared: ``carried.people`` as the thread that carried them has made them ready.

    Raises:
        ProjectError: the frames have been edited since; nothing is stored then.
    """
    span = carried.span
    if fingerprint_of(editor.store, span.track, span.first, span.last) != carried.seen:
        raise ProjectError("These frames were edited in the meantime, so nothing moved. Carry along again.")
    kind = f"{KIND}:{span.first}:{span.last}"
    return editor.commit_people(kind, carried.label, prepared, carried.frame, span.track)


def span_of(edit: Edit) -> tuple[int, int] | None:
    """The first and last frame of a carried edit; None for any other."""
    parts = edit.kind.split(":")
    if len(parts) != 3 or parts[0] != KIND or not (parts[1].isdigit() and parts[2].isdigit()):
        return None
    return int(parts[1]), int(parts[2])
