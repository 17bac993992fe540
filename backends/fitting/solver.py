"""Levenberg-Marquardt on one body, compiled."""

from __future__ import annotations

import numba
import numpy as np

from backends.fitting.arrays import Array, BodyArrays, Evidence, Prior
from backends.fitting.assemble import evaluate


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
def wrap_root(x: Array) -> None:
    angle = np.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    if angle > np.pi:
        scale = 1.0 - 2.0 * np.pi / angle
        for r in range(3):
            x[r] *= scale


@numba.njit(cache=True, nogil=True)
def solve(
    x: Array, betas: Array, free_betas: int, body: BodyArrays, known: Evidence, prior: Prior, bounds: Array,
    n_points: int, iterations: int, tolerance: float,
) -> tuple[Array, float, int]:  # fmt: skip
    """Levenberg-Marquardt (Nielsen's damping, Damping parameter in Marquardt's method, 1999).

    Returns the unknowns, the cost (inf where the start lies behind a camera) and the steps tried. Steps
    end at ``bounds`` (n, 2): contradictory input may not make monsters.
    """
    n = len(x)
    X = np.empty((n_points, 3))
    dX = np.empty((n_points, 3, n))
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
            cost = evaluate(x, b, free_betas, body, known, prior, X, dX, H, g, True)
            if not cost < 1e300:
                return x, np.inf, count
        good, step = cholesky_solve(H, g, lam, floor)
        if not good:
            lam = max(lam * grow, 1e-6)
            grow *= 2.0
            fresh = False
            continue
        trial = x + step
        for a in range(n):
            trial[a] = min(max(trial[a], bounds[a, 0]), bounds[a, 1])
        new = evaluate(trial, b, free_betas, body, known, prior, X, dX, H, g, False)
        if new < cost:
            drop = cost - new
            x = trial
            wrap_root(x)
            lam = max(lam * 0.2, 1e-7)
            grow = 2.0
            fresh = True
            small = drop < tolerance * (abs(new) + 1.0)
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
def linearise(
    x: Array, betas: Array, free_betas: int, body: BodyArrays, known: Evidence, prior: Prior
) -> tuple[Array, Array, Array]:
    """All 45 points (45, 3), their derivatives (45, 3, n), and H (lower triangle) at ``x``."""
    n, total = len(x), len(body.weight)
    X = np.empty((total, 3))
    dX = np.empty((total, 3, n))
    H = np.zeros((n, n))
    g = np.zeros(n)
    evaluate(x, betas.copy(), free_betas, body, known, prior, X, dX, H, g, True)
    return X, dX, H
