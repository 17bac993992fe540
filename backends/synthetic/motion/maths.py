"""Small rotations in compiled loops: (3, 3) matrices act on columns, angles are radians."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]


@numba.njit(cache=True, nogil=True)
def mul(A: F8, B: F8) -> F8:
    """A @ B of two (3, 3) matrices."""
    C = np.empty((3, 3))
    for r in range(3):
        for c in range(3):
            C[r, c] = A[r, 0] * B[0, c] + A[r, 1] * B[1, c] + A[r, 2] * B[2, c]
    return C


@numba.njit(cache=True, nogil=True)
def mul_t(A: F8, B: F8) -> F8:
    """A.T @ B of two (3, 3) matrices."""
    C = np.empty((3, 3))
    for r in range(3):
        for c in range(3):
            C[r, c] = A[0, r] * B[0, c] + A[1, r] * B[1, c] + A[2, r] * B[2, c]
    return C


@numba.njit(cache=True, nogil=True)
def apply(A: F8, v: F8) -> F8:
    """A @ v."""
    w = np.empty(3)
    for r in range(3):
        w[r] = A[r, 0] * v[0] + A[r, 1] * v[1] + A[r, 2] * v[2]
    return w


@numba.njit(cache=True, nogil=True)
def apply_t(A: F8, v: F8) -> F8:
    """A.T @ v."""
    w = np.empty(3)
    for r in range(3):
        w[r] = A[0, r] * v[0] + A[1, r] * v[1] + A[2, r] * v[2]
    return w


@numba.njit(cache=True, nogil=True)
def cross(a: F8, b: F8) -> F8:
    """a x b."""
    c = np.empty(3)
    c[0] = a[1] * b[2] - a[2] * b[1]
    c[1] = a[2] * b[0] - a[0] * b[2]
    c[2] = a[0] * b[1] - a[1] * b[0]
    return c


@numba.njit(cache=True, nogil=True)
def dot(a: F8, b: F8) -> float:
    """a . b."""
    value: float = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return value


@numba.njit(cache=True, nogil=True)
def unit(a: F8) -> F8:
    """a / |a|; the zero vector stays zero."""
    n = np.sqrt(dot(a, a))
    return a / n if n > 1e-12 else a * 0.0


@numba.njit(cache=True, nogil=True)
def frame(first: F8, second: F8) -> F8:
    """(3, 3) right-handed frame: column 0 along ``first``, column 1 towards ``second``."""
    a = unit(first)
    b = unit(second - a * dot(a, second))
    c = cross(a, b)
    R = np.empty((3, 3))
    for r in range(3):
        R[r, 0], R[r, 1], R[r, 2] = a[r], b[r], c[r]
    return R


@numba.njit(cache=True, nogil=True)
def axis_turn(axis: int, angle: float) -> F8:
    """Rotation by ``angle`` about axis 0 (x), 1 (y) or 2 (z)."""
    R = np.zeros((3, 3))
    c, s = np.cos(angle), np.sin(angle)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    R[axis, axis] = 1.0
    R[j, j], R[j, k], R[k, j], R[k, k] = c, -s, s, c
    return R


@numba.njit(cache=True, nogil=True)
def quaternion(R: F8) -> F8:
    """(4,) unit quaternion w x y z of a rotation, w >= 0 (Shepperd 1978)."""
    q = np.empty(4)
    trace = R[0, 0] + R[1, 1] + R[2, 2]
    if trace >= R[0, 0] and trace >= R[1, 1] and trace >= R[2, 2]:
        q[0] = 1.0 + trace
        q[1], q[2], q[3] = R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]
    else:
        i = 0
        if R[1, 1] > R[i, i]:
            i = 1
        if R[2, 2] > R[i, i]:
            i = 2
        j, k = (i + 1) % 3, (i + 2) % 3
        q[0] = R[k, j] - R[j, k]
        q[1 + i] = 1.0 + R[i, i] - R[j, j] - R[k, k]
        q[1 + j] = R[j, i] + R[i, j]
        q[1 + k] = R[k, i] + R[i, k]
    q /= np.sqrt((q * q).sum())
    return q if q[0] >= 0 else -q


@numba.njit(cache=True, nogil=True)
def log_map(R: F8) -> F8:
    """(3,) axis-angle of a rotation, angle in [0, pi]."""
    q = quaternion(R)
    s = np.sqrt(q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    scale = 2.0 if s < 1e-9 else 2.0 * np.arctan2(s, q[0]) / s
    turn: F8 = q[1:] * scale
    return turn


@numba.njit(cache=True, nogil=True)
def soft_clip(x: float, low: float, high: float, margin: float) -> float:
    """``x``, bent over ``margin`` before either bound so that it never passes it; C1."""
    if x > high - margin:
        value: float = high - margin + margin * np.tanh((x - high + margin) / margin)
        return value
    if x < low + margin:
        bent: float = low + margin - margin * np.tanh((low + margin - x) / margin)
        return bent
    return x
