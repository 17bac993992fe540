"""``understudy dataset``: whole data sets."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from app.cli import console
from app.cli.deidentify import HowWord, fill_of
from app.cli.progress import Interruptible, ProgressView
from app.cli.words import BELIEVED_HELP, SHADOWS_HELP, CodecWord, LookWord

if TYPE_CHECKING:
    from app.deidentify.data_set import Conversion

dataset = typer.Typer(help="Convert whole data sets.", no_args_is_help=True)

_SHOWN = 20


@dataset.command("deidentify")
def deidentify_dataset(
    paths: Annotated[list[Path], typer.Argument(metavar="TREE", help="The folder of the data set.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the new data set.")],
    splits: Annotated[
        list[Path] | None,
        typer.Option("--splits", metavar="FILE...", help="Split files: only clips named there are made."),
    ] = None,
    resize: Annotated[
        tuple[int, int] | None, typer.Option(metavar="W H", help="Scale every clip first.")
    ] = None,
    intermediate: Annotated[
        bool,
        typer.Option(
            "--intermediate",
            help="Also write NAME_inpaint.mp4 (the room without people), NAME_inpaint_final.mp4, and with "
            "--resize NAME_resize.mp4, in which people are as they were.",
        ),
    ] = False,
    how: Annotated[HowWord, typer.Option(help="What whole people are covered with.")] = HowWord.MESH,
    look: Annotated[LookWord, typer.Option(help="How a mesh looks.")] = LookWord.CLOTHED,
    believed: Annotated[bool, typer.Option("--believed/--whole-bodies", help=f"{BELIEVED_HELP}.")] = True,
    shadows: Annotated[bool, typer.Option("--shadows/--no-shadows", help=f"{SHADOWS_HELP}.")] = True,
    codec: Annotated[CodecWord, typer.Option(help="H.265 is smaller and slower to write.")] = CodecWord.H264,
    audit: Annotated[
        bool, typer.Option("--audit/--no-audit", help="Search every finished clip for who slipped through.")
    ] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Clips worked on side by side.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace clips of other settings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Turn a data set of videos of people into one of meshes in the same rooms.

    Tree, names, frame times and split files are kept; clips become .mp4. A conversion that was stopped goes
    on with the same command. Clips in which somebody may be seen end in _unverified and stay out of the new
    splits; conversion.csv says what came of every clip.
    """
    from app.audit.run import require_audit_networks
    from app.deidentify.batch import exit_code_of
    from app.deidentify.data_set import convert_data_set
    from app.deidentify.request import BatchRequest, ClipForm
    from app.pipeline.engine import require_networks
    from app.review.types import DeidSettings

    # "--splits a.csv b.csv": everything after the first is read as an argument.
    trees = [p for p in paths if p.suffix.lower() not in (".csv", ".txt")]
    files = [*(splits or []), *(p for p in paths if p not in trees)]
    if len(trees) != 1:
        raise typer.BadParameter("name one folder, and split files ending in .csv or .txt")
    if resize is not None and not all(16 <= side <= 8192 for side in resize):
        raise typer.BadParameter("width and height lie between 16 and 8192 pixels", param_hint="--resize")
    require_networks()
    if audit:
        require_audit_networks()
    request = BatchRequest(
        out=output.absolute(), audit=audit, report=False, device=device, overwrite=overwrite,
        deid=DeidSettings(
            fill=fill_of(how), look=look.value, codec=codec.value, believed_only=believed, shadows=shadows
        ),
        clips=ClipForm(resize, intermediate),
    )  # fmt: skip
    begun = time.monotonic()
    with Interruptible() as control, ProgressView() as view:
        done = convert_data_set(trees[0], files, request, control, view, workers=workers)
    code = 130 if control.stopped else exit_code_of(done.results)
    seconds = time.monotonic() - begun
    if as_json:
        console.print_json(
            {"folder": str(request.out), "clips": [r.plain() for r in done.results],
             "splits": [{"name": n, "kept": k, "left_out": d} for n, k, d in done.splits],
             "missing": list(done.missing), "exit_code": code, "elapsed_s": round(seconds, 2),
             "warnings": view.warnings}
        )  # fmt: skip
    else:
        _tell(done, request.out, seconds)
    if control.stopped:
        console.fail("Stopped. Finished files are kept; the same command goes on with the rest.")
    if code:
        raise typer.Exit(code)


def _tell(done: Conversion, out: Path, seconds: float) -> None:
    counts = {state: sum(r.state == state for r in done.results) for state in ("done", "kept", "leaks")}
    made = counts["done"] + counts["kept"]
    console.out.print(f"{made} of {len(done.results)} clips are converted, {console.duration(seconds)}.")
    for words, names in (
        ("Failed, or not begun", [f"{r.item.place.as_posix()}: {r.message or r.state}" for r in done.results
                                  if r.state in ("failed", "waiting")]),
        ("Somebody may be seen", [f"{r.item.place.as_posix()}: {r.values['open_events']} findings"
                                  for r in done.results if r.state == "leaks"]),
        ("Occlusion faults: a mesh covers what stood before a person",
         [f"{r.item.place.as_posix()}: in {100 * r.values['occluded']:.0f} % of looks" for r in done.faults]),
        ("Named in a split and not there", list(done.missing)),
    ):  # fmt: skip
        if names:
            _list(f"{words} ({len(names)})", names)
    for name, kept, dropped in done.splits:
        left = f", {dropped} left out" if dropped else ""
        console.out.print(f"Split {name}: {kept} clip{'' if kept == 1 else 's'}{left}.", markup=False)
    console.out.print(f"  {out}", soft_wrap=True, markup=False)


def _list(title: str, lines: list[str]) -> None:
    console.out.print(f"{title}:", markup=False)
    for line in lines[:_SHOWN]:
        console.out.print(Padding(Text(line, overflow="fold"), (0, 0, 0, 2)))
    if len(lines) > _SHOWN:
        console.out.print(f"  ... and {len(lines) - _SHOWN} more, in conversion.csv")
