"""From vertices to parameters: any mesh in a body's own topology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, BodyParams, posed_vertices
from backends.body.pose import forward_kinematics, rodrigues, shaped_joints
from backends.errors import InputError
from backends.fitting.arrays import BodyArrays, Evidence
from backends.fitting.evidence import gather
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE, points_and_derivatives
from backends.fitting.problem import make_prior
from backends.fitting.solver import solve
from backends.fitting.start import Starter, rotation_vector
from backends.fitting.vertices import vertex_arrays

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_SAMPLES = 420
_ROUNDS = 4
_NOISE_M = 0.002
_CUT = 25.0
_STEPS = 40
_MAX_M = 1e3
_OWN, _ENOUGH = 0.6, 12
"""A joint moves a vertex if its weight is more than this; so many of its own tell how it is turned."""


@dataclass(frozen=True, slots=True, eq=False)
class MeshFit:
    """Parameters of a mesh.

    Attributes:
        params: all 55 joints, the coordinates of the mesh.
        rms_mm, max_mm: distance between the mesh and the body with these parameters, over all vertices.
    """

    params: BodyParams
    rms_mm: float
    max_mm: float


def vertices_to_params(body: BodyModel, vertices: npt.ArrayLike, *, betas: F8 | None = None) -> MeshFit:
    """Find pose, place and shape of a mesh in the body's topology.

    Levenberg-Marquardt on some hundred vertices for the 22 joints of the body and the shape; fingers, jaw
    and eyes joint by joint (Kabsch); in rounds, so that pose-dependent corrections are taken into account.

    Args:
        vertices: (V, 3) metres; a few may be wrong.
        betas: (B,) the shape, which is then not fitted.

    Raises:
        InputError: another number of vertices, values that are not finite, or a shape of another size.
    """
    target = np.asarray(vertices, dtype=np.float64)
    if target.shape != (body.n_vertices, 3):
        raise InputError(f"This body has {body.n_vertices} vertices; the mesh has shape {target.shape}.")
    if not np.isfinite(target).all() or np.abs(target).max() > _MAX_M:
        raise InputError("The mesh holds values that are not finite, or lies a kilometre away.")
    if betas is not None and (betas.shape != (body.n_betas,) or not np.isfinite(betas).all()):
        raise InputError(f"betas need shape ({body.n_betas},) and finite values, got {betas.shape}.")
    nb = body.n_betas if betas is None else 0
    shape = np.zeros(body.n_betas) if betas is None else np.ascontiguousarray(betas, np.float64)
    chosen = _spread_over_parts(body)
    arrays = vertex_arrays(body, chosen)
    x = np.concatenate([_start(body, target, shape), np.zeros(nb)])
    shift = np.zeros((len(chosen), 3))
    extremities = np.zeros((55 - N_FIT_JOINTS, 3))
    params = BodyParams(shape, np.zeros((55, 3)), np.zeros(3))
    # Where fingers and jaw are is not known at first: shape may not explain how they are bent.
    known = body.part_of_vertex[chosen] < N_FIT_JOINTS
    for _ in range(_ROUNDS):
        x = _descend(body, arrays, x, shape, nb, target[chosen] - shift, known)
        known = np.ones_like(known)
        b = x[N_POSE + 3 :] if nb else shape
        pose = np.concatenate([x[:N_POSE].reshape(-1, 3), extremities])
        params = BodyParams(b.copy(), pose, x[N_POSE : N_POSE + 3].copy())
        params = _turn_extremities(body, params, target)
        extremities = params.pose[N_FIT_JOINTS:]
        # What 22 joints without corrections leave out is added to what they are compared with.
        X = np.empty((len(chosen), 3))
        points_and_derivatives(x, b, 0, arrays, len(chosen), X, np.empty((0, 3, 0)), False)
        shift = posed_vertices(body, params)[chosen] - X
    away = np.linalg.norm(posed_vertices(body, params) - target, axis=1)
    return MeshFit(params, 1e3 * float(np.sqrt((away**2).mean())), 1e3 * float(away.max()))


def _spread_over_parts(body: BodyModel) -> I8:
    """Vertices of every part of the body, more of larger ones, evenly in the file's order."""
    chosen: list[int] = []
    for part in np.unique(body.part_of_vertex):
        own = np.flatnonzero(body.part_of_vertex == part)
        n = int(np.clip(_SAMPLES * len(own) / body.n_vertices, 6, 40))
        chosen.extend(own[np.linspace(0, len(own) - 1, min(n, len(own))).astype(int)])
    return np.unique(np.array(chosen, dtype=np.int64))


