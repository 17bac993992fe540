"""Where a fit to several views starts: keypoints in space, from the cameras that agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.fitting.arrays import BodyArrays, Evidence, Prior
from backends.fitting.evidence import BY_HAND, MIN_KEYPOINTS, View
from backends.fitting.flips import LIMBS, try_flips
from backends.fitting.kernels import N_POSE, points_and_derivatives
from backends.fitting.terms import project_points
from backends.fitting.types import NotEnoughKeypoints
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.multiview.triangulate import triangulate

F8 = npt.NDArray[np.float64]

_MAX_ERROR_PX = 15.0


_LIMB_POINTS = [
    [INDEX[f"{side}_{name}"] for name in names]
    for side in ("left", "right")
    for names in (("elbow", "wrist"), ("knee", "ankle"))
]
"""Keypoints that say how the limbs of :data:`LIMBS` lie."""
_MIN_SCALE, _MAX_SCALE = 0.4, 4.0
_MEDIAN_SQUARE = 1.386
"""Median of the squared length of a standard normal vector in the plane: 2 ln 2."""


def start_world(views: Sequence[View], cameras: Sequence[Camera]) -> tuple[F8, list[View]]:
    """(23, 3) triangulated keypoints, world, rows of NaN where two views do not agree; and the views
    without the keypoints that the others contradict (those that a person placed stay).

    Raises:
        NotEnoughKeypoints: fewer than six points.
    """
    xy = np.stack([np.where(v.used[:, None], v.xy, np.nan) for v in views])
    score = np.stack([np.where(v.used, np.clip(v.score, 0.05, 1.0), 0.0) for v in views])
    found = triangulate(xy, score, cameras, max_error_px=_MAX_ERROR_PX)
    known = np.isfinite(found.points[:, 0])
    if known.sum() < MIN_KEYPOINTS:
        raise NotEnoughKeypoints(
            f"Two or more views agree on only {int(known.sum())} keypoints; a body needs at least "
            f"{MIN_KEYPOINTS}."
        )
    agreed = []
    for view, used in zip(views, found.used):
        keep = view.used & (used | ~known | (view.cuts > BY_HAND))
        sigma = np.where(keep, view.sigma, np.inf)
        agreed.append(replace(view, used=keep, sigma=sigma, xy=np.where(keep[:, None], view.xy, 0.0)))
    return found.points, agreed


def rescaled(arrays: BodyArrays, x: F8, betas: F8, nb: int, known: Evidence) -> Evidence:
    """The evidence with its noise scaled to the misses that the body at ``x`` shows (their median, freed
    from what the unknowns have swallowed); what a person placed keeps its noise."""
    X = np.empty((N_KEYPOINTS, 3))
    b = x[N_POSE + 3 :].copy() if nb else betas
    points_and_derivatives(x, b, 0, arrays, N_KEYPOINTS, X, np.empty((0, 3, 0)), False)
    xy = np.stack([project_points(camera, X) for camera in known.cameras])
    by_hand = known.cuts > BY_HAND
    told = np.isfinite(known.sigma) & ~by_hand & np.isfinite(xy).all(axis=2)
    if told.sum() < MIN_KEYPOINTS:
        return known
    square = ((xy - known.xy) ** 2).sum(axis=2)[told] / known.sigma[told] ** 2
    points = int(told.any(axis=0).sum())
    free = max(1.0 - 1.2 * points / float(told.sum()), 0.15)
    scale = float(np.sqrt(np.median(square) / _MEDIAN_SQUARE / free))
    scale = min(max(scale, _MIN_SCALE), _MAX_SCALE)
    return known._replace(sigma=np.where(by_hand, known.sigma, known.sigma * scale))


def flip_unsure_limbs(
    x: F8, cost: float, betas: F8, nb: int, arrays: BodyArrays, world: F8, known: Evidence, prior: Prior,
    limits: F8, steps: int,
) -> tuple[F8, float, int]:  # fmt: skip
    """Limbs that only one view tells of may lie either way along its line of sight: both are tried.

    Args:
        world: (23, 3) triangulated keypoints, NaN where two views do not agree.
        limits, steps: as for :func:`backends.fitting.flips.try_flips`.
    """
    spent = 0
    for limb, points in zip(LIMBS, _LIMB_POINTS):
        if np.isfinite(world[points]).all() or not np.isfinite(cost):
            continue
        seen = np.isfinite(known.sigma[:, points]).sum(axis=1)
        if not seen.any():
            continue
        camera = known.cameras[int(seen.argmax())]
        eye = -camera[10:19].reshape(3, 3).T @ camera[19:22]
        x, cost, count = try_flips(
            x, cost, betas, nb, arrays, known, prior, limits, N_KEYPOINTS, eye, limb[None], steps
        )
        spent += count
    return x, cost, spent
