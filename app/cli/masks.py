"""``understudy masks``: segmentations of your own whose masks add to what is covered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app.cli import console

masks = typer.Typer(
    help="Add a segmentation of your own (Transformers, Detectron2): its masks of people add to what is "
    "covered.",
    no_args_is_help=True,
)


@masks.command()
def add(
    name: Annotated[str, typer.Argument(help="transformers or detectron2.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="transformers: the folder of a Mask2Former, MaskFormer or DETR (config.json, safetensors). "
            "detectron2: a configuration (yaml) and its weights (pkl, pth, safetensors)."
        ),
    ],
) -> None:
    """Try a segmentation, and use it in every preview and export from now on.

    Nothing in its files is run, and nothing is fetched. It takes its own time for every frame.
    """
    from app.deidentify.segmentations import add_segmentation

    added = add_segmentation(name, files)
    console.out.print(
        f"{added.name} works. Its masks are added to what is covered from now on; to end that: "
        f"{console.command_name()} masks remove {added.name}",
        soft_wrap=True, markup=False,
    )  # fmt: skip


@masks.command("list")
def list_masks(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Which were added, and their files."""
    from app.deidentify.segmentations import segmentations

    found = segmentations()
    if as_json:
        console.print_json(
            [{"name": s.name, "files": [str(f) for f in s.files], "sha256": s.sha256} for s in found]
        )
        return
    if not found:
        console.out.print("None was added. The program's own masks are used alone.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("name", "files", "SHA-256"):
        table.add_column(column)
    for s in found:
        table.add_row(s.name, "\n".join(str(f) for f in s.files), s.sha256[:16])
    console.out.print(table)


@masks.command()
def remove(name: Annotated[str, typer.Argument(help="Which.")]) -> None:
    """Use it no longer. Its files stay where they are."""
    from app.deidentify.segmentations import remove_segmentation

    remove_segmentation(name)
    console.out.print(f"{name} is no longer used.", markup=False)
