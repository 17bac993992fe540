"""Clips that benchmarks run on: footage scaled to one size, or the rendered room; looped to any length."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from app.cli import console
from app.cli.progress import ProgressView
from app.pipeline.job import Control

SIZE = (1280, 720)
REAL = Path(__file__).resolve().parents[3].parent / "shared" / "footage" / "side_walk.mp4"
"""The usual real clip, where it lies beside the checkout."""


def clip_at_size(clip: Path | None, folder: Path, control: Control) -> tuple[Path, str]:
    """A clip of 1280x720 in ``folder`` and its name: the one given, the usual one, or the rendered room."""
    import cv2

    from app.footage import open_footage
    from app.footage.writer import VideoWriter

    source = clip or (REAL if REAL.is_file() else None)
    target = folder / "clip.mp4"
    if source is None:
        from app.demo import write_demo_clip

        with ProgressView() as view:
            write_demo_clip(target, control, view, width=SIZE[0])
        return target, "the rendered room"
    console.err.print(f"Scaling {source.name} to {SIZE[0]}x{SIZE[1]}", markup=False)
    with open_footage(source) as footage:
        writer = VideoWriter(target, *SIZE, footage.pts, footage.time_base)
        for _, image in footage.iter_frames():
            control.check()
            writer.write(np.asarray(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), np.uint8))
        writer.close()
    return target, source.name


def looped(clip: Path, target: Path, seconds: float) -> int:
    """Repeat a clip's packets until ``seconds`` are filled, without encoding anew; the number of frames."""
    import av

    frames = 0
    with av.open(str(clip)) as probe:
        stream = probe.streams.video[0]
        assert stream.time_base is not None
        base = Fraction(stream.time_base)
        length = int(stream.duration or 0)
        count = int(stream.frames)
    with av.open(str(target), "w") as out:
        copy = None
        for turn in range(int(np.ceil(seconds / float(length * base)))):
            with av.open(str(clip)) as source:
                stream = source.streams.video[0]
                copy = copy or out.add_stream_from_template(stream)
                for packet in source.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += turn * length
                    packet.dts += turn * length
                    packet.stream = copy
                    out.mux(packet)
            frames += count
    return frames
