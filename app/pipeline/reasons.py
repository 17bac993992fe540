"""Named reasons for doubt, found frame by frame and stored, so that the review need not look again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.fit_stage import FitStage
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.project.findings import Finding, put_findings
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from backends.confidence.reasons import Shown, TrackView, findings, track_view
from backends.fitting.evidence import weigh

F8 = npt.NDArray[np.float64]

STAGE = "reasons"

_BLOCK = 200
"""Frames that are looked at together."""

BESIDE = 3
"""Frames on either side that are read as well: a jump shows only against its neighbours."""


def note_reasons(store: ProjectStore, stage: FitStage, control: Control, listener: Listener) -> None:
    """Look through all frames that are processed, and store what is found.

    Raises:
        Cancelled: when asked to stop; blocks stored so far are kept.
    """
    blocks = [
        (a, min(a + _BLOCK - 1, last))
        for first, last in _joined(store.processed())
        for a in range(first, last + 1, _BLOCK)
    ]
    if not blocks:
        return
    listener(StageStarted(STAGE, "Looking for reasons to doubt"))
    meter = RateMeter(sum(b - a + 1 for a, b in blocks))
    for first, last in blocks:
        if control.check():
            meter.hold()
        look_again(store, stage, first, last)
        meter.advance(last - first + 1)
        listener(Progress(STAGE, meter.done, meter.total, meter.rate, meter.remaining_s))


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of frames, ascending, of which one goes on where the one before ends, as one."""
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and first == joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def look_again(store: ProjectStore, stage: FitStage, first: int, last: int) -> None:
    """Find the reasons of frames ``first`` .. ``last`` anew and store them in place of the old ones."""
    times = store.footage().times
    views: dict[int, TrackView] = {}
    for track in store.tracks():
        people = store.track_people(track.track_id, first - BESIDE, last + BESIDE)
        view = _view(stage, [p for p in people if p.body is not None], times.tolist())
        if view is not None:
            views[track.track_id] = view
    found: list[Finding] = []
    for track_id, view in views.items():
        others = [(str(other), v) for other, v in views.items() if other != track_id]
        for f in findings(view, others):
            frame = int(view.frame[f.frame])
            if first <= frame <= last:
                found.append(Finding(track_id, frame, f.kind, f.joint, f.severity, f.words))
    put_findings(store, first, last, found)


def _view(stage: FitStage, people: Sequence[PersonRecord], times: Sequence[float]) -> TrackView | None:
    shown = [
        Shown(
            times[p.frame], p.body.params, p.body.reprojected, p.estimate,
            weigh(p.estimate.keypoints, stage.fitter.settings).sigma, _apart(stage, p),
        )
        for p in people
        if p.body is not None
    ]  # fmt: skip
    if not shown or (np.diff([s.time for s in shown]) <= 0).any():
        return None  # footage whose times do not rise says nothing about movement
    return track_view(stage.trust.sites, shown, [p.frame for p in people], stage.camera)


def _apart(stage: FitStage, person: PersonRecord) -> F8 | None:
    """(23,) metres that a depth sensor has the keypoints off the person's body; None without one."""
    if person.body is None:
        return None
    told = stage.depths(person.body.params, person.estimate)
    return None if told is None else told.apart
