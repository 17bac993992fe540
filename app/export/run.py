"""One export from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.audit.report import report_paths, write_report
from app.audit.run import AUDIT_STAGE
from app.deidentify.editing import read_plan
from app.deidentify.sources import installed_sources
from app.errors import ExportError, ModelError
from app.export.atomic import make_folder, unless_left_empty
from app.export.bodies import ExportBody
from app.export.coco import write_coco
from app.export.coverage import Whereabouts
from app.export.dicom import write_dicom
from app.export.inpainters import open_painter
from app.export.manifest import make_manifest, write_manifest
from app.export.meshes import write_meshes
from app.export.names import DICOM, DICOM_UNVERIFIED, MANIFEST, UNVERIFIED, VERIFIED
from app.export.plate import LEAST_S, PLATE_STAGE, build_plate
from app.export.showing import Showing
from app.export.smplx import write_smplx
from app.export.table import write_table
from app.export.types import ExportSource, Step, Written
from app.export.verdict import Judge
from app.export.video import write_video
from app.footage import Footage
from app.models.store import ModelStore
from app.pipeline.engine import DETECTOR, LANDMARKS
from app.pipeline.events import Listener, Progress, StagesPlanned, StageStarted, Warned
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.project.store import ProjectStore
from app.review.types import DeidSettings, ExportKind, ExportRequest
from backends.background import Plate, StillRoom
from backends.body import BodyModel

_NAMES: dict[ExportKind, str] = {
    "video": VERIFIED, "dicom": DICOM, "coco": "_keypoints.json", "smplx": "_smplx.npz",
    "csv": "_confidence.csv", "meshes_obj": "_meshes_obj", "meshes_ply": "_meshes_ply",
    "meshes_glb": "_meshes_glb",
}  # fmt: skip
_STAGES: dict[ExportKind, str] = {
    "video": "Writing the video", "dicom": "Writing DICOM", "coco": "Writing keypoints",
    "smplx": "Writing bodies",
    "csv": "Writing the table", "meshes_obj": "Writing meshes (obj)", "meshes_ply": "Writing meshes (ply)",
    "meshes_glb": "Writing meshes (glb)",
}  # fmt: skip

_CHECK = ("check", "Checking the video")

_CONFIRM = "Run and look at the review list first, or confirm that the video may be exported like this."


def run_export(
    store: ProjectStore, footage: Footage, body: BodyModel, request: ExportRequest, deid: DeidSettings,
    control: Control, listener: Listener, *, plate: Plate | StillRoom | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write what was asked for.

    Args:
        plate: the empty room where it is known already.

    A video is searched before it gets its name, which ends in :data:`app.export.names.UNVERIFIED` where
    something was found that nobody has settled, or where it was not searched.

    Returns:
        ``files`` (paths as text), ``outputs`` (dicts with path, count, unit, bytes), ``frames``,
        ``seconds``, ``video_fps`` (or None), ``uncovered`` (number of frames), ``spared`` (number of people
        who may be seen), ``folder``, ``verified``,
        ``audit`` (``events``, ``open``, ``released``, ``seconds``; None where no video was searched),
        ``why_unverified`` (in words), ``report`` (path of the page, or None), ``background`` (see
        :mod:`app.export.background`, or None).

    Raises:
        ExportError: it may not be written (it exists, is the footage, somebody would be seen) or did not
            pass its check. StorageError: no space, no right to write. Cancelled: asked to stop.
    """
    source = _source(store, footage, body, request, deid, control)
    with unless_left_empty(request.folder):
        return _export(source, request, listener, plate)


