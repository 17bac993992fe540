"""Touches up where calibrated cameras stand, by the people whom they see together.

A calibration is years old, or a tripod was knocked: then keypoints that every camera sees well still do not
meet. Bundle adjustment (Triggs et al., Bundle Adjustment, a Modern Synthesis, 1999) of all points and the
cameras' places together, points eliminated by their Schur complement. The calibration stays a prior, so that
what people do not tell (the room's place, its size) does not drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from backends.camera import Camera
from backends.errors import InputError
from backends.multiview.triangulate import triangulate, undistorted

F8 = npt.NDArray[np.float64]

_ROUNDS = 12
_OUTER = 3
_WIDE_PX = 45.0
_LEAST_POINTS = 60
_NEAR_M = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Cameras that agree better.

    Attributes:
        cameras: in the order given; intrinsics and lenses are as they were.
        turned_deg, moved_m: (V,) by how much each was turned and moved.
        before_px, after_px: median distance of keypoints from their points in space, over all cameras.
        points: how many points in space it rests on.
    """

    cameras: tuple[Camera, ...]
    turned_deg: F8
    moved_m: F8
    before_px: float
    after_px: float
    points: int


def refine_cameras(
    xy: npt.ArrayLike, score: npt.ArrayLike, cameras: Sequence[Camera], *, turn_deg: float = 0.3,
    move_m: float = 0.01, noise_px: float = 5.0,
) -> Refined:  # fmt: skip
    """Turn and move cameras so that what they see of the same points meets.

    Args:
        xy: (T, V, K, 2) pixels of K points at T moments in V views, NaN where unknown.
        score: (T, V, K) weights in [0, 1].
        turn_deg, move_m: how far the calibration is believed to be off, standard deviations; a camera
            that was knocked may be much farther off.
        noise_px: of the points; three times as far off they lose their say (Geman-McClure).

    Raises:
        InputError: arrays of a wrong shape, or fewer than 60 points that two cameras agree on.
    """
    p, w = np.asarray(xy, np.float64), np.asarray(score, np.float64)
    n_views = len(cameras)
    if p.ndim != 4 or p.shape[1] != n_views or p.shape[3] != 2 or w.shape != p.shape[:3] or n_views < 2:
        raise InputError(
            f"Touching up cameras needs pixels (T, V, K, 2) and scores (T, V, K) of at least two of them; "
            f"got {p.shape}, {w.shape} and {n_views} cameras."
        )
    flat = p.transpose(1, 0, 2, 3).reshape(n_views, -1, 2)
    weight = w.transpose(1, 0, 2).reshape(n_views, -1)
    normal = np.stack([undistorted(np.nan_to_num(q), c) for q, c in zip(flat, cameras)])
    focal = np.array([(c.fx + c.fy) / 2 for c in cameras])
    now = list(cameras)
    before = after = float("nan")
    count = 0
    for outer in range(_OUTER):
        found = triangulate(flat, weight, now, max_error_px=_WIDE_PX)
        known = np.isfinite(found.points[:, 0])
        count = int(known.sum())
        if count < _LEAST_POINTS:
            raise InputError(
                f"Only {count} points are agreed on by two cameras; touching up needs {_LEAST_POINTS}. Give "
                "more frames, or check the calibration and the order of the cameras."
            )
        used = np.where(found.used, weight, 0.0)[:, known]
        system = _System(normal[:, known], used, focal, cameras, turn_deg, move_m, noise_px)
        if outer == 0:
            before = system.median_px(found.points[known], now)
        now, points = system.solve(found.points[known], now)
        after = system.median_px(points, now)
    turned = [np.rad2deg(np.linalg.norm(_turn(a.R, b.R))) for a, b in zip(cameras, now)]
    moved = [np.linalg.norm(b.R.T @ b.t - a.R.T @ a.t) for a, b in zip(cameras, now)]
    return Refined(tuple(now), np.array(turned), np.array(moved), before, after, count)


def _turn(a: F8, b: F8) -> F8:
    """(3,) rotation vector from ``a`` to ``b``."""
    vector: F8 = Rotation.from_matrix(b @ a.T).as_rotvec()
    return vector