def _start(body: BodyModel, target: F8, betas: F8) -> F8:
    keypoints = np.asarray(body.keypoint_regressor @ target)
    pose = Starter(body).pose(keypoints, np.zeros(N_POSE))
    rest = np.asarray(body.keypoint_regressor @ (body.v_template + body.shapedirs @ betas))
    J0 = body.J_template[0] + body.J_shapedirs[0] @ betas
    hips = rodrigues(pose[:3]) @ (rest[11:13].mean(axis=0) - J0)
    return np.concatenate([pose, keypoints[11:13].mean(axis=0) - hips - J0])


def _descend(
    body: BodyModel, arrays: BodyArrays, x: F8, betas: F8, nb: int, target: F8, use: npt.NDArray[np.bool_]
) -> F8:
    nothing: Evidence = gather([], [], own_axes=True)
    m = len(target)
    known = nothing._replace(
        points=np.ascontiguousarray(target), points_sigma=np.where(use, _NOISE_M, np.inf), points_cut=_CUT
    )
    prior = make_prior(body)
    weak = np.where(prior.inverse_sigma > 0, 0.1 * prior.inverse_sigma, 0.0)
    prior = prior._replace(
        mean=np.concatenate([prior.mean, np.zeros(nb)]),
        inverse_sigma=np.concatenate([weak, np.full(nb, 0.1)]), wall=0.0, hinge_weight=0.0,
    )  # fmt: skip
    bounds = np.full((len(x), 2), [-np.inf, np.inf])
    bounds[N_POSE + 3 :] = -8.0, 8.0
    for cut in (0.0, _CUT):
        x, _, _ = solve(x, betas, nb, arrays, known._replace(points_cut=cut), prior, bounds, m, _STEPS, 1e-9)
    return x


def _turn_extremities(body: BodyModel, params: BodyParams, target: F8) -> BodyParams:
    """Fingers, jaw and eyes, each turned about its joint to where its vertices are (Kabsch)."""
    pose = params.pose.copy()
    J = shaped_joints(body, params.betas)
    below = _below(body)
    for j in range(N_FIT_JOINTS, len(body.parents)):
        # Its own vertices, where there are enough: those farther out also tell of joints not yet turned.
        share = body.weights[:, j].astype(np.float64)
        if (share > _OWN).sum() < _ENOUGH:
            share = below[j]
        own = np.flatnonzero(share > _OWN)
        if len(own) < 4:
            continue
        now = BodyParams(params.betas, pose, params.transl)
        G, P, _ = forward_kinematics(J, body.parents, pose, params.transl)
        found = posed_vertices(body, now)[own]
        away = np.linalg.norm(target[own] - found, axis=1)
        w = share[own] * (away <= 3.0 * np.median(away) + _NOISE_M)
        u, s, vt = np.linalg.svd(((target[own] - P[j]) * w[:, None]).T @ (found - P[j]))
        if s[1] < 1e-3 * max(float(s[0]), 1e-12):
            continue  # all on a line: the turn about it is unknown
        R = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
        pose[j] = rotation_vector(np.ascontiguousarray(G[body.parents[j]].T @ R @ G[j]))
    return BodyParams(params.betas, pose, params.transl)


def _below(body: BodyModel) -> F8:
    """(55, V) how much of each vertex moves with a joint: its own weight and those of joints below."""
    total = body.weights.T.astype(np.float64).copy()
    for j in range(len(body.parents) - 1, 0, -1):
        total[int(body.parents[j])] += total[j]
    return total
