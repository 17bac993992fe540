"""The compiled inner loop: points of a posed body, their derivatives, and the normal equations.

Unknowns are ``x = [axis-angles of 22 joints (66), translation (3), betas (B or 0)]``. A point k of the
body is skinned as ``X_k = sum_i G_i (T_ki + S_ki b) + w_ki (P_i - G_i J_i)``; G_i, P_i are rotation and
place of joint i. Turning joint j by dθ turns everything below it about P_j with the world angular
velocity ``G_parent(j) Jl(θ_j) dθ``, Jl being the left Jacobian of SO(3) (Sola et al., A micro Lie theory
for state estimation in robotics, 2018, eq. 145).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from backends.body.pose import rodrigues

Array = Any

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
    parents: Array,
    J_template: Array,
    J_dirs: Array,
    weight: Array,
    template: Array,
    dirs: Array,
    n_points: int,
    X: Array,
    dX: Array,
    want_derivatives: bool,
) -> None:
    """Fill X (n_points, 3) and dX (n_points, 3, n) at ``x``; ``betas`` is used whole, and the
    derivatives by its first ``n_free_betas`` are written when they are unknowns (all or none)."""
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


@numba.njit(cache=True, nogil=True)
def _robust(r2: float, c: float) -> tuple[float, float]:
    """Geman-McClure: half the bounded squared residual, and the weight of its normal equations."""
    if c <= 0.0:
        return 0.5 * r2, 1.0
    s = c * c / (c * c + r2)
    return 0.5 * r2 * s, s * s


@numba.njit(cache=True, nogil=True, fastmath=True)
def _add_row(row: Array, r: float, w: float, H: Array, g: Array) -> None:
    n = len(g)
    for a in range(n):
        va = row[a] * w
        if va == 0.0:
            continue
        g[a] += va * r
        for b in range(a + 1):
            H[a, b] += va * row[b]


@numba.njit(cache=True, nogil=True)
def add_reprojection(
    X: Array, dX: Array, K: Array, xy: Array, sigma: Array, cuts: Array, H: Array, g: Array, want: bool
) -> float:
    """Keypoints in the picture; ``sigma`` (23,) pixels, inf leaves one out; ``cuts`` (23,) robust bounds
    in standard deviations, 0 for none. Lower triangle of H. Returns the cost, inf behind the camera."""
    cost = 0.0
    n = len(g)
    row = np.empty(n)
    for k in range(len(xy)):
        s = sigma[k]
        if not s < 1e30:
            continue
        z = X[k, 2]
        if z < 0.05:
            return np.inf
        iz = 1.0 / z
        xn, yn = X[k, 0] * iz, X[k, 1] * iz
        ru = (K[0, 0] * xn + K[0, 1] * yn + K[0, 2] - xy[k, 0]) / s
        rv = (K[1, 1] * yn + K[1, 2] - xy[k, 1]) / s
        value, w = _robust(ru * ru + rv * rv, cuts[k])
        cost += value
        if not want:
            continue
        u0, u1 = K[0, 0] * iz / s, K[0, 1] * iz / s
        u2 = -(K[0, 0] * xn + K[0, 1] * yn) * iz / s
        v1, v2 = K[1, 1] * iz / s, -K[1, 1] * yn * iz / s
        for a in range(n):
            row[a] = u0 * dX[k, 0, a] + u1 * dX[k, 1, a] + u2 * dX[k, 2, a]
        _add_row(row, ru, w, H, g)
        for a in range(n):
            row[a] = v1 * dX[k, 1, a] + v2 * dX[k, 2, a]
        _add_row(row, rv, w, H, g)
    return cost


@numba.njit(cache=True, nogil=True)
def add_bones(
    X: Array, dX: Array, bones: Array, target: Array, frame: Array, weight: Array, cut: float,
    H: Array, g: Array, want: bool,
) -> float:  # fmt: skip
    """Directions of bones against the estimator's: ``bones`` (M, 23) coefficients of the points, ``target``
    (M, 3) unit vectors, ``frame`` (3, 3) rows: the axes in which ``weight`` (M, 3) holds inverse noises."""
    cost = 0.0
    n = len(g)
    d = np.empty(3)
    dd = np.empty((3, n))
    row = np.empty(n)
    for m in range(len(bones)):
        if weight[m, 2] == 0.0:
            continue
        d[:] = 0.0
        for k in range(bones.shape[1]):
            c = bones[m, k]
            if c != 0.0:
                for r in range(3):
                    d[r] += c * X[k, r]
        length = np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) + 1e-9
        for r in range(3):
            d[r] /= length
        res = np.empty(3)
        r2 = 0.0
        for i in range(3):
            e = 0.0
            for r in range(3):
                e += frame[i, r] * (d[r] - target[m, r])
            res[i] = e * weight[m, i]
            r2 += res[i] * res[i]
        value, w = _robust(r2, cut)
        cost += value
        if not want:
            continue
        dd[:] = 0.0
        for k in range(bones.shape[1]):
            c = bones[m, k] / length
            if c != 0.0:
                for r in range(3):
                    for a in range(n):
                        dd[r, a] += c * dX[k, r, a]
        for i in range(3):
            # row of (I - d d^T) in the frame's axis i
            f0, f1, f2 = frame[i, 0], frame[i, 1], frame[i, 2]
            along = f0 * d[0] + f1 * d[1] + f2 * d[2]
            f0, f1, f2 = f0 - along * d[0], f1 - along * d[1], f2 - along * d[2]
            for a in range(n):
                row[a] = weight[m, i] * (f0 * dd[0, a] + f1 * dd[1, a] + f2 * dd[2, a])
            _add_row(row, res[i], w, H, g)
    return cost


@numba.njit(cache=True, nogil=True)
def add_priors(
    x: Array, mean: Array, inverse_sigma: Array, limits: Array, H: Array, g: Array, want: bool
) -> float:
    """Gaussian priors on the unknowns themselves, and a soft wall at the joints' limits (root left free)."""
    cost = 0.0
    for a in range(len(x)):
        s = inverse_sigma[a]
        if s > 0.0:
            r = (x[a] - mean[a]) * s
            cost += 0.5 * r * r
            if want:
                H[a, a] += s * s
                g[a] += s * r
    wall = 12.0
    for a in range(3, N_POSE):
        over = 0.0
        if x[a] < limits[a, 0]:
            over = x[a] - limits[a, 0]
        elif x[a] > limits[a, 1]:
            over = x[a] - limits[a, 1]
        if over != 0.0:
            r = over * wall
            cost += 0.5 * r * r
            if want:
                H[a, a] += wall * wall
                g[a] += wall * r
    return cost


