"""From footage to stored bodies: decoding, people, fitting and storing, overlapped.

Three threads joined by bounded channels: one decodes, one finds people, and the job's
own fits bodies and stores them chunk by chunk. The state of the tracker travels with the
last frame of each chunk, so a killed run goes on at that chunk's end as if it had not stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import Cancelled, FootageError
from app.footage import Footage
from app.pipeline.bodies import chosen_body, confidence_words, keep_body
from app.pipeline.channel import Channel
from app.pipeline.depth import DepthStage, project_depth
from app.pipeline.engine import DetailFinder, Engine, Perception
from app.pipeline.events import ChunkStored, Listener, Progress, StageStarted, Warned
from app.pipeline.faces import WatchedPeople
from app.pipeline.finish import finish_run
from app.pipeline.fit_stage import FitStage
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.pipeline.turns import short_turns
from app.project.edits import EditLog
from app.project.notes import faces, followed, set_faces, set_finished, set_followed
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from app.review.types import RunOptions
from backends.tracking.following import as_followed
from backends.tracking.stream import TrackDecisions, TrackedPose

CHUNK = 24
"""Frames that are committed together: about a second of work is lost when the power fails."""

_DEPTH = 4
"""Decoded frames that wait; more would only cost memory."""

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the second thread hands to the third; ``state`` at the end of a chunk only."""

    frame: int
    people: list[TrackedPose]
    state: dict[str, Any] | None


@dataclass
class _Perceived:
    """What the second thread leaves behind at its end."""

    decisions: TrackDecisions | None = None
    damage: FootageError | None = None
    channels: list[Channel[Any]] = field(default_factory=list)


