"""``understudy bench``: numbers, each beside a named baseline measured in the same run."""

from __future__ import annotations

import typer

from app.cli.bench.audit import audit
from app.cli.bench.cover import cover
from app.cli.bench.deface import deface
from app.cli.bench.deidentify import deidentify
from app.cli.bench.depth import depth
from app.cli.bench.drag import drag
from app.cli.bench.fit import fit
from app.cli.bench.pipeline import export, memory, pipeline
from app.cli.bench.plate import plate
from app.cli.bench.raster import raster
from app.cli.bench.reidentify import reidentify
from app.cli.bench.scene import find, scene
from app.cli.bench.seek import seek
from app.cli.bench.ui import ui
from app.cli.bench.utility import utility

bench = typer.Typer(
    help="Measure on this machine, each number beside a named baseline of the same run.", no_args_is_help=True
)
for command in (
    seek, fit, drag, raster, pipeline, export, memory, ui, scene, find, plate, cover, audit,
    utility, reidentify, deidentify, deface, depth,
):  # fmt: skip
    bench.command()(command)
