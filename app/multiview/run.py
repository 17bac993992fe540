"""From several cameras to people in a room: find, tell apart, fit together, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from app.datasets.open import open_truth
from app.export.atomic import make_folder
from app.footage import open_footage
from app.models.bodies import find_body
from app.multiview.calibration import cameras_for, read_calibration
from app.multiview.keypoints import Frames, read_keypoints
from app.multiview.people import RoomTracker, common_points
from app.multiview.projects import make_siblings, put_into_project
from app.multiview.types import KNOWN_ONLY, RATES_APART, RoomPerson, Seen, ViewInput, ViewsError, ViewsRequest
from app.multiview.write import (
    BODIES,
    POINTS,
    REPORT,
    agreement,
    write_bodies,
    write_points,
    write_report,
    write_trc,
)
from app.pipeline.engine import Engine, default_engine, require_networks
from app.pipeline.events import FileEnded, FileStarted, Listener, Progress, StageStarted, Warned
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.pipeline.run import run_pipeline
from app.project.notes import finished
from app.project.store import ProjectStore
from app.review.opening import SUFFIX, create_project, open_project
from app.review.types import RunOptions
from backends.body import BodyModel
from backends.fitting import BodyFitter
from backends.multiview import refine_cameras

_USUAL_FPS = 25.0
_REFINE_MOMENTS = 60
_DOUBTFUL_PX, _DOUBTFUL_TIMES = 8.0, 2.0


def run_views(
    request: ViewsRequest, control: Control, listener: Listener, *, engine: Engine | None = None
) -> dict[str, Any]:
    """Put several cameras together and write what comes of it into ``request.output``.

    What has been found in a camera's footage is kept in its project, so that a stopped run goes on there.

    Returns:
        Plain values: ``people``, ``moments``, ``cameras`` and ``all`` (see :func:`agreement`), ``files``,
        ``projects`` (paths as text), ``seconds``.

    Raises:
        ViewsError: cameras, footage and keypoints do not belong together. DataSetError, FootageError,
        ModelError, ProjectError, StorageError, ExportError: from what is read and written.
        Cancelled: asked to stop.
    """
    begun = time.monotonic()
    body, ref = find_body(request.body)
    views, fps = resolve(request)
    make_folder(request.output)
    fitter = BodyFitter(body)
    if request.keypoints is not None:
        frames = read_keypoints(request.keypoints, [v.name for v in views], request.layout)
        views, refined = _refined(request, views, frames, listener)
        people = _fit(fitter, request, views, frames, fps, control, listener)
        projects: list[Path] = []
    else:
        if engine is None:
            require_networks(hands_face=request.hands_face)
            engine = default_engine()
        with ExitStack() as stack:
            stores = _find_people(request, views, engine, control, listener, stack)
            frames = [_from_store(s) for s in stores]
            views, refined = _refined(request, views, frames, listener)
            people = _fit(fitter, request, views, frames, fps, control, listener)
            _put_back(stores, body, views, people, request, control, listener)
            projects = [s.path for s in stores] if request.projects else []
    if not people:
        listener(Warned("Nobody is shown by two cameras at once. Check calibration, order and offsets."))
    told = agreement(people, views)
    _doubt(told, request, listener)
    report = {
        "people": [
            {"person": p.number, "moments": len(p.moments), "first": min(p.moments), "last": max(p.moments)}
            for p in people
        ],
        **told, "refined": refined, "fps": fps, "offsets": [v.offset for v in views], "body": ref.name,
        "errors": "distance in pixels of the given keypoints from the body's, lens distortion included",
    }  # fmt: skip
    files = _write(request.output, people, views, body, fps, report, control)
    return {
        "people": len(people), "moments": sum(len(p.moments) for p in people), **told, "refined": refined,
        "files": files,
        "projects": [str(p) for p in projects], "seconds": round(time.monotonic() - begun, 2),
    }  # fmt: skip


def _doubt(told: dict[str, Any], request: ViewsRequest, listener: Listener) -> None:
    """Say so where a camera sees something else than the others."""
    px = {row["name"]: row["median_px"] for row in told["cameras"] if row["median_px"] is not None}
    if len(px) < 2 or request.refine_cameras:
        return
    name, worst = max(px.items(), key=lambda item: item[1])
    if worst > _DOUBTFUL_PX and worst > _DOUBTFUL_TIMES * min(px.values()):
        listener(
            Warned(
                f"{name} does not agree with the others: {worst:.0f} pixels in the median. Its calibration "
                "may be old: have it touched up (--refine-cameras). Or it begins at another moment: say at "
                "which frame (--offsets)."
            )
        )


def resolve(request: ViewsRequest) -> tuple[list[ViewInput], float]:
    """The cameras of a request with their footage, and the common frame rate.

    Raises:
        ViewsError: fewer than two cameras, or things that do not belong together.
    """
    where, sources, names = _sources(request)
    sizes: list[tuple[int, int]] = []
    rates: list[float] = []
    for source in sources:
        if source is None:
            sizes.append((0, 0))
            continue
        with open_footage(source) as footage:
            sizes.append((footage.width, footage.height))
            if footage.kind == "video":
                rates.append(footage.fps)
    if len(sources) < 2:
        raise ViewsError(
            "Several views need at least two cameras. Give a video or folder of pictures for each."
        )
    if rates and max(rates) > (1 + RATES_APART) * min(rates):
        raise ViewsError(
            f"The videos have {min(rates):g} to {max(rates):g} frames a second. Cameras of one recording "
            "have the same rate: convert them first."
        )
    if request.offsets and len(request.offsets) != len(sources):
        raise ViewsError(f"{len(sources)} cameras need as many offsets, not {len(request.offsets)}.")
    cameras = cameras_for(names, sizes, read_calibration(where), where.name)
    offsets = request.offsets or (0,) * len(sources)
    inputs = [ViewInput(*each) for each in zip(names, cameras, sources, offsets)]
    return inputs, request.fps or (rates[0] if rates else _USUAL_FPS)


def _sources(request: ViewsRequest) -> tuple[Path, list[Path | None], list[str]]:
    """Where the calibration lies, and per camera the footage and its name."""
    if len(request.sources) == 1 and request.sources[0].is_dir() and request.calibration is None:
        root = request.sources[0]
        truth = open_truth(root)
        found: list[Path | None] = []
        for view in truth.views:
            source = view.source[0].parent if isinstance(view.source, tuple) else view.source
            if source is None and request.keypoints is None:
                raise ViewsError(f"The footage of {view.name} is missing in {root.name}.")
            found.append(source)
        return root, found, [v.name for v in truth.views]
    if request.calibration is None:
        raise ViewsError(
            "Which camera stands where? Give the cameras' calibration (--calibration), or the one folder of "
            "a data set that holds it."
        )
    if not request.sources and request.keypoints is not None:
        known = read_calibration(request.calibration)
        return request.calibration, [None] * len(known), [c.name for c in known]
    names = list(request.names) or [s.name if s.is_dir() else s.stem for s in request.sources]
    if len(names) != len(request.sources):
        raise ViewsError(f"{len(request.sources)} cameras need as many names, not {len(names)}.")
    if len(set(names)) < len(names):
        raise ViewsError(f"Two cameras are called {max(names, key=names.count)}. Give each another name.")
    return request.calibration, list(request.sources), names


def _find_people(
    request: ViewsRequest, views: Sequence[ViewInput], engine: Engine, control: Control, listener: Listener,
    stack: ExitStack,
) -> list[ProjectStore]:  # fmt: skip
    """Each camera's own project, worked through."""
    stores = []
    for i, view in enumerate(views, start=1):
        listener(FileStarted(i, len(views), view.name))
        assert view.footage is not None
        path = request.output / f"{view.name}{SUFFIX}"
        there = path.exists()
        store, footage = (
            open_project(path, footage=view.footage) if there else create_project(view.footage, path)
        )
        stack.callback(store.close)
        with footage:
            if not store.processed():
                store.set_camera(view.camera)
            last = None if request.last is None else request.last + view.offset
            first = max(request.first + view.offset, 0)
            done = {f for a, b in store.processed() for f in range(a, b + 1)}
            wanted = range(first, footage.n_frames if last is None else min(last + 1, footage.n_frames))
            if not finished(store) or any(f not in done for f in wanted):
                options = RunOptions(
                    first=first or None, last=last, hands_face=request.hands_face, body=request.body
                )
                run_pipeline(store, footage, engine, options, control, listener)
        stores.append(store)
        listener(FileEnded(i, len(views), view.name, {"state": "done"}))
    return stores


