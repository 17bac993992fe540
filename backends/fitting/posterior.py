"""How sure a fit is: the posterior covariance (J^T J + priors)^-1 (Laplace's approximation), carried to
keypoints, joints and vertices."""

from __future__ import annotations

import numba
import numpy as np

from backends.errors import InputError
from backends.fitting.arrays import F8, Array
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE

_ALIGN_ROUNDS = 4
_SURE_M = 0.02
"""Joints known better than this count alike in the alignment."""


@numba.njit(cache=True, nogil=True, fastmath=True)
def inverse_factor(H: Array) -> Array:
    """L^-1 (n, n), lower, of H = L L^T given by its lower triangle: the covariance is L^-T L^-1.

    What nothing tells (or rounding spoils) gets a pivot that stands for "anything".
    """
    n = len(H)
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = H[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                L[i, i] = np.sqrt(max(s, 1e-9 + 1e-9 * H[i, i]))
            else:
                L[i, j] = s / L[j, j]
    inverse = np.zeros((n, n))
    for i in range(n):
        inverse[i, i] = 1.0 / L[i, i]
        for k in range(i):
            f = L[i, k] / L[i, i]
            for j in range(k + 1):
                inverse[i, j] -= f * inverse[k, j]
    return inverse


@numba.njit(cache=True, nogil=True, fastmath=True)
def spread(dX: Array, inverse: Array) -> Array:
    """(N, 3, n) rows m with covariance m m^T: the points' derivatives times L^-T."""
    total, n = len(dX), dX.shape[2]
    moved = np.zeros((total, 3, n))
    for k in range(total):
        for r in range(3):
            for i in range(n):
                s = 0.0
                for j in range(i + 1):
                    s += inverse[i, j] * dX[k, r, j]
                moved[k, r, i] = s
    return moved


@numba.njit(cache=True, nogil=True)
def similarity_modes(X: Array, centre: Array) -> Array:
    """(N, 3, 7) how each point moves when all are shifted, turned about ``centre`` and scaled."""
    modes = np.zeros((len(X), 3, 7))
    for k in range(len(X)):
        x, y, z = X[k, 0] - centre[0], X[k, 1] - centre[1], X[k, 2] - centre[2]
        modes[k, 0, 0] = modes[k, 1, 1] = modes[k, 2, 2] = 1.0
        modes[k, 1, 3], modes[k, 2, 3] = -z, y
        modes[k, 0, 4], modes[k, 2, 4] = z, -x
        modes[k, 0, 5], modes[k, 1, 5] = -y, x
        modes[k, 0, 6], modes[k, 1, 6], modes[k, 2, 6] = x, y, z
    return modes


@numba.njit(cache=True, nogil=True, fastmath=True)
def _align(moved: Array, modes: Array, joints: int) -> Array:
    """(7, n) the similarity motion that explains the joints' spread best, each weighed by how sure it is;
    it is taken from ``moved`` in place. The joints are the last ``joints`` points."""
    total, n = len(moved), moved.shape[2]
    first = total - joints
    weight = np.ones(joints)
    motion = np.zeros((7, n))
    for _ in range(_ALIGN_ROUNDS):
        A = np.zeros((7, 7))
        B = np.zeros((7, n))
        for j in range(joints):
            for r in range(3):
                for a in range(7):
                    m = weight[j] * modes[first + j, r, a]
                    if m == 0.0:
                        continue
                    for b in range(7):
                        A[a, b] += m * modes[first + j, r, b]
                    for i in range(n):
                        B[a, i] += m * moved[first + j, r, i]
        for a in range(7):
            A[a, a] += 1e-12
        motion = np.linalg.solve(A, B)
        for j in range(joints):
            var = 0.0
            for r in range(3):
                for i in range(n):
                    s = moved[first + j, r, i]
                    for a in range(7):
                        s -= modes[first + j, r, a] * motion[a, i]
                    var += s * s
            weight[j] = _SURE_M * _SURE_M / (var + _SURE_M * _SURE_M)
    for k in range(total):
        for r in range(3):
            for a in range(7):
                m = modes[k, r, a]
                if m != 0.0:
                    for i in range(n):
                        moved[k, r, i] -= m * motion[a, i]
    return motion


@numba.njit(cache=True, nogil=True, fastmath=True)
def covariances(moved: Array) -> Array:
    """(N, 3, 3) from rows (N, 3, n) of standard deviations."""
    out = np.empty((len(moved), 3, 3))
    for k in range(len(moved)):
        for r in range(3):
            for c in range(r + 1):
                s = 0.0
                for i in range(moved.shape[2]):
                    s += moved[k, r, i] * moved[k, c, i]
                out[k, r, c] = out[k, c, r] = s
    return out


@numba.njit(cache=True, nogil=True)
def point_covariances(
    X: Array, dX: Array, H: Array, aligned: bool, nb: int
) -> tuple[Array, Array, Array, Array]:
    """Posterior covariances of the 45 points (45, 3, 3), m^2, and of the shape (nb, nb); L^-1 (n, n), by
    which the unknowns' covariance is L^-T L^-1; and the similarity motion taken out (7, n), as columns of
    L^-T see it (0 where not aligned), about the joints' centre.

    With ``aligned``, what a similarity (place, turn, size) explains is taken out: it is fitted to the
    joints, each by its inverse variance, found in a few rounds, so that joints that nobody knows do not
    turn the rest of the body.
    """
    inverse = inverse_factor(H)
    moved = spread(dX, inverse)
    motion = np.zeros((7, len(H)))
    if aligned:
        motion = _align(moved, similarity_modes(X, joints_centre(X)), N_FIT_JOINTS)
    shape = np.zeros((nb, nb))
    for a in range(nb):
        for b in range(nb):
            for i in range(len(H)):
                shape[a, b] += inverse[i, N_POSE + 3 + a] * inverse[i, N_POSE + 3 + b]
    return covariances(moved), shape, inverse, motion


@numba.njit(cache=True, nogil=True)
def joints_centre(X: Array) -> Array:
    """(3,) the middle of the last 22 points."""
    centre = np.zeros(3)
    for j in range(len(X) - N_FIT_JOINTS, len(X)):
        centre += X[j] / N_FIT_JOINTS
    return centre


def inside_ellipsoid(error: F8, covariance: F8, share: float = 0.9) -> F8:
    """(...,) bool: whether each error (..., 3) lies within the ellipsoid that should hold ``share`` of all.

    By the chi-square distribution with three degrees of freedom.

    Raises:
        InputError: shapes that do not belong together, or a share outside (0, 1).
    """
    from scipy.stats import chi2

    if error.shape[-1:] != (3,) or covariance.shape != (*error.shape, 3) or not 0.0 < share < 1.0:
        raise InputError(
            f"Ellipsoids need errors (..., 3), covariances (..., 3, 3) and a share within (0, 1); got "
            f"{error.shape}, {covariance.shape}, {share}."
        )
    solved = np.linalg.solve(covariance + 1e-12 * np.eye(3), error[..., None])[..., 0]
    inside: F8 = (error * solved).sum(axis=-1) <= chi2.ppf(share, 3)
    return inside


def aligned_error(found: F8, truth: F8, variance: F8) -> F8:
    """(N, 3) ``truth - found`` after the truth is brought onto what was found, as the covariances mean it.

    The similarity (turn, size, place; Umeyama, 1991) that brings ``truth`` (N, 3) onto ``found`` best, each
    point weighed by ``1 / (variance + (2 cm)^2)`` (N,), the posterior's trace in m^2.

    Raises:
        InputError: arrays of other shapes.
    """
    if found.shape != truth.shape or found.shape[1:] != (3,) or variance.shape != found.shape[:1]:
        raise InputError(f"Alignment needs (N, 3), (N, 3), (N,); got {found.shape}, {truth.shape}.")
    w = 1.0 / (variance + _SURE_M**2)
    w = w / w.sum()
    a, b = truth - w @ truth, found - w @ found
    u, s, vt = np.linalg.svd((b * w[:, None]).T @ a)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(flip)).sum() / max(float((w[:, None] * a * a).sum()), 1e-12)
    error: F8 = scale * a @ (u @ flip @ vt).T - b
    return error
