"""``understudy run``: find people and fit bodies."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.cli import console
from app.cli.depth import (
    CalibrationOption,
    DepthOption,
    NoDepthOption,
    ScaleOption,
    check_options,
    take_depth,
)
from app.cli.progress import Interruptible, ProgressView
from app.pipeline.job import Control


def run(
    video: Annotated[Path, typer.Argument(help="A video, a picture or a folder of pictures.")],
    project: Annotated[
        Path | None,
        typer.Option(
            "--project", "-o", help="The project to make or go on with; beside the video if left out."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    first: Annotated[int | None, typer.Option(min=0, help="First frame, counted from 0.")] = None,
    last: Annotated[int | None, typer.Option(min=0, help="Last frame.")] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget earlier results and start anew.")
    ] = False,
    hands_face: Annotated[
        bool, typer.Option("--hands-face", help="Look for hands and faces too, which takes longer.")
    ] = False,
    body: Annotated[
        str | None,
        typer.Option(
            help="The body that people are given: free, or smplx, smplh or smpl as added with 'models add', "
            "or the path of such a file (npz). As the project has it if left out."
        ),
    ] = None,
    depth: DepthOption = None,
    depth_scale: ScaleOption = None,
    calibration: CalibrationOption = None,
    no_depth: NoDepthOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find the people in a video and give each a body.

    A run that was stopped goes on where it stopped: type the same line again.
    """
    from app.cli.documents import default_project, project_of
    from app.pipeline.device import choose_device
    from app.pipeline.engine import default_engine, require_networks
    from app.pipeline.run import run_pipeline
    from app.review.types import RunOptions

    if first is not None and last is not None and first > last:
        raise typer.BadParameter(f"--first {first} comes after --last {last}.")
    check_options(depth, depth_scale, calibration, no_depth)
    if device != "auto":
        choose_device(device)
    start = time.monotonic()
    path = project or default_project(video)
    with project_of(video, path) as (store, footage), Interruptible() as control, ProgressView() as view:
        if first is not None and first >= footage.n_frames:
            raise typer.BadParameter(f"The footage has frames 0 to {footage.n_frames - 1}.")
        require_networks(hands_face=hands_face)
        take_depth(store, footage, depth, depth_scale, calibration, no_depth, restart)
        engine = default_engine()
        options = RunOptions(
            device=device, first=first, last=last, restart=restart, hands_face=hands_face, body=body
        )
        summary = run_pipeline(store, footage, engine, options, control, view)
        if not store.footage().sha256:
            store.set_footage_hash(footage.sha256(partial(_check, control)))
    elapsed = time.monotonic() - start
    result = {**summary, "project": str(path), "elapsed_s": round(elapsed, 2), "warnings": view.warnings}
    if as_json:
        console.print_json(result)
        return
    people = summary["people"]
    console.out.print(
        f"{people} {'person' if people == 1 else 'people'} in {summary['frames_with_people']} of "
        f"{summary['frames']} frames, {console.duration(elapsed)}."
    )
    console.out.print(f"Focal length: {summary['focal_px']:.0f} pixels, {summary['focal_is']}.")
    if summary["depth"]:
        console.out.print(f"Depth: {summary['depth']}.", markup=False)
    if summary["confidence_note"]:
        console.out.print(f"Bodies: {summary['body']}. {summary['confidence_note']}", markup=False)
    console.out.print(f"Project: {path}", soft_wrap=True, markup=False)


def _check(control: Control) -> None:
    control.check()
