"""Fits a body to the keypoints of one person in one picture (maximum a posteriori)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, BodyParams
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE, posterior, solve
from backends.fitting.problem import N_BONES, bone_matrix, make_problem, pose_prior, resting_hands
from backends.fitting.start import guess_world, place, ray_frame, start_pose
from backends.fitting.types import FitResult, FitSettings, NotEnoughKeypoints
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, Source, Visibility

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MIN_KEYPOINTS = 6
_MIN_SPREAD_PX = 4.0
_FAR_M = 500.0
_BEYOND_LIMITS = 0.4
_MAX_BETA = 4.0
"""Hard bounds: metres, radians beyond the soft joint limits, standard deviations of shape."""
_ALIGN_ROUNDS = 4
_SURE_M = 0.02
"""Joints known better than this count alike in the alignment."""


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What the picture says, in the kernels' form."""

    xy: F8
    used: BoolArray
    sigma: F8
    cuts: F8
    size: float
    target: F8
    frame: F8
    bone_weight: F8
    world_cam: F8 | None


class BodyFitter:
    """Levenberg-Marquardt over pose, place and, unless given, shape of one body.

    Thread-safe: a fit keeps no state. The terms are the reprojection of 23 keypoints (bounded, so that a
    wrong one cannot pull), the directions of 15 bones in the estimator's world landmarks, Gaussian priors
    on pose and shape, soft joint limits and, where a previous frame is given, that people move smoothly.
    """

    def __init__(self, body: BodyModel, settings: FitSettings | None = None) -> None:
        self.body = body
        self.settings = settings or FitSettings()
        self._problem = make_problem(body)
        self._mean, self._inverse = pose_prior()
        self._hands = resting_hands()

    def fit(
        self,
        keypoints: Keypoints,
        world: npt.NDArray[np.float32] | None,
        camera: Camera,
        *,
        betas: F8 | None = None,
        init: BodyParams | None = None,
        temporal: BodyParams | None = None,
    ) -> FitResult:
        """Fit one body.

        Args:
            keypoints: pixels of the picture that ``camera`` took.
            world: (23, 3) metres about the hips, x right, y down, z away from the camera, rows of NaN
                where unknown; or None.
            betas: (B,) the shape, which is then not fitted.
            init: where to start; by default a start is made from the evidence.
            temporal: the same person a frame earlier, who cannot have moved far.

        Raises:
            NotEnoughKeypoints: fewer than six keypoints that can be used, or all in one spot.
            InputError: arrays of a wrong shape.
        """
        if world is not None and world.shape != (N_KEYPOINTS, 3):
            raise InputError(f"world landmarks need shape (23, 3), got {world.shape}")
        if betas is not None and betas.shape != (self.body.n_betas,):
            raise InputError(f"betas need shape ({self.body.n_betas},), got {betas.shape}")
        evidence = self._evidence(keypoints, world, camera)
        nb = 0 if betas is not None else self.body.n_betas
        fixed = np.zeros(self.body.n_betas) if betas is None else np.ascontiguousarray(betas, np.float64)
        mean, inverse = self._priors(nb, temporal)
        if init is not None and np.isfinite(init.pose).all() and init.transl[2] > 0.1:
            x = self._pack(init, nb)
            return self._run(
                x, fixed, nb, evidence, camera, mean, inverse, self.settings.warm_iterations, warm=True
            )
        starts = self._starts(evidence, camera, fixed, nb)
        results = [
            self._run(x, fixed, nb, evidence, camera, mean, inverse, self.settings.cold_iterations)
            for x in starts
        ]
        return min(results, key=lambda r: r.cost)

    # --- what is known ------------------------------------------------------------------------

    def _evidence(
        self, keypoints: Keypoints, world: npt.NDArray[np.float32] | None, camera: Camera
    ) -> _Evidence:
        s = self.settings
        xy = keypoints.xy.astype(np.float64)
        by_person = keypoints.source == Source.PERSON
        score = np.where(by_person, 1.0, np.nan_to_num(keypoints.score.astype(np.float64)))
        used = np.isfinite(xy).all(axis=1) & (np.abs(np.nan_to_num(xy)).max(axis=1) < 1e5)
        used &= (keypoints.visibility != Visibility.ABSENT) & (score >= s.min_score)
        if int(used.sum()) < _MIN_KEYPOINTS:
            raise NotEnoughKeypoints(
                f"Only {int(used.sum())} keypoints can be used; a body needs at least {_MIN_KEYPOINTS}."
            )
        size = float(np.hypot(*np.ptp(xy[used], axis=0)))
        if size < _MIN_SPREAD_PX:
            raise NotEnoughKeypoints("All keypoints lie in one spot; that is no body.")
        noise = np.maximum(s.pixel_share * size, s.min_pixels)
        sigma = noise / np.clip(score, 0.15, 1.0)
        sigma = np.where(keypoints.visibility == Visibility.OCCLUDED, sigma * s.occluded_factor, sigma)
        sigma = np.where(by_person, np.maximum(s.person_share * size, 0.3), sigma)
        sigma = np.where(used, sigma, np.inf)
        cuts = np.where(by_person, s.person_robust, s.robust)
        bone_weight, target = np.zeros((N_BONES, 3)), np.zeros((N_BONES, 3))
        frame = ray_frame(camera, xy[used].mean(axis=0))
        world_cam = None
        if world is not None:
            known = np.isfinite(world).all(axis=1) & used
            clean = np.where(known[:, None], np.nan_to_num(world.astype(np.float64)), 0.0)
            world_cam = np.where(known[:, None], clean @ frame.T, np.nan)
            matrix = bone_matrix()
            vectors = matrix @ clean @ frame.T
            length = np.linalg.norm(vectors, axis=1)
            complete = (np.abs(matrix) @ (~known).astype(np.float64) == 0) & (length > 0.02)
            target[complete] = vectors[complete] / length[complete, None]
            trust = np.array([score[np.abs(row) > 0].min() for row in matrix]) * complete
            bone_weight[:, :2] = (trust / s.bone_plane)[:, None]
            bone_weight[:, 2] = trust / s.bone_depth
        return _Evidence(
            np.where(used[:, None], xy, 0.0), used, sigma, cuts, size, target,
            np.ascontiguousarray(frame.T), bone_weight, world_cam,
        )  # fmt: skip

    def _priors(self, nb: int, temporal: BodyParams | None) -> tuple[F8, F8]:
        mean = np.concatenate([self._mean, np.zeros(3 + nb)])
        inverse = np.concatenate([self._inverse, np.zeros(3), np.ones(nb)])
        if temporal is not None and np.isfinite(temporal.pose).all():
            # The product of two Gaussians: what people do, and where this one was a frame ago.
            last = temporal.pose[:N_FIT_JOINTS].reshape(-1)
            a, b = self._inverse[3:] ** 2, 1.0 / self.settings.pose_step**2
            mean[3:N_POSE] = (a * self._mean[3:] + b * last[3:]) / (a + b)
            inverse[3:N_POSE] = np.sqrt(a + b)
            mean[N_POSE + 2] = temporal.transl[2]
            inverse[N_POSE + 2] = 1.0 / max(self.settings.depth_step * abs(float(temporal.transl[2])), 0.01)
        return mean, inverse

    # --- where to start -----------------------------------------------------------------------

    def _pack(self, params: BodyParams, nb: int) -> F8:
        parts = [params.pose[:N_FIT_JOINTS].reshape(-1), params.transl]
        if nb:
            parts.append(params.betas[:nb] if len(params.betas) == nb else np.zeros(nb))
        return np.concatenate(parts).astype(np.float64)

    def _starts(self, evidence: _Evidence, camera: Camera, betas: F8, nb: int) -> list[F8]:
        if evidence.world_cam is not None and int(np.isfinite(evidence.world_cam[:, 0]).sum()) >= 4:
            worlds = [evidence.world_cam]
        else:
            worlds = [guess_world(evidence.xy, evidence.used)]
        starts = []
        for world in worlds:
            pose = start_pose(self.body, world, self._mean)
            rest = self.body.J_template[0] + self.body.J_shapedirs[0] @ betas
            origin = place(world, evidence.xy, evidence.used, camera)
            x = np.concatenate([pose.reshape(-1), origin - rest, np.zeros(nb)])
            starts.append(x)
        return starts

    def _bounds(self, nb: int) -> F8:
        free = np.full((3, 2), [-np.inf, np.inf])
        place = np.array([[-_FAR_M, _FAR_M], [-_FAR_M, _FAR_M], [0.1, _FAR_M]])
        pose = self._problem.limits[3:] + np.array([-_BEYOND_LIMITS, _BEYOND_LIMITS])
        return np.concatenate([free, pose, place, np.full((nb, 2), [-_MAX_BETA, _MAX_BETA])])

    # --- the solution -------------------------------------------------------------------------

    def _run(
        self, x: F8, betas: F8, nb: int, evidence: _Evidence, camera: Camera, mean: F8, inverse: F8,
        iterations: int, *, warm: bool = False,
    ) -> FitResult:  # fmt: skip
        p = self._problem
        K = np.ascontiguousarray(camera.K, np.float64)
        bones = bone_matrix()
        bounds = self._bounds(nb)
        shape = (p.parents, p.J_template, p.J_dirs)
        points = (p.weight, p.template, p.dirs)
        spent = 0
        cost = np.inf
        # A cold start may be far off: with a wide bound first, so that good keypoints are not given up.
        for widen in (1.0,) if warm else (6.0, 1.0):
            cuts = evidence.cuts * widen
            known = (
                K, evidence.xy, evidence.sigma, cuts, bones, evidence.target, evidence.frame,
                evidence.bone_weight, self.settings.robust * widen, mean, inverse, p.limits,
            )  # fmt: skip
            x, cost, count = solve(
                x, betas, nb, *shape, *points, *known, bounds, iterations, 1e-5 if widen == 1.0 else 1e-3
            )  # fmt: skip
            spent += count
        X, dX, H = posterior(x, betas, nb, *shape, *points, *known)
        return self._result(x, betas, nb, evidence, camera, X, dX, H, float(cost), spent)

    def _result(
        self, x: F8, betas: F8, nb: int, evidence: _Evidence, camera: Camera, X: F8, dX: F8, H: F8,
        cost: float, iterations: int,
    ) -> FitResult:  # fmt: skip
        if not np.isfinite(x).all() or not np.isfinite(cost):
            raise NotEnoughKeypoints("No body fits these keypoints: they would lie behind the camera.")
        pose = np.concatenate([x[:N_POSE].reshape(-1, 3), self._hands])
        shape = x[N_POSE + 3 :] if nb else betas
        params = BodyParams(shape.copy(), pose, x[N_POSE : N_POSE + 3].copy())
        xy = camera.project(X[:N_KEYPOINTS])
        away = np.hypot(*(xy - evidence.xy).T)
        residual = np.where(evidence.used, away, np.nan).astype(np.float32)
        covariance = _inverse_of_lower(H)
        sigma_mm = 1e3 * _aligned_spread(X, dX, covariance).astype(np.float32)
        information = np.zeros((self.body.n_betas, self.body.n_betas))
        if nb:
            block = np.linalg.inv(covariance[N_POSE + 3 :, N_POSE + 3 :]) - np.eye(nb)
            values, vectors = np.linalg.eigh((block + block.T) / 2)
            information = (vectors * np.maximum(values, 0.0)) @ vectors.T
        return FitResult(
            params=params,
            reprojected_xy=xy.astype(np.float32),
            residual_px=residual,
            rms_px=float(np.sqrt(np.nanmean(residual.astype(np.float64) ** 2))),
            cost=cost,
            iterations=iterations,
            sigma_px=evidence.sigma.astype(np.float32),
            keypoint_sigma_mm=sigma_mm[:N_KEYPOINTS],
            joint_sigma_mm=sigma_mm[N_KEYPOINTS:],
            shape_information=information,
        )


