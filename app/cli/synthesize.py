"""``understudy synthesize``: a rendered scene with exact truth, written as a data set."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli import console
from app.cli.progress import Interruptible, ProgressView


class Preset(StrEnum):
    """Scenes."""

    OR = "or"
    INTERVIEW = "interview"
    WALK = "walk"
    CROWD = "crowd"


class Layout(StrEnum):
    """How files are laid out."""

    UNDERSTUDY = "understudy"
    DISGUISOR = "disguisor"
    COCO = "coco"
    EASYMOCAP = "easymocap"


def _size(text: str) -> str:
    if not re.fullmatch(r"\d{1,5}x\d{1,5}", text):
        raise typer.BadParameter("write it as WIDTHxHEIGHT, like 1280x720")
    return text


def synthesize(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write; new or empty.")],
    preset: Annotated[Preset, typer.Option(help="The scene.")] = Preset.OR,
    people: Annotated[
        int | None, typer.Option(help="How many people; what is usual for the scene if left out.")
    ] = None,
    cameras: Annotated[
        int | None, typer.Option(help="How many cameras; what is usual for the scene if left out.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Length.")] = 20.0,
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 25.0,
    size: Annotated[str, typer.Option(callback=_size, help="Pictures, WIDTHxHEIGHT pixels.")] = "1280x720",
    seed: Annotated[int, typer.Option(min=0, help="Another number, other people and movements.")] = 0,
    layout: Annotated[Layout, typer.Option(help="How the files are laid out.")] = Layout.UNDERSTUDY,
    clouds: Annotated[bool, typer.Option(help="Write point clouds (layout understudy).")] = True,
    vertices: Annotated[
        bool, typer.Option("--vertices", help="Write every body's vertices (layout understudy).")
    ] = False,
    feet: Annotated[
        bool, typer.Option("--feet", help="Write COCO-WholeBody's feet too (layout coco).")
    ] = False,
    hand_held: Annotated[bool, typer.Option("--hand-held", help="Carry the first camera.")] = False,
    occluder: Annotated[
        float | None,
        typer.Option(help="Slide a card of this width before the first camera, as a share of the height."),
    ] = None,
    light_swing: Annotated[
        float, typer.Option(help="Let the light rise and fall by this share within two seconds, like 0.06.")
    ] = 0.0,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw a contact sheet, .jpg or .png (layout understudy).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Draw a scene with people whose bodies are known exactly, and write it with its truth.

    The same options give the same truth, bit by bit.
    """
    from app.synthesize import SynthesisRequest, run_synthesis
    from app.synthesize.sheet import contact_sheet

    if sheet is not None and layout is not Layout.UNDERSTUDY:
        raise typer.BadParameter("a contact sheet is drawn of the layout understudy", param_hint="--sheet")
    if sheet is not None and sheet.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise typer.BadParameter("choose a name that ends in .jpg or .png", param_hint="--sheet")

    width, height = (int(n) for n in size.split("x"))
    request = SynthesisRequest(
        output, preset.value, people, cameras, seconds, fps, width, height, seed, layout.value, clouds,
        vertices, feet, hand_held, occluder, light_swing,
    )  # fmt: skip
    with Interruptible() as control, ProgressView() as view:
        result = run_synthesis(request, control, view)
        if sheet is not None:
            contact_sheet(Path(result["folder"]), sheet)
    if as_json:
        console.print_json(result)
        return
    n = len(result["cameras"])
    console.out.print(
        f"Wrote {result['frames']} frames of {n} camera{'s' if n != 1 else ''} "
        f"({console.size(result['bytes'])}) in {console.duration(result['seconds'])}:"
    )
    for path in (result["folder"], sheet):
        if path is not None:
            console.out.print(f"  {path}", soft_wrap=True, markup=False)
