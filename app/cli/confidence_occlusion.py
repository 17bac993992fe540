"""``understudy confidence occlude``: what an occluder breaks, on one picture or over a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import console
from app.cli.confidence_pictures import AsJson, Frame, Person
from app.cli.progress import Interruptible, ProgressView
from app.datasets.errors import DataSetError

if TYPE_CHECKING:
    from app.confidence.occlusion import Occlusion
    from backends.confidence.sensitivity import Occluder

_COLOUR = "124,116,104"


def occlude(
    image: Annotated[Path, typer.Argument(help="A picture, a video, or with --dataset a data set.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the figures and the npz.")
    ] = None,
    size: Annotated[int, typer.Option(min=1, help="Side of the occluder, pixels of the 224 crop.")] = 40,
    stride: Annotated[int, typer.Option(min=1, help="By how much it moves, pixels of the crop.")] = 20,
    colour: Annotated[str, typer.Option(help="Its colour as R,G,B.")] = _COLOUR,
    person: Person = 1,
    frame: Frame = 0,
    truth: Annotated[
        Path | None, typer.Option(help="A data set that knows this picture: measure against its truth.")
    ] = None,
    dataset: Annotated[
        bool, typer.Option("--dataset", help="Cover each joint of everybody in a data set instead.")
    ] = False,
    against_truth: Annotated[
        bool, typer.Option("--against-truth", help="With --dataset: measure against the truth.")
    ] = False,
    step: Annotated[int, typer.Option(min=1, help="With --dataset: look at every so many frames.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Slide an occluder over a person and show how far mesh and keypoints break, joint by joint."""
    from backends.confidence.sensitivity import Occluder

    occluder = Occluder(size, stride, _rgb(colour))
    folder = output or Path(f"{image.stem}_sensitivity")
    if dataset:
        _whole(image, folder, occluder, step, against_truth=against_truth)
        return
    result = _one(image, occluder, person, frame, truth)
    files = _write(result, folder, f"{image.stem}, frame {frame}, person {person}")
    _tell(result, files, as_json=as_json)


def _rgb(text: str) -> tuple[int, int, int]:
    try:
        red, green, blue = (int(v) for v in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"A colour is three numbers, such as {_COLOUR}; got {text}.") from error
    return red, green, blue


def _one(image: Path, occluder: Occluder, person: int, frame: int, truth: Path | None) -> Occlusion:
    from app.confidence.choose import largest_people, truth_of
    from app.confidence.occlusion import occlude as slide
    from app.confidence.people import PersonEyes
    from app.footage import open_footage
    from app.pipeline.events import Progress, StageStarted

    with Interruptible() as control, ProgressView() as view, open_footage(image) as footage:
        picture = footage.frame(frame)
        with PersonEyes() as eyes:
            found = largest_people(eyes, picture, person)
            true = truth_of(truth, image, frame, found.box, eyes.body) if truth is not None else None
            view(StageStarted("occluder", "Sliding the occluder"))

            def check(done: int, total: int) -> None:
                control.check()
                view(Progress("occluder", done, total, 0.0, None))

            return slide(picture, found.box, eyes, occluder, truth=true, check=check)


def _whole(path: Path, folder: Path, occluder: Occluder, step: int, *, against_truth: bool) -> None:
    from app.confidence.dataset_occlusion import dataset_sheet, occlude_dataset, save_dataset_occlusion
    from app.confidence.people import PersonEyes
    from app.datasets.open import open_truth
    from app.pipeline.events import Progress, StageStarted

    data = open_truth(path)
    total = sum(-(-v.n_frames // step) for v in data.views)
    with Interruptible() as control, ProgressView() as view, PersonEyes() as eyes:
        view(StageStarted("occluder", "Covering each joint"))

        def check(done: int) -> None:
            control.check()
            view(Progress("occluder", min(done, total), total, 0.0, None))

        result = occlude_dataset(data, eyes, occluder, step=step, against_truth=against_truth, check=check)
        sheet = dataset_sheet(result, eyes.body, f"Occluded joints: {path.name}", against_truth=against_truth)
    _make(folder)
    save_dataset_occlusion(folder / "occluded_joints.npz", result)
    sheet.save(folder / "occluded_joints.png")
    console.out.print(f"Figure and arrays: {folder}", soft_wrap=True, markup=False)


def _make(folder: Path) -> None:
    from app.errors import StorageError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder.name} cannot be made: {error.strerror}.") from error


def _write(result: Occlusion, folder: Path, title: str) -> list[Path]:
    from app.confidence.occlusion import ESTIMATORS, save_occlusion
    from app.confidence.occlusion_sheet import occlusion_sheet

    _make(folder)
    save_occlusion(folder / "sensitivity.npz", result)
    files = [folder / "sensitivity.npz"]
    for name in ESTIMATORS:
        if name in result.map.errors:
            files.append(folder / f"sensitivity_{name}.png")
            occlusion_sheet(result, name, title).save(files[-1])
    return files


def _tell(result: Occlusion, files: list[Path], *, as_json: bool) -> None:
    import numpy as np

    from app.confidence.heat import UNIT

    said: dict[str, dict[str, Any]] = {}
    for name in result.map.errors:
        values = result.shown(name)
        if not np.isfinite(values).any():
            raise DataSetError("Nobody was found under any place of the occluder. Take a smaller one.")
        worst = result.map.worst(name)
        said[name] = {
            "unit": UNIT[name], "mean": float(np.nanmean(values)), "worst": float(values[worst]),
            "worst_place": [int(v) for v in result.map.places[worst]],
        }  # fmt: skip
    lost = int(result.map.lost.sum())
    if as_json:
        console.print_json({"estimators": said, "lost_places": lost, "files": [str(f) for f in files]})
        return
    for name, line in said.items():
        console.out.print(
            f"{name}: {line['mean']:.1f} {line['unit']} in the mean, at worst {line['worst']:.0f} "
            f"{line['unit']} with the square at {line['worst_place'][:2]} of the crop.",
            markup=False,
        )
    console.out.print(f"Nobody was found at {lost} of {result.map.lost.size} places.", markup=False)
    for file in files:
        console.out.print(f"Written: {file}", soft_wrap=True, markup=False)