def _aligned_spread(X: F8, dX: F8, covariance: F8) -> F8:
    """(N,) metres: posterior standard deviation of the points, after a similarity fitted to the joints.

    Joints that nobody knows must not turn the rest of the body, so they count little in the alignment:
    each by its inverse variance, found in a few rounds.
    """
    values, vectors = np.linalg.eigh(covariance)
    moved = dX @ (vectors * np.sqrt(np.maximum(values, 0.0)))
    centred = X - X[N_KEYPOINTS:].mean(axis=0)
    x, y, z = centred.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    modes = np.stack(
        [
            np.stack([one, zero, zero, zero, z, -y, x], axis=1),
            np.stack([zero, one, zero, -z, zero, x, y], axis=1),
            np.stack([zero, zero, one, y, -x, zero, z], axis=1),
        ],
        axis=1,
    )
    joints, joints_moved = modes[N_KEYPOINTS:].reshape(-1, 7), moved[N_KEYPOINTS:].reshape(-1, len(values))
    weight = np.ones(len(X) - N_KEYPOINTS)
    spread = np.zeros(len(X))
    for _ in range(_ALIGN_ROUNDS):
        weighted = joints * np.repeat(weight, 3)[:, None]
        motion = np.linalg.solve(weighted.T @ joints + 1e-12 * np.eye(7), weighted.T @ joints_moved)
        spread = np.sqrt(((moved - modes @ motion) ** 2).sum(axis=(1, 2)))
        weight = _SURE_M**2 / (spread[N_KEYPOINTS:] ** 2 + _SURE_M**2)
    return spread


def _inverse_of_lower(H: F8) -> F8:
    full = H + np.tril(H, -1).T
    full[np.diag_indices_from(full)] += 1e-9 + 1e-9 * np.diag(full)
    return np.asarray(np.linalg.inv(full))


def pool_shape(results: list[FitResult]) -> F8:
    """(B,) the shape that several pictures of one person say together, weighed by what each can tell.

    The Gaussian posterior under a standard normal prior: ``(sum_i A_i + I)^-1 sum_i (A_i + I) b_i``
    shrunk so that the prior counts once and not once a picture.
    """
    total = np.eye(len(results[0].params.betas))
    pull = np.zeros(len(total))
    for r in results:
        # A result's shape is (A + I)^-1 A m: m, what the picture alone says, enters by A m.
        pull += (r.shape_information + np.eye(len(total))) @ r.params.betas
        total += r.shape_information
    return np.asarray(np.linalg.solve(total, pull))
