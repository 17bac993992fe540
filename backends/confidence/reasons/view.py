"""The view of a track that the reasons look at, from what was seen and fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.camera import Camera
from backends.confidence.expected.gather import body_points, mask_shares, site_places
from backends.confidence.expected.sites import Sites
from backends.confidence.reasons.types import TrackView
from backends.errors import InputError
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import PoseEstimate, Source

F8 = npt.NDArray[np.float64]

_NOTHING = np.full(N_KEYPOINTS, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A person in a frame: the body that is shown and the evidence that it should meet.

    Attributes:
        time: seconds. body_xy: (23, 2) the body's keypoints, pixels.
        noise: (23,) pixels that each keypoint may be off, inf where the fit did not use it.
        apart: (23,) metres that a depth sensor has each keypoint off the body, NaN where it says nothing.
    """

    time: float
    params: BodyParams
    body_xy: npt.NDArray[np.float32]
    estimate: PoseEstimate
    noise: F8
    apart: F8 | None = None


def track_view(sites: Sites, shown: Sequence[Shown], frames: Sequence[int], camera: Camera) -> TrackView:
    """What the reasons look at; about a quarter of a millisecond a frame.

    Args:
        frames: the number of each frame.

    Raises:
        InputError: no frames, or another number of them.
    """
    if len(frames) != len(shown) or not shown:
        raise InputError(
            f"{len(shown)} bodies need as many frame numbers, and one at least; got {len(frames)}."
        )
    body = slice(0, N_FIT_JOINTS)
    rows = [_one(sites, s, camera) for s in shown]
    X, site_xy, points, in_mask, world = (np.stack(column) for column in zip(*rows))
    noise = np.stack([s.noise for s in shown])
    keypoints = [s.estimate.keypoints for s in shown]
    return TrackView(
        frame=np.asarray(frames, np.int64), time=np.array([s.time for s in shown], np.float64),
        joints=X[:, body], pose=np.stack([s.params.pose[body] for s in shown]).astype(np.float64),
        joints_xy=site_xy[:, body], body_xy=np.stack([s.body_xy for s in shown]).astype(np.float64),
        xy=np.stack([k.xy for k in keypoints]).astype(np.float64),
        score=np.clip(np.nan_to_num(np.stack([k.score for k in keypoints]).astype(np.float64)), 0.0, 1.0),
        used=np.isfinite(noise), by_person=np.stack([k.source for k in keypoints]) == Source.PERSON,
        noise=noise, world=world, body_points=points, in_mask=in_mask[:, body],
        presence=np.array([s.estimate.score for s in shown], np.float64),
        box=np.stack([s.estimate.box for s in shown]).astype(np.float64), size=(camera.width, camera.height),
        mm_per_px=1e3 * np.maximum(X[:, 0, 2], 0.1) / camera.fx,
        apart=np.stack([_NOTHING if s.apart is None else s.apart for s in shown]),
    )  # fmt: skip


def _one(sites: Sites, s: Shown, camera: Camera) -> tuple[F8, ...]:
    X = site_places(sites, s.params)
    xy = np.nan_to_num(camera.project(X), nan=-1e4)
    world = np.full((N_KEYPOINTS, 3), np.nan)
    if s.estimate.world is not None:
        world = s.estimate.world.astype(np.float64)
    return X, xy, body_points(sites, s.params), mask_shares(s.estimate.mask, camera, X, xy)[0], world
