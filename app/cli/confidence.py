"""``understudy confidence``: train and evaluate, look at one picture, and see what an occluder breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli import console
from app.cli.confidence_occlusion import occlude
from app.cli.confidence_pictures import correlate, demo, qualitative
from app.cli.progress import Interruptible, ProgressView

confidence = typer.Typer(
    help="Confidence from the agreement of two estimators, and sensitivity to occlusion.",
    no_args_is_help=True,
)

_Data = Annotated[
    Path,
    typer.Argument(
        help="Folder with *_sp_op.npy, *_sp_gt.npy and *_conf.npy, or one npz; train and test in the names."
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@confidence.command()
def train(
    data: _Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the networks, the table and the model card.")
    ] = Path("confidence_networks"),
    runs: Annotated[int, typer.Option(min=1, max=20, help="How often to train each model.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first run; the others follow.")] = 0,
    in_time: Annotated[
        bool, typer.Option("--in-time", help="Also a model that looks at the frames before and after.")
    ] = False,
    epochs: Annotated[int | None, typer.Option(min=1, max=200, help="Of our model.")] = None,
    as_json: _Json = False,
) -> None:
    """Train MC and WJC as published and our own model, and print all of them beside the literature."""
    from dataclasses import replace

    from app.confidence.arrays import read_arrays
    from app.confidence.benchmark import evaluate_all, split_roles, train_all
    from app.confidence.report import LEGEND, as_plain, as_text, targets_text
    from app.confidence.weights import save_trained
    from backends.confidence.train_agreement import TrainSettings

    with Interruptible() as control, ProgressView() as view:
        train_splits, test_splits = split_roles(read_arrays(data))
        settings = replace(TrainSettings(), **({"epochs": epochs} if epochs else {}))
        trained = train_all(
            train_splits, control, view, runs=runs, seed=seed, in_time=in_time, settings=settings
        )
        rows = evaluate_all(trained, test_splits, control, view)
    about = {"data": ", ".join(s.name for s in train_splits), "runs": runs, "seed": seed}
    files = save_trained(output, trained, rows, about)
    if as_json:
        console.print_json({**as_plain(rows), "files": [str(f) for f in files]})
        return
    console.out.print(as_text(rows), soft_wrap=True, markup=False)
    console.out.print(f"\n{LEGEND}\n\nOn test:\n{targets_text(rows)}\n", soft_wrap=True, markup=False)
    console.out.print(f"Networks, table and model card: {output}", soft_wrap=True, markup=False)


@confidence.command()
def evaluate(
    data: _Data,
    networks: Annotated[Path, typer.Option("--networks", "-n", help="Folder that train has written.")] = Path(
        "confidence_networks"
    ),
    as_json: _Json = False,
) -> None:
    """Evaluate networks that were trained before on the test splits, beside the literature."""
    from app.confidence.arrays import read_arrays
    from app.confidence.benchmark import evaluate_all
    from app.confidence.report import LEGEND, as_plain, as_text, targets_text
    from app.confidence.weights import load_trained

    with Interruptible() as control, ProgressView() as view:
        splits = read_arrays(data)
        chosen = [s for name, s in splits.items() if "train" not in name.split("_")]
        trained = load_trained(networks)
        rows = evaluate_all(trained, chosen or list(splits.values()), control, view)
    if as_json:
        console.print_json(as_plain(rows))
        return
    console.out.print(as_text(rows), soft_wrap=True, markup=False)
    console.out.print(f"\n{LEGEND}\n\n{targets_text(rows)}".rstrip(), soft_wrap=True, markup=False)


confidence.command("demo")(demo)
confidence.command("qualitative")(qualitative)
confidence.command("correlate")(correlate)
confidence.command("occlude")(occlude)
