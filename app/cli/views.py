"""``understudy views``: several calibrated cameras together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from app.cli import console
from app.cli.progress import Interruptible, ProgressView


def views(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            help="A video or a folder of pictures for each camera; or one folder of a data set (this "
            "program's, EasyMocap's, DisguisOR's or Pose2Sim's) that holds footage and calibration."
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for everything.")] = Path(
        "views_output"
    ),
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration",
            "-c",
            help="calibration.json, intri.yml beside extri.yml, a toml, or a folder with one of them.",
        ),
    ] = None,
    keypoints: Annotated[
        Path | None,
        typer.Option(
            help="Take keypoints from here and look at no picture: a folder of json files (OpenPose, "
            "EasyMocap) or NAME_keypoints.json (this program's export) for each camera."
        ),
    ] = None,
    layout: Annotated[
        str, typer.Option(help="Order of these keypoints: auto, body25, body25b, coco17, coco18, halpe26.")
    ] = "auto",
    offsets: Annotated[
        str,
        typer.Option(help="For each camera the frame at which all begin, like 0,12,3; where clocks differ."),
    ] = "",
    fps: Annotated[float | None, typer.Option(min=0.1, help="Frames a second; as the videos say.")] = None,
    first: Annotated[int, typer.Option(min=0, help="First frame, counted from 0.")] = 0,
    last: Annotated[int | None, typer.Option(min=0, help="Last frame.")] = None,
    body: Annotated[str, typer.Option(help="free, smplx, smplh, smpl, or the path of such a file.")] = "free",
    refine_cameras: Annotated[
        bool,
        typer.Option(
            "--refine-cameras",
            help="Turn and move cameras a little so that what they see of people meets: for a calibration "
            "that is old, or a tripod that was knocked.",
        ),
    ] = False,
    hands_face: Annotated[bool, typer.Option("--hands-face", help="Look for hands and faces too.")] = False,
    projects: Annotated[bool, typer.Option(help="Write a project for each camera.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find the people in several calibrated cameras, and fit one body to all views of a person at once.

    Writes bodies and points in space, how well the cameras agree, and a project for each camera in which
    people have the same number and body everywhere. A run that was stopped goes on: type the same line again.
    """
    from app.multiview.run import run_views
    from app.multiview.types import ViewsRequest

    if last is not None and first > last:
        raise typer.BadParameter(f"--first {first} comes after --last {last}.")
    request = ViewsRequest(
        tuple(sources or ()), calibration, output, keypoints, layout, _offsets(offsets), fps, first, last,
        body, hands_face, projects, refine_cameras,
    )  # fmt: skip
    with Interruptible() as control, ProgressView() as view:
        result = run_views(request, control, view)
    if as_json:
        console.print_json({**result, "warnings": view.warnings})
    else:
        _tell(result, output)


def _offsets(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(",")) if text.strip() else ()
    except ValueError as error:
        raise typer.BadParameter(f"--offsets takes whole numbers like 0,12,3, not {text}.") from error


def _tell(result: dict[str, Any], output: Path) -> None:
    people = result["people"]
    console.out.print(
        f"{people} {'person' if people == 1 else 'people'}, {result['moments']} bodies in "
        f"{console.duration(result['seconds'])}."
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("camera", "seen", "not seen", "keypoints", "given up", "median px", "90 % px"):
        table.add_column(name, justify="left" if name == "camera" else "right")
    for row in [*result["cameras"], {"name": "all", **result["all"]}]:
        cells = [
            row.get("people_seen"), row.get("people_not_seen"), row.get("keypoints_used"),
            row.get("keypoints_contradicted"), row["median_px"], row["p90_px"],
        ]  # fmt: skip
        table.add_row(row["name"], *("" if c is None else str(c) for c in cells))
    console.out.print(table)
    for row in result["refined"]:
        console.out.print(
            f"{row['name']} was turned by {row['turned_deg']:.2f} degrees and moved by "
            f"{row['moved_mm']:.0f} mm."
        )
    for path in [*result["files"], *result["projects"]]:
        console.out.print(f"  {Path(path).name}", markup=False)
    console.out.print(f"In {output}", soft_wrap=True, markup=False)
