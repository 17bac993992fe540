"""``bench scene`` and ``bench find``: how fast rooms are drawn, and what the networks find in them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from app.cli import console
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.errors import ModelError
from app.pipeline.events import Progress, StageStarted
from app.pipeline.rate import RateMeter

_FPS = 25.0
SecondsOption = Annotated[float, typer.Option(min=0.2, max=600, help="Length of the scene.")]


def scene(
    preset: Annotated[str, typer.Option(help="or, interview, walk or crowd.")] = "or",
    people: Annotated[int, typer.Option(min=0, max=8, help="People in the room.")] = 4,
    cameras: Annotated[int, typer.Option(min=1, max=6, help="Cameras.")] = 2,
    seconds: SecondsOption = 2.0,
    as_json: JsonOption = False,
) -> None:
    """Draw and write a scene at 1280x720 with all its truth (target: 5 frames/s a camera)."""
    from app.synthesize.request import SynthesisRequest
    from app.synthesize.run import run_synthesis
    from backends.synthetic import open_scene

    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder, Interruptible() as control:
        drawn = open_scene(preset, people=people, cameras=cameras, seconds=seconds, fps=_FPS, seed=1)
        begun = time.perf_counter()
        drawn.prepare(control.check)
        frames = drawn.frames()
        next(frames)  # compiles
        lit = time.perf_counter() - begun
        begun, pictures = time.perf_counter(), []
        for frame in frames:
            control.check()
            pictures.append(frame.views[0].image)
        only = time.perf_counter() - begun
        clock = _DrawingClock()
        request = SynthesisRequest(Path(folder) / "set", preset, people, cameras, seconds, _FPS, seed=1)
        run_synthesis(request, control, clock)
        encoding = _encode(pictures, Path(folder) / "encoded.mp4")
    n = len(pictures)
    rows = [
        _rate("drawing with depth and truth", n * cameras, only),
        _rate("drawing and writing everything", (n + 1) * cameras, clock.seconds),
        _rate("baseline: encoding one camera's pictures alone", n, encoding),
    ]
    for row in rows:
        row["ratio"] = float(row["camera_frames_per_s"]) / float(rows[-1]["camera_frames_per_s"])
    note = f"Lighting the room took {lit:.1f} s, once. Written: video, depth, masks, clouds, truth."
    report(f"scene, {preset}, {people} people, {cameras} cameras, 1280x720", rows, as_json, note)


def _rate(what: str, frames: int, seconds: float) -> dict[str, Any]:
    return {"what": what, "camera_frames_per_s": frames / seconds, "ms_per_frame": 1e3 * seconds / frames}


class _DrawingClock:
    """Seconds from the first picture to the last, as the job reports them."""

    def __init__(self) -> None:
        self._first = self._last = 0.0
        self._drawing = False

    def __call__(self, event: object) -> None:
        now = time.perf_counter()
        if isinstance(event, StageStarted):
            self._first = now
        elif isinstance(event, Progress):
            self._last = now

    @property
    def seconds(self) -> float:
        """From the start of the last stage to its last step."""
        return self._last - self._first


def _encode(pictures: list[npt.NDArray[np.uint8]], target: Path) -> float:
    from fractions import Fraction

    from app.footage.writer import VideoWriter

    h, w = pictures[0].shape[:2]
    begun = time.perf_counter()
    writer = VideoWriter(target, w, h, np.arange(len(pictures), dtype=np.int64), Fraction(1, int(_FPS)))
    for picture in pictures:
        writer.write(picture)
    writer.close()
    return time.perf_counter() - begun


@dataclass
class _Count:
    """How many of how many."""

    hits: list[bool] = field(default_factory=list)

    def row(self, what: str) -> dict[str, Any]:
        n = len(self.hits)
        return {
            "what": what,
            "of": n,
            "found_percent": 100 * float(np.mean(self.hits)) if n else float("nan"),
        }


def find(
    preset: Annotated[str, typer.Option(help="or, interview, walk or crowd.")] = "or",
    seeds: Annotated[int, typer.Option(min=1, max=50, help="Scenes, seeds 0, 1, 2, ...")] = 3,
    cameras: Annotated[int, typer.Option(min=1, max=6, help="Cameras.")] = 4,
    seconds: SecondsOption = 8.0,
    as_json: JsonOption = False,
) -> None:
    """What the default networks find in rendered rooms, against exact truth: people and faces."""
    from app.models.store import ModelStore
    from app.pipeline.engine import default_engine
    from backends.detection.faces import CenterFace, FullRangeFace
    from backends.synthetic import open_scene

    store = ModelStore()
    if not (store.has("centerface") and store.has("face-detector-full-range")):
        raise ModelError(f"The face networks are missing. Type: {console.command_name()} models install")
    engine = default_engine()
    faces: dict[str, CenterFace | FullRangeFace] = {
        "CenterFace": CenterFace(store.path("centerface")),
        "BlazeFace, full range, tiles": FullRangeFace(store.path("face-detector-full-range")),
    }
    counts: dict[str, _Count] = {}
    step = 5
    with Interruptible() as control, ProgressView() as view:
        view(StageStarted("find", "Looking for people and faces"))
        meter: RateMeter | None = None
        for seed in range(seeds):
            scene = open_scene(preset, cameras=cameras, seconds=seconds, fps=10.0, seed=seed)
            meter = meter or RateMeter(seeds * scene.n_frames)
            streams = [engine.perception() for _ in scene.camera_names]
            for frame in scene.frames():
                control.check()
                for stream, seen in zip(streams, frame.views):
                    found = [p.estimate for p in stream.step(frame.index, seen.image)]
                    if frame.index % step == step - 1:
                        _people(counts, seen, found)
                        for name, detector in faces.items():
                            _faces(counts, name, seen, [f.box for f in detector.detect(seen.image)])
                meter.advance()
                view(Progress("find", meter.done, meter.total, meter.rate, meter.remaining_s))
    rows = [count.row(what) for what, count in sorted(counts.items())]
    note = (
        f"{seeds} scenes of {seconds:g} s, {cameras} cameras, 1280x720, two frames each second. A person "
        "is found at OKS >= 0.5 (17 keypoints); a face at IoU >= 0.5, or where its middle lies in the true "
        "box. Unoccluded: at least 90 % seen; frontal: the face turned to the camera by less than 60 degrees."
    )
    report(f"find, {preset}", rows, as_json, note)


def _people(counts: dict[str, _Count], view: Any, found: list[Any]) -> None:
    from backends.keypoints.layout import KEYPOINT_NAMES
    from backends.metrics.pose2d import oks_matrix, oks_sigmas

    sigmas = oks_sigmas(KEYPOINT_NAMES[:17])
    estimates = np.array([e.keypoints.xy[:17] for e in found], np.float64).reshape(-1, 17, 2)
    for person in view.people:
        if person.box is None or person.box[3] - person.box[1] < 60 or person.seen < 0.3:
            continue
        area = float(np.prod(person.box[2:] - person.box[:2]))
        labelled = person.visibility[:17] > 0
        oks = oks_matrix(estimates, person.keypoints_2d[None, :17], labelled[None], [area], sigmas)
        hit = bool(oks.size and np.nanmax(oks) >= 0.5)
        clear = person.seen >= 0.9 and labelled.all()
        kind = "partly hidden"
        if clear:
            kind = "unoccluded, " + ("frontal" if _frontal(person) else "from behind or aside")
        counts.setdefault(f"people, {kind}", _Count()).hits.append(hit)


def _frontal(person: Any) -> bool:
    """Whether the body faces the camera within 60 degrees, by its shoulders and hips."""
    k = person.keypoints_3d
    across = (k[5] + k[11]) - (k[6] + k[12])
    ahead = np.cross(across, k[5] + k[6] - k[11] - k[12])
    centre = k[[5, 6, 11, 12]].mean(axis=0)
    cosine = -float(ahead @ centre) / max(float(np.linalg.norm(ahead) * np.linalg.norm(centre)), 1e-9)
    return cosine > 0.5


def _faces(counts: dict[str, _Count], name: str, view: Any, found: list[Any]) -> None:
    from backends.metrics.pose2d import box_iou

    boxes = np.array(found, np.float64).reshape(-1, 4)
    for person in view.people:
        if person.face_box is None or person.face_seen < 0.6:
            continue
        box = person.face_box.astype(np.float64)
        if min(box[2] - box[0], box[3] - box[1]) < 16:
            continue
        overlap = box_iou(box[None], boxes)
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        within = ((middle >= box[:2]) & (middle <= box[2:])).all(axis=1)
        kind = "with a mask" if person.face_mask else "without a mask"
        counts.setdefault(f"faces {kind}, {name}, IoU", _Count()).hits.append(
            bool(overlap.size and overlap.max() >= 0.5)
        )
        counts.setdefault(f"faces {kind}, {name}, place", _Count()).hits.append(bool(within.any()))
