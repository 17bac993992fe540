"""The view of a track that the reasons look at, from what was seen and fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.confidence.expected.gather import gather_track
from backends.confidence.expected.sites import Sites
from backends.confidence.expected.types import Sighting
from backends.confidence.reasons.types import TrackView
from backends.errors import InputError
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.types import Source

F8 = npt.NDArray[np.float64]


def track_view(
    sites: Sites, sightings: Sequence[Sighting], frames: Sequence[int], *, up: F8 | None = None
) -> TrackView:
    """What the reasons look at, of the same sightings that the expected errors are made of.

    Args:
        frames: frame number of each sighting.
        up: (3,) direction against gravity in camera coordinates, where the camera's place is known.

    Raises:
        InputError: other numbers of frames and sightings, or a direction that is none.
    """
    if len(frames) != len(sightings):
        raise InputError(f"{len(sightings)} sightings need as many frame numbers, got {len(frames)}.")
    if up is not None:
        length = float(np.linalg.norm(up))
        if up.shape != (3,) or not np.isfinite(length) or length < 1e-6:
            raise InputError("The direction up needs three finite values that are not all zero.")
        up = up / length
    g = gather_track(sites, sightings)
    body = slice(0, N_FIT_JOINTS)
    first = sightings[0].camera
    source = np.stack([s.estimate.keypoints.source for s in sightings])
    return TrackView(
        frame=np.asarray(frames, np.int64), time=g.time, joints=g.X[:, body], pose=g.pose,
        joints_xy=g.site_xy[:, body],
        body_xy=np.stack([s.result.reprojected_xy for s in sightings]).astype(np.float64),
        xy=g.xy, score=g.score, used=np.isfinite(g.residual), by_person=source == Source.PERSON,
        noise=np.where(np.isfinite(g.noise), g.noise, np.inf), world=g.world, body_points=g.body_points,
        in_mask=g.in_mask[:, body], presence=g.presence, box=g.box, size=(first.width, first.height), up=up,
    )  # fmt: skip
