"""Opening the window."""

from __future__ import annotations

import importlib
from pathlib import Path

from app.cli.console import fail
from app.system import has_screen

_NO_SCREEN = 1


def show_window(project: Path | None = None, footage: Path | None = None) -> int:
    """Open the window, on a project or footage if given; the exit code when it is closed."""
    if not has_screen():
        fail("There is no screen to show a window on. See --help for what works without one.")
        return _NO_SCREEN
    # By name: what the program does must not depend on the window that shows it.
    run_window = importlib.import_module("widgets.app").run_window
    return int(run_window(project=project, footage=footage) or 0)
