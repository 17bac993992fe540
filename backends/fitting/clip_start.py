"""Where the fit of a clip starts: single frames, outliers taken out, gaps bridged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams, posed_joints
from backends.camera import Camera
from backends.fitting.depth import KeypointDepths
from backends.fitting.fitter import BodyFitter
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.types import FitResult, NotEnoughKeypoints
from backends.keypoints.types import Keypoints

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_WINDOW = 4
_OUTLIER_M = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What is known of one frame.

    Attributes:
        keypoints: one a view, None where the person is not seen there.
        world: (23, 3) world landmarks of the only view (see :meth:`BodyFitter.fit`), or None.
        depth: how far a depth sensor has the keypoints of the only view, or None.
    """

    keypoints: tuple[Keypoints | None, ...]
    world: npt.NDArray[np.float32] | None = None
    depth: KeypointDepths | None = None


def first_bodies(
    fitter: BodyFitter, frames: Sequence[Observation], cameras: Sequence[Camera], betas: F8 | None
) -> list[BodyParams | None]:
    """Each frame fitted by itself; None where that cannot be done."""
    if len(cameras) > 1:
        return [_in_views(fitter, f, cameras, betas) for f in frames]
    if any(f.world is not None for f in frames):
        return [
            r.params if r is not None else None
            for r in (_in_view(fitter, f, cameras[0], betas, None) for f in frames)
        ]
    # Without a third dimension a frame may be a mirror pose: follow from both ends, keep the better way.
    ways = [_followed(fitter, order, cameras[0], betas) for order in (frames, frames[::-1])]
    forwards, backwards = ways[0], (ways[1][0][::-1], ways[1][1])
    return min((forwards, backwards), key=lambda way: way[1])[0]


def _followed(
    fitter: BodyFitter, frames: Sequence[Observation], camera: Camera, betas: F8 | None
) -> tuple[list[BodyParams | None], float]:
    bodies: list[BodyParams | None] = []
    total = 0.0
    last: BodyParams | None = None
    for frame in frames:
        result = _in_view(fitter, frame, camera, betas, last)
        bodies.append(result.params if result is not None else None)
        if result is not None:
            last = result.params
            total += result.cost
    return bodies, total


def _in_view(
    fitter: BodyFitter, frame: Observation, camera: Camera, betas: F8 | None, last: BodyParams | None
) -> FitResult | None:
    keypoints = frame.keypoints[0]
    if keypoints is None:
        return None
    try:
        return fitter.fit(keypoints, frame.world, camera, betas=betas, init=last, temporal=last)
    except NotEnoughKeypoints:
        return None


def _in_views(
    fitter: BodyFitter, frame: Observation, cameras: Sequence[Camera], betas: F8 | None
) -> BodyParams | None:
    seen = [(k, c) for k, c in zip(frame.keypoints, cameras) if k is not None]
    if len(seen) < 2:
        return None
    try:
        return fitter.fit_views([k for k, _ in seen], [c for _, c in seen], betas=betas).params
    except NotEnoughKeypoints:
        return None


def filled(fitter: BodyFitter, bodies: Sequence[BodyParams | None]) -> tuple[F8, BoolArray]:
    """(T, 69) unknowns, with frames that lack a body, or whose body jumps away from its neighbours,
    interpolated; and which frames lacked one.

    Raises:
        NotEnoughKeypoints: no frame has a body.
    """
    missing = np.array([b is None for b in bodies])
    if missing.all():
        raise NotEnoughKeypoints("No frame of this clip has enough keypoints for a body.")
    x = np.zeros((len(bodies), 3 * N_FIT_JOINTS + 3))
    joints = np.full((len(bodies), N_FIT_JOINTS, 3), np.nan)
    for t, body in enumerate(bodies):
        if body is not None:
            x[t] = fitter.pack(body, 0)
            joints[t] = posed_joints(fitter.body, body)[:N_FIT_JOINTS]
    good = np.flatnonzero(~missing & ~_jumps(joints))
    if not len(good):
        good = np.flatnonzero(~missing)
    x[good] = unwrapped(x[good])
    every = np.arange(len(x))
    for a in range(x.shape[1]):
        x[:, a] = np.interp(every, good, x[good, a])
    return x, missing


def _jumps(joints: F8) -> BoolArray:
    """(T,) frames that lie farther from the median of their neighbours than those do from each other."""
    jump = np.zeros(len(joints), np.bool_)
    known = np.flatnonzero(np.isfinite(joints[:, 0, 0]))
    for i, t in enumerate(known):
        near = known[max(i - _WINDOW, 0) : i + _WINDOW + 1]
        if len(near) < 4:
            continue
        middle = np.median(joints[near], axis=0)
        away = np.linalg.norm(joints[near] - middle, axis=2).mean(axis=1)
        own = float(np.linalg.norm(joints[t] - middle, axis=1).mean())
        jump[t] = own > _OUTLIER_M and own > 3.0 * float(np.median(away))
    return jump


def unwrapped(x: F8) -> F8:
    """The unknowns (T, 69) with the root's axis-angles chosen so that each is near the one before."""
    out = x.copy()
    for t in range(1, len(out)):
        v = out[t, :3]
        angle = float(np.linalg.norm(v))
        if angle < 1e-9:
            continue
        choices = [v * (1.0 + 2.0 * np.pi * k / angle) for k in (-2, -1, 0, 1)]
        out[t, :3] = min(choices, key=lambda c: float(np.linalg.norm(c - out[t - 1, :3])))
    return out
