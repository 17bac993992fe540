"""Many people or frames at once, on all cores: the same solver, without a detour through Python."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.arrays import Array, BodyArrays, Evidence, Prior, pack_camera
from backends.fitting.clip_kernels import one_frame
from backends.fitting.clip_solver import in_parts
from backends.fitting.evidence import MIN_KEYPOINTS, N_POINTS, View, weigh_arrays, weigh_bones_arrays
from backends.fitting.fitter import COLD_WIDTH, BodyFitter
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE, points_and_derivatives
from backends.fitting.problem import bone_matrix
from backends.fitting.solver import solve
from backends.fitting.start import place_by_scale, start_pose
from backends.fitting.terms import project_points
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MIN_SPREAD_PX = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class BatchFit:
    """Bodies in camera coordinates, metres; N people or frames.

    Attributes:
        fitted: (N,) bool; where False there were too few keypoints, and the body is the mean pose.
        pose: (N, 22, 3) axis-angles; transl: (N, 3); betas: (N, B).
        rms_px: (N,) root mean square miss of the keypoints that were used, NaN where not fitted.
        cost: (N,) as in :class:`FitResult`, inf where not fitted.
    """

    fitted: BoolArray
    pose: F8
    transl: F8
    betas: F8
    rms_px: F8
    cost: F8


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Many people's evidence for the kernels, and where each starts.

    Attributes:
        enough: (N,) whether a body can be fitted at all.
        known: evidence with a row a person (:func:`backends.fitting.clip_kernels.one_frame`).
        view: keypoints weighed, with a leading (N,).
        world: (N, 23, 3) landmarks in camera axes, NaN where unknown.
    """

    enough: BoolArray
    known: Evidence
    view: View
    world: F8


def make_batch(
    fitter: BodyFitter, xy: npt.ArrayLike, score: npt.ArrayLike, world: npt.ArrayLike, camera: Camera
) -> Batch:
    """Weigh many people's keypoints; see :func:`fit_many` for the arguments and errors."""
    pixels, scores = np.asarray(xy, dtype=np.float64), np.asarray(score, dtype=np.float64)
    landmarks = np.asarray(world, dtype=np.float64)
    n = len(pixels)
    shapes = (pixels.shape, scores.shape, landmarks.shape)
    if shapes != ((n, N_KEYPOINTS, 2), (n, N_KEYPOINTS), (n, N_KEYPOINTS, 3)):
        raise InputError(f"A batch needs (N, 23, 2), (N, 23) and (N, 23, 3), got {shapes}.")
    s = fitter.settings
    plain = np.zeros(scores.shape, np.bool_)
    view = weigh_arrays(pixels, scores, np.full(scores.shape, 2.0), plain, s)
    bones = weigh_bones_arrays(view, landmarks, camera, s)
    assert bones.world_cam is not None
    told = np.isfinite(bones.world_cam[..., 0]).sum(axis=1) >= 4
    enough = (view.used.sum(axis=1) >= MIN_KEYPOINTS) & (view.size >= _MIN_SPREAD_PX)
    known = Evidence(
        cameras=pack_camera(camera, own_axes=True)[None],
        xy=view.xy[:, None],
        sigma=view.sigma[:, None],
        cuts=np.ascontiguousarray(view.cuts[:, None]),
        depth=np.zeros((n, 1, N_KEYPOINTS)),
        depth_sigma=np.full((n, 1, N_KEYPOINTS), np.inf),
        depth_cut=0.0,
        points=np.zeros((n, N_POINTS, 3)),
        points_sigma=np.full((n, N_POINTS), np.inf),
        points_cut=0.0,
        bones=bone_matrix(),
        target=bones.target,
        frame=bones.frame,
        bone_weight=bones.weight,
        bone_cut=s.robust,
    )
    return Batch(enough, known, view, np.where(told[:, None, None], bones.world_cam, _flat(view)))


def _flat(view: View) -> F8:
    """(N, 23, 3) flat people of the keypoints' outline, where there is no third dimension."""
    count = np.maximum(view.used.sum(axis=1), 1)[:, None]
    middle = view.xy.sum(axis=1) / count
    scale = 1.7 / np.maximum(view.size, 1.0)
    flat = np.zeros((*view.used.shape, 3))
    flat[..., :2] = (view.xy - middle[:, None]) * scale[:, None, None]
    return np.where(view.used[..., None], flat, np.nan)


