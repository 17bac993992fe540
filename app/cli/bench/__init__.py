"""``understudy bench``: numbers, each beside a named baseline measured in the same run."""

from __future__ import annotations

import typer

from app.cli.bench.raster import raster

bench = typer.Typer(
    help="Measure on this machine, each number beside a named baseline of the same run.", no_args_is_help=True
)
bench.command()(raster)
