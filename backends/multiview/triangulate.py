"""Points in space from pixels of several calibrated cameras, robust against wrong ones.

Per point: linear triangulation (DLT; Hartley and Zisserman, Multiple View Geometry, 12.2) of pairs of
cameras, the pair that most cameras agree with (RANSAC, all pairs where there are few), Gauss-Newton on the
pixels over the agreeing cameras, and cameras dropped until all are within the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.errors import InputError

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MAX_PAIRS = 66
_ROUNDS = 6
_NEAR_M = 0.05
_MIN_ANGLE = np.deg2rad(2.0)
"""Rays that meet at less than this do not say where they meet."""


@dataclass(frozen=True, slots=True, eq=False)
class Triangulated:
    """Points in space.

    Attributes:
        points: (K, 3) world, metres; NaN where fewer than two cameras agree.
        error_px: (K,) root mean square reprojection error over the cameras that count; NaN likewise.
        used: (V, K) which camera counts for which point.
        covariance: (K, 3, 3) m^2 of the points for a noise of one pixel; NaN likewise.
    """

    points: F8
    error_px: F8
    used: BoolArray
    covariance: F8


def undistorted(xy: npt.ArrayLike, camera: Camera) -> F8:
    """(..., 2) normalised image coordinates (x / z, y / z) of pixels (..., 2), lens distortion removed.

    By Newton's method on Brown's model (OpenCV's k1 k2 p1 p2 k3); NaN stays NaN.

    Raises:
        InputError: another shape.
    """
    p = np.asarray(xy, dtype=np.float64)
    if p.shape[-1:] != (2,):
        raise InputError(f"Pixels need shape (..., 2), got {p.shape}.")
    K = camera.K
    yd = (p[..., 1] - K[1, 2]) / K[1, 1]
    xd = (p[..., 0] - K[0, 2] - K[0, 1] * yd) / K[0, 0]
    k1, k2, p1, p2, k3 = (float(v) for v in np.resize(np.append(camera.dist, np.zeros(5)), 5))
    x, y = xd.copy(), yd.copy()
    if k1 == k2 == p1 == p2 == k3 == 0.0:
        return np.stack([x, y], axis=-1)
    for _ in range(12):
        r2 = np.minimum(x * x + y * y, 9.0)
        d = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        slope = 2 * (k1 + r2 * (2 * k2 + 3 * r2 * k3))
        fx = x * d + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) - xd
        fy = y * d + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y - yd
        cross = slope * x * y + 2 * p1 * x + 2 * p2 * y
        a = d + slope * x * x + 2 * p1 * y + 6 * p2 * x
        b = d + slope * y * y + 6 * p1 * y + 2 * p2 * x
        det = a * b - cross * cross
        det = np.where(np.abs(det) > 1e-6, det, 1e-6)
        x, y = x - (b * fx - cross * fy) / det, y - (a * fy - cross * fx) / det
    return np.stack([x, y], axis=-1)


def triangulate(
    xy: npt.ArrayLike, score: npt.ArrayLike, cameras: Sequence[Camera], *, max_error_px: float = 15.0
) -> Triangulated:
    """Points in space from their pixels in several views.

    Args:
        xy: (V, K, 2) pixels, distortion included; NaN where a view does not have the point.
        score: (V, K) weights in [0, 1]; 0 leaves a view out.
        cameras: one per view, calibrated.
        max_error_px: cameras are dropped from a point until each of the rest is within this.

    Raises:
        InputError: arrays of a wrong shape, fewer than two views, or a broken calibration.
    """
    p, w = np.asarray(xy, dtype=np.float64), np.asarray(score, dtype=np.float64)
    n_views = len(cameras)
    if p.ndim != 3 or p.shape[0] != n_views or p.shape[2] != 2 or w.shape != p.shape[:2] or n_views < 2:
        raise InputError(
            f"Triangulation needs pixels (V, K, 2) and scores (V, K) of at least two cameras; got {p.shape}, "
            f"{w.shape} and {n_views} cameras."
        )
    for i, c in enumerate(cameras):
        if not all(np.isfinite(a).all() for a in (c.K, c.R, c.t, c.dist)) or min(c.fx, c.fy) <= 0:
            raise InputError(
                f"The calibration of camera {i} holds values that are not finite, or no focal length."
            )
    good = np.isfinite(p).all(axis=2) & np.isfinite(w) & (np.nan_to_num(w) > 0)
    normal = np.stack([undistorted(np.where(g[:, None], q, 0.0), c) for q, g, c in zip(p, good, cameras)])
    poses = np.stack([np.hstack([c.R, c.t[:, None]]) for c in cameras])
    focal = np.array([(c.fx + c.fy) / 2 for c in cameras])
    weight = np.where(good, np.clip(np.nan_to_num(w), 0.0, 1.0), 0.0)
    points = _best_pairs(normal, weight, poses, focal, max_error_px)
    used = good & (_error(points, normal, poses, focal) <= 2 * max_error_px)
    for _ in range(n_views + 1):
        points = _refine(points, normal, weight * used, poses, focal)
        away = _error(points, normal, poses, focal)
        away = np.where(used, away, -1.0)
        worst = away.argmax(axis=0)
        bad = (away.max(axis=0) > max_error_px) & (used.sum(axis=0) > 0)
        if not bad.any():
            break
        used[worst[bad], bad] = False
        few = used.sum(axis=0) < 2
        used[:, few] = False
    few = (used.sum(axis=0) < 2) | ~np.isfinite(points).all(axis=1)
    few |= _widest_angle(points, used, poses) < _MIN_ANGLE
    used[:, few] = False
    points = np.where(few[:, None], np.nan, points)
    squares = np.where(used, _error(points, normal, poses, focal) ** 2, 0.0)
    count = np.maximum(used.sum(axis=0), 1)
    error = np.where(few, np.nan, np.sqrt(squares.sum(axis=0) / count))
    H, _ = _normal_equations(np.nan_to_num(points), normal, used.astype(np.float64), poses, focal)
    covariance = np.full((len(points), 3, 3), np.nan)
    covariance[~few] = np.linalg.inv(H[~few] + 1e-9 * np.eye(3))
    return Triangulated(points, error, used, covariance)


def _best_pairs(normal: F8, weight: F8, poses: F8, focal: F8, bound: float) -> F8:
    """(K, 3) per point the linear solution of the pair of cameras with which the others agree most."""
    n_views, n_points = weight.shape
    pairs = list(combinations(range(n_views), 2))
    if len(pairs) > _MAX_PAIRS:
        rng = np.random.default_rng(0)
        pairs = [pairs[i] for i in rng.choice(len(pairs), _MAX_PAIRS, replace=False)]
    best = np.full((n_points, 3), np.nan)
    best_value = np.full(n_points, np.inf)
    for i, j in pairs:
        both = (weight[i] > 0) & (weight[j] > 0)
        if not both.any():
            continue
        X = _linear(normal[[i, j]][:, both], poses[[i, j]])
        away = _error(X, normal[:, both], poses, focal)
        # Bounded squares: a camera that is far off counts as much as the bound, whether or not it is worse.
        value = (weight[:, both] * np.minimum(away, bound) ** 2).sum(axis=0)
        value = np.where(np.isfinite(X).all(axis=1), value, np.inf)
        better = value < best_value[both]
        index = np.flatnonzero(both)[better]
        best[index], best_value[index] = X[better], value[better]
    return best


def _linear(normal: F8, poses: F8) -> F8:
    """(K, 3) DLT of points seen in all of the given views (V, K, 2)."""
    rows = np.concatenate(
        [normal[..., 0:1] * poses[:, None, 2] - poses[:, None, 0],
         normal[..., 1:2] * poses[:, None, 2] - poses[:, None, 1]]
    )  # fmt: skip
    A = rows.transpose(1, 0, 2)
    _, vectors = np.linalg.eigh(A.transpose(0, 2, 1) @ A)
    h = vectors[:, :, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        X = h[:, :3] / h[:, 3:]
    behind = (np.einsum("vc,kc->vk", poses[:, 2, :3], np.nan_to_num(X)) + poses[:, 2, 3:] < _NEAR_M).any(
        axis=0
    )
    X[behind | ~np.isfinite(X).all(axis=1)] = np.nan
    return np.asarray(X)


def _error(X: F8, normal: F8, poses: F8, focal: F8) -> F8:
    """(V, K) distance in pixels; a large number behind a camera or where there is no point."""
    cam = np.einsum("vrc,kc->vkr", poses[:, :, :3], X) + poses[:, None, :, 3]
    z = np.where(cam[..., 2] > _NEAR_M, cam[..., 2], np.nan)
    away = np.linalg.norm(cam[..., :2] / z[..., None] - normal, axis=2) * focal[:, None]
    return np.where(np.isfinite(away), away, 1e6)


def _normal_equations(X: F8, normal: F8, weight: F8, poses: F8, focal: F8) -> tuple[F8, F8]:
    cam = np.einsum("vrc,kc->vkr", poses[:, :, :3], X) + poses[:, None, :, 3]
    ahead = cam[..., 2] > _NEAR_M
    z = np.where(ahead, cam[..., 2], 1.0)
    w = np.where(ahead, weight, 0.0)
    xn, yn = cam[..., 0] / z, cam[..., 1] / z
    f = focal[:, None]
    R = poses[:, None, :, :3]
    J = np.stack(
        [(R[..., 0, :] - xn[..., None] * R[..., 2, :]) * (f / z)[..., None],
         (R[..., 1, :] - yn[..., None] * R[..., 2, :]) * (f / z)[..., None]], axis=2
    )  # fmt: skip
    r = np.stack([(xn - normal[..., 0]) * f, (yn - normal[..., 1]) * f], axis=2)
    H = np.einsum("vk,vkia,vkib->kab", w, J, J)
    g = np.einsum("vk,vkia,vki->ka", w, J, r)
    return H, g


def _refine(X: F8, normal: F8, weight: F8, poses: F8, focal: F8) -> F8:
    """Gauss-Newton on the pixels."""
    known = np.isfinite(X).all(axis=1) & ((weight > 0).sum(axis=0) >= 2)
    out = X.copy()
    if not known.any():
        return out
    Y, n, w = X[known], normal[:, known], weight[:, known]
    for _ in range(_ROUNDS):
        H, g = _normal_equations(Y, n, w, poses, focal)
        H = H + 1e-6 * np.trace(H, axis1=1, axis2=2)[:, None, None] * np.eye(3) + 1e-9 * np.eye(3)
        step = np.linalg.solve(H, -g[..., None])[..., 0]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        Y = Y + step * np.minimum(1.0, 0.5 / np.maximum(length, 1e-9))
    out[known] = Y
    return out


def _widest_angle(X: F8, used: BoolArray, poses: F8) -> F8:
    """(K,) largest angle at which two used rays meet, radians; 0 where there are not two."""
    centres = -np.einsum("vrc,vr->vc", poses[:, :, :3], poses[:, :, 3])
    ray = np.nan_to_num(X)[None] - centres[:, None]
    ray /= np.maximum(np.linalg.norm(ray, axis=2, keepdims=True), 1e-9)
    widest = np.zeros(len(X))
    for i, j in combinations(range(len(poses)), 2):
        angle = np.arccos(np.clip((ray[i] * ray[j]).sum(axis=1), -1, 1))
        widest = np.where(used[i] & used[j], np.maximum(widest, np.minimum(angle, np.pi - angle)), widest)
    return widest
