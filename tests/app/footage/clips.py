"""Makes clips whose frames carry their own number, readable after compression."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

W, H = 192, 112
BITS = 10


def painted(number: int) -> np.ndarray:
    """A picture with ``number`` as ten black or white columns, on a moving background."""
    image = np.empty((H, W, 3), np.uint8)
    image[:] = ((np.arange(W) + 3 * number) % 64 + 96)[None, :, None]
    for bit in range(BITS):
        x = 8 + bit * 18
        image[16:96, x : x + 14] = 235 if number >> bit & 1 else 16
    return image


def number_in(image: np.ndarray) -> int:
    """The number painted in a picture."""
    grey = image.astype(np.float32).mean(axis=2)
    return sum(1 << b for b in range(BITS) if grey[30:80, 8 + b * 18 + 4 : 8 + b * 18 + 10].mean() > 125)


def write_clip(
    path: Path,
    n: int = 200,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    pix_fmt: str = "yuv420p",
    container_options: dict[str, str] | None = None,
    first: int = 0,
    b_frames: int | None = None,
) -> Path:
    with av.open(str(path), "w", options=container_options or {}) as out:
        stream = out.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = W, H, pix_fmt
        stream.time_base = stream.codec_context.time_base = time_base
        if b_frames is not None:
            stream.codec_context.max_b_frames = b_frames
        for i in range(n):
            frame = av.VideoFrame.from_ndarray(painted(first + i), format="rgb24").reformat(format=pix_fmt)
            frame.pts = i if pts is None else pts[i]
            frame.time_base = time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def stream_copied_cut(source: Path, target: Path, start_s: float) -> Path:
    """Copies packets from ``start_s`` on, as a cutting tool without re-encoding does."""
    with av.open(str(source)) as inp, av.open(str(target), "w") as out:
        stream = inp.streams.video[0]
        copy = out.add_stream_from_template(stream)
        inp.seek(int(start_s / stream.time_base), stream=stream)
        for packet in inp.demux(stream):
            if packet.dts is None:
                continue
            packet.stream = copy
            out.mux(packet)
    return target
