"""The stage that turns tracked keypoints into bodies with confidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from app.project.records import FittedBody, PersonRecord
from backends.body import BodyModel
from backends.body.params import BodyParams
from backends.camera import Camera
from backends.confidence import estimate_confidence
from backends.fitting import BodyFitter, FitResult, NotEnoughKeypoints, pool_shape
from backends.fitting.assess import assess
from backends.fitting.hands import HandBender
from backends.keypoints.types import PoseEstimate

SHAPE_FRAMES = 16
"""Frames of a track whose shape is pooled; after that the track's shape stands."""

SHAPE_STRIDE = 3
"""Every how many frames one goes into the pool: neighbours say the same thing twice."""

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
    that the earlier frames have to be fitted to again at the end.
    """

    def __init__(self, body: BodyModel, camera: Camera) -> None:
        self.body = body
        self.camera = camera
        self.fitter = BodyFitter(body)
        self._bender = HandBender(body)
        self._last: dict[int, tuple[int, BodyParams]] = {}
        self._shapes: dict[int, _TrackShape] = {}

    def process(self, frame: int, track_id: int, estimate: PoseEstimate) -> PersonRecord:
        """Fit one person of one frame; without a body where too few keypoints can be used."""
        shape = self._shapes.setdefault(track_id, _TrackShape())
        shape.seen += 1
        start = self._start(frame, track_id)
        pooling = not shape.settled and (shape.betas is None or shape.seen % SHAPE_STRIDE == 0)
        try:
            result = self.fitter.fit(
                estimate.keypoints,
                estimate.world,
                self.camera,
                betas=None if pooling else shape.betas,
                init=start,
                temporal=start,
            )
        except NotEnoughKeypoints:
            return PersonRecord(frame, track_id, estimate, None, None)
        if pooling:
            self._pool(shape, result)
        self._last[track_id] = (frame, result.params)
        return self.record(frame, track_id, estimate, result, previous=start)

    def refit(
        self, person: PersonRecord, betas: npt.NDArray[np.float64], start: BodyParams | None = None
    ) -> PersonRecord:
        """Fit a stored person again with the given shape."""
        init = start or (person.body.params if person.body is not None else None)
        try:
            result = self.fitter.fit(
                person.estimate.keypoints, person.estimate.world, self.camera, betas=betas, init=init
            )
        except NotEnoughKeypoints:
            return person
        return self.record(person.frame, person.track_id, person.estimate, result)

    def assess(
        self, person: PersonRecord, body: BodyParams, previous: BodyParams | None = None,
        *, beside: BodyParams | None = None,
    ) -> PersonRecord:  # fmt: skip
        """The person with a body that was fitted elsewhere, and how far this frame bears it out.

        Args:
            previous: the same person a frame earlier, if known; sudden jumps count as doubt.
            beside: the same person in a frame before or after, where jumps are no doubt: a person made them.
        """
        estimate = person.estimate
        try:
            result = assess(
                self.fitter,
                body,
                estimate.keypoints,
                estimate.world,
                self.camera,
                temporal=previous or beside,
            )
        except NotEnoughKeypoints:
            return person
        judged = self.record(person.frame, person.track_id, estimate, result, previous=previous)
        return replace(judged, reviewed=person.reviewed)

    def record(
        self,
        frame: int,
        track_id: int,
        estimate: PoseEstimate,
        result: FitResult,
        *,
        previous: BodyParams | None = None,
    ) -> PersonRecord:
        """A fit with its confidence, ready to store."""
        confidence = estimate_confidence(
            self.body, result, estimate.keypoints, self.camera, previous=previous
        )
        params = result.params
        if estimate.details is not None:
            params = self._bender.bend(params, estimate.details, self.camera)
        body = FittedBody(params, result.reprojected_xy, float(result.rms_px))
        return PersonRecord(frame, track_id, estimate, body, confidence)

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
                fit = self.fitter.fit(
                    person.estimate.keypoints, person.estimate.world, self.camera, init=start
                )
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
