"""``understudy export``: the de-identified video and the data."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import console
from app.cli.progress import Interruptible, ProgressView
from app.cli.words import BELIEVED_HELP, SHADOWS_HELP, BackgroundWord, CodecWord, LookWord

if TYPE_CHECKING:
    from app.review.types import LearnedInpainter


class What(StrEnum):
    """Kinds of files."""

    VIDEO = "video"
    DICOM = "dicom"
    COCO = "coco"
    SMPLX = "smplx"
    MESHES_OBJ = "meshes_obj"
    MESHES_PLY = "meshes_ply"
    MESHES_GLB = "meshes_glb"
    CSV = "csv"


class CoverWord(StrEnum):
    """How much of a person is covered."""

    WHOLE = "whole"
    HEAD = "head"
    FACE = "face"


class FillWord(StrEnum):
    """What a person is covered with."""

    MESH = "mesh"
    SOLID = "solid"
    PIXELS = "pixels"
    REMOVE = "remove"
    BLUR = "blur"


_DEFAULT = [What.VIDEO, What.COCO, What.SMPLX, What.CSV]


def export(
    project: Annotated[Path, typer.Argument(help="A project (.understudy).")],
    what: Annotated[
        list[What] | None, typer.Option("--what", "-w", help="What to write; may be repeated.")
    ] = None,
    cover: Annotated[
        CoverWord | None, typer.Option(help="What of people is covered; as in the project if left out.")
    ] = None,
    fill: Annotated[
        FillWord | None, typer.Option(help="With what; as in the project if left out. Rather not with blur.")
    ] = None,
    look: Annotated[
        LookWord | None, typer.Option(help="How a mesh looks; as in the project if left out.")
    ] = None,
    believed: Annotated[
        bool | None,
        typer.Option("--believed/--whole-bodies", help=f"{BELIEVED_HELP}; as in the project if left out."),
    ] = None,
    shadows: Annotated[
        bool | None,
        typer.Option("--shadows/--no-shadows", help=f"{SHADOWS_HELP}; as in the project if left out."),
    ] = None,
    background: Annotated[
        BackgroundWord | None,
        typer.Option(help="Behind the mesh: the picture or the empty room; as in the project if left out."),
    ] = None,
    keep_audio: Annotated[
        bool, typer.Option("--keep-audio", help="Keep the sound. A voice identifies.")
    ] = False,
    codec: Annotated[
        CodecWord | None, typer.Option(help="H.265 is smaller; as in the project if left out.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder to write to; beside the project if left out."),
    ] = None,
    first: Annotated[int | None, typer.Option(min=0, help="First frame, counted from 0.")] = None,
    last: Annotated[int | None, typer.Option(min=0, help="Last frame.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of an earlier export.")
    ] = False,
    allow_uncovered: Annotated[
        bool, typer.Option("--allow-uncovered", help="Export even where somebody may be visible.")
    ] = False,
    body: Annotated[
        str,
        typer.Option(
            help="Bodies and meshes as fitted (free), or carried over to smplx, smplh or smpl: added with "
            "'models add', or the path of such a file."
        ),
    ] = "free",
    inpainter: Annotated[
        str | None,
        typer.Option(help="Let a network paint what is behind people: e2fgvi, or another that is installed."),
    ] = None,
    inpainter_code: Annotated[
        Path | None, typer.Option(help="Your copy of that network's code. It is run.")
    ] = None,
    inpainter_weights: Annotated[
        Path | None, typer.Option(help="Your file of that network's weights.")
    ] = None,
    footage: Annotated[Path | None, typer.Option(help="Where the footage lies now, if it was moved.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write the de-identified video and the data of a project.

    Every file is written under another name, read back and checked before it gets its own.
    """
    from app.cli.documents import existing_project
    from app.export.inpainters import remember_painter
    from app.export.run import run_export
    from app.pipeline.bodies import project_body
    from app.review.deid import SETTING, read_deid
    from app.review.types import ExportRequest

    chosen = {"cover": cover, "fill": fill, "look": look, "background": background, "codec": codec}
    request = ExportRequest(
        folder=output or project.resolve().parent,
        kinds=tuple(w.value for w in dict.fromkeys(what or _DEFAULT)),
        first=first,
        last=last,
        overwrite=overwrite,
        allow_uncovered=allow_uncovered,
        body=body,
        inpainter=_learned(inpainter, inpainter_code, inpainter_weights),
    )
    with (
        existing_project(project, footage) as (store, opened),
        Interruptible() as control,
        ProgressView() as view,
    ):
        # What the window has stored holds, but for what is said here; sound is kept only when asked for here.
        said: dict[str, Any] = {name: word.value for name, word in chosen.items() if word is not None}
        switches = {"believed_only": believed, "shadows": shadows}
        said |= {name: on for name, on in switches.items() if on is not None}
        deid = replace(read_deid(store.setting(SETTING)), keep_audio=keep_audio, **said)
        summary = run_export(store, opened, project_body(store), request, deid, control, view)
        if request.inpainter is not None:
            remember_painter(request.inpainter)
    if as_json:
        console.print_json({**summary, "warnings": view.warnings})
        return
    console.out.print(f"Exported {summary['frames']} frames in {console.duration(summary['seconds'])}:")
    for name in summary["files"]:
        console.out.print(f"  {name}", soft_wrap=True, markup=False)


def _learned(name: str | None, code: Path | None, weights: Path | None) -> LearnedInpainter | None:
    from app.review.types import LearnedInpainter

    if name is None and code is None and weights is None:
        return None
    if name is None or code is None or weights is None:
        raise typer.BadParameter("--inpainter, --inpainter-code and --inpainter-weights go together.")
    return LearnedInpainter(name, code, weights)
