"""Clips of an action data set, as Mask2Mesh writes them: the same tree, meshes in place of people.

Names of the intermediate videos are that system's: NAME_resize.mp4 (scaled; people as they are),
NAME_inpaint.mp4 (the room without people), NAME_inpaint_final.mp4 (meshes in the room). Frame times are the
clip's own.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.deidentify.inputs import BatchInput
from app.deidentify.request import BatchRequest, FileOutcome, figures
from app.export.atomic import written_whole
from app.export.manifest import sha256_of
from app.export.run import run_export
from app.export.verdict import NOT_ASKED
from app.footage import Footage, open_footage
from app.footage.writer import VideoWriter
from app.pipeline.bodies import project_body
from app.pipeline.engine import Engine
from app.pipeline.events import Event, Listener, Progress, StageStarted, Warned
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from app.review.types import ExportRequest
from backends.body import BodyModel, posed_vertices
from backends.camera import Camera

INTERMEDIATE = "intermediate"
"""The folder of intermediate videos in the output folder, apart from the clips that may be handed on."""

_NEARLY_LOSSLESS = 10
_LOOKS_A_SECOND = 5.0
_EVERY_VERTEX = 37
_HIDDEN = 0.3
"""A body of which more than this lies outside of what was seen of the person has something before it."""
_FAULT = 0.1
"""A clip in which that happens in more than this share of looks has an occlusion fault."""


def scaled_copy(
    clip: Path, folder: Path, size: tuple[int, int], control: Control, listener: Listener
) -> Path:
    """NAME_resize.mp4 in ``folder``: the clip at another size, times kept; one that is there is taken.

    Raises:
        FootageError: the clip cannot be read. StorageError: no space. Cancelled: asked to stop.
    """
    target = folder / f"{clip.stem}_resize.mp4"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    listener(StageStarted("resize", "Scaling"))
    with open_footage(clip) as footage, written_whole(target) as part:
        meter = RateMeter(footage.n_frames)
        writer = VideoWriter(
            part, *size, footage.pts, footage.time_base, crf=_NEARLY_LOSSLESS,
            audio_from=footage.path if footage.has_audio else None,
        )  # fmt: skip
        try:
            for _, image in footage.iter_frames():
                control.check()
                shrinks = size[0] < footage.width
                how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
                writer.write(np.asarray(cv2.resize(image, size, interpolation=how), np.uint8))
                meter.advance()
                listener(Progress("resize", meter.done, meter.total, meter.rate, meter.remaining_s))
            writer.close()
        except BaseException:
            writer.abort()
            raise
    return target


def write_clip(
    item: BatchInput, request: BatchRequest, store: ProjectStore, footage: Footage, engine: Engine,
    span: tuple[int | None, int | None], control: Control, listener: Listener,
) -> FileOutcome:  # fmt: skip
    """One clip of a data set under its own name, and what is wanted beside it."""
    assert request.clips is not None
    target = request.out / item.place
    with tempfile.TemporaryDirectory(prefix="export-", dir=store.path.parent) as folder:
        work = Path(folder)
        wanted = ExportRequest(
            work, ("video",), *span, overwrite=True, allow_uncovered=True, audit=request.audit, report=False
        )  # fmt: skip
        tell = listener if request.audit else _without_names(listener)
        summary = run_export(store, footage, project_body(store), wanted, request.deid, control, tell)
        suspect = request.audit and not summary["verified"]
        final = target.with_name(f"{item.place.name}{'_unverified' if suspect else ''}.mp4")
        files = [_moved(_video_in(summary), final)]
        other = target.with_name(f"{item.place.name}{'' if suspect else '_unverified'}.mp4")
        other.unlink(missing_ok=True)
        if request.clips.intermediate:
            beside = request.out / INTERMEDIATE / item.place.parent
            empty = replace(request.deid, cover="whole", fill="remove", background="plate")
            without = run_export(
                store, footage, project_body(store), replace(wanted, audit=False), empty, control,
                _without_names(listener),
            )  # fmt: skip
            name = item.place.name
            files.append(_moved(_video_in(without), beside / f"{name}_inpaint.mp4"))
            files.append(_copied(files[0], beside / f"{name}_inpaint_final.mp4"))
            if request.clips.size is not None:
                files.append(_copied(footage.path, beside / f"{name}_resize.mp4"))
    hidden = occluded_share(store, project_body(store), footage)
    result = {
        **figures(summary, request), "fps": round(footage.fps, 3), "occluded": round(hidden, 4),
        "occlusion_fault": hidden > _FAULT, "outputs": [str(f.relative_to(request.out)) for f in files],
    }  # fmt: skip
    return FileOutcome("", {str(f.relative_to(request.out)): sha256_of(f) for f in files}, result)


def _without_names(listener: Listener) -> Listener:
    """Clips that were not to be searched keep their plain names: nothing is said of a name that tells."""

    def tell(event: Event) -> None:
        if not (isinstance(event, Warned) and event.text.startswith(NOT_ASKED)):
            listener(event)

    return tell


def _video_in(summary: dict[str, Any]) -> Path:
    return next(Path(f) for f in summary["files"] if f.endswith(".mp4"))


def _moved(source: Path, target: Path) -> Path:
    """Also from another disk; whole under its name or not there."""
    _copied(source, target)
    source.unlink()
    return target


def _copied(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(target) as part:
        shutil.copyfile(source, part)
    return target


def occluded_share(store: ProjectStore, body: BodyModel, footage: Footage) -> float:
    """In how many looks at the clip a body lies for a good part outside of what was seen of its person.

    There something stands in front of the person (or the body is wrong): a mesh drawn whole covers it, and
    an action recognised by that thing is lost.

    Returns:
        A share in [0, 1]; 0 where there is nobody.
    """
    camera = store.camera()
    every = max(1, round(footage.fps / _LOOKS_A_SECOND))
    looks = hidden = 0
    for frame in range(0, footage.n_frames, every):
        shares = [
            _share_outside(person, body, camera, (footage.height, footage.width))
            for person in store.people(frame)
            if person.body is not None and person.estimate.mask is not None
        ]
        looks += bool(shares)
        hidden += max(shares, default=0.0) > _HIDDEN
    return hidden / looks if looks else 0.0


def _share_outside(person: PersonRecord, body: BodyModel, camera: Camera, shape: tuple[int, int]) -> float:
    """Which share of a body's points in the picture is not on the person's mask, a little grown."""
    assert person.body is not None
    assert person.estimate.mask is not None
    seen = np.zeros(shape, np.bool_)
    person.estimate.mask.paint(seen)
    grown = cv2.dilate(seen.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    points = camera.project(posed_vertices(body, person.body.params)[::_EVERY_VERTEX])
    points = np.round(points[np.isfinite(points).all(axis=1)])
    inside = ((points >= 0) & (points < (shape[1], shape[0]))).all(axis=1)
    x, y = points[inside].astype(int).T
    return 1.0 - float(grown[y, x].mean()) if len(x) else 0.0
