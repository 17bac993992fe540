"""How far bodies can be trusted: the trained model, with what a project knows around a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from app.project.arrays import unpack
from app.project.store import VIEW, ProjectStore
from backends.body import BodyModel, BodyParams
from backends.camera import Camera
from backends.confidence import BodyConfidence
from backends.confidence.expected import Sighting, expected_errors, make_sites
from backends.confidence.expected.gather import sites_about_pelvis
from backends.fitting import FitResult
from backends.keypoints.types import PoseEstimate

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

ABOUT_S: Final = 0.4
"""Frames within this time on either side count for a frame's expected errors."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A body in a frame with what it was fitted to.

    Attributes:
        time: seconds. single: see :class:`Sighting`. others: (M, 4) boxes of the other people, pixels.
    """

    time: float
    estimate: PoseEstimate
    result: FitResult
    single: F4 | None
    others: F4 | None


class Trust:
    """Expected errors of bodies of one view."""

    def __init__(self, body: BodyModel, camera: Camera) -> None:
        self.sites = make_sites(body)
        self._camera = camera

    def single(self, params: BodyParams) -> F4:
        """What to keep of a frame's own fit, for when its neighbours have been taken in."""
        return sites_about_pelvis(self.sites, params)

    def alone(self, estimate: PoseEstimate, result: FitResult, others: F4 | None = None) -> BodyConfidence:
        """Of one frame by itself: while a run goes on, and while a keypoint is dragged.

        What neighbouring frames and a smooth motion tell is not used; the bounds were measured without it.
        """
        (found,) = expected_errors(self.sites, [self._sighting(Seen(0.0, estimate, result, None, others))])
        return found

    def over_time(
        self, seen: Sequence[Seen], span: tuple[float, float] | None = None
    ) -> list[BodyConfidence]:
        """Of one person's successive frames; ``span`` is when the whole track begins and ends, seconds."""
        if not seen:
            return []
        return expected_errors(self.sites, [self._sighting(s) for s in seen], span=span)

    def _sighting(self, s: Seen) -> Sighting:
        others = np.zeros((0, 4), np.float32) if s.others is None else s.others
        depth = None
        if s.estimate.depth is not None:
            depth = 1e3 * s.estimate.depth.metres_at(s.estimate.keypoints.xy.astype(np.float64))
        return Sighting(s.time, s.result, s.estimate, self._camera, s.single, others, depth)


def boxes_beside(store: ProjectStore, track: int, first: int, last: int) -> Mapping[int, F4]:
    """Boxes (M, 4) of the other people by frame, ``first`` to ``last``; no entry where nobody else is."""
    found: dict[int, list[F4]] = {}
    rows = store.query(
        "SELECT o.frame, o.box FROM observations o JOIN tracks t ON t.id = o.track_id AND t.state = 'kept'"
        " WHERE o.view_id = ? AND o.frame BETWEEN ? AND ? AND o.track_id <> ?",
        (VIEW, first, last, track),
    )
    for row in rows:
        found.setdefault(int(row["frame"]), []).append(unpack(row["box"], shape=(4,)))
    return {frame: np.stack(boxes) for frame, boxes in found.items()}


def track_times(store: ProjectStore, track: int, times: F8) -> tuple[float, float] | None:
    """When a track begins and ends, seconds of ``times`` (N,); None where nobody has seen it."""
    span = store.track_span(track)
    return None if span is None else (float(times[span[0]]), float(times[span[1]]))
