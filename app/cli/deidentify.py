"""``understudy deidentify``: many videos in, as many de-identified ones out."""

from __future__ import annotations

import re
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from app.cli import console
from app.cli.progress import Interruptible, ProgressView
from app.cli.words import BELIEVED_HELP, SHADOWS_HELP, BackgroundWord, CodecWord, LookWord

if TYPE_CHECKING:
    from app.deidentify.batch import FileResult
    from app.review.types import Cover, Fill


class WhatWord(StrEnum):
    """How much of a person is covered."""

    FACE = "face"
    HEAD = "head"
    PERSON = "person"


class HowWord(StrEnum):
    """What a person is covered with; blur comes last, as people are known again through it."""

    MESH = "mesh"
    SOLID = "solid"
    PIXELATE = "pixelate"
    REMOVE = "remove"
    BLUR = "blur"


class DicomWord(StrEnum):
    """How the video is put into a DICOM file."""

    VIDEO = "video"
    FRAMES = "frames"


_COVERS: dict[WhatWord, Cover] = {WhatWord.FACE: "face", WhatWord.HEAD: "head", WhatWord.PERSON: "whole"}
_FILLS: dict[HowWord, Fill] = {
    HowWord.MESH: "mesh", HowWord.SOLID: "solid", HowWord.PIXELATE: "pixels", HowWord.REMOVE: "remove",
    HowWord.BLUR: "blur",
}  # fmt: skip
_STATES = {
    "done": "[green]done[/]", "kept": "[green]finished before[/]", "leaks": "[red]somebody may be seen[/]",
    "failed": "[red]failed[/]", "waiting": "[yellow]not begun[/]",
}  # fmt: skip

_CLOCK = r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)"


def parse_span(text: str | None) -> tuple[float, float] | None:
    """"00:10-00:20", "1:02:03-1:05:00" or "10-20.5" as seconds.

    Raises:
        BadParameter: it is no span of time.
    """  # fmt: skip
    if text is None:
        return None
    match = re.fullmatch(rf"{_CLOCK}\s*-\s*{_CLOCK}", text.strip())
    if match is None:
        raise typer.BadParameter("write it as FROM-TO, like 00:10-00:20 (minutes:seconds)")
    parts = [float(g or 0) for g in match.groups()]
    first, last = (3600 * h + 60 * m + s for h, m, s in (parts[:3], parts[3:]))
    if first >= last:
        raise typer.BadParameter("the span ends before it begins")
    return first, last


def fill_of(how: HowWord) -> Fill:
    """The settings' word for how a person is covered."""
    return _FILLS[how]


