"""Who is who: across the cameras at each moment, and from moment to moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from app.multiview.hands import RoomHands
from app.multiview.types import Moment, RoomPerson, Seen
from backends.body import BodyModel, BodyParams, posed_keypoints
from backends.camera import Camera
from backends.fitting import (
    BodyFitter,
    ClipFit,
    NotEnoughKeypoints,
    Observation,
    ViewsFit,
    fit_clip,
    pool_shape,
)
from backends.fitting.arrays import pack_camera
from backends.fitting.terms import project_points
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, Visibility
from backends.multiview import associate, triangulate

F8 = npt.NDArray[np.float64]

_GATE_M, _SPEED = 0.45, 3.0
"""How far from where they were, in the mean of their points, and m/s of how much farther while unseen."""
_LOST_S = 1.0
_SHAPE_FITS, _SHAPE_STEP = 24, 3
_MIN_POINTS = 6
_LEAST_MOMENTS = 5

Views = Sequence[Sequence[Seen]]
"""By view, everybody whom it shows at one moment."""


@dataclass
class _Track:
    number: int
    points: F8
    moment: int
    fits: dict[int, tuple[Mapping[int, Seen], ViewsFit]] = field(default_factory=dict)


class RoomTracker:
    """Takes moments one after the other, and fits everybody whom at least two cameras show."""

    def __init__(self, fitter: BodyFitter, cameras: Sequence[Camera], fps: float) -> None:
        self._fitter, self._cameras, self._fps = fitter, list(cameras), fps
        self._hands = RoomHands(fitter.body, cameras)
        self._tracks: list[_Track] = []
        self.views_by_moment: dict[int, Views] = {}

    def step(self, moment: int, views: Views) -> None:
        """Everybody of the next moment."""
        self.views_by_moment[moment] = views
        groups = [g for g in _groups(views, self._cameras) if len(g) > 1]
        points = [self._points(views, g) for g in groups]
        good = [i for i, p in enumerate(points) if np.isfinite(p[:, 0]).sum() >= _MIN_POINTS]
        alive = [t for t in self._tracks if moment - t.moment <= max(1.0, _LOST_S * self._fps)]
        cost = np.full((len(good), len(alive)), np.inf)
        for row, i in enumerate(good):
            for column, track in enumerate(alive):
                both = np.isfinite(points[i][:, 0]) & np.isfinite(track.points[:, 0])
                if both.sum() >= 3:
                    away = np.linalg.norm(points[i][both] - track.points[both], axis=1).mean()
                    gate = _GATE_M + _SPEED * (moment - track.moment) / self._fps
                    cost[row, column] = away if away < gate else np.inf
        taken = _assigned(cost)
        for row, i in enumerate(good):
            known = row in taken
            track = alive[taken[row]] if known else _Track(0, points[i], moment)
            self._fit(track, moment, {v: views[v][k] for v, k in groups[i].items()}, points[i])
            if not known and track.fits:
                track.number = len(self._tracks) + 1
                self._tracks.append(track)

    def _points(self, views: Views, group: Mapping[int, int]) -> F8:
        xy = np.full((len(self._cameras), N_KEYPOINTS, 2), np.nan)
        score = np.zeros((len(self._cameras), N_KEYPOINTS))
        for v, k in group.items():
            xy[v], score[v] = _pixels(views[v][k].keypoints)
        return triangulate(xy, np.nan_to_num(score), self._cameras).points

    def _fit(self, track: _Track, moment: int, seen: Mapping[int, Seen], points: F8) -> None:
        last = track.fits.get(track.moment)
        start = last[1].params if last is not None and moment - track.moment <= 3 else None
        order = sorted(seen)
        try:
            fit = self._fitter.fit_views(
                [seen[v].keypoints for v in order], [self._cameras[v] for v in order], init=start,
                temporal=start,
            )  # fmt: skip
        except NotEnoughKeypoints:
            return
        track.fits[moment] = (seen, fit)
        known = np.isfinite(points[:, 0])
        track.points = np.where(known[:, None], points, fit.keypoints_3d)
        track.moment = moment

    def people(self, step: Callable[[int], None] = lambda n: None) -> list[RoomPerson]:
        """Everybody, each with one shape and a motion that is fitted as a whole; the longest first.

        Args:
            step: told how many moments have been finished.

        A person of fewer than five moments in a recording that is longer is taken for a mistake.
        """
        least = min(_LEAST_MOMENTS, len(self.views_by_moment))
        kept = [t for t in self._tracks if len(t.fits) >= least]
        kept.sort(key=lambda t: (-len(t.fits), t.number))
        people = []
        for number, track in enumerate(kept, start=1):
            people.append(RoomPerson(number, self._moments(track)))
            step(len(track.fits))
        return people

    @property
    def n_fits(self) -> int:
        """How many bodies have been fitted so far."""
        return sum(len(t.fits) for t in self._tracks)

    def _moments(self, track: _Track) -> dict[int, Moment]:
        frames = sorted(track.fits)
        some = frames[:: max(1, min(_SHAPE_STEP, len(frames) // _SHAPE_FITS))][:_SHAPE_FITS]
        betas = pool_shape([track.fits[f][1] for f in some])
        found: dict[int, Moment] = {}
        start = 0
        lost = max(1.0, _LOST_S * self._fps)
        for i in range(1, len(frames) + 1):
            if i == len(frames) or frames[i] - frames[i - 1] > lost:
                found.update(self._piece(track, frames[start:i], betas))
                start = i
        return found

    def _piece(self, track: _Track, frames: list[int], betas: F8) -> dict[int, Moment]:
        if len(frames) < _LEAST_MOMENTS:
            return {f: self._single(*track.fits[f], betas) for f in frames}
        span = range(frames[0], frames[-1] + 1)
        nobody = Observation((None,) * len(self._cameras))
        observed: list[Observation] = []
        init: list[BodyParams | None] = []
        for f in span:
            entry = track.fits.get(f)
            if entry is None:
                observed.append(nobody)
                init.append(None)
                continue
            seen, fit = entry
            # Only what the single fit believed: a limb that one camera takes for another's must not pull.
            kept = {v: _believed(s.keypoints, fit.residual_px[i]) for i, (v, s) in
                    enumerate(sorted(seen.items()))}  # fmt: skip
            observed.append(Observation(tuple(kept.get(v) for v in range(len(self._cameras)))))
            init.append(BodyParams(betas, fit.params.pose, self._moved(fit.params, betas)))
        try:
            clip = fit_clip(self._fitter, observed, self._cameras, fps=self._fps, betas=betas, init=init)
        except NotEnoughKeypoints:
            return {f: self._single(*track.fits[f], betas) for f in frames}
        return {f: self._of_clip(track, f, clip, f - frames[0]) for f in frames}

    def _moved(self, params: BodyParams, betas: F8) -> F8:
        """The translation that keeps the pelvis where it was with another shape."""
        body = self._fitter.body
        rest = body.J_template[0] + body.J_shapedirs[0] @ params.betas
        return np.asarray(params.transl + rest - (body.J_template[0] + body.J_shapedirs[0] @ betas))

    def _single(self, seen: Mapping[int, Seen], fit: ViewsFit, betas: F8) -> Moment:
        order = sorted(seen)
        keypoints, cameras = [seen[v].keypoints for v in order], [self._cameras[v] for v in order]
        start = BodyParams(betas, fit.params.pose, self._moved(fit.params, betas))
        with suppress(NotEnoughKeypoints):
            fit = self._fitter.fit_views(keypoints, cameras, betas=betas, init=start)
        return self._moment(seen, fit, fit.params, fit.joints_3d, fit.keypoints_3d)

    def _of_clip(self, track: _Track, frame: int, clip: ClipFit, i: int) -> Moment:
        seen, fit = track.fits[frame]
        params = clip.params[i]
        points = posed_keypoints(self._fitter.body, params)
        return self._moment(seen, fit, params, clip.joints[i], points)

    def _moment(
        self, seen: Mapping[int, Seen], fit: ViewsFit, params: BodyParams, joints: F8, points: F8
    ) -> Moment:
        return _moment(self._cameras, self._hands, seen, fit, params, joints, points)


def moment_of(body: BodyModel, cameras: Sequence[Camera], seen: Mapping[int, Seen], fit: ViewsFit) -> Moment:
    """A fit to the views of ``seen``, in their order, as a moment of somebody."""
    hands = RoomHands(body, cameras)
    return _moment(cameras, hands, seen, fit, fit.params, fit.joints_3d, fit.keypoints_3d)


def _moment(
    cameras: Sequence[Camera], hands: RoomHands, seen: Mapping[int, Seen], fit: ViewsFit, params: BodyParams,
    joints: F8, points: F8,
) -> Moment:  # fmt: skip
    xy = np.stack([project(c, points) for c in cameras])
    residual, missed = np.full((2, *xy.shape[:2]), np.nan)
    for row, (v, s) in enumerate(sorted(seen.items())):
        camera, used = cameras[v], np.isfinite(fit.residual_px[row])
        away = np.linalg.norm(xy[v] - s.keypoints.xy, axis=1)
        residual[v, used] = away[used]
        there = s.keypoints.visibility != Visibility.ABSENT
        depth = (points @ camera.R.T + camera.t)[:, 2]
        missed[v, there] = (1e3 * away * depth / camera.K[0, 0])[there]
    miss_mm = float(np.nanmedian(missed)) if np.isfinite(missed).any() else float("nan")
    spread = _deviation(fit.joint_covariance_mm2), _deviation(fit.keypoint_covariance_mm2)
    return Moment(seen, hands.bend(params, seen), *spread, xy, residual, miss_mm, joints, points)


def common_points(moments: Sequence[Views], cameras: Sequence[Camera]) -> tuple[F8, F8]:
    """(T, V, 23, 2) pixels and (T, V, 23) scores of people whom two cameras show, one a row."""
    xy, score = [], []
    for views in moments:
        for group in _groups(views, cameras):
            if len(group) > 1:
                row, weight = (
                    np.full((len(cameras), N_KEYPOINTS, 2), np.nan),
                    np.zeros((len(cameras), N_KEYPOINTS)),
                )
                for v, k in group.items():
                    row[v], weight[v] = _pixels(views[v][k].keypoints)
                xy.append(row)
                score.append(weight)
    empty = np.zeros((0, len(cameras), N_KEYPOINTS, 2))
    return (np.stack(xy), np.stack(score)) if xy else (empty, empty[..., 0])


def project(camera: Camera, points: F8) -> F8:
    """(N, 2) pixels of world points (N, 3), lens distortion included; NaN behind the camera."""
    xy: F8 = project_points(pack_camera(camera), np.ascontiguousarray(points))
    return xy


def _groups(views: Views, cameras: Sequence[Camera]) -> list[dict[int, int]]:
    xy, score = [], []
    for people in views:
        both = [_pixels(s.keypoints) for s in people]
        xy.append(np.stack([p for p, _ in both]) if both else np.zeros((0, N_KEYPOINTS, 2)))
        score.append(np.stack([s for _, s in both]) if both else np.zeros((0, N_KEYPOINTS)))
    return associate(xy, score, cameras)


def _pixels(keypoints: Keypoints) -> tuple[F8, F8]:
    there = keypoints.visibility != Visibility.ABSENT
    xy = np.where(there[:, None], keypoints.xy.astype(np.float64), np.nan)
    return xy, np.where(there, np.nan_to_num(keypoints.score.astype(np.float64)), 0.0)


def _believed(keypoints: Keypoints, residual: npt.NDArray[np.float32]) -> Keypoints:
    visibility = np.where(np.isfinite(residual), keypoints.visibility, 0).astype(np.uint8)
    return replace(keypoints, visibility=visibility)


def _deviation(covariance: F8) -> F8:
    deviation: F8 = np.sqrt(np.maximum(np.trace(covariance, axis1=1, axis2=2), 0.0))
    return deviation


def _assigned(cost: F8) -> dict[int, int]:
    """Row to column of the cheapest pairs that are allowed at all (finite)."""
    if not cost.size:
        return {}
    rows, columns = linear_sum_assignment(np.where(np.isfinite(cost), cost, 1e6))
    return {int(r): int(c) for r, c in zip(rows, columns) if np.isfinite(cost[r, c])}
