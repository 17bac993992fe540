"""``understudy audit``: search a finished video for faces and people, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from app.cli import console
from app.cli.progress import Interruptible, ProgressView

if TYPE_CHECKING:
    from app.audit.types import AuditResult

FOUND = 6
"""The exit code where somebody may be seen: the same as of an export that did not pass its check."""


def audit(
    video: Annotated[Path, typer.Argument(help="A finished video, whoever made it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search every frame of a finished video for faces and people; exit code 6 where any are seen.

    Nothing is known here of what was replaced: the face of a drawn body counts too. An export of this program
    searches its own video with that knowledge.
    """
    from app.audit.run import audit_file

    with Interruptible() as control, ProgressView() as view:
        result = audit_file(video, control=control, listener=view)
    if as_json:
        console.print_json(as_values(result))
    else:
        _show(result)
    if result.events:
        raise typer.Exit(FOUND)


def as_values(result: AuditResult) -> dict[str, Any]:
    """Plain values; frames counted from 0, boxes x0 y0 x1 y1 in pixels."""
    return {
        "frames": result.n_frames, "seconds": round(result.seconds, 2), "sha256": result.output_sha256,
        "searches": [{"name": s.name, "network": s.model_id, "sha256": s.sha256} for s in result.searches],
        "events": [
            {
                "kind": e.kind, "first": e.first, "last": e.last, "score": round(e.score, 3),
                "severity": e.severity, "found_by": e.found_by, "frames": e.frames.tolist(),
                "boxes": e.boxes.round(1).tolist(),
            }
            for e in result.events
        ],
    }  # fmt: skip


def _span(first: int, last: int) -> str:
    """Frames as the window and reports count them: from 1."""
    return f"{first + 1}" if first == last else f"{first + 1}–{last + 1}"


def _show(result: AuditResult) -> None:
    if not result.events:
        console.out.print(f"Nobody was found in {result.n_frames} frames.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    for head in ("what", "frames", "largest", "found by", "score"):
        table.add_column(head, justify="right" if head in ("frames", "largest", "score") else "left")
    for e in result.events:
        side = float((e.boxes[:, 2:] - e.boxes[:, :2]).max())
        table.add_row(e.title, _span(e.first, e.last), f"{side:.0f} px", e.found_by, f"{e.score:.2f}")
    console.out.print(table)
