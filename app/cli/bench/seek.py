"""``bench seek``: exact frames at random, against OpenCV's reader."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import console
from app.cli.bench.report import JsonOption, report

_BITS = 10


def seek(
    seeks: Annotated[int, typer.Option(min=1, help="Random frames of each file.")] = 150,
    frames: Annotated[int, typer.Option(min=30, max=1000, help="Frames of each file.")] = 300,
    width: Annotated[int, typer.Option(min=320, help="Width, pixels.")] = 1280,
    as_json: JsonOption = False,
) -> None:
    """Read random frames of files with painted frame numbers: time a frame, and how many were wrong."""
    import numpy as np

    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        for name, make in _kinds(width).items():
            console.err.print(f"Writing {name}", markup=False)
            path, first = make(Path(folder), frames)
            wanted = rng.integers(0, frames - first, seeks)
            for reader, read in (("Understudy", _ours), ("baseline: OpenCV", _opencv)):
                taken, wrong = read(path, wanted, first)
                rows.append(
                    {
                        "file": name, "reader": reader, "median_ms": float(np.median(taken)),
                        "p95_ms": float(np.percentile(taken, 95)), "wrong": f"{wrong} of {seeks}",
                    }
                )  # fmt: skip
            ours, theirs = rows[-2]["median_ms"], rows[-1]["median_ms"]
            rows[-2]["times_faster"], rows[-1]["times_faster"] = theirs / ours, 1.0
    report(f"seek, {width} pixels wide, {seeks} random frames", rows, as_json)


def _ours(path: Path, wanted: Any, first: int) -> tuple[list[float], int]:
    from app.footage import open_footage

    taken, wrong = [], 0
    with open_footage(path) as footage:
        for index in wanted:
            start = time.perf_counter()
            image = footage.frame(int(index))
            taken.append(1e3 * (time.perf_counter() - start))
            wrong += _number(image) != index + first
    return taken, wrong


def _opencv(path: Path, wanted: Any, first: int) -> tuple[list[float], int]:
    import cv2

    taken, wrong = [], 0
    video = cv2.VideoCapture(str(path))
    for index in wanted:
        start = time.perf_counter()
        video.set(cv2.CAP_PROP_POS_FRAMES, float(index))
        ok, image = video.read()
        taken.append(1e3 * (time.perf_counter() - start))
        wrong += not ok or _number(image) != index + first
    video.release()
    return taken, wrong


def _painted(number: int, width: int) -> Any:
    """A picture with ``number`` as ten black or white columns on a moving background."""
    import numpy as np

    height = 2 * round(width * 9 / 32)
    image = np.empty((height, width, 3), np.uint8)
    ramp = ((np.arange(width) + 7 * number) % 128 + 64)[None] + (np.arange(height) % 32)[:, None]
    image[:] = np.clip(ramp, 0, 255).astype(np.uint8)[..., None]
    step = width // (_BITS + 1)
    for bit in range(_BITS):
        x = step // 2 + bit * step
        image[height // 4 : 3 * height // 4, x : x + step * 3 // 4] = 235 if number >> bit & 1 else 16
    return image


def _number(image: Any) -> int:
    height, width = image.shape[:2]
    step = width // (_BITS + 1)
    band = image[height // 3 : 2 * height // 3]
    number = 0
    for bit in range(_BITS):
        x = step // 2 + bit * step
        number |= int(band[:, x + step // 4 : x + step // 2].mean() > 125) << bit
    return number


_Make = Callable[[Path, int], tuple[Path, int]]


def _kinds(width: int) -> dict[str, _Make]:
    """Name -> writer; a writer gives the path and the number painted in the first frame."""

    def variable(n: int) -> list[int]:
        steps = (40, 20, 33, 80, 41, 25)
        return [sum(steps[k % 6] for k in range(i)) for i in range(n)]

    def constant_mp4(folder: Path, n: int) -> tuple[Path, int]:
        return _write(folder / "constant.mp4", n, width, {"g": "48", "bf": "2"}), 0

    def variable_mp4(folder: Path, n: int) -> tuple[Path, int]:
        options = {"g": "48", "bf": "2"}
        return _write(folder / "variable.mp4", n, width, options, variable(n), Fraction(1, 1000)), 0

    def transport(folder: Path, n: int) -> tuple[Path, int]:
        return _write(folder / "stream.ts", n, width, {"g": "48", "bf": "2"}), 0

    def avi(folder: Path, n: int) -> tuple[Path, int]:
        return _write(folder / "b_frames.avi", n, width, {"g": "48"}, codec="mpeg4", b_frames=2), 0

    def open_gop(folder: Path, n: int) -> tuple[Path, int]:
        options = {"g": "48", "bf": "3", "x264-params": "open-gop=1"}
        return _write(folder / "open_gop.mp4", n, width, options), 0

    return {
        "mp4, constant rate": constant_mp4, "mp4, variable rate": variable_mp4, "MPEG-TS": transport,
        "AVI with B-frames": avi, "mp4, open GOP": open_gop,
    }  # fmt: skip


def _write(
    path: Path, n: int, width: int, options: dict[str, str], pts: list[int] | None = None,
    time_base: Fraction = Fraction(1, 25), codec: str = "libx264", b_frames: int | None = None,
) -> Path:  # fmt: skip
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.options = {**({"preset": "veryfast"} if codec == "libx264" else {}), **options}
        first = _painted(0, width)
        stream.width, stream.height, stream.pix_fmt = width, first.shape[0], "yuv420p"
        stream.time_base = stream.codec_context.time_base = time_base
        if b_frames is not None:
            stream.codec_context.max_b_frames = b_frames
            stream.codec_context.bit_rate = 6_000_000
        for i in range(n):
            frame = av.VideoFrame.from_ndarray(_painted(i, width), format="rgb24")
            frame.pts = i if pts is None else pts[i]
            frame.time_base = time_base
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    return path