class _System:
    """Points (N, 3) and cameras against normalised pixels (V, N, 2)."""

    def __init__(
        self, normal: F8, weight: F8, focal: F8, first: Sequence[Camera], turn_deg: float, move_m: float,
        noise_px: float,
    ) -> None:  # fmt: skip
        self._normal, self._weight, self._focal, self._first = normal, weight, focal, list(first)
        self._prior = 1.0 / np.array([np.deg2rad(turn_deg)] * 3 + [move_m] * 3) ** 2
        self._noise, self._cut = noise_px, 3.0 * noise_px

    def solve(self, points: F8, cameras: list[Camera]) -> tuple[list[Camera], F8]:
        """Gauss-Newton with re-weighted residuals."""
        for _ in range(_ROUNDS):
            camera_step, point_step = self._step(points, cameras)
            points = points + point_step * np.minimum(
                1.0, 0.3 / np.maximum(np.linalg.norm(point_step, axis=1, keepdims=True), 1e-9)
            )
            cameras = [_moved(c, d) for c, d in zip(cameras, camera_step)]
            if np.abs(camera_step).max() < 1e-6:
                break
        return cameras, points

    def median_px(self, points: F8, cameras: Sequence[Camera]) -> float:
        """Over all observations that count."""
        r, _, _ = self._lines(points, cameras)
        return float(np.median(np.linalg.norm(r, axis=2)[self._weight > 0]))

    def _lines(self, points: F8, cameras: Sequence[Camera]) -> tuple[F8, F8, F8]:
        """Residuals (V, N, 2) px, their derivatives by camera (V, N, 2, 6) and by point (V, N, 2, 3)."""
        R, t = np.stack([c.R for c in cameras]), np.stack([c.t for c in cameras])
        turned = np.einsum("vij,nj->vni", R, points)
        cam = turned + t[:, None]
        z = np.maximum(cam[..., 2], _NEAR_M)
        x, y = cam[..., 0] / z, cam[..., 1] / z
        f = self._focal[:, None]
        r = np.stack([(x - self._normal[..., 0]) * f, (y - self._normal[..., 1]) * f], axis=2)
        zero = np.zeros_like(z)
        by_cam = np.stack(
            [np.stack([f / z, zero, -f * x / z], axis=2), np.stack([zero, f / z, -f * y / z], axis=2)], axis=2
        )
        # Of a small turn about the camera's axes: d(exp(w) R X) = w x (R X).
        a, b, c = turned[..., 0], turned[..., 1], turned[..., 2]
        cross = np.stack(
            [np.stack([zero, c, -b], 2), np.stack([-c, zero, a], 2), np.stack([b, -a, zero], 2)], axis=2
        )
        by_camera = np.concatenate([by_cam @ cross, by_cam], axis=3)
        return r, by_camera, by_cam @ R[:, None]

    def _step(self, points: F8, cameras: Sequence[Camera]) -> tuple[F8, F8]:
        r, A, B = self._lines(points, cameras)
        square = (r * r).sum(axis=2) / self._cut**2
        w = self._weight / (1.0 + square) ** 2 / self._noise**2
        n_views = len(cameras)
        U = np.einsum("vn,vnia,vnib->vab", w, A, A)
        W = np.einsum("vn,vnia,vnib->vnab", w, A, B)
        V = np.einsum("vn,vnia,vnib->nab", w, B, B) + 1e-6 * np.eye(3)
        ga = np.einsum("vn,vnia,vni->va", w, A, r)
        gb = np.einsum("vn,vnia,vni->na", w, B, r)
        inverse = np.linalg.inv(V)
        for v, (camera, first) in enumerate(zip(cameras, self._first)):  # the calibration pulls back
            away = np.concatenate([_turn(first.R, camera.R), camera.t - first.t])
            # Rather one that was knocked far than all of them a little: Cauchy's bound.
            pull = self._prior / (1.0 + (self._prior * away**2).sum())
            U[v] += np.diag(pull)
            ga[v] += pull * away
        WV = W @ inverse[None]
        S = -np.einsum("vnab,uncb->vauc", WV, W)
        for v in range(n_views):
            S[v, :, v] += U[v]
        right = -(ga - np.einsum("vnab,nb->va", WV, gb))
        camera_step = np.linalg.solve(S.reshape(6 * n_views, -1), right.reshape(-1)).reshape(n_views, 6)
        back = gb + np.einsum("vnab,va->nb", W, camera_step)
        return camera_step, -np.einsum("nab,nb->na", inverse, back)


def _moved(camera: Camera, step: F8) -> Camera:
    R = Rotation.from_rotvec(step[:3]).as_matrix() @ camera.R
    return replace(camera, R=np.asarray(R, np.float64), t=camera.t + step[3:])
