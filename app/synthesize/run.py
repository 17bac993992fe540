"""Draws a scene and writes it as a data set: whole, checked, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.datasets.open import open_truth
from app.datasets.scene import Scene, SceneInfo, SceneWriter
from app.datasets.write.coco import CocoWriter
from app.datasets.write.disguisor import DisguisorWriter
from app.datasets.write.easymocap import EasyMocapWriter
from app.datasets.write.own import OwnWriter
from app.errors import ExportError, UnderstudyError
from app.export.atomic import plain_error, written_whole
from app.footage import open_footage
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.synthesize.request import LAYOUTS, USUAL, SynthesisRequest

STAGE = "synthesize"
_MOST_FRAMES = 1_000_000
_LEAST_SIDE, _MOST_SIDE = 64, 7680

OpenScene = Callable[..., Scene]


def run_synthesis(
    request: SynthesisRequest, control: Control, listener: Listener, *, open_scene: OpenScene | None = None
) -> dict[str, Any]:
    """Draw the scene that is asked for and write it to ``request.folder``.

    Everything is written under another name beside the folder, read back, and renamed at the end.

    Args:
        open_scene: makes the scene; the renderer's own by default.

    Returns:
        What was written, in plain values.

    Raises:
        Cancelled: asked to stop; nothing stays.
        ExportError, StorageError: the folder is in use, or it cannot be written.
        InputError: from the renderer, for scenes that cannot be.
    """
    start = time.monotonic()
    folder = _target(request.folder)
    _check(request)
    listener(StageStarted(STAGE, "Preparing the scene"))
    scene = _open(request, open_scene)
    scene.prepare(control.check)
    info = SceneInfo(
        request.preset, request.seed, scene.fps, scene.n_frames, scene.camera_names, request.width,
        request.height, scene.plates(),
    )  # fmt: skip
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise plain_error(error, folder.parent) from error
    with written_whole(folder) as part:
        part.mkdir()
        _write(request, scene, info, part, control, listener)
        control.check()
        _verify(part, info)
        _target(folder)  # nobody may have put something there in the meantime
    return {
        "folder": str(folder), "layout": request.layout, "preset": request.preset, "seed": request.seed,
        "frames": info.n_frames, "cameras": list(info.cameras), "fps": info.fps,
        "size": [info.width, info.height], "bytes": _size(folder),
        "seconds": round(time.monotonic() - start, 2),
    }  # fmt: skip


def _open(request: SynthesisRequest, open_scene: OpenScene | None) -> Scene:
    from backends import synthetic

    people, cameras = USUAL.get(request.preset, (1, 1))
    return (open_scene or synthetic.open_scene)(
        request.preset,
        people=people if request.people is None else request.people,
        cameras=cameras if request.cameras is None else request.cameras,
        seconds=request.seconds, fps=request.fps, width=request.width, height=request.height,
        seed=request.seed, hand_held=request.hand_held,
        occluder=None if request.occluder is None else synthetic.Occluder(width=request.occluder),
        light_swing=request.light_swing,
    )  # fmt: skip


def _target(folder: Path) -> Path:
    folder = folder.expanduser().resolve()
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise plain_error(error, folder) from error
    if taken or not folder.name:
        raise ExportError(f"{folder} is there already and is not an empty folder. Choose a new one with -o.")
    return folder


def _check(request: SynthesisRequest) -> None:
    if request.layout not in LAYOUTS:
        raise ExportError(f"There is no layout '{request.layout}'. Choose one of {', '.join(LAYOUTS)}.")
    if request.people is not None and request.people < 1:
        raise ExportError(f"A scene of {request.people} people has no truth. Ask for at least one.")
    sides = (request.width, request.height)
    if any(side % 2 or not _LEAST_SIDE <= side <= _MOST_SIDE for side in sides):
        raise ExportError(
            f"Pictures of {request.width} x {request.height} cannot be made. Choose even numbers from "
            f"{_LEAST_SIDE} to {_MOST_SIDE}."
        )
    frames = request.seconds * request.fps
    if not (0 < request.fps <= 240 and request.seconds > 0 and frames <= _MOST_FRAMES):
        raise ExportError(
            f"{request.seconds:g} s at {request.fps:g} frames/s cannot be made. Choose up to 240 frames/s, "
            f"and at most {_MOST_FRAMES} frames."
        )


def _writer(request: SynthesisRequest, info: SceneInfo, folder: Path) -> SceneWriter:
    if request.layout == "disguisor":
        return DisguisorWriter(folder, info)
    if request.layout == "coco":
        return CocoWriter(folder, info, feet=request.feet)
    if request.layout == "easymocap":
        return EasyMocapWriter(folder, info)
    return OwnWriter(folder, info, clouds=request.clouds, vertices=request.vertices)


def _write(
    request: SynthesisRequest, scene: Scene, info: SceneInfo, folder: Path, control: Control,
    listener: Listener,
) -> None:  # fmt: skip
    writer = _writer(request, info, folder)
    n = info.n_frames
    listener(StageStarted(STAGE, f"Drawing {n} frames with {len(info.cameras)} cameras"))
    meter = RateMeter(n)

    def kept(writing: Future[None] | None) -> None:
        if writing is not None:
            writing.result()
            meter.advance()
            listener(Progress(STAGE, meter.done, n, meter.rate, meter.remaining_s))

    try:
        # One frame is written while the next one is drawn.
        with ThreadPoolExecutor(1, thread_name_prefix="keep") as keeper:
            writing: Future[None] | None = None
            for frame in scene.frames():
                control.check()
                kept(writing)
                writing = keeper.submit(writer.add, frame)
            kept(writing)
        if meter.done != n:
            raise ExportError(f"The scene ended after {meter.done} of {n} frames. Report this as a fault.")
        writer.finish()
    except BaseException:
        writer.abort()
        raise


def _verify(folder: Path, info: SceneInfo) -> None:
    """Read back what was written: every view's first and last frame, and how many frames each video has.

    Raises:
        ExportError: something is missing or cannot be read.
    """
    try:
        truth = open_truth(folder)
        for view in truth.views:
            if view.n_frames != info.n_frames:
                raise ExportError(f"The truth of {view.name} has {view.n_frames} of {info.n_frames} frames.")
            view.frame(0)
            view.frame(view.n_frames - 1)
        for path in folder.glob("videos/*.mp4"):
            with open_footage(path) as video:
                if video.n_frames != info.n_frames:
                    raise ExportError(f"{path.name} has {video.n_frames} of {info.n_frames} frames.")
    except UnderstudyError as error:
        raise ExportError(f"What was written cannot be read back: {error} Try again.") from error
    if len(truth.views) != len(info.cameras):
        raise ExportError("What was written lacks a camera. Try again.")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
