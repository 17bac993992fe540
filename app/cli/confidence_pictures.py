"""``understudy confidence demo | qualitative | correlate``: the agreement of estimators on pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import console
from app.cli.progress import Interruptible, ProgressView

if TYPE_CHECKING:
    from app.confidence.judge import Judgement

Networks = Annotated[
    Path | None,
    typer.Option(
        "--networks", "-n",
        help="Folder with classifier.pt and classifier_wj.pt (the authors' or trained here), and "
        "agreement.npz where there is one.",
    ),
]  # fmt: skip
Person = Annotated[int, typer.Option(min=1, help="Which person, the largest first.")]
Frame = Annotated[int, typer.Option(min=0, help="Which frame, where a video is given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def demo(
    image: Annotated[Path, typer.Argument(help="A picture or a video with a person.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The figure, .png or .jpg.")] = None,
    networks: Networks = None,
    person: Person = 1,
    frame: Frame = 0,
    as_json: AsJson = False,
) -> None:
    """Fit a body to one person, look a second time, and colour the mesh by how far the two agree."""
    from app.confidence.choose import largest_people
    from app.confidence.judge import judge
    from app.confidence.judge_sheet import judge_sheet
    from app.confidence.people import PersonEyes
    from app.confidence.weights import model_and_networks
    from app.footage import open_footage
    from backends.camera import assumed_camera

    model, published = model_and_networks(networks)
    with open_footage(image) as footage, PersonEyes() as eyes:
        picture = footage.frame(frame)
        found = largest_people(eyes, picture, person)
        said = judge(picture, found.box, eyes, model, published)
        camera = assumed_camera(picture.shape[1], picture.shape[0])
        target = output or Path(f"{image.stem}_confidence.png")
        title = f"{image.name}, frame {frame}, person {person}"
        judge_sheet(picture, said, eyes.body, camera, title).save(target)
    _tell(said, target, as_json=as_json)


def qualitative(
    dataset: Annotated[Path, typer.Argument(help="A data set with truth (see 'understudy evaluate').")],
    number: Annotated[int, typer.Argument(min=0, help="Which of its people, counted from 0.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The figure, .png or .jpg.")] = None,
    networks: Networks = None,
    as_json: AsJson = False,
) -> None:
    """The same on one person of a data set, with the true error beside."""
    from app.confidence.correlate import nth_person
    from app.confidence.judge import judge
    from app.confidence.judge_sheet import judge_sheet
    from app.confidence.people import PersonEyes
    from app.confidence.weights import model_and_networks
    from app.datasets.open import open_truth
    from backends.camera import assumed_camera

    model, published = model_and_networks(networks)
    truth = open_truth(dataset)
    with PersonEyes() as eyes:
        person = nth_person(truth, eyes.body, number)
        said = judge(
            person.image, person.box, eyes, model, published, camera=person.camera, truth=person.truth
        )
        camera = person.camera or assumed_camera(person.image.shape[1], person.image.shape[0])
        target = output or Path(f"{dataset.stem}_{number}_confidence.png")
        judge_sheet(person.image, said, eyes.body, camera, f"{dataset.name}: {person.name}").save(target)
    _tell(said, target, as_json=as_json)


def correlate(
    dataset: Annotated[Path, typer.Argument(help="A data set with truth.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the three arrays.")],
    name: Annotated[str, typer.Option(help="Begins the files' names, as in train_sp_op.npy.")] = "test",
    step: Annotated[int, typer.Option(min=1, help="Look at every so many frames.")] = 1,
    published: Annotated[
        bool, typer.Option(help="Put missing joints at (224, 224) as the original does, not as missing.")
    ] = False,
) -> None:
    """Write *_sp_op.npy, *_sp_gt.npy and *_conf.npy of a data set with the program's own estimators."""
    from app.confidence.arrays import write_arrays
    from app.confidence.correlate import correlate as compare
    from app.confidence.people import PersonEyes
    from app.datasets.open import open_truth
    from app.pipeline.events import Progress, StageStarted

    truth = open_truth(dataset)
    total = sum(v.n_frames for v in truth.views)
    with Interruptible() as control, ProgressView() as view, PersonEyes() as eyes:
        view(StageStarted("correlation", "Comparing estimators"))

        def check(done: int, recognised: int) -> None:
            control.check()
            view(Progress("correlation", min(done, total), total, 0.0, None))

        split, missed = compare(truth, eyes, name=name, step=step, published=published, check=check)
    files = write_arrays(output, split)
    console.out.print(f"{len(split)} people, {missed} not recognised.", markup=False)
    for file in files:
        console.out.print(f"Written: {file}", soft_wrap=True, markup=False)


def _tell(said: Judgement, target: Path, *, as_json: bool) -> None:
    from app.confidence.occlusion_sheet import plain_name
    from backends.confidence.agreement import AGREEMENT_JOINTS

    rows: list[dict[str, Any]] = [
        {
            "joint": joint, "distance": float(said.agreement.ed[j]),
            "confidence": float(said.agreement.confidence[j]), "wrong": float(said.wrong[j]),
            "worst": float(said.worst[j]), "expected_mm": float(said.expected_mm[j]),
            **({"true_error": float(said.se[j])} if said.se is not None else {}),
        }
        for j, joint in enumerate(AGREEMENT_JOINTS)
    ]  # fmt: skip
    for row in rows:
        row.update({k: None for k, v in row.items() if v != v})  # JSON knows no NaN
    if as_json:
        console.print_json({"good": said.good, "joints": rows, "figure": str(target)})
        return
    order = sorted(rows, key=lambda r: -float(r["worst"]))[:3]
    worst = ", ".join(f"{plain_name(r['joint']).lower()} {r['worst']:.2f}" for r in order)
    console.out.print(f"Every joint within 0.1 half crops: probability {said.good:.2f}.", markup=False)
    console.out.print(f"Most likely the worst joint: {worst}.", markup=False)
    if not said.agreement.aligned:
        console.warn("Hips or neck are missing, so the two could not be laid together.")
    console.out.print(f"Figure: {target}", soft_wrap=True, markup=False)
