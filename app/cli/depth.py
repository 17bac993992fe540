"""The options of a depth sensor, and what they do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import console

DepthOption = Annotated[
    Path | None,
    typer.Option(
        help="What a depth sensor recorded beside the video: a folder of 16-bit png or tif, a grey 16-bit "
        "video, an npy or npz. Taken without asking where it lies beside the video as NAME_depth or "
        "NAME.depth."
    ),
]
ScaleOption = Annotated[
    float | None,
    typer.Option(
        help="Metres a unit of depth; if left out whole numbers are millimetres, floating ones metres."
    ),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        help="A calibration with the lens of the camera and, named 'depth', of a depth camera beside it."
    ),
]
NoDepthOption = Annotated[
    bool, typer.Option("--no-depth", help="Read no depth, even where it lies beside the video.")
]


def check_options(depth: Path | None, scale: float | None, calibration: Path | None, no_depth: bool) -> None:
    """Raises:
    BadParameter: options that do not go together.
    """
    if depth is None and (scale is not None or calibration is not None):
        raise typer.BadParameter("--depth-scale and --calibration go with --depth.")
    if depth is not None and no_depth:
        raise typer.BadParameter("--depth and --no-depth contradict each other.")


def take_depth(
    store: Any, footage: Any, depth: Path | None, scale: float | None, calibration: Path | None,
    no_depth: bool, restart: bool,
) -> None:  # fmt: skip
    """Let the project's runs read the depth that was named, or that lies beside the video.

    Raises:
        UnderstudyError: it cannot be used, or the project has results that were found otherwise.
    """
    from app.footage.depth import find_depth
    from app.pipeline.depth import DepthChoice, choose_depth, is_decided

    if depth is not None:
        choose_depth(store, footage, DepthChoice(depth, scale, calibration), restart=restart)
    elif no_depth:
        choose_depth(store, footage, None, restart=restart)
    elif (restart or not store.processed()) and not is_decided(store):
        beside = find_depth(footage.path)
        if beside is not None:
            console.err.print(f"Depth beside the video: {beside.name}", markup=False)
            choose_depth(store, footage, DepthChoice(beside), restart=restart)