def _export(
    source: ExportSource, request: ExportRequest, listener: Listener, plate: Plate | StillRoom | None
) -> dict[str, Any]:
    started = time.monotonic()
    store, footage, deid, control = source.store, source.footage, source.deid, source.control
    if _is_painted(source):
        plate = None
    targets = {kind: request.folder / f"{source.stem}{_NAMES[kind]}" for kind in request.kinds}
    manifest_path = request.folder / f"{source.stem}{MANIFEST}"
    unverified = request.folder / f"{source.stem}{UNVERIFIED}"
    reports = report_paths(request.folder, source.stem) if request.report else ()
    others = [unverified] if "video" in request.kinds else []
    if "dicom" in request.kinds:
        others.append(request.folder / f"{source.stem}{DICOM_UNVERIFIED}")
    _refuse_existing([*targets.values(), *others, manifest_path, *reports], footage, request)
    open_to_view = _Uncovered.of(source) if "video" in request.kinds else _Uncovered()
    if open_to_view.words and not request.allow_uncovered:
        raise ExportError(f"{open_to_view.words} {_CONFIRM}")
    if "video" in request.kinds:
        installed_sources()  # one that does not start is told before the long work begins
    make_folder(request.folder)
    written: list[Written] = []
    video_s = 0.0
    judge: Judge | None = None
    kinds = sorted(request.kinds, key=lambda k: k == "dicom")  # it is made from the finished video
    listener(StagesPlanned(_planned(kinds, needs_plate=_needs_plate(source, plate), audit=request.audit)))
    for kind in kinds:
        control.check()
        if kind == "dicom":
            listener(StageStarted(kind, _STAGES[kind]))
            step = _stepper(kind, source, listener)
            written.append(_as_dicom(source, request.folder, written, judge, step))
            continue
        if kind == "video" and _needs_plate(source, plate):
            plate = build_plate(store, footage, control, listener)
        if kind == "video" and deid.background == "plate" and plate is not None and not plate.steady:
            listener(
                Warned(
                    "The camera moves, so there is no one empty room: what is behind people comes from the "
                    "frames before and after, and is filled in where those do not show it."
                )
            )
        if kind == "video" and deid.keep_audio and footage.has_audio:
            listener(Warned("The sound is kept. A voice identifies: listen before you pass it on."))
        if kind == "video":
            judge = Judge(source, targets[kind], unverified, listener, wanted=request.audit)
        listener(StageStarted(kind, _STAGES[kind]))
        begun = time.monotonic()
        written.append(_write(kind, source, targets[kind], plate, judge, listener))
        if judge is not None and kind == "video":
            video_s = time.monotonic() - begun
            # The one name is gone when the other is there: an older copy would speak of another video.
            (unverified if judge.verdict.verified else targets[kind]).unlink(missing_ok=True)
    if open_to_view.words:
        listener(Warned(open_to_view.words))
    manifest = make_manifest(
        source, written, _network_hashes(), open_to_view.frames, verdict=judge.verdict if judge else None
    )  # fmt: skip
    manifest["report_pictures"] = request.report_pictures
    write_manifest(manifest, manifest_path)
    if request.report:
        found = judge.verdict.result if judge is not None and request.report_pictures else None
        write_report(manifest, request.folder, source.stem, found.pictures if found is not None else None)
    if not store.read_only:
        store.add_export(manifest)
    verdict = judge.verdict if judge is not None else None
    return {
        "folder": str(request.folder),
        "files": [str(p) for p in [*(w.path for w in written), manifest_path, *reports]],
        "outputs": [
            {"kind": w.kind, "path": str(w.path), "count": w.count, "unit": w.unit, "bytes": _size(w.path)}
            for w in written
        ],
        "frames": source.n_frames,
        "seconds": time.monotonic() - started,
        "video_fps": source.n_frames / video_s if video_s else None,
        "uncovered": len(open_to_view.frames),
        "spared": _n_spared(manifest) if verdict is not None else 0,
        "background": next((dict(w.background) for w in written if w.background is not None), None),
        "verified": verdict is not None and verdict.verified,
        "why_unverified": verdict.why if verdict is not None else "",
        "audit": verdict.summary() if verdict is not None else None,
        "report": str(reports[0]) if reports else None,
    }


def _n_spared(manifest: Mapping[str, Any]) -> int:
    return sum(any(e["spared"] for e in p["exceptions"]) for p in manifest["people"])


def _as_dicom(
    source: ExportSource, folder: Path, written: Sequence[Written], judge: Judge | None, step: Step
) -> Written:
    """The finished video as DICOM; its name tells as the video's does whether it is verified."""
    video = next(w.path for w in written if w.kind == "video")
    verified = judge is not None and judge.verdict.verified
    target, other = folder / f"{source.stem}{DICOM}", folder / f"{source.stem}{DICOM_UNVERIFIED}"
    if not verified:
        target, other = other, target
    plan = replace(read_plan(source.store), settings=source.deid)
    made = write_dicom(video, target, plan, source.control, step, verified=verified)
    other.unlink(missing_ok=True)
    return made


def _planned(
    kinds: Sequence[ExportKind], *, needs_plate: bool, audit: bool
) -> tuple[tuple[str, str], ...]:  # fmt: skip
    """Every stage that will begin, in order."""
    stages: list[tuple[str, str]] = []
    for kind in kinds:
        if kind == "video" and needs_plate:
            stages.append(PLATE_STAGE)
        stages.append((kind, _STAGES[kind]))
        if kind == "video":
            stages += [_CHECK, AUDIT_STAGE] if audit else [_CHECK]
    return tuple(stages)


def _needs_plate(source: ExportSource, plate: Plate | StillRoom | None) -> bool:
    """Where the room is not shown it tells who was not found; a moment of footage tells nothing of it."""
    if plate is not None or _is_painted(source):
        return False
    shown = replace(read_plan(source.store), settings=source.deid).shows_room
    return shown or source.footage.n_frames >= LEAST_S * source.footage.fps