def deidentify(
    inputs: Annotated[
        list[str], typer.Argument(metavar="IN...", help="Videos, DICOM files, folders or wildcards.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write to; it mirrors the folders given.")
    ],
    what: Annotated[WhatWord, typer.Option(help="What of a person is covered.")] = WhatWord.PERSON,
    how: Annotated[
        HowWord, typer.Option(help="With what. People are known again through a blur: rather choose others.")
    ] = HowWord.MESH,
    look: Annotated[LookWord, typer.Option(help="How a mesh looks.")] = LookWord.CLOTHED,
    believed: Annotated[bool, typer.Option("--believed/--whole-bodies", help=f"{BELIEVED_HELP}.")] = True,
    shadows: Annotated[bool, typer.Option("--shadows/--no-shadows", help=f"{SHADOWS_HELP}.")] = True,
    background: Annotated[
        BackgroundWord | None,
        typer.Option(
            help="Around people: the picture as it is, or the empty room (usual for whole people as a mesh)."
        ),
    ] = None,
    spare: Annotated[
        list[int] | None,
        typer.Option(
            metavar="ID",
            help="A person who may be seen, by the number in the report; one file only; may be repeated.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why they may be seen; it goes into the report.")] = "",
    between: Annotated[
        str | None,
        typer.Option(metavar="FROM-TO", help="Write only this part, like 00:10-00:20 (minutes:seconds)."),
    ] = None,
    keep_audio: Annotated[
        bool, typer.Option("--keep-audio", help="Keep the sound. A voice identifies.")
    ] = False,
    codec: Annotated[CodecWord, typer.Option(help="H.265 is smaller and slower to write.")] = CodecWord.H264,
    dicom: Annotated[
        DicomWord | None, typer.Option(help="Also write DICOM: the video as it is, or its frames as JPEGs.")
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit/--no-audit", help="Search every finished video for who slipped through.")
    ] = True,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write a report beside every video.")
    ] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Files worked on side by side.")] = 1,
    projects: Annotated[
        Path | None,
        typer.Option(help="Keep the projects in this folder, to look at findings in the window."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files of other settings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """De-identify videos: find people, cover them, search the result for who slipped through.

    Names in the output folder end in _deidentified, or in _deidentified_unverified where somebody may be
    seen. A batch that was stopped goes on with the same command. Originals are never changed.

    Exit codes: 0 all files are done and nobody is known to be seen, 3 a file could not be read, 6 somebody
    may be seen or a file could not be written, 7 the disk is full.
    """
    from app.audit.run import require_audit_networks
    from app.deidentify.batch import exit_code_of, run_batch
    from app.deidentify.inputs import find_inputs
    from app.deidentify.request import BatchRequest
    from app.errors import FootageError
    from app.pipeline.device import choose_device
    from app.pipeline.engine import require_networks
    from app.review.types import DeidSettings

    span = parse_span(between)
    if spare and not reason.strip():
        raise typer.BadParameter("say why with --reason: it goes into the report", param_hint="--spare")
    if device != "auto":
        choose_device(device)
    plate = _COVERS[what] == "whole" and _FILLS[how] in ("mesh", "remove")
    deid = DeidSettings(
        cover=_COVERS[what], fill=_FILLS[how], look=look.value, keep_audio=keep_audio, codec=codec.value,
        background=background.value if background is not None else "plate" if plate else "original",
        believed_only=believed, shadows=shadows,
    )  # fmt: skip
    found = find_inputs(inputs, output)
    if not found:
        raise FootageError("There is no video in what was named. Name files, or folders that hold some.")
    if spare and len(found) > 1:
        raise typer.BadParameter(
            "people are numbered anew in every file: give one file", param_hint="--spare"
        )
    require_networks()
    if audit:
        require_audit_networks()
    request = BatchRequest(
        out=output.absolute(), deid=deid, audit=audit, report=report, between=span,
        spare=tuple(dict.fromkeys(spare or ())), reason=reason, dicom=dicom.value if dicom else None,
        device=device, projects=projects.absolute() if projects else None, overwrite=overwrite,
    )  # fmt: skip
    begun = time.monotonic()
    with Interruptible() as control, ProgressView() as view:
        results = run_batch(found, request, control, view, workers=workers)
    code = 130 if control.stopped else exit_code_of(results)
    if as_json:
        console.print_json(
            {"folder": str(request.out), "files": [r.plain() for r in results], "exit_code": code,
             "elapsed_s": round(time.monotonic() - begun, 2), "warnings": view.warnings}
        )  # fmt: skip
    else:
        _tell(results, request.out, time.monotonic() - begun, kept=projects is not None)
    if control.stopped:
        console.fail("Stopped. Finished files are kept; the same command goes on with the rest.")
    if code:
        raise typer.Exit(code)


def _tell(results: list[FileResult], out: Path, seconds: float, *, kept: bool) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("file", "result"):
        table.add_column(name, overflow="fold")
    for name in ("frames", "people", "time", "findings"):
        table.add_column(name, justify="right")
    table.add_column("", overflow="fold")
    for row in results:
        values = row.values
        made = row.state in ("done", "leaks")
        table.add_row(
            escape(row.item.place.as_posix()), _STATES[row.state], str(values.get("frames", "")),
            str(values.get("people", "")), console.duration(row.seconds) if made else "", _findings(row),
            escape(row.message or _note(row)),
        )  # fmt: skip
    console.out.print(table)
    n = sum(r.state in ("done", "kept") for r in results)
    total = f"{len(results)} file{'' if len(results) == 1 else 's'}"
    console.out.print(f"\n{n} of {total} finished, {console.duration(seconds)}.")
    console.out.print(f"  {out}", soft_wrap=True, markup=False)
    if any(r.state == "leaks" for r in results) and not kept:
        console.out.print(
            "To look at who may be seen, cover them or release findings, run again with --overwrite and "
            "--projects FOLDER, and open the project in the window."
        )


def _findings(row: FileResult) -> str:
    if not row.values:
        return ""
    if not row.values["searched"]:
        return "not searched"
    return f"{row.values['open_events']} of {row.values['events']} open" if row.values["events"] else "none"


def _note(row: FileResult) -> str:
    if row.state == "leaks" and not row.values["searched"]:
        return f"{row.values['uncovered']} frames in which somebody may not be covered"
    if row.values and not row.values["people"]:
        return "nobody was found in it"
    return ""
