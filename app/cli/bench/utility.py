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

    from backends.keypoints.types import PoseEstimate

    Picture = npt.NDArray[np.uint8]
    Found = list[list[PoseEstimate]]

_NOTE = (
    "OKS: similarity of keypoints, of everybody the networks find in the original, who is not found again "
    "counts 0 (target 0.85). Baseline: the original encoded once more, in which the networks do not find "
    "everybody again either. Steady: only whom they do."
)


def utility(
    clip: Annotated[
        Path | None, typer.Argument(help="A video; if left out two drawn scenes, and the usual real clip.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, help="How much of each is looked at.")] = 4.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the scenes that are drawn.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Keypoints found again in the de-identified video, beside those of the original.

    Every way of covering is written as a video and read again, as its receiver would.
    """
    from app.datasets.open import open_truth

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as name, Interruptible() as control:
        folder = Path(name)
        for preset in PRESETS if clip is None else ():
            source = open_truth(drawn_scene(folder / preset, preset, seconds, seed, control)).views[0].source
            assert isinstance(source, Path)
            rows += _rows(source, preset, folder, seconds, control)
        if clip is not None or REAL.is_file():
            path, called = clip_at_size(clip, folder, control)
            rows += _rows(path, Path(called).stem, folder, seconds, control)
    report("utility, keypoints found again", rows, as_json, _NOTE)


def _rows(
    source: Path, name: str, folder: Path, seconds: float, control: Control
) -> list[dict[str, Any]]:  # fmt: skip
    """One scene, in every look."""
    from app.cli.documents import project_of
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

        ways: list[tuple[str, Callable[[int, Picture], Picture]]] = [
            ("clothed bodies", covered(DeidSettings())),
            ("shaded bodies", covered(DeidSettings(look="shaded"))),
            ("clothed bodies, guessed limbs too", covered(DeidSettings(believed_only=False))),
            ("baseline: the original encoded again", lambda index, picture: picture),
        ]
        original = _found(footage.iter_frames(0, n))
        found = [_again(way, footage, n, folder / "again.mp4", control) for _, way in ways]
    rows: list[dict[str, Any]] = []
    for (what, _), after in zip(ways, found):
        score = Utility()
        for frame in zip(original, found[-1], after):
            score.add(*frame)
        rows.append(
            {
                "what": f"{name}: {what}", "OKS": score.mean, "found_again_%": 100 * score.found,
                "steady_OKS": score.steady, "people": len(score.oks), "frames": n,
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
