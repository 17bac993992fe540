"""The de-identified video: read, cover and encode, overlapped."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.errors import ExportError
from app.export.atomic import written_whole
from app.export.frames import FrameCoverer
from app.export.types import ExportSource, Step, Written
from app.footage.base import Image
from app.footage.decoder import open_container, video_stream
from app.footage.frame_table import read_frame_table
from app.footage.writer import VideoWriter, verify_video
from app.pipeline.channel import Channel
from backends.background import Plate

_DEPTH = 4
_STAMP_S = 1e-4
"""Written time stamps may be rounded by this much: far less than a frame of any camera."""


def write_video(source: ExportSource, target: Path, plate: Plate | None, step: Step) -> Written:
    """Write ``target`` (mp4); decoded and counted before it gets its name.

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
    read: Channel[tuple[int, Image]] = Channel(_DEPTH, control)
    covered: Channel[Image] = Channel(_DEPTH, control)

    def decode() -> None:
        try:
            for item in footage.iter_frames(source.first, source.last + 1):
                if not read.put(item):
                    return
        except Exception as error:
            read.finish(error)
        else:
            read.finish()

    def cover() -> None:
        try:
            for index, image in read:
                if not covered.put(coverer.cover(index, image)):
                    return
        except Exception as error:
            covered.finish(error)
        else:
            covered.finish()
        finally:
            read.abandon()

    with written_whole(target) as part:
        writer = VideoWriter(
            part, footage.width, footage.height, np.asarray(pts), footage.time_base, audio_from=audio,
            audio_start_s=float(footage.times[source.first]),
        )  # fmt: skip
        threads = [threading.Thread(target=f, name=f.__name__, daemon=True) for f in (decode, cover)]
        for thread in threads:
            thread.start()
        try:
            for image in covered:
                control.check()
                writer.write(image)
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
        verify_video(part, source.n_frames)
        _check_stamps(part, np.asarray(pts - pts[0]) * float(footage.time_base))
    return Written("video", target, source.n_frames, "frames")


def _check_stamps(path: Path, seconds: npt.NDArray[np.float64]) -> None:
    """Compare the written frames' times with the footage's, both from the first frame.

    Raises:
        ExportError: they differ.
    """
    with open_container(path) as container:
        stream = video_stream(container, path.name)
        table = read_frame_table(container, stream, path.name)
        written = (table.pts - table.pts[0]) * float(stream.time_base or 0)
    if len(written) != len(seconds) or np.abs(written - seconds).max() > _STAMP_S:
        raise ExportError("The written video does not keep the footage's time stamps. Export again.")