@numba.njit(cache=True, nogil=True, fastmath=True)
def cholesky_solve(H: Array, g: Array, damping: float, floor: Array) -> tuple[bool, Array]:
    """Solve the damped normal equations from the lower triangle of H; False where it is not positive."""
    n = len(g)
    L = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = H[i, j]
            if i == j:
                s += damping * (H[i, i] + floor[i])
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                if s <= 1e-14:
                    return False, g
                L[i, i] = np.sqrt(s)
            else:
                L[i, j] = s / L[j, j]
    y = np.empty(n)
    for i in range(n):
        s = -g[i]
        for k in range(i):
            s -= L[i, k] * y[k]
        y[i] = s / L[i, i]
    for i in range(n - 1, -1, -1):
        s = y[i]
        for k in range(i + 1, n):
            s -= L[k, i] * y[k]
        y[i] = s / L[i, i]
    return True, y


@numba.njit(cache=True, nogil=True)
def _wrap_root(x: Array) -> None:
    angle = np.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    if angle > np.pi:
        scale = 1.0 - 2.0 * np.pi / angle
        for r in range(3):
            x[r] *= scale


@numba.njit(cache=True, nogil=True)
def solve(
    x: Array, betas: Array, free_betas: int, parents: Array, J_template: Array, J_dirs: Array, weight: Array,
    template: Array, dirs: Array, K: Array, xy: Array, sigma: Array, cuts: Array, bones: Array, target: Array,
    frame: Array, bone_weight: Array, bone_cut: float, mean: Array, inverse_sigma: Array, limits: Array,
    bounds: Array, iterations: int, tolerance: float,
) -> tuple[Array, float, int]:  # fmt: skip
    """Levenberg-Marquardt (Nielsen's damping). Returns the unknowns, the cost and the steps tried.

    Steps end at ``bounds`` (n, 2): contradictory input may not make monsters.
    """
    n = len(x)
    m = len(xy)
    X = np.empty((m, 3))
    dX = np.empty((m, 3, n))
    H = np.zeros((n, n))
    g = np.zeros(n)
    floor = np.full(n, 1e-3)
    x = x.copy()
    b = betas.copy()
    lam, grow = 1e-3, 2.0
    cost = np.inf
    fresh = True
    count = 0
    while count < iterations:
        count += 1
        if fresh:
            if free_betas > 0:
                b[:] = x[N_POSE + 3 :]
            points_and_derivatives(
                x, b, free_betas, parents, J_template, J_dirs, weight, template, dirs, m, X, dX, True
            )
            H[:] = 0.0
            g[:] = 0.0
            cost = add_reprojection(X, dX, K, xy, sigma, cuts, H, g, True)
            if not cost < 1e300:
                return x, cost, count
            cost += add_bones(X, dX, bones, target, frame, bone_weight, bone_cut, H, g, True)
            cost += add_priors(x, mean, inverse_sigma, limits, H, g, True)
        good, step = cholesky_solve(H, g, lam, floor)
        if not good:
            lam = max(lam * grow, 1e-6)
            grow *= 2.0
            fresh = False
            continue
        trial = x + step
        for a in range(n):
            trial[a] = min(max(trial[a], bounds[a, 0]), bounds[a, 1])
        if free_betas > 0:
            b[:] = trial[N_POSE + 3 :]
        points_and_derivatives(
            trial, b, free_betas, parents, J_template, J_dirs, weight, template, dirs, m, X, dX, False
        )
        new = add_reprojection(X, dX, K, xy, sigma, cuts, H, g, False)
        if new < 1e300:
            new += add_bones(X, dX, bones, target, frame, bone_weight, bone_cut, H, g, False)
            new += add_priors(trial, mean, inverse_sigma, limits, H, g, False)
        if new < cost:
            drop = cost - new
            x = trial
            _wrap_root(x)
            lam = max(lam * 0.2, 1e-7)
            grow = 2.0
            fresh = True
            small = drop < tolerance * (new + 1.0)
            cost = new
            if small:
                break
        else:
            lam *= grow
            grow *= 2.0
            fresh = False
            if lam > 1e8:
                break
    return x, cost, count


@numba.njit(cache=True, nogil=True)
def posterior(
    x: Array, betas: Array, free_betas: int, parents: Array, J_template: Array, J_dirs: Array, weight: Array,
    template: Array, dirs: Array, K: Array, xy: Array, sigma: Array, cuts: Array, bones: Array, target: Array,
    frame: Array, bone_weight: Array, bone_cut: float, mean: Array, inverse_sigma: Array, limits: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Points (N, 3), their derivatives (N, 3, n), and the lower triangle of H at the solution."""
    n, total = len(x), len(weight)
    X = np.empty((total, 3))
    dX = np.empty((total, 3, n))
    H = np.zeros((n, n))
    g = np.zeros(n)
    b = betas.copy()
    if free_betas > 0:
        b[:] = x[N_POSE + 3 :]
    points_and_derivatives(
        x, b, free_betas, parents, J_template, J_dirs, weight, template, dirs, total, X, dX, True
    )
    add_reprojection(X, dX, K, xy, sigma, cuts, H, g, True)
    add_bones(X, dX, bones, target, frame, bone_weight, bone_cut, H, g, True)
    add_priors(x, mean, inverse_sigma, limits, H, g, True)
    return X, dX, H
