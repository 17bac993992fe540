"""Fits a body to the keypoints of one person in one picture, or in several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, BodyParams
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.arrays import Evidence, Prior, pack_camera
from backends.fitting.depth import KeypointDepths, with_depth
from backends.fitting.evidence import (
    Bones,
    View,
    gather,
    held_hard,
    weigh,
    weigh_bones,
    weigh_or_refuse,
    widened,
)
from backends.fitting.flips import LIMBS, try_flips
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE
from backends.fitting.mixture import PoseMixture, shipped_mixture
from backends.fitting.offsets import shifted
from backends.fitting.problem import make_prior, make_problem, resting_hands
from backends.fitting.result import plain_result, single_result, views_result
from backends.fitting.solver import linearise, solve
from backends.fitting.start import CHAINS, Starter, place_by_scale
from backends.fitting.types import FitResult, FitSettings, NotEnoughKeypoints, PlainFit, ViewsFit
from backends.fitting.views import flip_unsure_limbs, rescaled, start_world
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints

F8 = npt.NDArray[np.float64]

_FAR_M = 500.0
_BEYOND_LIMITS = 0.4
_MAX_BETA = 4.0
"""Hard bounds: metres, radians beyond the soft joint limits, standard deviations of shape."""
COLD_WIDTH = 6.0
"""A cold start may be far off: its bounds are this many times wider first, so that good keypoints are
not given up."""
_TRIAL_STEPS, _FLIP_STEPS, _MORE_STARTS = 8, 6, 3


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Where a descent in one view has ended, and what it was told."""

    x: F8
    betas: F8
    nb: int
    view: View
    known: Evidence
    prior: Prior
    cost: float
    spent: int


