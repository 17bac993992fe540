"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

_WIDTH_IN_FILES = 120

out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_IN_FILES)
"""Results."""
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH_IN_FILES)
"""Progress, warnings and errors."""


def command_name() -> str:
    """How the program was started, for hints that can be typed as they stand."""
    return os.environ.get("UNDERSTUDY_COMMAND", "understudy")


def localised(text: str) -> str:
    """``text`` with "understudy ..." commands as the person has to type them here."""
    return text.replace("understudy models ", f"{command_name()} models ")


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    json.dump(value, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def warn(text: str) -> None:
    """Something a person should know."""
    err.print(f"[yellow]Note:[/] {escape(localised(text))}")


def fail(text: str) -> None:
    """What went wrong, in one sentence; a file's name at its start stays as it is written."""
    first = text.partition(" ")[0]
    shown = text[:1].upper() + text[1:] if first.isalpha() else text
    err.print(f"[red]{escape(localised(shown))}[/]", soft_wrap=True)


def duration(seconds: float) -> str:
    """Seconds as a person says them: "8.4 s", "3 min 20 s", "2 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def size(n_bytes: float) -> str:
    """Bytes as a person says them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000 or unit == "GB":
            return f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    raise AssertionError
