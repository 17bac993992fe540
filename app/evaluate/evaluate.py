"""Weigh a project against truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.datasets.types import TrueFrame, TruthSet, TruthView
from app.errors import ProjectError
from app.evaluate.collect import Collector
from app.evaluate.errors import EvaluationError
from app.evaluate.heads import CoverageProbe
from app.evaluate.plane import face_rows, mask_rows, picture_rows, tracking_rows
from app.evaluate.plots import make_plots
from app.evaluate.recording import Recording
from app.evaluate.report import Counts, Report, Row
from app.evaluate.room import room_rows
from app.evaluate.samples import Samples
from app.evaluate.space import SetErrors, motion_rows, set_errors, space_rows
from app.evaluate.trust import trust_rows, trust_samples
from app.evaluate.views import check_view, choose_view
from app.evaluate.worst import Drawer, worst_frames
from app.pipeline.bodies import project_body
from app.pipeline.events import Event, Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.project.records import FootageRecord
from app.project.store import ProjectStore, now
from app.review.deid import SETTING, read_deid
from backends.body import BodyModel
from backends.camera import Camera
from backends.confidence.types import DEFAULT_TOLERANCE_MM

F8 = npt.NDArray[np.float64]

MATCHING = (
    "people are paired frame by frame by the similarity of their keypoints (OKS; the boxes' IoU where none "
    "is labelled), one to one, from 0.1 on; true people of whom less than a tenth is seen take no part"
)

_PADDING = 16
"""Video is coded in blocks of this many pixels."""


def _silent(event: Event) -> None:
    """Nobody listens."""


def evaluate_project(
    project: Path,
    truth: TruthSet,
    *,
    view: str | None = None,
    pictures: int = 0,
    coverage: bool = True,
    tolerance_mm: float = DEFAULT_TOLERANCE_MM,
    program: str = "",
    control: Control | None = None,
    listener: Listener = _silent,
) -> Report:
    """Compare what a project found with the truth, as far as the truth goes.

    Args:
        view: name of the truth's view; by default the one that the project's footage is.
        pictures: so many of the worst frames are drawn, where the footage is there. The pictures show
            the people of the footage.
        coverage: also measure which pixels of every head the export would cover (the slowest part).
        tolerance_mm: errors up to this are right, for the confidence's scores.
        program: name and version to state in the report.

    Raises:
        EvaluationError: truth and project do not belong together, or nobody could be compared.
        ProjectError: the project cannot be opened. UnderstudyError: the truth cannot be read.
        Cancelled: when asked to stop.
    """
    if not (np.isfinite(tolerance_mm) and tolerance_mm > 0):
        raise EvaluationError(f"The tolerance is a length above 0 mm, got {tolerance_mm:g}.")
    if not project.is_file():
        raise ProjectError(f"There is no project {project.name} in that folder. Check the path.")
    control = control or Control()
    store = ProjectStore.open(project)
    run: _Evaluation | None = None
    try:
        footage = store.footage()
        chosen = choose_view(truth, footage, view)
        check_view(chosen, footage)
        run = _Evaluation(store, footage, chosen, project_body(store), control, listener)
        samples = run.collect(coverage)
        return run.report(samples, truth, pictures, tolerance_mm, program, coverage)
    finally:
        if run is not None:
            run.recording.close()
        store.close()


class _Evaluation:
    def __init__(
        self, store: ProjectStore, footage: FootageRecord, view: TruthView, body: BodyModel,
        control: Control, listener: Listener,
    ) -> None:  # fmt: skip
        self._store = store
        self._footage = footage
        self._view = view
        self._body = body
        self._camera = store.camera()
        self._control = control
        self._listener = listener
        self._warnings: list[str] = []
        self.recording = Recording(store.path, control, listener)

    def collect(self, coverage: bool) -> Samples:
        """Go through the frames that were processed."""
        frames = [i for first, last in self._store.processed() for i in range(first, last + 1)]
        frames = [i for i in sorted(set(frames)) if i < self._view.n_frames]
        if not frames:
            raise EvaluationError(
                f"No frame of {self._store.path.name} has been processed. Run it first: "
                f"understudy run {self._footage.path.name}."
            )
        if len(frames) < self._view.n_frames:
            self._warnings.append(
                f"Only {len(frames)} of {self._view.n_frames} frames were processed; the others take no part."
            )
        probe = None
        if coverage:
            settings = read_deid(self._store.setting(SETTING))
            moving = self._moves(frames[0], frames[-1])
            probe = CoverageProbe(
                self._store, self._body, self._camera, settings, self.recording, moving=moving,
                true_room=self._view.plate(),
            )  # fmt: skip
            if probe.blind:
                self._warnings.append(
                    "Coverage is measured without the pictures: what the export covers because it stands "
                    f"before the empty room counts as open ({self.recording.why or 'the room is not known'})."
                )
        collector = Collector(self._body, self._camera, probe, len(frames))
        self._listener(StageStarted("evaluate", "Comparing with the truth"))
        meter = RateMeter(len(frames))
        for index in frames:
            if self._control.check():
                meter.hold()
            true = self._view.frame(index)
            self._check(true, index)
            collector.add(true, self._store.people(index))
            meter.advance()
            self._listener(Progress("evaluate", meter.done, meter.total, meter.rate, meter.remaining_s))
        samples = collector.samples
        if not samples.true_people:
            raise EvaluationError(f"The truth '{self._view.name}' shows nobody in the frames compared.")
        if not samples.matched:
            found = f"{samples.found_people} were found" if samples.found_people else "nobody was found"
            raise EvaluationError(
                f"Nobody could be matched: the truth '{self._view.name}' has {samples.true_people} people "
                f"(counted once a frame), {found}, and none of them coincide. Check that both are of the "
                "same footage, in pixels of the same size."
            )
        return samples

    def _moves(self, first: int, last: int) -> bool:
        a, b = self._view.frame(first).camera, self._view.frame(last).camera
        return a is not None and b is not None and not (np.array_equal(a.R, b.R) and np.array_equal(a.t, b.t))

    def _check(self, true: TrueFrame, index: int) -> None:
        if true.index != index:
            raise EvaluationError(
                f"The truth '{self._view.name}' gives frame {true.index} for frame {index}."
            )
        if true.camera is not None:
            self._check_size(true.camera)
        ids = [p.person_id for p in true.people]
        if len(set(ids)) != len(ids):
            raise EvaluationError(f"The truth '{self._view.name}' has a person twice in frame {index}.")

    def _check_size(self, camera: Camera) -> None:
        ours, theirs = (self._camera.width, self._camera.height), (camera.width, camera.height)
        if ours == theirs:
            return
        said = (
            f"The truth's pictures are {theirs[0]} x {theirs[1]} pixels, the project's {ours[0]} x {ours[1]}."
        )
        if max(abs(a - b) for a, b in zip(ours, theirs)) >= _PADDING:
            raise EvaluationError(f"{said} Give the truth of this very footage.")
        # Calibrations often state the size with the codec's padding, of which no pixel is shown.
        warning = f"{said} Taken for the codec's padding at the right and below."
        if warning not in self._warnings:
            self._warnings.append(warning)

    def report(
        self, samples: Samples, truth: TruthSet, pictures: int, tolerance_mm: float, program: str,
        coverage: bool,
    ) -> Report:  # fmt: skip
        """Scores, plots and the worst frames."""
        self._listener(StageStarted("scores", "Computing the scores"))
        every = set_errors(samples)
        times = self._times(samples)
        fps = self._view.fps
        error, expected, label = trust_samples(samples, every)
        rows: list[Row] = space_rows(samples, every)
        missing: list[tuple[str, str]] = []
        if not every:
            missing.append(("Bodies in space", self._why_no_space(samples)))
        elif not samples.vertex_mm:
            missing.append(("Vertex errors", samples.vertices_why))
        parts = [
            picture_rows(samples), motion_rows(samples, every, fps), tracking_rows(samples, fps),
            mask_rows(samples), face_rows(samples, times, measured=coverage),
            room_rows(self.recording, self._view.plate(), samples,
                      moves=self._moves(samples.frames[0], samples.frames[-1]), measured=coverage),
            trust_rows(error, expected, label, tolerance_mm),
        ]  # fmt: skip
        for part, why in parts:
            rows += part
            missing += why
        self._warn(samples, every)
        drawer = Drawer(self._store, self._body, tolerance_mm, self._control, self._listener)
        worst, left_out = worst_frames(samples, every, times, drawer, pictures)
        self._warnings += left_out
        return Report(
            project=self._store.path.name, footage=self._footage.path.name, truth=truth.kind,
            view=self._view.name, program=program, made_at=now(), fps=self._footage.fps,
            tolerance_mm=tolerance_mm, matching=MATCHING, counts=_counts(samples), rows=tuple(rows),
            missing=tuple(missing), warnings=tuple(self._warnings),
            plots=make_plots(samples, every, times, error, expected, tolerance_mm),
            worst=worst,
        )  # fmt: skip

    def _times(self, samples: Samples) -> F8:
        pts = self._footage.pts
        seconds = (pts - pts[0]).astype(np.float64) * float(self._footage.time_base)
        return np.asarray(seconds[samples.frames])

    def _why_no_space(self, samples: Samples) -> str:
        if not samples.pairs:
            return "no matched person has a body"
        if not samples.true_joints:
            return "the truth has no joints in space"
        return "truth and bodies have too few joints in common"

    def _warn(self, samples: Samples, every: list[SetErrors]) -> None:
        if samples.bodiless:
            self._warnings.append(f"{samples.bodiless} matched people have no body and take no part in 3D.")
        if every and self._camera.estimated:
            self._warnings.append(
                "The project's focal length is estimated: absolute errors hold the error of that estimate."
            )
        if every and self._camera.assumed:
            self._warnings.append(
                "The project's focal length is assumed: absolute errors hold the error of that guess."
            )
        extra = samples.found_people - samples.matched
        if extra:
            self._warnings.append(
                f"{extra} found people (counted once a frame) match nobody. They count as false unless the "
                "truth leaves people out, as 3DPW does with bystanders."
            )


def _counts(s: Samples) -> Counts:
    return Counts(
        frames=len(s.frames), true_people=s.true_people, found_people=s.found_people, matched=s.matched,
        ignored=s.ignored, missed=s.true_people - s.matched, extra=s.found_people - s.matched,
    )  # fmt: skip
