"""``bench reidentify``: how many people networks still know again when they have been covered."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import console
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.pipeline.job import Control
from app.review.types import DeidSettings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from app.evaluate.identity import Lineup, Sighting
    from app.footage import Footage
    from app.project.store import ProjectStore
    from backends.identity import Matched

    F4 = npt.NDArray[np.float32]

_FPS = 12.0
_DRAWN = (("interview", 2, 1), ("crowd", 8, 3))
"""Kinds of rooms, people in each, and how many rooms of the first kind stand for one of it."""
_KNOWN = "known"

_NOTE = (
    "Found: share of people whom a network names first among all it knows, all their pictures in the covered "
    "clip together; it knows them from other moments of the original. Chance 95: between these lie 95 of 100 "
    "who guess. Place: the right one's among all known, 1 the first. Same way: the network knows people only "
    "from pictures covered in the same way, as an attacker would make them. Removed: what outline and place "
    "alone give away (people who sit have the same wall behind them all the time); the other rows are to be "
    "read beside it. Where hardly anybody is found in the original, they say nothing."
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way of covering; ``same_way``: also look for people whom one knows only as covered in this way. That
    is asked where something of the picture is kept under the cover, and where nobody is left, because then
    it is the place alone that is known again."""

    what: str
    settings: DeidSettings | None
    same_way: bool = False


def _over(cover: str, fill: str) -> DeidSettings:
    return DeidSettings(cover=cover, fill=fill, background="original")  # type: ignore[arg-type]


WAYS = (
    Way("original", None),
    Way("face blurred", _over("face", "blur"), True),
    Way("head blurred", _over("head", "blur"), True),
    Way("head pixelated", _over("head", "pixels"), True),
    Way("head solid", _over("head", "solid")),
    Way("head mesh", _over("head", "mesh")),
    Way("person blurred", _over("whole", "blur"), True),
    Way("person pixelated", _over("whole", "pixels"), True),
    Way("person solid", _over("whole", "solid")),
    Way("body mesh, empty room", DeidSettings()),
    Way("removed", DeidSettings(fill="remove"), True),
)


