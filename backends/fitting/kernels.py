"""The compiled inner loop: points of a posed body and their derivatives.

Unknowns are ``x = [axis-angles of 22 joints (66), translation (3), betas (B or 0)]``. A point k of the
body is skinned as ``X_k = sum_i G_i (T_ki + S_ki b) + w_ki (P_i - G_i J_i)``; G_i, P_i are rotation and
place of joint i. Turning joint j by dθ turns everything below it about P_j with the world angular
velocity ``G_parent(j) Jl(θ_j) dθ``, Jl being the left Jacobian of SO(3) (Sola et al., A micro Lie theory
for state estimation in robotics, 2018, eq. 145).
"""

from __future__ import annotations

import numba
import numpy as np

from backends.body.pose import rodrigues
from backends.fitting.arrays import Array, BodyArrays

N_FIT_JOINTS = 22
N_POSE = 3 * N_FIT_JOINTS


@numba.njit(cache=True, nogil=True)
def left_jacobian(v: Array) -> Array:
    """(3, 3) left Jacobian of SO(3) at axis-angle ``v``."""
    angle2 = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
    if angle2 < 1e-10:
        a, b = 0.5, 1.0 / 6.0
    else:
        angle = np.sqrt(angle2)
        a, b = (1.0 - np.cos(angle)) / angle2, (angle - np.sin(angle)) / (angle2 * angle)
    x, y, z = v[0], v[1], v[2]
    out = np.empty((3, 3))
    out[0, 0] = 1.0 - b * (y * y + z * z)
    out[1, 1] = 1.0 - b * (x * x + z * z)
    out[2, 2] = 1.0 - b * (x * x + y * y)
    out[0, 1] = b * x * y - a * z
    out[1, 0] = b * x * y + a * z
    out[0, 2] = b * x * z + a * y
    out[2, 0] = b * x * z - a * y
    out[1, 2] = b * y * z - a * x
    out[2, 1] = b * y * z + a * x
    return out


@numba.njit(cache=True, nogil=True, fastmath=True)
def points_and_derivatives(
    x: Array,
    betas: Array,
    n_free_betas: int,
    body: BodyArrays,
    n_points: int,
    X: Array,
    dX: Array,
    want_derivatives: bool,
) -> None:
    """Fill X (n_points, 3) and dX (n_points, 3, n) at ``x``; ``betas`` is used whole, and the
    derivatives by its first ``n_free_betas`` are written when they are unknowns (all or none)."""
    parents, J_template, J_dirs, weight, template, dirs = body
    nj, nb = N_FIT_JOINTS, len(betas)
    J = J_template.copy()
    for j in range(nj):
        for r in range(3):
            for b in range(nb):
                J[j, r] += J_dirs[j, r, b] * betas[b]
    G = np.empty((nj, 3, 3))
    P = np.empty((nj, 3))
    A = np.empty((nj, 3, 3))
    dP = np.zeros((nj, 3, n_free_betas))
    for j in range(nj):
        theta = x[3 * j : 3 * j + 3]
        L = rodrigues(theta)
        V = left_jacobian(theta)
        p = parents[j]
        if p < 0:
            G[j] = L
            A[j] = V
            for r in range(3):
                P[j, r] = J[j, r] + x[N_POSE + r]
                for b in range(n_free_betas):
                    dP[j, r, b] = J_dirs[j, r, b]
        else:
            for r in range(3):
                g0, g1, g2 = G[p, r, 0], G[p, r, 1], G[p, r, 2]
                for c in range(3):
                    G[j, r, c] = g0 * L[0, c] + g1 * L[1, c] + g2 * L[2, c]
                    A[j, r, c] = g0 * V[0, c] + g1 * V[1, c] + g2 * V[2, c]
                P[j, r] = (
                    P[p, r] + g0 * (J[j, 0] - J[p, 0]) + g1 * (J[j, 1] - J[p, 1]) + g2 * (J[j, 2] - J[p, 2])
                )
                for b in range(n_free_betas):
                    dP[j, r, b] = (
                        dP[p, r, b]
                        + g0 * (J_dirs[j, 0, b] - J_dirs[p, 0, b])
                        + g1 * (J_dirs[j, 1, b] - J_dirs[p, 1, b])
                        + g2 * (J_dirs[j, 2, b] - J_dirs[p, 2, b])
                    )
    S = np.empty((nj, 3))
    W = np.empty(nj)
    if want_derivatives:
        dX[:n_points] = 0.0
    for k in range(n_points):
        X[k] = 0.0
        for j in range(nj):
            w = weight[k, j]
            W[j] = w
            S[j] = 0.0
            if w == 0.0:
                continue
            t0, t1, t2 = template[k, j, 0], template[k, j, 1], template[k, j, 2]
            for b in range(nb):
                t0 += dirs[k, j, 0, b] * betas[b]
                t1 += dirs[k, j, 1, b] * betas[b]
                t2 += dirs[k, j, 2, b] * betas[b]
            t0 -= w * J[j, 0]
            t1 -= w * J[j, 1]
            t2 -= w * J[j, 2]
            for r in range(3):
                S[j, r] = G[j, r, 0] * t0 + G[j, r, 1] * t1 + G[j, r, 2] * t2 + w * P[j, r]
                X[k, r] += S[j, r]
            if want_derivatives:
                for b in range(n_free_betas):
                    d0 = dirs[k, j, 0, b] - w * J_dirs[j, 0, b]
                    d1 = dirs[k, j, 1, b] - w * J_dirs[j, 1, b]
                    d2 = dirs[k, j, 2, b] - w * J_dirs[j, 2, b]
                    for r in range(3):
                        dX[k, r, N_POSE + 3 + b] += (
                            G[j, r, 0] * d0 + G[j, r, 1] * d1 + G[j, r, 2] * d2 + w * dP[j, r, b]
                        )
        if not want_derivatives:
            continue
        for j in range(nj - 1, -1, -1):
            if W[j] != 0.0:
                qx = S[j, 0] - W[j] * P[j, 0]
                qy = S[j, 1] - W[j] * P[j, 1]
                qz = S[j, 2] - W[j] * P[j, 2]
                for c in range(3):
                    ax, ay, az = A[j, 0, c], A[j, 1, c], A[j, 2, c]
                    dX[k, 0, 3 * j + c] = ay * qz - az * qy
                    dX[k, 1, 3 * j + c] = az * qx - ax * qz
                    dX[k, 2, 3 * j + c] = ax * qy - ay * qx
                p = parents[j]
                if p >= 0:
                    W[p] += W[j]
                    for r in range(3):
                        S[p, r] += S[j, r]
        for r in range(3):
            dX[k, r, N_POSE + r] = 1.0