def fit_many(
    fitter: BodyFitter, xy: npt.ArrayLike, score: npt.ArrayLike, world: npt.ArrayLike, camera: Camera
) -> BatchFit:
    """Fit each of N people by itself, each from a start of its own, shape free.

    Args:
        xy: (N, 23, 2) pixels; NaN leaves a keypoint out.
        score: (N, 23) in [0, 1].
        world: (N, 23, 3) world landmarks (see :meth:`BodyFitter.fit`), NaN where unknown. A person without
            any is started flat, once: where that matters, :meth:`BodyFitter.fit` tries several starts.

    Raises:
        InputError: arrays of a wrong shape.
    """
    batch = make_batch(fitter, xy, score, world, camera)
    n, nb = len(batch.enough), fitter.body.n_betas
    x = starts(fitter, batch)
    cost, rms = np.full(n, np.inf), np.full(n, np.nan)
    prior = fitter.prior_for(nb)
    limits = fitter.bounds(nb, in_front=True)
    steps = fitter.settings.cold_iterations

    def part(first: int, last: int) -> float:
        _fit_some(
            first, last, batch.enough, batch.view.used, batch.known, prior, fitter.arrays, limits, steps, x,
            cost, rms, nb,
        )  # fmt: skip
        return 0.0

    in_parts(part, n)
    fitted = np.isfinite(cost) & np.isfinite(x).all(axis=1)
    return BatchFit(
        fitted,
        x[:, :N_POSE].reshape(n, N_FIT_JOINTS, 3),
        x[:, N_POSE : N_POSE + 3],
        x[:, N_POSE + 3 :],
        rms,
        cost,
    )


def starts(fitter: BodyFitter, batch: Batch) -> F8:
    """(N, 69 + B) where each person starts; the mean pose, 3 m away, where there are too few keypoints."""
    nb = fitter.body.n_betas
    x = np.tile(np.concatenate([fitter.prior.mean, np.zeros(nb)]), (len(batch.enough), 1))
    x[:, N_POSE + 2] = 3.0
    _start_all(
        batch.enough, batch.world, batch.view.used, batch.view.xy, batch.known.cameras[0],
        fitter.prior.mean[:N_POSE], *fitter.starter.arrays, fitter.body.J_template[0].copy(), x,
    )  # fmt: skip
    return x


@numba.njit(cache=True, nogil=True)
def _start_all(
    enough: Array, world: Array, used: Array, xy: Array, camera: Array, mean: Array, rest_torso: Array,
    rest_bones: Array, parents: Array, torso: Array, chains: Array, chain_joint: Array, root: Array,
    out: Array,
) -> None:  # fmt: skip
    for i in range(len(enough)):
        if enough[i]:
            out[i, :N_POSE] = start_pose(
                world[i], mean, rest_torso, rest_bones, parents, torso, chains, chain_joint
            )
            place = place_by_scale(world[i], xy[i], used[i], camera)
            out[i, N_POSE : N_POSE + 3] = place - root


@numba.njit(cache=True, nogil=True)
def _fit_some(
    first: int, last: int, enough: Array, used: Array, batch: Evidence, prior: Prior, body: BodyArrays,
    limits: Array, steps: int, out: Array, cost: Array, rms: Array, nb: int,
) -> None:  # fmt: skip
    """From the starts in ``out`` (N, n) to bodies, in place."""
    betas = np.zeros(nb)
    X, room = np.empty((N_KEYPOINTS, 3)), np.empty((0, 3, 0))
    for i in range(first, last):
        if not enough[i]:
            continue
        known = one_frame(batch, i)
        x = out[i].copy()
        wide = Evidence(
            known.cameras, known.xy, known.sigma, known.cuts * COLD_WIDTH, known.depth, known.depth_sigma,
            known.depth_cut, known.points, known.points_sigma, known.points_cut, known.bones, known.target,
            known.frame, known.bone_weight, known.bone_cut * COLD_WIDTH, known.edge_point, known.edge_xy,
            known.edge_normal, known.edge_sigma, known.plane_point, known.plane_normal, known.plane_offset,
            known.plane_sigma, known.surface_cut,
        )  # fmt: skip
        x, _, _ = solve(x, betas, nb, body, wide, prior, limits, N_KEYPOINTS, steps, 1e-3)
        x, value, _ = solve(x, betas, nb, body, known, prior, limits, N_KEYPOINTS, steps, 1e-5)
        out[i] = x
        cost[i] = value
        points_and_derivatives(x, x[N_POSE + 3 :].copy(), 0, body, N_KEYPOINTS, X, room, False)
        xy = project_points(known.cameras[0], X)
        total, n = 0.0, 0
        for k in range(N_KEYPOINTS):
            if used[i, k]:
                total += (xy[k, 0] - known.xy[0, k, 0]) ** 2 + (xy[k, 1] - known.xy[0, k, 1]) ** 2
                n += 1
        rms[i] = np.sqrt(total / n)
