"""``bench audit``: heads uncovered at random in covered rooms, and how many of them the audit finds."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
import typer

from app.audit.match import boxes_at
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter

_FPS = 25.0
_SOLID = (104, 110, 118)
_SIZES = (12, 16, 24, 32, 48, 10_000)
_PLANTED = 0.12
"""Share of frames in which somebody's head begins to be open."""

_LONGEST = 5
_SEEN = 0.6

F4 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A head that was left open: whose, from frame to frame, where (N, 4), and how large its face is."""

    person: int
    first: int
    boxes: F4
    size: float

    @property
    def last(self) -> int:
        """The last frame."""
        return self.first + len(self.boxes) - 1

    def is_found_by(self, event: Any) -> bool:
        """Whether an event has a sighting in this head, or is about the person, while it is open."""
        if event.kind == "person":
            frames = np.arange(max(self.first, event.first), min(self.last, event.last) + 1)
            middles = self.boxes[frames - self.first].reshape(-1, 2, 2).mean(axis=1)
            around = boxes_at(event, frames)
            return bool(((around[:, :2] <= middles) & (middles <= around[:, 2:])).all(axis=1).any())
        for frame, box in zip(event.frames, event.boxes):
            if self.first <= frame <= self.last:
                middle, head = (box[:2] + box[2:]) / 2, self.boxes[frame - self.first]
                if (head[:2] <= middle).all() and (middle <= head[2:]).all():
                    return True
        return False


def audit(
    presets: Annotated[str, typer.Option(help="Rooms, with commas: or, interview, walk, crowd.")] = (
        "crowd,interview,walk,or"
    ),
    seconds: Annotated[float, typer.Option(min=1, max=120, help="Length of each scene.")] = 6.0,
    seeds: Annotated[int, typer.Option(min=1, max=50, help="Scenes of each room, seeds 0, 1, ...")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Heads uncovered at random for 1 to 5 frames in covered rooms (target: all faces from 24 pixels).

    People are found in the room as it was, as in every run: what the project knows of them is reckoned.
    """
    from app.audit.run import audit_file

    planted: list[tuple[Planted, bool, bool]] = []
    frames, spent, false_alarms, of_export = 0, 0.0, 0, 0
    with (
        tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder, Interruptible() as control,
        ProgressView() as view,
    ):  # fmt: skip
        for preset in presets.split(","):
            for seed in range(seeds):
                path = Path(folder) / f"{preset}{seed}.mp4"
                leaks, record = _film(preset.strip(), seconds, seed, path, control, view)
                blind = audit_file(path, control=control, listener=view, record=record)
                result, raised = _searched(path, record, control, view)
                for p in leaks:
                    found, seen = (any(p.is_found_by(e) for e in r.events) for r in (result, blind))
                    planted.append((p, found, seen))
                false = [e for e in result.events if not any(p.is_found_by(e) for p in leaks)]
                false_alarms += len(false)
                of_export += sum(e.event_id in raised for e in false)
                frames += result.n_frames
                spent += result.seconds
                path.unlink()
    rows: list[dict[str, Any]] = []
    for low, high in pairwise(_SIZES):
        hits = [(found, seen) for p, found, seen in planted if low <= p.size < high]
        what = f"faces of {low} pixels and more" if high == _SIZES[-1] else f"faces of {low} to {high} pixels"
        rows.append(_row(what, hits))
    large = [(found, seen) for p, found, seen in planted if p.size >= 24]
    rows.append(_row("target 100 %: faces of 24 pixels and more", large))
    note = (
        f"{frames} frames of 1280x720, {1e3 * spent / max(frames, 1):.0f} ms a frame for the audit. Half of "
        "the heads are left open while the mask claims them. Only faces that are turned to the camera are "
        "planted. By networks: found in the picture alone, by whoever knows nobody in it; staff in caps and "
        "masks show little of a face. Else by arithmetic: heads of people whom the run had found. Findings "
        f"where nothing was planted: {false_alarms}. Everybody is covered here where they truly are; an "
        "export covers where the run has put them, and reckons the same places. Where the run has put a head "
        "beside the true one, that is a finding here and none there: where an export of the same run covers, "
        f"{of_export} of these remain."
    )
    report("audit, planted leaks by size of the face", rows, as_json, note)


def _row(what: str, hits: list[tuple[bool, bool]]) -> dict[str, Any]:
    found = sum(f for f, _ in hits)
    share = 100 * found / len(hits) if hits else float("nan")
    return {
        "what": what, "planted": len(hits), "found": found, "found_percent": share,
        "by_networks": sum(s for _, s in hits),
    }  # fmt: skip


