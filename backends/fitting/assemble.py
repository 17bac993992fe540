"""The cost of one body at one moment, and its normal equations."""

from __future__ import annotations

import numba
import numpy as np

from backends.fitting.arrays import Array, BodyArrays, Evidence, Prior
from backends.fitting.kernels import N_POSE, points_and_derivatives
from backends.fitting.terms import (
    bone_term,
    depth_term,
    edge_term,
    gaussian_term,
    hinge_term,
    limit_term,
    mixture_term,
    plane_term,
    point_term,
    reprojection_term,
)


@numba.njit(cache=True, nogil=True, fastmath=True)
def add_point(D: Array, M: Array, v: Array, H: Array, g: Array) -> None:
    """Carry a point's information and pull to the unknowns by its derivatives D (3, n): H += D^T M D."""
    for a in range(len(g)):
        d0, d1, d2 = D[0, a], D[1, a], D[2, a]
        if d0 == 0.0 and d1 == 0.0 and d2 == 0.0:
            continue
        g[a] += v[0] * d0 + v[1] * d1 + v[2] * d2
        m0 = M[0, 0] * d0 + M[1, 0] * d1 + M[2, 0] * d2
        m1 = M[0, 1] * d0 + M[1, 1] * d1 + M[2, 1] * d2
        m2 = M[0, 2] * d0 + M[1, 2] * d1 + M[2, 2] * d2
        for b in range(a + 1):
            H[a, b] += m0 * D[0, b] + m1 * D[1, b] + m2 * D[2, b]


@numba.njit(cache=True, nogil=True)
def add_points(X: Array, dX: Array, known: Evidence, H: Array, g: Array, want: bool) -> float:
    """All terms on single points: pictures, depth, places in space. Returns inf behind the only camera."""
    cost = 0.0
    M, v, J = np.empty((3, 3)), np.empty(3), np.empty((2, 3))
    n_views, n_keypoints = known.sigma.shape
    for k in range(len(X)):
        M[:] = 0.0
        v[:] = 0.0
        told = False
        if k < n_keypoints:
            for i in range(n_views):
                if known.sigma[i, k] < 1e30:
                    value = reprojection_term(
                        known.cameras[i], X[k], known.xy[i, k], known.sigma[i, k], known.cuts[i, k], J, M, v
                    )
                    if value < 1e300:
                        cost += value
                        told = True
                    elif n_views == 1:
                        return np.inf
                    else:  # a view that sees nothing of it has lost its say
                        cost += 0.5 * known.cuts[i, k] ** 2
                if known.depth_sigma[i, k] < 1e30:
                    cost += depth_term(
                        known.cameras[i], X[k], known.depth[i, k], known.depth_sigma[i, k], known.depth_cut,
                        M, v,
                    )  # fmt: skip
                    told = True
        if k < len(known.points_sigma) and known.points_sigma[k] < 1e30:
            cost += point_term(X[k], known.points[k], known.points_sigma[k], known.points_cut, M, v)
            told = True
        if want and told:
            add_point(dX[k], M, v, H, g)
    return cost


@numba.njit(cache=True, nogil=True)
def add_surface(X: Array, dX: Array, known: Evidence, H: Array, g: Array, want: bool) -> float:
    """Points of the skin on the outline and on the surface seen."""
    cost = 0.0
    M, v, J = np.empty((3, 3)), np.empty(3), np.empty((2, 3))
    for e in range(len(known.edge_point)):
        k = known.edge_point[e]
        M[:] = 0.0
        v[:] = 0.0
        value = edge_term(
            known.cameras[0], X[k], known.edge_xy[e], known.edge_normal[e], known.edge_sigma[e],
            known.surface_cut, J, M, v,
        )  # fmt: skip
        if value < 1e300:
            cost += value
            if want:
                add_point(dX[k], M, v, H, g)
        else:
            cost += 0.5 * known.surface_cut**2
    for d in range(len(known.plane_point)):
        k = known.plane_point[d]
        M[:] = 0.0
        v[:] = 0.0
        cost += plane_term(
            X[k], known.plane_normal[d], known.plane_offset[d], known.plane_sigma[d], known.surface_cut, M, v
        )
        if want:
            add_point(dX[k], M, v, H, g)
    return cost


@numba.njit(cache=True, nogil=True)
def add_bones(X: Array, dX: Array, known: Evidence, H: Array, g: Array, want: bool) -> float:
    """Directions of bones, which are sums of keypoints."""
    cost = 0.0
    n = len(g)
    d, D = np.empty(3), np.empty((3, n))
    M, v = np.empty((3, 3)), np.empty(3)
    for m in range(len(known.bones)):
        if known.bone_weight[m, 2] == 0.0:
            continue
        d[:] = 0.0
        if want:
            D[:] = 0.0
        for k in range(known.bones.shape[1]):
            c = known.bones[m, k]
            if c != 0.0:
                for r in range(3):
                    d[r] += c * X[k, r]
                    if want:
                        for a in range(n):
                            D[r, a] += c * dX[k, r, a]
        M[:] = 0.0
        v[:] = 0.0
        cost += bone_term(d, known.target[m], known.frame, known.bone_weight[m], known.bone_cut, M, v)
        if want:
            add_point(D, M, v, H, g)
    return cost


@numba.njit(cache=True, nogil=True)
def add_priors(x: Array, prior: Prior, H: Array, g: Array, want: bool) -> float:
    """All terms on the unknowns themselves."""
    cost: float = gaussian_term(x, prior.mean, prior.inverse_sigma, H, g, want)
    cost += limit_term(x, prior.limits, prior.wall, H, g, want)
    cost += hinge_term(x, prior, H, g, want)
    cost += mixture_term(x, prior, H, g, want)
    return cost


@numba.njit(cache=True, nogil=True)
def evaluate(
    x: Array, betas: Array, free_betas: int, body: BodyArrays, known: Evidence, prior: Prior, X: Array,
    dX: Array, H: Array, g: Array, want: bool,
) -> float:  # fmt: skip
    """The cost at ``x``; fills X and, where ``want``, dX, H (lower triangle) and g. ``betas`` is written
    from ``x`` where the shape is free. X holds as many of the 45 points as are to be compared."""
    if free_betas > 0:
        for b in range(free_betas):
            betas[b] = x[N_POSE + 3 + b]
    points_and_derivatives(x, betas, free_betas, body, len(X), X, dX, want)
    if want:
        H[:] = 0.0
        g[:] = 0.0
    cost: float = add_points(X, dX, known, H, g, want)
    if not cost < 1e300:
        return cost
    cost += add_bones(X, dX, known, H, g, want)
    cost += add_surface(X, dX, known, H, g, want)
    cost += add_priors(x, prior, H, g, want)
    return cost
