"""The demo's footage: a rendered operating room, made on this machine."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import platformdirs

from app.errors import StorageError
from app.footage.writer import VideoWriter
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from backends.synthetic import open_scene

RATE = 25
DEFAULT_SECONDS, DEFAULT_PEOPLE, DEFAULT_WIDTH = 8.0, 4, 1280


def demo_folder() -> Path:
    """Where the window keeps the demo; made when needed.

    Raises:
        StorageError: it cannot be made.
    """
    folder = Path(platformdirs.user_data_dir("understudy")) / "demo"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The demo's folder cannot be made: {error.strerror}.") from error
    return folder


def write_demo_clip(
    path: Path, control: Control, listener: Listener, *, seconds: float = DEFAULT_SECONDS,
    people: int = DEFAULT_PEOPLE, width: int = DEFAULT_WIDTH, seed: int = 0,
) -> int:  # fmt: skip
    """Draw the room into an mp4 at ``path``; the number of frames.

    Raises:
        Cancelled: asked to stop; nothing stays. StorageError, ExportError: it cannot be written.
    """
    height = 2 * round(width * 9 / 32)
    scene = open_scene("or", people=people, seconds=seconds, fps=RATE, width=width, height=height, seed=seed)
    n = scene.n_frames
    beside = path.with_name(f".{path.stem}.part.mp4")
    writer = VideoWriter(beside, width, height, np.arange(n, dtype=np.int64), Fraction(1, RATE))
    try:
        listener(StageStarted("light", "Lighting an operating room"))
        scene.prepare(control.check)
        listener(StageStarted("clip", "Drawing an operating room"))
        meter = RateMeter(n)
        for frame in scene.frames():
            control.check()
            writer.write(frame.views[0].image)
            meter.advance()
            listener(Progress("clip", meter.done, n, meter.rate, meter.remaining_s))
        writer.close()
    except BaseException:
        writer.abort()
        raise
    beside.replace(path)
    return n