def _is_painted(source: ExportSource) -> bool:
    return source.painter is not None and source.deid.background == "plate"


def _source(
    store: ProjectStore, footage: Footage, body: BodyModel, request: ExportRequest, deid: DeidSettings,
    control: Control,
) -> ExportSource:  # fmt: skip
    end = footage.n_frames - 1
    first = 0 if request.first is None else request.first
    last = end if request.last is None else min(request.last, end)
    if not request.kinds:
        raise ExportError("Nothing was chosen to export.")
    if "dicom" in request.kinds and "video" not in request.kinds:
        raise ExportError("A DICOM file is made from the de-identified video. Choose the video too.")
    if not 0 <= first <= last:
        raise ExportError(f"The range {first} to {last} is empty; the footage has frames 0 to {end}.")
    export_body = ExportBody.chosen(body, request.body)
    painter = open_painter(request.inpainter)
    return ExportSource(
        store, footage, body, deid, first, last, store.path.stem, control, export_body, painter
    )  # fmt: skip


def _refuse_existing(targets: list[Path], footage: Footage, request: ExportRequest) -> None:
    own = footage.path.resolve()
    for target in targets:
        if target.resolve() == own or (own.is_dir() and request.folder.resolve() == own):
            raise ExportError("The export would replace the footage itself. Choose another folder.")
        if target.exists() and not request.overwrite:
            raise ExportError(
                f"{target.name} is there already. Choose another folder, or allow it to be replaced."
            )


@dataclass(frozen=True, slots=True)
class _Uncovered:
    """Frames in which somebody may be seen, and why, in words; "" where nobody can be."""

    frames: tuple[int, ...] = ()
    words: str = ""

    @staticmethod
    def of(source: ExportSource) -> _Uncovered:
        where = Whereabouts(source.store, source.footage.fps)
        done = np.zeros(source.footage.n_frames, np.bool_)
        for first, last in source.store.processed():
            done[first : last + 1] = True
        wanted = range(source.first, source.last + 1)
        missing = [f for f in wanted if not done[f]]
        if missing:
            return _Uncovered(
                tuple(f for f in wanted if not done[f] or where.lost(f)),
                f"{len(missing)} of {source.n_frames} frames, the first is frame {missing[0] + 1}, have not "
                "been processed: whoever is in them would be seen.",
            )
        if not where.n_people:
            return _Uncovered(tuple(wanted), "No people were found: the video would be exported as it is.")
        lost = tuple(f for f in wanted if where.lost(f))
        if not lost:
            return _Uncovered()
        return _Uncovered(
            lost,
            f"Somebody is lost from sight in {len(lost)} frames, the first is frame {lost[0] + 1}, and could "
            "be seen there.",
        )


def _stepper(kind: str, source: ExportSource, listener: Listener) -> Step:
    meter = RateMeter(source.n_frames)

    def step(n: int) -> None:
        if source.control.check():
            meter.hold()
        meter.advance(n)
        listener(Progress(kind, meter.done, meter.total, meter.rate, meter.remaining_s))

    return step


def _write(
    kind: ExportKind, source: ExportSource, target: Path, plate: Plate | StillRoom | None,
    judge: Judge | None, listener: Listener,
) -> Written:  # fmt: skip
    step = _stepper(kind, source, listener)

    def checking() -> Step:
        listener(StageStarted(*_CHECK))
        return _stepper(_CHECK[0], source, listener)

    writers: dict[str, Callable[[], Written]] = {
        "video": lambda: write_video(
            source,
            target,
            plate,
            step,
            checking,
            record=judge.record if judge is not None else None,
            judge=judge,
            show=Showing("video", source.first, listener),
            watch=judge.watch if judge is not None else None,
        ),
        "coco": lambda: write_coco(source, target, step),
        "smplx": lambda: write_smplx(source, target, step),
        "csv": lambda: write_table(source, target, step),
        "meshes_obj": lambda: write_meshes(source, target, "obj", step),
        "meshes_ply": lambda: write_meshes(source, target, "ply", step),
        "meshes_glb": lambda: write_meshes(source, target, "glb", step),
    }
    return writers[kind]()


def _network_hashes() -> dict[str, str]:
    models = ModelStore()
    found = {}
    for name in (DETECTOR, LANDMARKS):
        try:
            found[name] = models.sha256(name)
        except ModelError:
            continue  # exporting needs no networks
    return found


def _size(path: Path) -> int:
    return sum(f.stat().st_size for f in path.iterdir()) if path.is_dir() else path.stat().st_size
