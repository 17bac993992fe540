"""Turning limbs over in depth: one picture cannot tell a hand before the chest from one behind it."""

from __future__ import annotations

import numba
import numpy as np

from backends.body.pose import rodrigues
from backends.body.skeleton import JOINT_INDEX
from backends.fitting.arrays import Array, BodyArrays, Evidence, Prior
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE
from backends.fitting.solver import solve
from backends.fitting.start import rotation_vector

LIMBS = np.array(
    [
        [JOINT_INDEX[f"{side}_{name}"] for name in names]
        for side in ("left", "right")
        for names in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    ]
)
_GAIN = 0.5
"""A limb is turned over only where that lowers the cost by this much: ties keep what was there."""


@numba.njit(cache=True, nogil=True)
def _turn(a: Array, b: Array) -> Array:
    """Smallest rotation (3, 3) from direction ``a`` to ``b``, never about half a turn."""
    axis = np.cross(a, b)
    s = np.sqrt((axis * axis).sum())
    if s < 1e-12:
        return np.eye(3)
    return rodrigues(axis / s * np.arctan2(s, (a * b).sum()))


@numba.njit(cache=True, nogil=True)
def flip_limb(
    x: Array, betas: Array, body: BodyArrays, eye: Array, limb: Array, upper: bool, lower: bool
) -> Array:
    """The unknowns with the bones of a limb (its three joints) mirrored along the line of sight from
    ``eye`` (3,): in the picture they stay where they are, but for perspective."""
    J = body.J_template.copy()
    for j in range(N_FIT_JOINTS):
        for r in range(3):
            for b in range(len(betas)):
                J[j, r] += body.J_dirs[j, r, b] * betas[b]
    G = np.empty((N_FIT_JOINTS, 3, 3))
    P = np.empty((N_FIT_JOINTS, 3))
    for j in range(N_FIT_JOINTS):
        local = rodrigues(x[3 * j : 3 * j + 3])
        p = body.parents[j]
        G[j] = local if p < 0 else G[p] @ local
        P[j] = J[j] + x[N_POSE : N_POSE + 3] if p < 0 else P[p] + G[p] @ (J[j] - J[p])
    out = x.copy()
    turned = G[body.parents[limb[0]]]
    for i in range(2):
        j = limb[i]
        ray = P[j] - eye
        ray /= np.sqrt((ray * ray).sum()) + 1e-12
        d = P[limb[i + 1]] - P[j]
        flipped = d - 2.0 * (d * ray).sum() * ray
        new = _turn(d, flipped) @ G[j] if (upper if i == 0 else lower) else G[j]
        out[3 * j : 3 * j + 3] = rotation_vector(np.ascontiguousarray(turned.T) @ new)
        turned = new
    # What hangs on the limb keeps its turn against it.
    return out


@numba.njit(cache=True, nogil=True)
def try_flips(
    x: Array, cost: float, betas: Array, free_betas: int, body: BodyArrays, known: Evidence, prior: Prior,
    bounds: Array, n_points: int, eye: Array, limbs: Array, iterations: int,
) -> tuple[Array, float, int]:  # fmt: skip
    """Each limb in turn with its bones turned over, refitted for a few steps, kept where that is better."""
    count = 0
    for limb in limbs:
        best, best_cost = x, cost - _GAIN
        for way in range(1, 4):
            b = x[N_POSE + 3 :].copy() if free_betas > 0 else betas
            trial = flip_limb(x, b, body, eye, limb, way != 2, way != 1)
            for a in range(N_POSE):
                trial[a] = min(max(trial[a], bounds[a, 0]), bounds[a, 1])
            trial, value, steps = solve(
                trial, betas, free_betas, body, known, prior, bounds, n_points, iterations, 1e-3
            )
            count += steps
            if value < best_cost:
                best, best_cost = trial, value
        if best_cost < cost - _GAIN:
            x, cost = best, best_cost
    return x, cost, count
