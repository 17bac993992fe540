"""The command line."""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code. ``arguments`` default to the process's own."""
    from app.cli.program import run  # typer and rich only once something is asked for

    return run(arguments)