def _from_store(store: ProjectStore) -> Frames:
    """Everybody of the kept tracks by frame."""
    found: dict[int, list[Seen]] = {}
    for first, last in store.processed():
        for frame in range(first, last + 1):
            # Whom only the other cameras know (their score is lower) is no evidence for them.
            found[frame] = [
                Seen(p.estimate.keypoints, p.track_id, p.estimate.details)
                for p in store.people(frame)
                if p.estimate.score >= KNOWN_ONLY or p.reviewed
            ]
    return found


def _moments(request: ViewsRequest, views: Sequence[ViewInput], frames: Sequence[Frames]) -> range:
    ends = [max(f, default=-1) - v.offset for f, v in zip(frames, views)]
    moments = range(request.first, (max(ends, default=-1) if request.last is None else request.last) + 1)
    if not moments:
        raise ViewsError("There are no frames to look at. Check the range, and that the keypoints have any.")
    return moments


def _refined(
    request: ViewsRequest, views: list[ViewInput], frames: Sequence[Frames], listener: Listener
) -> tuple[list[ViewInput], list[dict[str, Any]]]:
    """The views with cameras touched up where that was asked for, and what was done to them."""
    if not request.refine_cameras:
        return views, []
    listener(StageStarted("cameras", "Touching up the cameras"))
    moments = _moments(request, views, frames)
    chosen = moments[:: max(1, len(moments) // _REFINE_MOMENTS)]
    cameras = [v.camera for v in views]
    xy, score = common_points(
        [[f.get(m + v.offset, []) for f, v in zip(frames, views)] for m in chosen], cameras
    )
    found = refine_cameras(xy, score, cameras)
    rows = [
        {"name": v.name, "turned_deg": round(float(turn), 3), "moved_mm": round(1e3 * float(move), 1)}
        for v, turn, move in zip(views, found.turned_deg, found.moved_m)
    ]
    return [replace(v, camera=c) for v, c in zip(views, found.cameras)], rows


def _fit(
    fitter: BodyFitter, request: ViewsRequest, views: Sequence[ViewInput], frames: Sequence[Frames],
    fps: float, control: Control, listener: Listener,
) -> list[RoomPerson]:  # fmt: skip
    moments = _moments(request, views, frames)
    listener(StageStarted("views", "Fitting people in all cameras together"))
    tracker = RoomTracker(fitter, [v.camera for v in views], fps)
    meter = RateMeter(len(moments))
    for moment in moments:
        if control.check():
            meter.hold()
        tracker.step(moment, [f.get(moment + v.offset, []) for f, v in zip(frames, views)])
        meter.advance()
        listener(Progress("views", meter.done, meter.total, meter.rate, meter.remaining_s))
    listener(StageStarted("motion", "Fitting each person's motion"))
    motion = RateMeter(max(tracker.n_fits, 1))

    def step(n: int) -> None:
        control.check()
        motion.advance(n)
        listener(Progress("motion", motion.done, motion.total, motion.rate, motion.remaining_s, "bodies"))

    return tracker.people(step)


def _put_back(
    stores: Sequence[ProjectStore], body: BodyModel, views: Sequence[ViewInput], people: Sequence[RoomPerson],
    request: ViewsRequest, control: Control, listener: Listener,
) -> None:  # fmt: skip
    if not request.projects:
        return
    make_siblings(stores, views)
    if not people:
        return
    free = count(max(p.number for p in people) + 1)
    for i, (store, view) in enumerate(zip(stores, views)):
        listener(FileStarted(i + 1, len(views), view.name))
        n = put_into_project(store, body, i, views, people, control, listener, free)
        listener(FileEnded(i + 1, len(views), view.name, {"state": "done", "message": f"{n} bodies"}))


def _write(
    folder: Path, people: Sequence[RoomPerson], views: Sequence[ViewInput], body: BodyModel, fps: float,
    report: dict[str, Any], control: Control,
) -> list[str]:  # fmt: skip
    work: list[tuple[Path, Callable[[Path], None]]] = [
        (folder / BODIES, lambda p: write_bodies(p, people, views, body)),
        (folder / POINTS, lambda p: write_points(p, people, fps)),
        *(
            (folder / f"person{one.number}.trc", lambda p, one=one: write_trc(p, one, fps))
            for one in people
        ),
        (folder / REPORT, lambda p: write_report(p, report)),
    ]  # fmt: skip
    for path, write in work:
        control.check()
        write(path)
    return [str(path) for path, _ in work]