def _searched(path: Path, record: Any, control: Control, listener: Listener) -> tuple[Any, set[str]]:
    """What the audit finds in a covered film, with the people whom a run finds in the film as it was; and
    which of these findings, by number, would be there too if an export had covered them."""
    from app.audit.followed import FollowedHeads
    from app.audit.known import KnownPeople
    from app.audit.run import audit_file
    from app.cli.documents import project_of
    from app.deidentify.plan import DeidPlan
    from app.pipeline.engine import default_engine
    from app.pipeline.run import run_pipeline
    from app.review.types import DeidSettings, RunOptions

    source, settings = _as_it_was(path), DeidSettings(fill="solid")
    with project_of(source, path.with_suffix(".understudy")) as (store, footage):
        run_pipeline(store, footage, default_engine(), RunOptions(watched=False), control, listener)
        followed = FollowedHeads(store, footage.fps, 0, footage.n_frames - 1)
        for index, image in footage.iter_frames():
            control.check()
            followed.see(index, image)
        known = KnownPeople(store, footage.fps, DeidPlan(settings), record, followed)
        result = audit_file(path, control=control, listener=listener, record=record, known=known)
        raised = _raised_by_export(store, footage, settings, followed, result.events, control)
    source.unlink()
    return result, raised


def _raised_by_export(
    store: Any, footage: Any, settings: Any, followed: Any, events: Any, control: Control
) -> set[str]:
    """Events, by number, that are not mere arithmetic, or that arithmetic raises in what an export covers."""
    from app.audit.known import ARITHMETIC, FOLLOWED, KnownPeople
    from app.audit.record import CoverageRecord
    from app.deidentify.plan import DeidPlan
    from app.export.frames import FrameCoverer
    from app.pipeline.bodies import project_body

    coverer = FrameCoverer(store, project_body(store), store.camera(), settings, None)
    raised = set()
    for event in events:
        if not set(event.found_by.split(", ")) <= {ARITHMETIC, FOLLOWED}:
            raised.add(event.event_id)
            continue
        record = CoverageRecord(footage.height, footage.width)
        known = KnownPeople(store, footage.fps, DeidPlan(settings), record, followed)
        for index in (int(f) for f in event.frames):
            control.check()
            image = footage.frame(index)
            record.add(index, image, *coverer.cover_with_mask(index, image))
            if any(h.track_id == event.track_id for h in known.heads(index)):
                raised.add(event.event_id)
                break
    return raised


def _as_it_was(path: Path) -> Path:
    """Where the film lies before anybody is covered in it."""
    return path.with_stem(f"{path.stem}_source")


def _film(
    preset: str, seconds: float, seed: int, path: Path, control: Control, listener: Listener
) -> tuple[list[Planted], Any]:
    """A scene in which everybody is a grey shape, but for the heads that are planted."""
    from app.audit.record import CoverageRecord
    from app.footage.writer import VideoWriter
    from backends.synthetic import open_scene

    scene = open_scene(preset, seconds=seconds, fps=_FPS, seed=seed)
    rng = np.random.default_rng([seed, 5])
    record = CoverageRecord(720, 1280)
    times = np.arange(scene.n_frames), Fraction(1, int(_FPS))
    writer, original = VideoWriter(path, 1280, 720, *times), VideoWriter(_as_it_was(path), 1280, 720, *times)
    until: dict[int, int] = {}
    claims: dict[int, bool] = {}
    open_heads: dict[tuple[int, int], list[tuple[F4, float]]] = {}
    begun: dict[int, int] = {}
    listener(StageStarted("film", f"Drawing {preset}"))
    meter = RateMeter(scene.n_frames)
    for frame in scene.frames():
        control.check()
        seen = frame.views[0]
        shown, mask = _covered(seen)
        for person in seen.people:
            number = person.person_id
            if person.face_box is None or person.head_box is None or person.face_seen < _SEEN:
                continue
            if until.get(number, -9) < frame.index - 3 and rng.random() < _PLANTED:
                until[number] = frame.index + int(rng.integers(1, _LONGEST + 1)) - 1
                claims[number], begun[number] = bool(rng.random() < 0.5), frame.index
            if until.get(number, -9) < frame.index:
                continue
            x0, y0, x1, y1 = (int(v) for v in person.head_box)
            part = slice(max(y0, 0), y1 + 1), slice(max(x0, 0), x1 + 1)
            shown[part] = seen.image[part]
            if not claims[number]:
                mask[part] = False
            size = float((person.face_box[2:] - person.face_box[:2]).max())
            open_heads.setdefault((number, begun[number]), []).append((person.head_box, size))
        record.add(frame.index, seen.image, shown, mask)
        writer.write(shown)
        original.write(seen.image)
        meter.advance()
        listener(Progress("film", meter.done, meter.total, meter.rate, meter.remaining_s))
    writer.close()
    original.close()
    leaks = [
        Planted(number, first, np.stack([b for b, _ in places]), max(s for _, s in places))
        for (number, first), places in open_heads.items()
    ]
    return leaks, record


def _covered(seen: Any) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Everybody as a grey shape, and which pixels that are."""
    people = np.asarray(cv2.dilate((seen.instances > 0).astype(np.uint8), np.ones((15, 15), np.uint8))) > 0
    for person in seen.people:
        if person.head_box is not None:
            corners = person.head_box.reshape(2, 2)
            middle, half = corners.mean(axis=0), np.ptp(corners, axis=0)
            axes = (round(0.6 * float(half[0])) + 2, round(0.6 * float(half[1])) + 2)
            disc = people.astype(np.uint8)
            cv2.ellipse(disc, [round(float(v)) for v in middle], axes, 0, 0, 360, 1, -1)
            people = disc > 0
    shown = seen.image.copy()
    shown[people] = _SOLID
    return shown, people