class BodyFitter:
    """Levenberg-Marquardt over pose, place and, unless given, shape of one body.

    Thread-safe: a fit keeps no state. The terms (:mod:`terms`) are the reprojection of 23 keypoints
    (bounded, so that a wrong one cannot pull), the directions of 15 bones in the estimator's world
    landmarks, Gaussian priors on pose and shape, soft joint limits, hinges that do not bend backwards and,
    where a previous frame is given, that people move smoothly.
    """

    def __init__(
        self,
        body: BodyModel,
        settings: FitSettings | None = None,
        mixture: PoseMixture | Literal["shipped"] | None = "shipped",
        offsets: F8 | None = None,
    ) -> None:
        """
        Args:
            mixture: a density of poses on top of the independent Gaussians: the one that comes with the
                program, another one (:func:`backends.fitting.load_mixture`), or none.
            offsets: (23, 3) what the estimator means by its keypoints (:func:`learn_offsets`), metres.

        Raises:
            InputError: offsets of another shape or with values that are not finite.
            WeightsError: the shipped density is missing or damaged.
        """
        if offsets is not None and (offsets.shape != (N_KEYPOINTS, 3) or not np.isfinite(offsets).all()):
            raise InputError(f"Keypoint offsets need shape (23, 3) and finite values, got {offsets.shape}.")
        self.body = body
        self.settings = settings or FitSettings()
        self.arrays = make_problem(body) if offsets is None else shifted(make_problem(body), offsets)
        density = shipped_mixture() if mixture == "shipped" else mixture
        self.prior = make_prior(body, density, self.settings.prior_weight)
        self.starter = Starter(body)
        self.hands = resting_hands()

    def fit(
        self,
        keypoints: Keypoints,
        world: npt.NDArray[np.float32] | None,
        camera: Camera,
        *,
        betas: F8 | None = None,
        init: BodyParams | None = None,
        temporal: BodyParams | None = None,
        depth: KeypointDepths | None = None,
    ) -> FitResult:
        """Fit one body to one picture, in the camera's coordinates.

        Args:
            keypoints: pixels of the picture that ``camera`` took, lens distortion included.
            world: (23, 3) metres about the hips, x right, y down, z away from the camera, rows of NaN
                where unknown; or None: then several starts are tried, which takes longer.
            betas: (B,) the shape, which is then not fitted.
            init: where to start; by default a start is made from the evidence.
            temporal: the same person a frame earlier, who cannot have moved far.
            depth: how far away a depth sensor has the keypoints (:class:`backends.fitting.depth.Skin`).

        Raises:
            NotEnoughKeypoints: fewer than six keypoints that can be used, or all in one spot.
            InputError: arrays of a wrong shape.
        """
        f = self._find(keypoints, world, camera, betas, init, temporal, depth)
        lines = linearise(f.x, f.betas, f.nb, self.arrays, f.known, f.prior)
        params = self.unpack(f.x, f.betas, f.nb)
        share = self.settings.covariance_share
        return single_result(params, f.nb, f.view, f.known, lines, f.cost, f.spent, share)

    def fit_plain(
        self,
        keypoints: Keypoints,
        world: npt.NDArray[np.float32] | None,
        camera: Camera,
        *,
        betas: F8 | None = None,
        init: BodyParams | None = None,
        temporal: BodyParams | None = None,
    ) -> PlainFit:
        """As :meth:`fit`, in two thirds of its time, for whoever does not ask how sure the body is."""
        f = self._find(keypoints, world, camera, betas, init, temporal)
        params = self.unpack(f.x, f.betas, f.nb)
        return plain_result(params, f.x, self.arrays, f.view, f.known, f.cost, f.spent)

    def _find(
        self, keypoints: Keypoints, world: npt.NDArray[np.float32] | None, camera: Camera, betas: F8 | None,
        init: BodyParams | None, temporal: BodyParams | None, depth: KeypointDepths | None = None,
    ) -> _Found:  # fmt: skip
        fixed, nb = self._shape(betas)
        view = weigh_or_refuse(keypoints, self.settings)
        bones = weigh_bones(view, world, camera, self.settings)
        known = gather([view], [camera], own_axes=True, bones=bones, bone_cut=self.settings.robust)
        known = with_depth(known, depth)
        prior = self.prior_for(nb, temporal)
        x, cost, spent = self.prior.mean, np.inf, 0
        if init is not None and np.isfinite(init.pose).all() and init.transl[2] > 0.1:
            x, cost, spent = self.descend(
                self.pack(init, nb), fixed, nb, known, prior, self.settings.warm_iterations
            )
        if not np.isfinite(cost):  # no start was given, or it lies behind the camera
            x, cost, spent = self._cold(view, bones, camera, fixed, nb, known, prior)
        if np.isfinite(cost) and keypoints.placed.any():
            x, cost, count = self._held(x, fixed, nb, known, prior, in_front=True)
            spent += count
        if not np.isfinite(x).all() or not np.isfinite(cost):
            raise NotEnoughKeypoints("No body fits these keypoints: they would lie behind the camera.")
        return _Found(x, fixed, nb, view, known, prior, cost, spent)

    def fit_views(
        self,
        keypoints: Sequence[Keypoints],
        cameras: Sequence[Camera],
        *,
        betas: F8 | None = None,
        init: BodyParams | None = None,
        temporal: BodyParams | None = None,
        depth: F8 | None = None,
        depth_sigma: F8 | None = None,
    ) -> ViewsFit:
        """Fit one body to several calibrated views of one moment, in world coordinates.

        Args:
            keypoints: per view; a keypoint that is absent there does not count there.
            cameras: per view, calibrated (R, t, distortion).
            init: world coordinates; by default from robustly triangulated keypoints.
            depth, depth_sigma: (V, 23) metres along each camera's axis, inf noise where unknown.

        Raises:
            NotEnoughKeypoints: fewer than six keypoints that at least two views agree on.
            InputError: arrays of a wrong shape, other numbers of views and cameras, a broken calibration.
        """
        if len(keypoints) != len(cameras) or len(cameras) < 2:
            raise InputError(f"Several views need a camera each; got {len(keypoints)} and {len(cameras)}.")
        shape = (len(cameras), N_KEYPOINTS)
        for name, values in (("depth", depth), ("depth_sigma", depth_sigma)):
            if values is not None and values.shape != shape:
                raise InputError(f"{name} needs shape {shape}, got {values.shape}.")
        if (depth is None) != (depth_sigma is None):
            raise InputError("Depths need their noise, and noise its depths.")
        if depth is not None and depth_sigma is not None:
            told = np.isfinite(depth) & (depth_sigma > 0)
            depth, depth_sigma = np.where(told, depth, 0.0), np.where(told, depth_sigma, np.inf)
        fixed, nb = self._shape(betas)
        settings = replace(self.settings, pixel_share=self.settings.views_share)
        for camera in cameras:
            pack_camera(camera)  # says what is wrong with a calibration
        views = [weigh(k, settings) for k in keypoints]
        world, views = start_world(views, cameras)
        known = gather(views, cameras, own_axes=False, depth=depth, depth_sigma=depth_sigma)
        prior = self.prior_for(nb, temporal, free_place=True)
        if init is not None and np.isfinite(init.pose).all() and np.isfinite(init.transl).all():
            x = self.pack(init, nb)
            steps = self.settings.warm_iterations
            x, cost, spent = self.descend(x, fixed, nb, known, prior, steps, in_front=False)
        else:
            x, cost, spent = self._from_points(world, fixed, nb, known, prior)
        if np.isfinite(cost):
            # Several views tell their own noise: weigh them by it against the priors, and say how sure.
            known = rescaled(self.arrays, x, fixed, nb, known)
            x, cost, count = self.descend(
                x, fixed, nb, known, prior, settings.warm_iterations, in_front=False
            )
            spent += count
        if np.isfinite(cost) and any(k.placed.any() for k in keypoints):
            x, cost, count = self._held(x, fixed, nb, known, prior, in_front=False)
            spent += count
        if not np.isfinite(x).all() or not np.isfinite(cost):
            raise NotEnoughKeypoints("No body fits these views: it would lie behind one of the cameras.")
        lines = linearise(x, fixed, nb, self.arrays, known, prior)
        params = self.unpack(x, fixed, nb)
        share = self.settings.views_covariance_share
        return views_result(params, nb, views, known, lines, cost, spent, share)

    # --- unknowns -----------------------------------------------------------------------------

    def _shape(self, betas: F8 | None) -> tuple[F8, int]:
        if betas is None:
            return np.zeros(self.body.n_betas), self.body.n_betas
        if betas.shape != (self.body.n_betas,):
            raise InputError(f"betas need shape ({self.body.n_betas},), got {betas.shape}")
        if not np.isfinite(betas).all():
            raise InputError("The given shape holds values that are not finite.")
        return np.ascontiguousarray(betas, np.float64), 0

    def pack(self, params: BodyParams, nb: int) -> F8:
        """The unknowns (69 + nb,) of a body."""
        parts = [params.pose[:N_FIT_JOINTS].reshape(-1), params.transl]
        if nb:
            good = len(params.betas) == nb and bool(np.isfinite(params.betas).all())
            parts.append(np.clip(params.betas, -_MAX_BETA, _MAX_BETA) if good else np.zeros(nb))
        return np.concatenate(parts).astype(np.float64)

    def unpack(self, x: F8, betas: F8, nb: int) -> BodyParams:
        """The body of unknowns; fingers at rest."""
        pose = np.concatenate([x[:N_POSE].reshape(-1, 3), self.hands])
        shape = x[N_POSE + 3 :] if nb else betas
        return BodyParams(shape.copy(), pose, x[N_POSE : N_POSE + 3].copy())

    def prior_for(self, nb: int, temporal: BodyParams | None = None, *, free_place: bool = False) -> Prior:
        """The prior with ``nb`` free shape coefficients and, where given, where the body just was."""
        mean = np.concatenate([self.prior.mean, np.zeros(nb)])
        inverse = np.concatenate([self.prior.inverse_sigma, np.ones(nb)])
        if temporal is not None and np.isfinite(temporal.pose).all():
            # The product of two Gaussians: what people do, and where this one was a frame ago.
            last = temporal.pose[:N_FIT_JOINTS].reshape(-1)
            a, b = inverse[3:N_POSE] ** 2, 1.0 / self.settings.pose_step**2
            mean[3:N_POSE] = (a * mean[3:N_POSE] + b * last[3:]) / (a + b)
            inverse[3:N_POSE] = np.sqrt(a + b)
            if not free_place:
                mean[N_POSE + 2] = temporal.transl[2]
                step = max(self.settings.depth_step * abs(float(temporal.transl[2])), 0.01)
                inverse[N_POSE + 2] = 1.0 / step
        return self.prior._replace(mean=mean, inverse_sigma=inverse)

    def bounds(self, nb: int, *, in_front: bool) -> F8:
        """(69 + nb, 2) where steps end; ``in_front`` holds the body before a camera at the origin."""
        free = np.full((3, 2), [-np.inf, np.inf])
        place = np.full((3, 2), [-_FAR_M, _FAR_M])
        if in_front:
            place[2, 0] = 0.1
        pose = self.prior.limits[3:] + np.array([-_BEYOND_LIMITS, _BEYOND_LIMITS])
        return np.concatenate([free, pose, place, np.full((nb, 2), [-_MAX_BETA, _MAX_BETA])])

    # --- descents -----------------------------------------------------------------------------

    def descend(
        self, x: F8, betas: F8, nb: int, known: Evidence, prior: Prior, iterations: int,
        tolerance: float = 1e-5, *, in_front: bool = True,
    ) -> tuple[F8, float, int]:  # fmt: skip
        """Levenberg-Marquardt from ``x`` (:func:`solver.solve`): unknowns, cost, steps tried.

        ``in_front`` holds the body before a camera at the origin.
        """
        n_points = len(self.arrays.weight) if bool(np.isfinite(known.points_sigma).any()) else N_KEYPOINTS
        limits = self.bounds(nb, in_front=in_front)
        result: tuple[F8, float, int] = solve(
            x, betas, nb, self.arrays, known, prior, limits, n_points, iterations, tolerance
        )
        return result

    def _held(
        self, x: F8, betas: F8, nb: int, known: Evidence, prior: Prior, *, in_front: bool
    ) -> tuple[F8, float, int]:
        """On to where the keypoints that a person has placed are met, to a fraction of a pixel where the
        body can reach them."""
        hard = held_hard(known, self.settings.held_px)
        steps = self.settings.warm_iterations
        return self.descend(x, betas, nb, hard, prior, steps, in_front=in_front)

    def _cold(
        self, view: View, bones: Bones, camera: Camera, betas: F8, nb: int, known: Evidence, prior: Prior
    ) -> tuple[F8, float, int]:
        wide = widened(known, COLD_WIDTH)
        steps = self.settings.cold_iterations
        if bones.world_cam is not None and int(np.isfinite(bones.world_cam[:, 0]).sum()) >= 4:
            x, first = self._best_start(bones.world_cam, view, camera, betas, nb, wide, prior)
            x, cost, second = self.descend(x, betas, nb, known, prior, steps)
            return x, cost, first + second
        # Which way limbs lie in depth is not left to what is usual: that would veto the unusual.
        full, prior = prior, prior._replace(mix_weight=0.0)
        spent = 0
        tries: list[tuple[F8, float]] = []
        for world in self.starter.lifted(view.xy, view.used):
            x = self._start(world, view, camera, betas, nb)
            x, cost, count = self.descend(x, betas, nb, wide, prior, _TRIAL_STEPS, 1e-3)
            tries.append((x, cost))
            spent += count
        tries.sort(key=lambda t: t[1])
        best = (tries[0][0], np.inf)
        limits, eye = self.bounds(nb, in_front=True), np.zeros(3)
        for x, _ in tries[:2]:
            x, cost, count = self.descend(x, betas, nb, known, prior, steps, 1e-3)
            spent += count
            if np.isfinite(cost):
                x, cost, count = try_flips(
                    x, cost, betas, nb, self.arrays, known, prior, limits, N_KEYPOINTS, eye, LIMBS,
                    _FLIP_STEPS,
                )  # fmt: skip
                spent += count
            if cost < best[1]:
                best = (x, cost)
        x, cost, count = self.descend(best[0], betas, nb, known, full, steps)
        return x, cost, spent + count

    def _best_start(
        self, world: F8, view: View, camera: Camera, betas: F8, nb: int, known: Evidence, prior: Prior
    ) -> tuple[F8, int]:
        """From landmarks, descended with wide bounds. With a density of poses, limbs that nobody sees start
        at the means of its likeliest parts in turn, for none leads to the others."""
        steps = self.settings.cold_iterations
        starts = [self._start(world, view, camera, betas, nb)]
        if len(self.prior.mix_mean) and not np.isfinite(world[CHAINS]).all():
            more = [self._start(world, view, camera, betas, nb, mean) for mean in self.prior.mix_mean]
            tried = [self.descend(x, betas, nb, known, prior, 2) for x in more]
            order = np.argsort([cost for _, cost, _ in tried])
            starts += [tried[i][0] for i in order[:_MORE_STARTS]]
        best, best_cost, spent = starts[0], np.inf, 0
        for x in starts:
            x, cost, count = self.descend(x, betas, nb, known, prior, steps, 1e-3)
            spent += count
            if cost < best_cost:
                best, best_cost = x, cost
        return best, spent

    def _start(self, world: F8, view: View, camera: Camera, betas: F8, nb: int, mean: F8 | None = None) -> F8:
        usual = self.prior.mean[:N_POSE]
        pose = self.starter.pose(world, usual if mean is None else np.concatenate([usual[:3], mean]))
        rest = self.body.J_template[0] + self.body.J_shapedirs[0] @ betas
        origin = place_by_scale(world, view.xy, view.used, pack_camera(camera, own_axes=True))
        return np.concatenate([pose, origin - rest, np.zeros(nb)])

    def _from_points(
        self, world: F8, betas: F8, nb: int, known: Evidence, prior: Prior
    ) -> tuple[F8, float, int]:
        """From triangulated keypoints (23, 3), NaN where unknown, to a body."""
        pose = self.starter.pose(world, self.prior.mean[:N_POSE])
        seen = np.isfinite(world[:, 0])
        hips = world[11:13][seen[11:13]]
        middle = hips.mean(axis=0) if len(hips) else world[seen].mean(axis=0)
        x = np.concatenate([pose, middle - self.body.J_template[0], np.zeros(nb)])
        # First to the points in space: no view can hold that back, wherever the start lies.
        points, sigma = known.points.copy(), known.points_sigma.copy()
        points[:N_KEYPOINTS][seen], sigma[:N_KEYPOINTS][seen] = world[seen], 0.03
        spatial = known._replace(
            sigma=np.full_like(known.sigma, np.inf), depth_sigma=np.full_like(known.sigma, np.inf),
            points=points, points_sigma=sigma, points_cut=6.0,
        )  # fmt: skip
        steps = self.settings.cold_iterations
        # As in one view, the density of poses has no say in which way a limb lies.
        plain = prior._replace(mix_weight=0.0)
        x, _, first = self.descend(x, betas, nb, spatial, plain, steps, 1e-3, in_front=False)
        wide = widened(known, COLD_WIDTH)
        x, _, second = self.descend(x, betas, nb, wide, plain, steps, 1e-3, in_front=False)
        x, cost, third = self.descend(x, betas, nb, known, prior, steps, in_front=False)
        limits = self.bounds(nb, in_front=False)
        x, cost, fourth = flip_unsure_limbs(
            x, cost, betas, nb, self.arrays, world, known, prior, limits, _FLIP_STEPS
        )
        return x, cost, first + second + third + fourth
