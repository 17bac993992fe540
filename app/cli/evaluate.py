"""``understudy evaluate``: weigh a project against truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from app.cli import console
from app.cli.info import version_text
from app.cli.progress import Interruptible, ProgressView

if TYPE_CHECKING:
    from app.evaluate.report import Report

_WORST = 6


def evaluate(
    project: Annotated[Path, typer.Argument(help="A project (.understudy) that was run.")],
    truth: Annotated[Path, typer.Option("--truth", "-t", help="The folder or file of the truth.")],
    view: Annotated[
        str | None, typer.Option(help="The truth's view; by default the one that the footage is.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots and the worst frames.")] = None,
    pictures: Annotated[
        bool, typer.Option(help="Show the worst frames on the page; they show the people of the footage.")
    ] = True,
    worst: Annotated[int, typer.Option(min=1, max=60, help="How many of the worst frames.")] = _WORST,
    coverage: Annotated[
        bool, typer.Option(help="Also measure how much of every head the export covers.")
    ] = True,
    tolerance: Annotated[float, typer.Option(min=0.1, help="Errors up to this are right, mm.")] = 50.0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write the JSON here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Weigh a project against truth: a table as papers print it, and a page with plots."""
    from app.datasets.open import open_truth
    from app.evaluate.evaluate import evaluate_project
    from app.evaluate.files import write_html, write_json

    truths = open_truth(truth)
    with Interruptible() as control, ProgressView() as progress:
        report = evaluate_project(
            project, truths, view=view, pictures=worst if html is not None and pictures else 0,
            coverage=coverage, tolerance_mm=tolerance, program=version_text().split(",")[0], control=control,
            listener=progress,
        )  # fmt: skip
    if output is not None:
        write_json(report, output)
    if html is not None:
        write_html(report, html)
    if as_json:
        console.print_json(report.to_dict())
        return
    _show(report)
    for path in (output, html):
        if path is not None:
            console.out.print(f"Written: {path}", soft_wrap=True, markup=False)


def _show(report: Report) -> None:
    from app.evaluate.tables import descriptions, groups_of, other_rows, samples_of, shared_about, unit_of

    c = report.counts
    console.out.print(
        f"{report.project} against {report.truth} {report.view}, {c.frames} frames: {c.true_people} true "
        f"people (counted once a frame), {c.matched} found, {c.missed} missed, {c.extra} match nobody.",
        markup=False,
    )
    for warning in report.warnings:
        console.warn(warning)
    _show_sets(report)
    for group, title in groups_of(report):
        rows = other_rows(report, group)
        if not rows:
            continue
        shared = shared_about(rows)
        name = "Vertices and visibility" if group == "3d" else title
        table = _table(f"{name}: {shared}" if shared else name)
        table.add_column("Measure", ratio=5)
        table.add_column("Value", justify="right", min_width=14, no_wrap=True)
        table.add_column("Of what, and how", ratio=7)
        table.add_column("Samples", justify="right", ratio=4)
        for r, said in zip(rows, descriptions(rows)):
            how = "; ".join(t for t in said if t)
            table.add_row(escape(r.name), f"{r.shown} {unit_of(r)}".strip(), escape(how), samples_of(r))
        console.out.print(table)
    for what, why in report.missing:
        console.out.print(f"[dim]Not measured: {escape(what)}: {escape(why)}.[/]", soft_wrap=True)


def _show_sets(report: Report) -> None:
    from app.evaluate.tables import SET_COLUMNS, samples_of, set_lines

    lines = set_lines(report)
    if not lines:
        return
    table = _table("Joints in space (mm; PCK3D and AUC in %, root-relative)")
    table.add_column("Joint set", ratio=6)
    for _, title in SET_COLUMNS:
        table.add_column(title, justify="right", ratio=2)
    table.add_column("Samples", justify="right", ratio=3)
    for line in lines:
        table.add_row(escape(line.joint_set), *(r.shown for r in line.rows), samples_of(line.rows[0]))
    console.out.print(table)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=True)