def run_pipeline(
    store: ProjectStore,
    footage: Footage,
    engine: Engine,
    options: RunOptions,
    control: Control,
    listener: Listener,
    settled: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Process the frames that are not processed yet, and store the results.

    Args:
        store: this thread's own connection to the project.
        settled: called once it is stored who is where; what follows changes bodies only.

    Returns:
        Plain values to show: people, frames, frames_with_people, damaged (a message or None).

    Raises:
        Cancelled: when asked to stop; chunks stored so far are kept.
        ModelError: the body that is asked for has not been added, or its file is no body.
        ProjectError, StorageError: when results cannot be stored, or are of another body.
    """
    body, ref = chosen_body(store, options.body)  # before anything is lost for a body that is not there
    if options.restart:
        store.clear_results()
        EditLog(store).note_restart()
    keep_body(store, ref)
    stage = FitStage(body, store.camera(), judging=options.watched)
    set_finished(store, False)
    first, state = store.resume_point()
    if options.first is not None and options.first != first:
        first, state = options.first, None
    last = footage.n_frames - 1 if options.last is None else min(options.last, footage.n_frames - 1)
    perception = engine.perception()
    details = engine.details() if options.hands_face and engine.details is not None else None
    measured = project_depth(store, footage)
    depth = DepthStage(measured, (footage.width, footage.height)) if measured is not None else None
    offset = max((t.track_id for t in store.tracks(every=True)), default=0)
    if state:  # what ended early, at damage, left none
        offset = int(state["offset"])
        perception.restore(state["perception"])
        stage.restore(state["fit"], lambda track: store.last_body(track, first))
    listener(StageStarted("run", "Finding people and fitting bodies"))
    shared = _Perceived()
    try:
        if first <= last:
            with short_turns():
                _run_stages(
                    store, footage, perception, (details, depth), stage, (first, last), offset, control,
                    listener, shared,
                )  # fmt: skip
    finally:
        if measured is not None:
            measured.close()
    decisions = shared.decisions or perception.finish()
    if isinstance(perception, WatchedPeople):
        rows = [row for row in faces(store) if isinstance(row, list) and row and not first <= row[0] <= last]
        known = {s.frame for s in perception.sightings}
        rows = [row for row in rows if row[0] not in known]
        set_faces(store, rows + [[s.frame, *s.box, s.score] for s in perception.sightings])
        earlier = [f for f in as_followed(followed(store)) if not first <= f.frame <= last]
        later = [
            replace(f, track_id=decisions.whose(f.track_id) + offset)
            for f in perception.followed if first <= f.frame <= last
        ]  # fmt: skip
        set_followed(store, [list(astuple(f)) for f in [*earlier, *later]])
    summary = finish_run(store, stage, decisions, offset, control, listener, settled)
    if shared.damage is not None:
        listener(Warned(str(shared.damage)))
    if depth is not None and depth.damaged:
        listener(Warned(f"Some frames were fitted without depth. {depth.damaged}"))
    if summary["people"] == 0:
        listener(Warned("No people were found in this footage."))
    summary |= {"body": ref.name, "confidence_note": confidence_words(ref)}
    summary["depth"] = None
    if measured is not None:
        summary["depth"] = f"{measured.path.name}, in {measured.n_frames} of {footage.n_frames} frames"
    return {**summary, "damaged": str(shared.damage) if shared.damage else None}


def _run_stages(
    store: ProjectStore,
    footage: Footage,
    perception: Perception,
    more: tuple[DetailFinder | None, DepthStage | None],
    stage: FitStage,
    span: tuple[int, int],
    offset: int,
    control: Control,
    listener: Listener,
    shared: _Perceived,
) -> None:
    frames: Channel[tuple[int, Image]] = Channel(_DEPTH, control)
    seen: Channel[_Seen] = Channel(2 * _DEPTH, control)
    threads = [
        threading.Thread(target=_decode, args=(footage, span, frames), name="decode", daemon=True),
        threading.Thread(
            target=_perceive,
            args=(perception, more, span, control, frames, seen, shared),
            name="people",
            daemon=True,
        ),
    ]
    for thread in threads:
        thread.start()
    try:
        _fit_and_store(store, stage, span, offset, seen, control, listener)
    finally:
        frames.abandon()
        seen.abandon()
        for thread in threads:
            thread.join()


def _decode(footage: Footage, span: tuple[int, int], out: Channel[tuple[int, Image]]) -> None:
    try:
        for index, image in footage.iter_frames(span[0], span[1] + 1):
            if not out.put((index, image)):
                return
    except Exception as error:
        out.finish(error)
    else:
        out.finish()


def _perceive(
    perception: Perception,
    more: tuple[DetailFinder | None, DepthStage | None],
    span: tuple[int, int],
    control: Control,
    frames: Channel[tuple[int, Image]],
    out: Channel[_Seen],
    shared: _Perceived,
) -> None:
    details, depth = more
    try:
        try:
            for index, image in frames:
                control.check()
                people = perception.step(index, image)
                if details is not None:
                    people = details.look(image, people)
                if depth is not None:
                    people = depth.look(index, people)
                ends_chunk = (index - span[0] + 1) % CHUNK == 0 or index == span[1]
                if not out.put(_Seen(index, people, perception.state() if ends_chunk else None)):
                    return
        except FootageError as damage:
            # The frames before the damage are good: finish with them.
            shared.damage = damage
        shared.decisions = perception.finish()
        out.finish()
    except Exception as error:
        out.finish(error)
    finally:
        frames.abandon()


def _fit_and_store(
    store: ProjectStore,
    stage: FitStage,
    span: tuple[int, int],
    offset: int,
    seen: Channel[_Seen],
    control: Control,
    listener: Listener,
) -> None:
    meter = RateMeter(span[1] - span[0] + 1)
    chunk_first = span[0]
    pending: list[PersonRecord] = []
    frame = span[0] - 1
    for item in seen:
        if control.check():
            meter.hold()
        frame = item.frame
        boxes = np.array([p.estimate.box for p in item.people], np.float32).reshape(-1, 4)
        pending += [
            stage.process(frame, p.track_id + offset, p.estimate, np.delete(boxes, i, axis=0))
            for i, p in enumerate(item.people)
        ]
        meter.advance()
        listener(Progress("run", meter.done, meter.total, meter.rate, meter.remaining_s))
        if item.state is not None:
            state = {"perception": item.state, "fit": stage.state(), "offset": offset}
            store.store_chunk(chunk_first, frame, pending, state)
            listener(ChunkStored(chunk_first, frame))
            chunk_first, pending = frame + 1, []
    if chunk_first <= frame:
        # The footage ended early (damage): keep what was done. There is no state to go on from.
        store.store_chunk(chunk_first, frame, pending, {})
        listener(ChunkStored(chunk_first, frame))
    if control.stopped:
        raise Cancelled("Stopped. Everything finished so far is kept.")
