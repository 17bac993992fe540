"""What every benchmark prints, and how it takes time."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from app.cli import console

JsonOption = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def timings(work: Callable[[], Any], repeats: int, *, warm: int = 2) -> npt.NDArray[np.float64]:
    """Seconds of ``repeats`` calls, after ``warm`` calls that do not count (they compile)."""
    for _ in range(warm):
        work()
    taken = np.empty(repeats)
    for i in range(repeats):
        start = time.perf_counter()
        work()
        taken[i] = time.perf_counter() - start
    return taken


def machine() -> str:
    """The machine in a few words."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def report(title: str, rows: list[dict[str, Any]], as_json: bool, note: str = "") -> None:
    """Print rows (all with the same keys) as a table or as JSON. A table leaves out what no row tells."""
    if as_json:
        console.print_json({"bench": title, "machine": machine(), "rows": rows, "note": note})
        return
    table = Table(title=f"{title} ({machine()})", title_justify="left", box=None, padding=(0, 2, 0, 0))
    told = [key for key in rows[0] if any(_shown(row[key]) for row in rows)]
    for key in told:
        table.add_column(key.replace("_", " "), justify="left" if key in ("what", "file") else "right")
    for row in rows:
        table.add_row(*(_shown(row[key]) for key in told))
    console.out.print(table)
    if note:
        console.out.print(note, markup=False)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)
