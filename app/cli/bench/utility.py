"""``bench utility``: can movements still be read in the de-identified video?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.bench.clips import REAL, clip_at_size
from app.cli.bench.cover import PRESETS, drawn_scene
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.footage import Footage, open_footage
from app.pipeline.job import Control

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from app.datasets.types import TruthView
    from backends.keypoints.types import PoseEstimate

    Picture = npt.NDArray[np.uint8]
    Found = list[list[PoseEstimate]]

_NOTE = (
    "OKS: similarity of keypoints, of everybody the networks find in the original, who is not found again "
    "counts 0 (target 0.85). Baseline: the original encoded once more, in which the networks do not find "
    "everybody again either. Steady: only whom they do. OKS of people: without those skeletons of the "
    "original that are nobody by the truth (second ones on one person, limbs of two), which are nobody %. "
    "Spread: standard deviation between rooms; one room of four seconds is a small sample."
)
_MANY_ROOMS = "or"
"""The preset that is drawn several times: people hide each other there, and rooms differ most."""


def utility(
    clip: Annotated[
        Path | None, typer.Argument(help="A video; if left out drawn scenes, and the usual real clip.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, help="How much of each is looked at.")] = 4.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the scenes that are drawn.")] = 7,
    seeds: Annotated[
        int,
        typer.Option(
            min=1, help="Operating rooms, from this seed on; of those after the first only the usual look."
        ),
    ] = 3,
    as_json: JsonOption = False,
) -> None:
    """Keypoints found again in the de-identified video, beside those of the original.

    Every way of covering is written as a video and read again, as its receiver would.
    """
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as name, Interruptible() as control:
        folder = Path(name)
        for preset in PRESETS if clip is None else ():
            many = seeds if preset == _MANY_ROOMS else 1
            rooms = [_drawn(folder, preset, seconds, seed + k, control, usual=k > 0) for k in range(many)]
            rows += [row for room in rooms for row in room] + _over_rooms(preset, rooms)
        if clip is not None or REAL.is_file():
            path, called = clip_at_size(clip, folder, control)
            rows += _rows(path, Path(called).stem, folder, seconds, control)
    report("utility, keypoints found again", rows, as_json, _NOTE)


def _drawn(
    folder: Path, preset: str, seconds: float, seed: int, control: Control, *, usual: bool
) -> list[dict[str, Any]]:
    """A scene that is drawn for it; of ``usual`` ones only the usual look and the baseline."""
    from app.datasets.open import open_truth

    name = f"{preset} {seed}"
    view = open_truth(drawn_scene(folder / name, preset, seconds, seed, control)).views[0]
    assert isinstance(view.source, Path)
    return _rows(view.source, name, folder, seconds, control, view, usual=usual)


def _over_rooms(preset: str, rooms: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The usual look and the baseline over several rooms, each room counting the same."""
    import numpy as np

    if len(rooms) < 2:
        return []
    found: list[dict[str, Any]] = []
    for place in (0, -1):
        of_rooms = [room[place] for room in rooms]
        what = of_rooms[0]["what"].partition(":")[2]
        row: dict[str, Any] = {
            key: float(np.mean([r[key] for r in of_rooms])) for key in of_rooms[0] if key != "what"
        }
        row |= {key: sum(r[key] for r in of_rooms) for key in ("people", "frames")}
        row["spread"] = float(np.std([r["OKS"] for r in of_rooms], ddof=1))
        found.append({"what": f"{preset}, {len(rooms)} rooms:{what}"} | row)
    for row in found:
        row["of_baseline"] = row["OKS"] / found[-1]["OKS"]
    return found


def _rows(
    source: Path, name: str, folder: Path, seconds: float, control: Control, truth: TruthView | None = None,
    *, usual: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """One scene, in every look, or only in the ``usual`` one; the last row is the baseline."""
    from app.cli.documents import project_of
    from app.evaluate.people import true_sides
    from app.evaluate.utility import Utility
    from app.export.frames import FrameCoverer
    from app.export.plate import build_plate
    from app.pipeline.bodies import project_body
    from app.pipeline.engine import default_engine
    from app.pipeline.run import run_pipeline
    from app.review.types import DeidSettings, RunOptions

    engine = default_engine()
    with project_of(source, folder / f"{name}.understudy") as (store, footage), ProgressView() as progress:
        n = min(footage.n_frames, max(1, round(seconds * footage.fps)))
        run_pipeline(store, footage, engine, RunOptions(), control, progress)
        plate = build_plate(store, footage, control, progress)
        camera = store.camera()

        def covered(settings: DeidSettings) -> Callable[[int, Picture], Picture]:
            return FrameCoverer(store, project_body(store), camera, settings, plate).cover

        looks = {
            "clothed bodies": DeidSettings(),
            "shaded bodies": DeidSettings(look="shaded"),
            "clothed bodies, guessed limbs too": DeidSettings(believed_only=False),
        }
        ways: list[tuple[str, Callable[[int, Picture], Picture]]] = [
            (what, covered(settings)) for what, settings in looks.items()
        ][: 1 if usual else None]
        ways.append(("baseline: the original encoded again", lambda index, picture: picture))
        original = _found(footage.iter_frames(0, n))
        found = [_again(way, footage, n, folder / "again.mp4", control) for _, way in ways]
        people = [None if truth is None else true_sides(truth.frame(i), camera) for i in range(n)]
    rows: list[dict[str, Any]] = []
    for (what, _), after in zip(ways, found):
        score = Utility()
        for frame in zip(original, found[-1], after, people):
            score.add(*frame)
        rows.append(
            {
                "what": f"{name}: {what}", "OKS": score.mean, "spread": float("nan"),
                "found_again_%": 100 * score.found, "steady_OKS": score.steady,
                "OKS_of_people": score.of_people, "nobody_%": 100 * score.nobody, "people": len(score.oks),
                "frames": n,
            }
        )  # fmt: skip
    for row in rows:
        row["of_baseline"] = row["OKS"] / rows[-1]["OKS"]
    return rows


def _again(
    way: Callable[[int, Picture], Picture], footage: Footage, n: int, path: Path, control: Control
) -> Found:
    """Who is found in the video that is written of the first ``n`` frames, each as ``way`` shows it."""
    from app.footage.writer import VideoWriter

    writer = VideoWriter(path, footage.width, footage.height, footage.pts[:n], footage.time_base)
    for index, picture in footage.iter_frames(0, n):
        control.check()
        writer.write(way(index, picture))
    writer.close()
    with open_footage(path) as written:
        return _found(written.iter_frames())


def _found(frames: Iterable[tuple[int, Picture]]) -> Found:
    from app.models.store import ModelStore
    from app.pipeline.engine import DETECTOR, LANDMARKS
    from backends.tracking.stream import PeopleStream

    models = ModelStore()
    stream = PeopleStream(models.path(DETECTOR), models.path(LANDMARKS))
    return [[p.estimate for p in stream.step(index, image)] for index, image in frames]
