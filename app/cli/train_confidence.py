"""``understudy confidence-model``: data for the expected errors, their training, what they are worth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import console

if TYPE_CHECKING:
    from app.pipeline.engine import Perception

train_confidence = typer.Typer(
    help="Expected errors in millimetres: make the data, train and calibrate the model, evaluate it.",
    no_args_is_help=True,
)

_Folder = Annotated[Path, typer.Argument(help="Folder for the evidence; some tens of MB.")]
_Model = Annotated[
    Path | None, typer.Option("--model", "-m", help="A model file; the one that ships by default.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def _perception() -> Callable[[], Perception]:
    from app.models.store import ModelStore
    from app.pipeline.engine import DETECTOR, LANDMARKS
    from backends.tracking.stream import PeopleStream, PerceptionSettings

    store = ModelStore()
    detector, landmarks = store.path(DETECTOR), store.path(LANDMARKS)
    return lambda: PeopleStream(detector, landmarks, settings=PerceptionSettings(threads=1))


@train_confidence.command()
def data(
    folder: _Folder,
    scenes: Annotated[int, typer.Option(min=1, help="How many scenes of the recipe.")] = 64,
    first: Annotated[int, typer.Option(min=0, help="The first scene.")] = 0,
    step: Annotated[int, typer.Option(min=1, help="Every so manieth: for several processes.")] = 1,
) -> None:
    """Draw the recipe's scenes, find people in them, and keep what was seen; goes on where it stopped."""
    from app.train.generate import make_evidence

    files = make_evidence(
        folder, range(first, first + scenes * step, step), _perception(),
        tell=lambda line: console.out.print(line, markup=False),
    )  # fmt: skip
    console.out.print(f"{len(files)} files in {folder}", markup=False)


@train_confidence.command()
def train(
    folder: _Folder,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file to write.")] = Path(
        "expected_error.npz"
    ),
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit all bodies anew: after the fit has changed.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
) -> None:
    """Fit bodies to the evidence, train and calibrate the model, and print what it is worth on the test."""
    from app.train.dataset import read_split
    from app.train.evaluate import as_text, evaluate_model
    from app.train.network import TrainSettings
    from app.train.recipe import CALIBRATE, TEST, TRAIN
    from app.train.samples import joined
    from app.train.train import train_model
    from backends.body import load_body
    from backends.confidence.expected import make_sites, save_model

    def tell(line: str) -> None:
        console.out.print(line, markup=False, soft_wrap=True)

    sites = make_sites(load_body())
    learned = [read_split(folder, split, sites, refit=refit, tell=tell) for split in (TRAIN, CALIBRATE)]
    test = read_split(folder, TEST, sites, refit=refit, tell=tell)
    model = train_model(joined([d.samples for d in learned]), sites, TrainSettings(seed=seed), tell)
    save_model(model, output)
    tell(as_text(evaluate_model(model, test.samples, sites, test.presets)))
    tell(f"Written: {output}")


@train_confidence.command()
def calibrate(
    folder: _Folder,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file to write.")] = Path(
        "expected_error.npz"
    ),
    model: _Model = None,
) -> None:
    """Measure anew, on scenes that its networks never saw, what a model promises of single frames."""
    from app.train.dataset import read_split
    from app.train.recipe import CALIBRATE, TRAIN
    from app.train.samples import joined
    from app.train.train import calibrated_alone
    from backends.body import load_body
    from backends.confidence.expected import load_model, make_sites, save_model

    def tell(line: str) -> None:
        console.out.print(line, markup=False, soft_wrap=True)

    sites = make_sites(load_body())
    parts = [read_split(folder, split, sites, tell=tell).samples for split in (TRAIN, CALIBRATE)]
    save_model(calibrated_alone(load_model(model), joined(parts)), output)
    tell(f"Written: {output}")


@train_confidence.command()
def evaluate(folder: _Folder, model: _Model = None, as_json: _Json = False) -> None:
    """What the expected errors are worth on the test scenes: ranking, calibration, risk, vertices; how often
    the review asks in vain; and what a judgement costs."""
    from app.train.alarms import alarms_of
    from app.train.cost import measured_cost
    from app.train.dataset import read_split
    from app.train.evaluate import as_plain, as_text, evaluate_model
    from app.train.recipe import TEST
    from backends.body import load_body
    from backends.confidence.expected import load_model, make_sites

    sites = make_sites(load_body())
    test = read_split(folder, TEST, sites)
    used = load_model(model)
    found = evaluate_model(used, test.samples, sites, test.presets)
    alarms, cost = alarms_of(folder, TEST, sites, used), measured_cost(folder, TEST, sites, used)
    if as_json:
        console.print_json(as_plain(found, alarms, cost))
        return
    console.out.print(as_text(found, alarms, cost), markup=False, soft_wrap=True)
