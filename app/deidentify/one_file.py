"""One piece of footage of a batch: found, covered, written, searched, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.deidentify.clips import scaled_copy, write_clip
from app.deidentify.editing import PlanEditor, read_plan
from app.deidentify.inputs import BatchInput
from app.deidentify.request import BatchRequest, FileOutcome, Seconds, figures
from app.deidentify.workplace import remove_project
from app.errors import ExportError, FootageError, MissingFootage, ProjectError
from app.export.ahead import RoomAhead
from app.export.dicom import write_dicom
from app.export.manifest import sha256_of
from app.export.run import run_export
from app.footage import Footage, open_footage
from app.pipeline.bodies import project_body
from app.pipeline.engine import Engine
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.pipeline.run import run_pipeline
from app.project.edits import EditLog
from app.project.store import ProjectStore
from app.review.deid import SETTING
from app.review.opening import SUFFIX, create_project, open_project
from app.review.types import ExportRequest, RunOptions


def deidentify_file(
    item: BatchInput, request: BatchRequest, projects: Path, engine: Engine, control: Control,
    listener: Listener, finished: Callable[[str], dict[str, Any] | None],
) -> FileOutcome | dict[str, Any]:  # fmt: skip
    """De-identify one file.

    Args:
        projects: the folder for its project.
        finished: by the footage's SHA-256, the result where that is finished already.

    Returns:
        The outcome, or the earlier result where there was nothing to do.

    Raises:
        UnderstudyError, BackendError: it cannot be read or written; nothing half-written stays.
    """
    with open_footage(item.path) as footage:
        source = _hash(footage, control, listener)
        span = _frames_of(footage, request.between)
    earlier = finished(source)
    if earlier is not None:
        return earlier
    project = (projects / item.place).with_name(item.place.name + SUFFIX)
    path = item.path
    if request.clips is not None and request.clips.size is not None:
        path = scaled_copy(item.path, project.parent, request.clips.size, control, listener)
    store, footage = _project(path, project, keep=request.projects is not None)
    with footage:
        try:
            options = RunOptions(request.device, *span, watched=False)
            with RoomAhead(project, path, control) as ahead:
                begin = ahead.begin if request.clips is None else _nothing
                found = run_pipeline(store, footage, engine, options, control, listener, begin)
                if not store.footage().sha256:
                    store.set_footage_hash(source)
                _set_plan(store, request, *span)
                if request.clips is None:
                    outcome = _export(item, request, store, footage, ahead, span, control, listener)
                else:
                    outcome = write_clip(item, request, store, footage, engine, span, control, listener)
        finally:
            store.close()
    if request.projects is None:
        remove_project(project)
        if path != item.path:
            path.unlink(missing_ok=True)
    outcome.result["people"] = found["people"]
    if found["damaged"]:
        outcome.result["message"] = found["damaged"]
    return replace(outcome, source=source)


def _nothing() -> None:
    """Nothing is built ahead."""


def _hash(footage: Footage, control: Control, listener: Listener) -> str:
    listener(StageStarted("hash", "Looking whether it is finished already"))

    def check() -> None:
        control.check()

    return footage.sha256(check)


def _frames_of(footage: Footage, between: Seconds | None) -> tuple[int | None, int | None]:
    """First and last frame (inclusive) of a span of time.

    Raises:
        FootageError: the footage ends before it.
    """
    if between is None:
        return None, None
    inside = np.flatnonzero((footage.times >= between[0]) & (footage.times <= between[1]))
    if not len(inside):
        raise FootageError(
            f"{footage.path.name} is {footage.times[-1]:.1f} s long: nothing lies in the span."
        )
    return int(inside[0]), int(inside[-1])


def _project(path: Path, project: Path, *, keep: bool) -> tuple[ProjectStore, Footage]:
    """The project of this footage; one left by a killed batch is gone on with.

    Raises:
        ProjectError: it belongs to other footage and was not made to be thrown away.
    """
    if project.exists():
        try:
            return open_project(project, footage=path)
        except (MissingFootage, ProjectError) as error:
            if keep:
                raise ProjectError(
                    f"{project.name} in the folder of projects belongs to other footage or cannot be read. "
                    "Remove it, or name another folder."
                ) from error
            remove_project(project)
    project.parent.mkdir(parents=True, exist_ok=True)
    return create_project(path, project)


def _set_plan(store: ProjectStore, request: BatchRequest, first: int | None, last: int | None) -> None:
    """Settings and spared people into the project, so that a person who opens it sees what was done."""
    with store.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)", (SETTING, json.dumps(asdict(request.deid)))
        )
    known = {track.track_id for track in store.tracks()}
    spared = {rule.track_id for rule in read_plan(store).spared()}
    unknown = [track for track in request.spare if track not in known]
    if unknown:
        who = f"Its people are {', '.join(map(str, sorted(known)))}." if known else "Nobody was found in it."
        raise ExportError(f"There is no person {unknown[0]} in this footage. {who}")
    editor = PlanEditor(store, EditLog(store))
    for track in request.spare:
        if track not in spared:
            end = store.footage().n_frames - 1
            editor.spare(track, first or 0, end if last is None else last, request.reason)


def _export(
    item: BatchInput, request: BatchRequest, store: ProjectStore, footage: Footage, ahead: RoomAhead,
    span: tuple[int | None, int | None], control: Control, listener: Listener,
) -> FileOutcome:  # fmt: skip
    wanted = ExportRequest(
        (request.out / item.place).parent, ("video",), *span, overwrite=True, allow_uncovered=True,
        audit=request.audit, report=request.report,
    )  # fmt: skip
    summary = run_export(
        store, footage, project_body(store), wanted, request.deid, control, listener,
        plate=ahead.room(listener),
    )  # fmt: skip
    verified = bool(summary["verified"])
    files = [Path(f) for f in summary["files"]]
    video = next(f for f in files if f.suffix == ".mp4")
    if request.dicom is not None:
        files.append(_as_dicom(video, store, request, summary["frames"], verified, control, listener))
    result = {
        **figures(summary, request), "outputs": [str(f.relative_to(request.out)) for f in files],
        "tracks": [track.track_id for track in store.tracks()],
    }  # fmt: skip
    # A report or manifest is rewritten when a finding is released; the pictures are not.
    kept = {f: sha256_of(f) if f.suffix in (".mp4", ".dcm") else "" for f in files}
    return FileOutcome("", {str(f.relative_to(request.out)): digest for f, digest in kept.items()}, result)


def _as_dicom(
    video: Path, store: ProjectStore, request: BatchRequest, frames: int, verified: bool, control: Control,
    listener: Listener,
) -> Path:  # fmt: skip
    assert request.dicom is not None
    listener(StageStarted("dicom", "Writing DICOM"))
    meter = RateMeter(frames)

    def step(n: int) -> None:
        meter.advance(n)
        listener(Progress("dicom", meter.done, meter.total, meter.rate, meter.remaining_s))

    target = video.with_suffix(".dcm")
    write_dicom(video, target, read_plan(store), control, step, verified=verified, form=request.dicom)
    return target
