"""``bench ui``: the longest stretch in which the window did not answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from app import system
from app.cli import console
from app.cli.bench.report import JsonOption, report
from app.errors import UnderstudyError

_TARGET_MS = 50.0
_LOG = "UNDERSTUDY_UI_LOG"
_TESTS = Path(__file__).resolve().parents[3] / "tests" / "e2e"


def ui(
    log: Annotated[
        Path | None, typer.Argument(help=f"A log that {_LOG} named; else the end-to-end tests are run now.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The longest calls on the window's thread while the worker runs (target: 50 ms)."""
    if log is not None:
        found = _read(log)
    else:
        with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
            path = Path(folder) / "ui.json"
            _drive(path)
            found = _read(path)
    longest = [float(ms) for ms in found["longest_ms"]]
    rows: list[dict[str, Any]] = [
        {"what": f"longest stretch, number {k}", "ms": ms, "ratio": ms / _TARGET_MS}
        for k, ms in enumerate(longest[:5], start=1)
    ]
    if found["busiest_ms"]:
        busiest = float(found["busiest_ms"][0])
        what = "longest by the thread's own work, other programs left out"
        rows.append({"what": what, "ms": busiest, "ratio": busiest / _TARGET_MS})
    rows.append({"what": "baseline: the target", "ms": _TARGET_MS, "ratio": 1.0})
    report("ui, end-to-end tests", rows, as_json, f"{found['beats']} heartbeats of the event loop.")


def _drive(log: Path) -> None:
    """Run the end-to-end tests, which drive the real window with real events, and let them write the log."""
    if not _TESTS.is_dir():
        raise UnderstudyError("The end-to-end tests are not here: run this from a checkout, or name a log.")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(_TESTS)]
    if system.needs_virtual_screen():
        if not system.have_virtual_screen():
            line = system.install_line(system.VIRTUAL_SCREEN_PACKAGES)
            raise UnderstudyError(f"There is no screen, and no virtual one. Type: {line}")
        command = [*system.VIRTUAL_SCREEN, *command]
    console.err.print("Driving the window through the end-to-end tests")
    done = subprocess.run(
        command, env={**os.environ, _LOG: str(log)}, cwd=_TESTS.parents[1], stdout=sys.stderr, check=False
    )
    if done.returncode != 0:
        console.warn("Not all end-to-end tests passed; see above.")


def _read(log: Path) -> dict[str, Any]:
    try:
        found = json.loads(log.read_text(encoding="utf-8"))
        return {
            "beats": int(found["beats"]), "longest_ms": list(found["longest_ms"]),
            "busiest_ms": list(found.get("busiest_ms", [])),
        }  # fmt: skip
    except OSError as error:
        raise UnderstudyError(f"No log was written to {log.name}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnderstudyError(f"{log.name} is not a log of the window.") from error
