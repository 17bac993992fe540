"""``bench fit``: how fast and how exact bodies are fitted, beside the textbook way on the same data."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import console
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible

_SEED = 11
_STILLS_FPS = 1.0
"""Stills of one scene lie a second apart, so that they are different poses."""


def fit(
    stills: Annotated[int, typer.Option(min=2, help="Moments seen by four cameras.")] = 12,
    frames: Annotated[int, typer.Option(min=8, help="Frames of the clip.")] = 100,
    people: Annotated[int, typer.Option(min=1, max=8, help="People in the operating room.")] = 8,
    baseline_fits: Annotated[int, typer.Option(min=0, help="Fits of the slow baseline.")] = 6,
    detected: Annotated[
        bool, typer.Option("--detected", help="Also fit what the estimator finds in drawn frames.")
    ] = False,
    balancing: Annotated[
        Path | None, typer.Option(help="Folder of the balancing_4views footage: fit its OpenPose keypoints.")
    ] = None,
    balancing_videos: Annotated[
        bool, typer.Option("--balancing-videos", help="Also fit our own keypoints of its videos.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit bodies whose truth is known, and real footage; each number beside its target."""
    if balancing_videos and balancing is None:
        raise typer.BadParameter("--balancing-videos needs the folder: --balancing DIR")
    from app.cli.bench import fit_exact, fit_speed
    from app.cli.bench.fit_data import watch
    from app.cli.bench.fit_live import live_rows
    from backends.body import load_body
    from backends.fitting import BodyFitter

    with Interruptible() as control:
        console.err.print("Drawing people whose bodies are known", markup=False)
        rooms = [
            watch(cameras=4, people=people, frames=stills, fps=_STILLS_FPS, seed=_SEED, check=control.check)
        ]
        clip = watch(cameras=1, people=people, frames=frames, fps=25.0, seed=_SEED + 1, check=control.check)
        fitter = BodyFitter(load_body())
        console.err.print("Fitting", markup=False)
        rows = [
            *fit_speed.one_person(fitter, clip, control.check),
            *fit_speed.many(fitter, clip),
            *fit_exact.single_frames(fitter, rooms, control.check),
            *fit_exact.clips(fitter, [clip], control.check),
            *live_rows(fitter, [clip], control.check),
            *fit_exact.views(fitter, rooms, control.check),
            *fit_exact.calibration(fitter, rooms, control.check),
        ]
        if detected:
            from app.cli.bench.fit_detected import detected_rows

            rows += detected_rows(fitter, control.check)
        if balancing is not None:
            from app.cli.bench.fit_footage import balancing_rows

            rows += balancing_rows(fitter, balancing, balancing_videos, control.check)
        if baseline_fits:
            console.err.print("Fitting the textbook way, which takes a while", markup=False)
            rows += _baseline(fitter, rooms, baseline_fits, control.check)
    report(
        "fit", rows, as_json,
        "True 2D: the exact pixels of all 23 keypoints in the picture, 1280x720, of drawn operating-room "
        "staff. PA-MPJPE: 22 joints after the best turn, place and size. Jitter: acceleration of the error.",
    )  # fmt: skip


def _baseline(fitter: Any, rooms: Any, count: int, check: Any) -> list[dict[str, Any]]:
    """The textbook way and ours on the same pictures, from pixels alone."""
    import numpy as np

    from app.cli.bench.fit_baseline import Textbook
    from app.cli.bench.fit_exact import aligned_mm, unoccluded_with_cameras
    from app.cli.bench.fit_rows import measured

    textbook = Textbook(fitter.body)
    seen = unoccluded_with_cameras(rooms)
    chosen = [seen[i] for i in np.linspace(0, len(seen) - 1, min(count, len(seen))).astype(int)]
    table: dict[str, list[tuple[float, float]]] = {"ours": [], "textbook": []}
    for sight, camera in chosen:
        check()
        kp = sight.keypoints()
        begun = time.perf_counter()
        params = fitter.fit(kp, None, camera).params
        between = time.perf_counter()
        other, _ = textbook.fit(kp, camera)
        ended = time.perf_counter()
        table["ours"].append((1e3 * (between - begun), aligned_mm(fitter.body, params, sight.truth)))
        table["textbook"].append((1e3 * (ended - between), aligned_mm(fitter.body, other, sight.truth)))
    ms = {k: float(np.median([t for t, _ in v])) for k, v in table.items()}
    mm = {k: float(np.mean([e for _, e in v])) for k, v in table.items()}
    return [
        measured(
            f"baseline, the textbook way, {len(chosen)} pictures, pixels only: median", ms["textbook"], "ms"
        ),
        measured("    PA-MPJPE", mm["textbook"], "mm"),
        measured("ours on the same pictures: median", ms["ours"], "ms"),
        measured("    PA-MPJPE", mm["ours"], "mm"),
        measured("    times faster", ms["textbook"] / ms["ours"], ""),
        measured("    error as a share of the textbook's", mm["ours"] / mm["textbook"], ""),
    ]