def reidentify(
    clip: Annotated[
        Path | None, typer.Argument(help="A video of several people; drawn rooms if left out.")
    ] = None,
    rooms: Annotated[int, typer.Option(min=1, help="Rooms that are drawn, two people each.")] = 12,
    seconds: Annotated[float, typer.Option(min=1, help="How much of each is looked at.")] = 4.0,
    pictures: Annotated[int, typer.Option(min=1, help="Of each person, before and after.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Of the rooms that are drawn.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """People known again by face and by figure, in every way of covering, beside the original and chance.

    Target: at chance for meshes and solid covers. Install the networks first: understudy models install
    face-identity person-appearance.
    """
    from app.evaluate.identity import Lineup
    from app.models.embedders import open_embedders

    embedders = open_embedders()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as name, Interruptible() as control:
        folder = Path(name)
        for kind, sources in _sources(clip, rooms, seconds, seed, folder, control):
            lineup = Lineup(embedders)
            bodies: tuple[dict[str, F4], dict[str, F4]] = ({}, {})
            for source, truth in sources:
                found = _clip(source, truth, folder, seconds, pictures, lineup, control)
                for kept, new in zip(bodies, found):
                    kept.update(new)
            rows += _rows(kind, lineup, bodies)
    report("re-identification, people known again", rows, as_json, _NOTE)


def _sources(
    clip: Path | None, rooms: int, seconds: float, seed: int, folder: Path, control: Control
) -> Iterator[tuple[str, Iterator[tuple[Path, Path | None]]]]:
    """Kinds of footage, and the videos of each, with their truth where there is one."""
    if clip is not None:
        yield clip.stem, iter([(clip, None)])
        return
    for preset, people, share in _DRAWN:
        count = max(rooms // share, 1)
        yield preset, _drawn(preset, people, range(seed, seed + count), seconds, folder, control)


def _drawn(
    preset: str, people: int, seeds: Sequence[int], seconds: float, folder: Path, control: Control
) -> Iterator[tuple[Path, Path | None]]:
    from app.synthesize import SynthesisRequest, run_synthesis

    for seed in seeds:
        console.err.print(f"Drawing {preset}, seed {seed}")
        target = folder / f"{preset}-{seed}"
        request = SynthesisRequest(
            target, preset=preset, people=people, cameras=1, seconds=seconds, fps=_FPS, seed=seed,
            clouds=False,
        )  # fmt: skip
        with ProgressView() as view:
            run_synthesis(request, control, view)
        yield target / "videos" / "cam01.mp4", target


def _clip(
    source: Path, truth: Path | None, folder: Path, seconds: float, pictures: int, lineup: Lineup,
    control: Control,
) -> tuple[dict[str, F4], dict[str, F4]]:  # fmt: skip
    """Look at a clip in every way; the true heights of its people and those of their meshes."""
    from app.cli.documents import project_of
    from app.datasets.open import open_truth
    from app.evaluate.identity import heights, moments, tracked_sightings, true_sightings
    from app.pipeline.bodies import project_body
    from app.pipeline.engine import default_engine
    from app.pipeline.run import run_pipeline
    from app.review.types import RunOptions

    name = source.stem if truth is None else truth.name
    view = None if truth is None else open_truth(truth).views[0]
    with project_of(source, folder / f"{name}.understudy") as (store, footage), ProgressView() as progress:
        n = min(footage.n_frames, max(1, round(seconds * footage.fps)))
        options = RunOptions(first=0, last=n - 1, watched=False)
        run_pipeline(store, footage, default_engine(), options, control, progress)
        body = project_body(store)

        def people(index: int) -> list[Sighting]:
            if view is not None:
                return true_sightings(view.frame(index), name, body)
            return tracked_sightings(store, index, name)

        early, late = moments(n, pictures)
        before = {i: people(i) for i in early}
        after = {i: people(i) for i in late}
        _look(store, footage, before, after, lineup, control)
        return heights(store, body, after)


def _look(
    store: ProjectStore, footage: Footage, before: dict[int, list[Sighting]],
    after: dict[int, list[Sighting]], lineup: Lineup, control: Control,
) -> None:  # fmt: skip
    """Take everybody's pictures, before from the original, after in every way of covering."""
    from app.export.frames import FrameCoverer
    from app.export.plate import build_plate
    from app.pipeline.bodies import project_body

    with ProgressView() as progress:
        plate = build_plate(store, footage, control, progress)
    body, camera = project_body(store), store.camera()

    def covered(settings: DeidSettings | None) -> Callable[[int], Any]:
        if settings is None:
            return footage.frame
        coverer = FrameCoverer(store, body, camera, settings, plate)
        return lambda index: coverer.cover(index, footage.frame(index))

    for index, people in before.items():
        lineup.add(_KNOWN, footage.frame(index), people)
    for way in WAYS:
        shown = covered(way.settings)
        for index, people in after.items():
            control.check()
            lineup.add(way.what, shown(index), people)
        for index, people in before.items() if way.same_way else ():
            control.check()
            lineup.add(f"{_KNOWN}, {way.what}", shown(index), people)


def _rows(kind: str, lineup: Lineup, bodies: tuple[dict[str, F4], dict[str, F4]]) -> list[dict[str, Any]]:
    from backends.identity import closeness, match

    rows = []
    for k, embedder in enumerate(lineup.embedders):
        known = lineup.of(_KNOWN, k)
        if not known:
            console.err.print(f"{kind}: no {embedder.subject} is seen well enough to be known")
            continue
        for way in WAYS:
            probes = lineup.of(way.what, k)
            same = match(lineup.of(f"{_KNOWN}, {way.what}", k), probes) if way.same_way else None
            rows.append(_row(f"{kind}, {embedder.subject}: {way.what}", match(known, probes), same))
    true, shown = bodies
    if true:
        found = match(true, shown, closeness)
        rows.append(_row(f"{kind}, height of the mesh alone", found, None))
    return rows


def _row(what: str, found: Matched, same_way: Matched | None) -> dict[str, Any]:
    low, high = found.chance_95
    return {
        "what": what, "found_%": 100 * found.rank1, "chance_%": 100 * found.chance,
        "chance_95_%": f"{100 * low:.0f}-{100 * high:.0f}",
        "same_way_%": float("nan") if same_way is None else 100 * same_way.rank1,
        "of_pictures_%": 100 * found.rank1_pictures, "place": found.mean_rank, "people": found.people,
        "known": found.known,
    }  # fmt: skip
