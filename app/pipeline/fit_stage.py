"""The stage that turns tracked keypoints into bodies with confidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from app.pipeline.trust import Seen, Trust
from app.project.records import FittedBody, PersonRecord
from backends.body import BodyModel
from backends.body.params import BodyParams
from backends.camera import Camera
from backends.fitting import (
    BodyFitter,
    FitResult,
    NotEnoughKeypoints,
    Observation,
    PlainFit,
    pool_shape,
)
from backends.fitting.assess import assess
from backends.fitting.depth import KeypointDepths, Skin
from backends.fitting.depth_fit import depths_of, fit_with_depth
from backends.fitting.hands import HandBender
from backends.keypoints.types import PoseEstimate

SHAPE_FRAMES = 16
"""Frames of a track whose shape is pooled; after that the track's shape stands."""

SHAPE_STRIDE = 3
"""Every how many frames one goes into the pool: neighbours say the same thing twice."""

F4 = npt.NDArray[np.float32]

_MAX_GAP = 5
"""A fit from this many frames ago is still a good start for the next."""


@dataclass
class _TrackShape:
    results: list[FitResult] = field(default_factory=list)
    betas: npt.NDArray[np.float64] | None = None
    seen: int = 0
    settled: bool = False


class FitStage:
    """Fits one person after the other, each from where the same person was a moment ago.

    The shape (betas) is shared by a track: the first frames of a track are fitted with a free
    shape, pooled, and from then on the pooled shape is kept. :meth:`final_shapes` tells the shape
    that the earlier frames have to be fitted to again at the end. Without ``judging``, which may be switched
    at any time, bodies that are fitted by themselves have no confidence: nobody looks at them before they
    are fitted as clips, or the model of expected errors is trained on them.
    """

    def __init__(self, body: BodyModel, camera: Camera, *, judging: bool = True) -> None:
        self.body = body
        self.camera = camera
        self.fitter = BodyFitter(body)
        self.trust = Trust(body, camera)
        self.judging = judging
        self._bender = HandBender(body)
        self._last: dict[int, tuple[int, BodyParams]] = {}
        self._shapes: dict[int, _TrackShape] = {}

    def process(
        self, frame: int, track_id: int, estimate: PoseEstimate, others: F4 | None = None
    ) -> PersonRecord:
        """Fit one person of one frame; without a body where too few keypoints can be used.

        Args:
            others: (M, 4) boxes of the other people in the frame, pixels.
        """
        shape = self._shapes.setdefault(track_id, _TrackShape())
        shape.seen += 1
        start = self._start(frame, track_id)
        pooling = not shape.settled and (shape.betas is None or shape.seen % SHAPE_STRIDE == 0)
        plain = not (self.judging or pooling) and estimate.depth is None
        found: FitResult | PlainFit
        try:
            if plain:
                found = self.fitter.fit_plain(
                    estimate.keypoints, estimate.world, self.camera, betas=shape.betas, init=start,
                    temporal=start,
                )  # fmt: skip
            else:
                found = result = self._fit(
                    estimate, None if pooling else shape.betas, start, temporal=start
                )  # fmt: skip
                if pooling:
                    self._pool(shape, result)
        except NotEnoughKeypoints:
            return PersonRecord(frame, track_id, estimate, None, None)
        self._last[track_id] = (frame, found.params)
        return self._alone(frame, track_id, estimate, found, others)

    def refit(
        self,
        person: PersonRecord,
        betas: npt.NDArray[np.float64],
        start: BodyParams | None = None,
        others: F4 | None = None,
    ) -> PersonRecord:
        """Fit a stored person again with the given shape; judged by this frame alone."""
        init = start or (person.body.params if person.body is not None else None)
        try:
            result = self._fit(person.estimate, betas, init)
        except NotEnoughKeypoints:
            return person
        return self._alone(person.frame, person.track_id, person.estimate, result, others)

    def assess_track(
        self,
        people: Sequence[PersonRecord],
        times: Sequence[float],
        others: Mapping[int, F4],
        span: tuple[float, float] | None,
        *,
        bodies: Mapping[int, BodyParams] | None = None,
        step: Callable[[], None] = lambda: None,
    ) -> list[PersonRecord]:
        """A person's successive frames, each body judged by its own frame and by those around it.

        Bodies do not move. Those whose keypoints say too little come back as they were.

        Args:
            people: frames ascending.
            times: of these frames, seconds. others: boxes (M, 4) of other people by frame number.
            span: when the whole track begins and ends.
            bodies: by frame number, in place of the people's own. step: called before each of them.
        """
        shown = [(bodies or {}).get(p.frame, p.body.params if p.body is not None else None) for p in people]
        seen: dict[int, Seen] = {}
        previous: BodyParams | None = None
        for i, (person, params) in enumerate(zip(people, shown)):
            step()
            if params is None:
                continue
            estimate = person.estimate
            beside = previous or (shown[i + 1] if i + 1 < len(shown) else None)
            try:
                result = assess(
                    self.fitter, params, estimate.keypoints, estimate.world, self.camera, temporal=beside,
                    depth=self.depths(params, estimate),
                )  # fmt: skip
            except NotEnoughKeypoints:
                continue
            previous = params
            single = person.body.single if person.body is not None else None
            seen[i] = Seen(times[i], estimate, result, single, others.get(person.frame))
        judged = list(people)
        for (i, s), confidence in zip(seen.items(), self.trust.over_time(list(seen.values()), span)):
            params = self._bent(s.result.params, s.estimate)
            body = FittedBody(params, s.result.reprojected_xy, float(s.result.rms_px), s.single)
            judged[i] = replace(people[i], body=body, confidence=confidence)
        return judged

    def observed(self, person: PersonRecord | None) -> Observation:
        """What a clip's fit is told of a person in a frame; of nobody nothing."""
        if person is None:
            return Observation((None,))
        estimate, body = person.estimate, person.body
        depth = None if body is None else self.depths(body.params, estimate)
        return Observation((estimate.keypoints,), estimate.world, depth)

    def depths(self, params: BodyParams, estimate: PoseEstimate) -> KeypointDepths | None:
        """How far a depth sensor has the keypoints of a body; None without one."""
        return None if estimate.depth is None else depths_of(self.skin, params, self.camera, estimate.depth)

    @cached_property
    def skin(self) -> Skin:
        """The body's skin, for comparing it with a depth sensor's readings."""
        return Skin(self.body)

    def _fit(
        self, estimate: PoseEstimate, betas: npt.NDArray[np.float64] | None, start: BodyParams | None,
        temporal: BodyParams | None = None,
    ) -> FitResult:  # fmt: skip
        keypoints, world = estimate.keypoints, estimate.world
        if estimate.depth is None:
            return self.fitter.fit(keypoints, world, self.camera, betas=betas, init=start, temporal=temporal)
        return fit_with_depth(
            self.fitter, self.skin, estimate.depth, keypoints, world, self.camera, betas=betas, init=start,
            temporal=temporal,
        )  # fmt: skip

    def _alone(
        self, frame: int, track_id: int, estimate: PoseEstimate, result: FitResult | PlainFit,
        others: F4 | None,
    ) -> PersonRecord:  # fmt: skip
        """A frame's own fit, judged by itself, ready to store."""
        confidence = None
        if self.judging and isinstance(result, FitResult):
            confidence = self.trust.alone(estimate, result, others)
        single = self.trust.single(result.params)
        params = self._bent(result.params, estimate)
        body = FittedBody(params, result.reprojected_xy, float(result.rms_px), single)
        return PersonRecord(frame, track_id, estimate, body, confidence)

    def _bent(self, params: BodyParams, estimate: PoseEstimate) -> BodyParams:
        """With the hands as they were seen."""
        if estimate.details is None:
            return params
        return self._bender.bend(params, estimate.details, self.camera)

    def _start(self, frame: int, track_id: int) -> BodyParams | None:
        last = self._last.get(track_id)
        return last[1] if last is not None and 0 < frame - last[0] <= _MAX_GAP else None

    def _pool(self, shape: _TrackShape, result: FitResult) -> None:
        shape.results.append(result)
        shape.betas = pool_shape(shape.results)
        if len(shape.results) >= SHAPE_FRAMES:
            shape.settled = True
            shape.results.clear()

    def final_shapes(self) -> dict[int, npt.NDArray[np.float64]]:
        """The shape of each track that was seen."""
        return {track: s.betas for track, s in self._shapes.items() if s.betas is not None}

    def see(self, camera: Camera) -> None:
        """Fit what comes next as ``camera`` sees it: its focal length is known better now."""
        self.camera = camera
        self.trust = Trust(self.body, camera)
        self._last.clear()

    def keep_shape(self, track: int, betas: npt.NDArray[np.float64]) -> None:
        """The shape of a track, from now on."""
        self._shapes[track] = _TrackShape(betas=betas, settled=True)

    def shape_of(self, people: Sequence[PersonRecord]) -> npt.NDArray[np.float64] | None:
        """(B,) the shape that frames of one person say together; None where none can be fitted."""
        results = []
        for person in people:
            start = person.body.params if person.body is not None else None
            try:
                fit = self._fit(person.estimate, None, start)
            except NotEnoughKeypoints:
                continue
            results.append(fit)
        return pool_shape(results) if results else None

    def state(self) -> dict[str, Any]:
        """Plain values and arrays from which :meth:`restore` goes on."""
        return {
            "shapes": {
                str(track): {"betas": s.betas, "seen": s.seen, "settled": s.settled}
                for track, s in self._shapes.items()
                if s.betas is not None
            }
        }

    def restore(
        self, state: Mapping[str, Any], last_body: Callable[[int], tuple[int, BodyParams] | None]
    ) -> None:
        """Go on from a stored state; ``last_body`` finds a track's newest stored body."""
        for name, values in state.get("shapes", {}).items():
            track = int(name)
            # The pool itself is not stored: a shape that was not settled is pooled anew from here.
            self._shapes[track] = _TrackShape(
                betas=np.asarray(values["betas"], dtype=np.float64),
                seen=int(values["seen"]),
                settled=bool(values["settled"]),
            )
            last = last_body(track)
            if last is not None:
                self._last[track] = last
