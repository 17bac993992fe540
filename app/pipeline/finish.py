"""The end of a run: false tracks out, broken ones joined, one shape a person, motions made smooth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.pipeline.device import AdaptiveBatch
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.fit_stage import FitStage
from app.pipeline.focal_stage import focal_word, settle_focal
from app.pipeline.fragments import find_fragments
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.pipeline.reasons import note_reasons
from app.pipeline.smooth import SAME_SHAPE, smooth_tracks
from app.pipeline.trust import boxes_beside
from app.pipeline.windows import frames_of, windows_of
from app.project.notes import set_finished
from app.project.records import PersonRecord
from app.project.store import VIEW, ProjectStore
from backends.tracking.stream import TrackDecisions

_BATCH = 64


def finish_run(
    store: ProjectStore,
    stage: FitStage,
    decisions: TrackDecisions,
    offset: int,
    control: Control,
    listener: Listener,
    settled: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Apply the tracker's decisions, bring a track's frames to one shape and fit them as clips.

    Args:
        settled: called when the tracks are final; what follows changes bodies only.
    """
    merged = {a + offset: b + offset for a, b in decisions.merged.items()}
    for other, kept in sorted(merged.items()):
        while kept in merged:
            kept = merged[kept]
        store.join_tracks(kept, other)
    corrected = store.corrected_tracks()
    # A person has worked on it, so it is a person, whatever the tracker thinks.
    store.set_track_state(
        (t + offset for t in decisions.discarded if t + offset not in corrected), "discarded"
    )
    for fragment, whole in find_fragments(store, store.footage().fps).items():
        store.join_tracks(whole, fragment)
    found = {t: store.track_span(t) for t in (r.track_id for r in store.tracks())}
    spans = {t: span for t, span in found.items() if span is not None}
    store.renumber_tracks(sorted(spans, key=lambda t: (spans[t][0], t)))
    settled()
    stage.judging = True
    settle_focal(store, stage, control, listener)
    _share_shapes(store, stage, control, listener)
    smooth_tracks(store, stage, store.footage().fps, control, listener)
    _judge_rest(store, stage, control)
    note_reasons(store, stage, control, listener)
    set_finished(store, True)
    frames = store.query("SELECT count(DISTINCT o.frame) FROM observations o JOIN tracks t"
                         " ON t.id = o.track_id AND t.state = 'kept'")[0][0]  # fmt: skip
    processed = sum(last - first + 1 for first, last in store.processed())
    camera = store.camera()
    return {
        "people": len(spans), "frames": processed, "frames_with_people": int(frames),
        "focal_px": round(camera.fx, 1), "focal_is": focal_word(camera),
    }  # fmt: skip


def _judge_rest(store: ProjectStore, stage: FitStage, control: Control) -> None:
    """Tell the errors of bodies that were fitted while nobody looked and are in no clip."""
    rows = store.query(
        "SELECT b.frame, b.track_id FROM bodies b LEFT JOIN confidence c ON c.view_id = b.view_id"
        " AND c.frame = b.frame AND c.track_id = b.track_id WHERE b.view_id = ? AND c.frame IS NULL",
        (VIEW,),
    )
    times = store.footage().times
    with store.transaction():
        for frame, track in rows:
            control.check()
            person = store.person(frame, track)
            if person is not None:
                beside = boxes_beside(store, track, frame, frame)
                for judged in stage.assess_track([person], [float(times[frame])], beside, None):
                    store.put_person(judged)


def _share_shapes(store: ProjectStore, stage: FitStage, control: Control, listener: Listener) -> None:
    """Give each track its one shape; pieces too short to be fitted as clips are fitted to it here."""
    shapes = stage.final_shapes()
    kept = {t.track_id for t in store.tracks()}
    fps = store.footage().fps
    todo: list[tuple[int, int]] = []
    for track, betas in shapes.items():
        if track in kept:
            store.set_track_betas(track, betas)
            clips = windows_of(track, frames_of(store, track), fps)
            todo += [
                (f, track)
                for f, b in store.shapes_of(track)
                if np.abs(b - betas).max() > SAME_SHAPE and not any(w.first <= f <= w.last for w in clips)
            ]
    if not todo:
        return
    listener(StageStarted("shape", "Giving each person one shape"))
    meter = RateMeter(len(todo))

    def work(batch: Sequence[tuple[int, int]]) -> list[PersonRecord]:
        control.check()
        people = [store.person(frame, track) for frame, track in batch]
        return [
            stage.refit(
                p, shapes[p.track_id], others=boxes_beside(store, p.track_id, p.frame, p.frame).get(p.frame)
            )
            for p in people
            if p is not None and not p.reviewed
        ]

    batches = AdaptiveBatch(_BATCH)
    with store.transaction():
        for person in batches.run(todo, work):
            store.put_person(person)
            meter.advance()
            listener(Progress("shape", meter.done, meter.total, meter.rate, meter.remaining_s, "bodies"))
