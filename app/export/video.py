"""The de-identified video: read, cover and encode, overlapped."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from app.audit.record import CoverageRecord
from app.errors import ExportError, FootageError
from app.export.atomic import named_late
from app.export.background import background_record
from app.export.frames import FrameCoverer, Prepared
from app.export.plate import Hidden, with_rooms
from app.export.types import ExportSource, Step, Written
from app.footage.base import Image
from app.footage.decoder import open_container, video_stream
from app.footage.metadata import leftovers
from app.footage.writer import VideoWriter
from app.pipeline.channel import Channel
from backends.background import Inpainter, MovingRoom, Plate, StillRoom

_DEPTH = 4
_PAINTERS = 2
"""Frames that are painted at a time; they are encoded in order."""
_STAMP_S = 1e-4
"""Written time stamps may be rounded by this much: far less than a frame of any camera."""


def write_video(
    source: ExportSource, target: Path, plate: Plate | StillRoom | None, step: Step,
    checking: Callable[[], Step], *, record: CoverageRecord | None = None,
    judge: Callable[[Path], Path] | None = None, show: Callable[[Image], None] = lambda _: None,
    watch: Callable[[int, Image], None] | None = None,
) -> Written:  # fmt: skip
    """Write ``target`` (mp4); decoded and counted before it gets its name.

    Args:
        checking: called when all is written and the check begins; its step counts the checked frames.
        record: takes note of what is replaced in each frame.
        judge: looks at the finished, checked file and says what it may be called.
        show: is given every frame once it has been written.
        watch: is given every frame as it was, in order, in a thread of its own.

    Raises:
        FootageError: a frame cannot be read. ExportError, StorageError: it cannot be written.
        Cancelled: when asked to stop; nothing stays.
    """
    footage, control = source.footage, source.control
    coverer = FrameCoverer(
        source.store, source.body, source.store.camera(), source.deid, plate, seed=secrets.randbits(32)
    )
    pts = footage.pts[source.first : source.last + 1]
    audio = footage.path if source.deid.keep_audio and footage.has_audio else None
    room = plate if coverer.plan.shows_room else None
    painter = source.painter if source.deid.background == "plate" else None
    inpainter: Inpainter | None = painter.inpainter if painter is not None else None
    if room is not None and not room.steady:
        inpainter = MovingRoom()
    read: Channel[tuple[int, Image]] = Channel(_DEPTH, control)
    covered: Channel[Future[Image]] = Channel(_DEPTH, control)
    painters = ThreadPoolExecutor(_PAINTERS, "paint")

    def decode() -> None:
        try:
            for item in footage.iter_frames(source.first, source.last + 1):
                if watch is not None:
                    watch(*item)
                if not read.put(item):
                    return
        except Exception as error:
            read.finish(error)
        else:
            read.finish()

    def frames() -> Iterator[tuple[int, Image, Plate | None]]:
        if inpainter is not None:
            yield from with_rooms(read, Hidden(source.store, footage), inpainter)
        else:
            for index, image in read:
                yield index, image, None

    def paint(index: int, frame: Prepared) -> Image:
        shown, mask = coverer.paint(frame, alone=False)
        if record is not None:
            record.add(index, frame.rgb, shown, mask)
        return shown

    def cover() -> None:
        try:
            for index, image, own_room in frames():
                frame = coverer.prepare(index, image, own_room)
                if not covered.put(painters.submit(paint, index, frame)):
                    return
        except Exception as error:
            covered.finish(error)
        else:
            covered.finish()
        finally:
            read.abandon()

    with named_late(target) as naming:
        part = naming.part
        writer = VideoWriter(
            part, footage.width, footage.height, np.asarray(pts), footage.time_base, audio_from=audio,
            audio_start_s=float(footage.times[source.first]), codec=source.deid.codec,
        )  # fmt: skip
        threads = [threading.Thread(target=f, name=f.__name__, daemon=True) for f in (decode, cover)]
        for thread in threads:
            thread.start()
        try:
            for painted in covered:
                control.check()
                image = painted.result()
                writer.write(image)
                show(image)
                step(1)
            control.check()
            writer.close()
        except BaseException:
            writer.abort()
            raise
        finally:
            read.abandon()
            covered.abandon()
            for thread in threads:
                thread.join()
            painters.shutdown(cancel_futures=True)
        _check(part, np.asarray(pts - pts[0]) * float(footage.time_base), checking())
        if judge is not None:
            naming.target = judge(part)
    behind = background_record(painter.name if painter is not None else room, coverer.seen)
    return Written("video", naming.target, source.n_frames, "frames", behind)


def _check(path: Path, seconds: npt.NDArray[np.float64], step: Step) -> None:
    """Decode every frame, count, compare times with the footage's, and look for anything but pictures.

    Raises:
        ExportError: it does not open, a frame is damaged or missing, times differ, or it holds metadata.
        Cancelled: asked to stop.
    """
    stamps: list[float] = []
    try:
        with open_container(path) as container:
            stream = video_stream(container, path.name)
            for frame in container.decode(stream):
                if frame.is_corrupt or frame.time is None:
                    raise ExportError(f"Frame {len(stamps)} of the written video is damaged. Export again.")
                stamps.append(frame.time)
                step(1)
    except (FootageError, av.FFmpegError) as error:
        raise ExportError("The written video cannot be read back. Export again.") from error
    if len(stamps) != len(seconds):
        raise ExportError(
            f"The written video has {len(stamps)} frames instead of {len(seconds)}. Export again."
        )
    if np.abs(np.array(stamps) - stamps[0] - seconds).max() > _STAMP_S:
        raise ExportError("The written video does not keep the footage's time stamps. Export again.")
    told = leftovers(path)
    if told:
        raise ExportError(f"The written video holds more than pictures: {', '.join(told)}. Export again.")
