"""What is said about a finished fit: places, misses, covariances, doubts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams
from backends.fitting.arrays import Array, BodyArrays, Evidence
from backends.fitting.evidence import BY_HAND, View
from backends.fitting.kernels import points_and_derivatives
from backends.fitting.posterior import joints_centre, point_covariances
from backends.fitting.terms import project_points
from backends.fitting.types import FitResult, PlainFit, Spread, ViewsFit
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]

_LINE = 0.02
"""Keypoints whose spread across is less than this share of that along lie on a line."""
_GIVEN_UP = 0.4
_GROWTH = 25.0
_MM2 = 1e6


def single_result(
    params: BodyParams, nb: int, view: View, known: Evidence, lines: tuple[Array, Array, Array],
    cost: float, iterations: int, share: float,
) -> FitResult:  # fmt: skip
    """The result of a fit to one picture; ``lines`` is what :func:`solver.linearise` gives, ``share`` how
    much of Laplace's covariance counts (:attr:`FitSettings.covariance_share`)."""
    X, dX, H = lines
    covariance, shape, factor, motion = point_covariances(X, dX, H, True, nb)
    xy = project_points(known.cameras[0], X[:N_KEYPOINTS])
    residual = np.where(view.used, np.hypot(*(xy - view.xy).T), np.nan)
    doubts, growth = _doubts([view], residual[None], known)
    growth *= share
    covariance *= growth * _MM2
    sigma = np.sqrt(np.trace(covariance, axis1=1, axis2=2)).astype(np.float32)
    return FitResult(
        params=params,
        reprojected_xy=xy.astype(np.float32),
        residual_px=residual.astype(np.float32),
        rms_px=_rms(residual),
        cost=float(cost),
        iterations=iterations,
        sigma_px=view.sigma.astype(np.float32),
        keypoint_sigma_mm=sigma[:N_KEYPOINTS],
        joint_sigma_mm=sigma[N_KEYPOINTS:],
        shape_information=_information(shape, len(params.betas)),
        keypoint_covariance_mm2=covariance[:N_KEYPOINTS],
        joint_covariance_mm2=covariance[N_KEYPOINTS:],
        doubts=doubts,
        spread=Spread(factor * np.sqrt(growth), motion * np.sqrt(growth), joints_centre(X)),
    )


def plain_result(
    params: BodyParams, x: F8, body: BodyArrays, view: View, known: Evidence, cost: float, iterations: int
) -> PlainFit:
    """As :func:`single_result`, of the unknowns ``x``, without what takes derivatives."""
    X, none = np.empty((N_KEYPOINTS, 3)), np.empty((0, 3, 0))
    points_and_derivatives(x, params.betas, 0, body, N_KEYPOINTS, X, none, False)
    xy = project_points(known.cameras[0], X)
    residual = np.where(view.used, np.hypot(*(xy - view.xy).T), np.nan)
    return PlainFit(params, xy.astype(np.float32), _rms(residual), float(cost), iterations)


def views_result(
    params: BodyParams, nb: int, views: Sequence[View], known: Evidence,
    lines: tuple[Array, Array, Array], cost: float, iterations: int, share: float,
) -> ViewsFit:  # fmt: skip
    """The result of a fit to several views; ``lines`` and ``share`` as for :func:`single_result`."""
    X, dX, H = lines
    covariance, shape, factor, motion = point_covariances(X, dX, H, False, nb)
    xy = np.stack([project_points(camera, X[:N_KEYPOINTS]) for camera in known.cameras])
    given, used = np.stack([v.xy for v in views]), np.stack([v.used for v in views])
    residual = np.where(used & np.isfinite(known.sigma), np.linalg.norm(xy - given, axis=2), np.nan)
    doubts, growth = _doubts(views, residual, known)
    growth *= share
    covariance *= growth * _MM2
    return ViewsFit(
        params=params,
        reprojected_xy=xy.astype(np.float32),
        residual_px=residual.astype(np.float32),
        rms_px=_rms(residual),
        cost=float(cost),
        iterations=iterations,
        keypoints_3d=X[:N_KEYPOINTS].copy(),
        joints_3d=X[N_KEYPOINTS:].copy(),
        keypoint_covariance_mm2=covariance[:N_KEYPOINTS],
        joint_covariance_mm2=covariance[N_KEYPOINTS:],
        shape_information=_information(shape, len(params.betas)),
        doubts=doubts,
        spread=Spread(factor * np.sqrt(growth), motion * np.sqrt(growth), joints_centre(X)),
    )


def _rms(residual: F8) -> float:
    seen = residual[np.isfinite(residual)]
    return float(np.sqrt((seen * seen).mean())) if len(seen) else float("nan")


def _information(shape: F8, n_betas: int) -> F8:
    if not len(shape):
        return np.zeros((n_betas, n_betas))
    block = np.linalg.inv(shape) - np.eye(n_betas)
    values, vectors = np.linalg.eigh((block + block.T) / 2)
    information: F8 = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return information


def _doubts(views: Sequence[View], residual: F8, known: Evidence) -> tuple[tuple[str, ...], float]:
    """Reasons not to believe a fit, and by how much its covariances grow (variance)."""
    words = []
    growth = 1.0
    lines = 0
    for view in views:
        xy = view.xy[view.used]
        if len(xy) > 2:
            spread = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
            lines += bool(spread[1] < _LINE * max(float(spread[0]), 1e-9))
        else:
            lines += 1
    if lines == len(views):
        words.append("all keypoints lie on a line")
        growth *= _GROWTH
    told = np.isfinite(residual)
    ratio = np.where(told, residual / known.sigma, 0.0)
    lost = told & (ratio > np.minimum(known.cuts, 10.0))
    if lost.sum() > _GIVEN_UP * told.sum():
        words.append("the body misses many of the keypoints")
        growth *= _GROWTH
    by_hand = told & (known.cuts > BY_HAND)
    if (by_hand & (ratio > 10.0)).any():
        words.append("keypoints placed by hand contradict each other or the body")
        growth = max(growth, 4.0)
    return tuple(words), growth
