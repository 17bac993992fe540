"""``bench drag``: from the mouse to the picture that shows the body fitted anew, in the real window."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from app import system
from app.cli import console
from app.cli.bench.fit_rows import measured
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.errors import UnderstudyError

_SECONDS, _PEOPLE, _WIDTH = 1.0, 2, 1280


def drag(as_json: JsonOption = False) -> None:
    """A wrist dragged: event, refit, confidence, skinning, drawn and swapped (target: 95 % in 33 ms)."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        project, log = Path(folder) / "room.understudy", Path(folder) / "drag.json"
        _prepare(Path(folder) / "room.mp4", project)
        console.err.print("Dragging a wrist in the window", markup=False)
        _drive(project, log)
        try:
            found = json.loads(log.read_text(encoding="utf-8"))
            shown, fitted, busy = (np.array(found[f"{k}_ms"], float) for k in ("shown", "fitted", "busy"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnderstudyError("The window wrote no times.") from error
    rows: list[dict[str, Any]] = [
        measured("from the mouse to the swapped picture: 95 % within", np.percentile(shown, 95), "ms",
                 at_most=33.0),
        measured("    median", np.median(shown), "ms"),
        measured("    processor time of all threads, median", np.median(busy), "ms"),
        measured("    of this: to the fitted, judged and skinned body, 95 % within",
                 np.percentile(fitted, 95), "ms"),
        measured("    median", np.median(fitted), "ms"),
    ]  # fmt: skip
    report("drag", rows, as_json, f"{len(shown)} moves of the mouse, window of 1600x1000 pixels.")


def _prepare(clip: Path, project: Path) -> None:
    """A short drawn room with results."""
    from app.cli.documents import project_of
    from app.demo import write_demo_clip
    from app.pipeline.engine import default_engine
    from app.pipeline.run import run_pipeline
    from app.review.types import RunOptions

    engine = default_engine()
    with Interruptible() as control, ProgressView() as view:
        write_demo_clip(clip, control, view, seconds=_SECONDS, people=_PEOPLE, width=_WIDTH)
        with project_of(clip, project) as (store, footage):
            run_pipeline(store, footage, engine, RunOptions(), control, view)


def _drive(project: Path, log: Path) -> None:
    command = [sys.executable, "-m", "widgets.drag_clock", str(project), str(log)]
    if system.needs_virtual_screen():
        if not system.have_virtual_screen():
            line = system.install_line(system.VIRTUAL_SCREEN_PACKAGES)
            raise UnderstudyError(f"There is no screen, and no virtual one. Type: {line}")
        command = [*system.VIRTUAL_SCREEN, *command]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, cwd=root, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise UnderstudyError("The window could not be driven; see above.")
