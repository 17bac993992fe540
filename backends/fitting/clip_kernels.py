"""The compiled parts of the clip mode: every frame's normal equations and the terms between frames.

Unknowns are 69 a frame (pose and place) and the shape, which all frames share: the system is banded (a
frame is tied to the two before and after it) with a border. The band is kept as LAPACK's lower band in
column order: ``band[j, i - j]`` is entry (i, j).
"""

from __future__ import annotations

import numba
import numpy as np

from backends.body.skeleton import JOINT_INDEX
from backends.fitting.arrays import Array, BodyArrays, Evidence, Prior
from backends.fitting.assemble import evaluate
from backends.fitting.kernels import N_POSE
from backends.fitting.terms import robust
from backends.keypoints.layout import INDEX, N_KEYPOINTS

N_FRAME = N_POSE + 3
BANDS = 3 * N_FRAME

_JOINTS = (
    "pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "neck", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
FEET = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
FOLLOWED = np.array(
    [N_KEYPOINTS + JOINT_INDEX[n] for n in _JOINTS] + [INDEX["nose"]] + [INDEX[n] for n in FEET]
)
"""Points whose motion is held smooth; the feet's six are the last."""
N_FOLLOWED = len(FOLLOWED)


@numba.njit(cache=True, nogil=True)
def one_frame(clip: Evidence, t: int) -> Evidence:
    """Frame t of a clip's evidence: all arrays but ``cameras``, ``bones`` and the surface's have a row a
    frame; a clip has no evidence of the surface."""
    return Evidence(
        clip.cameras, clip.xy[t], clip.sigma[t], clip.cuts[t], clip.depth[t], clip.depth_sigma[t],
        clip.depth_cut, clip.points[t], clip.points_sigma[t], clip.points_cut, clip.bones, clip.target[t],
        clip.frame[t], clip.bone_weight[t], clip.bone_cut, clip.edge_point, clip.edge_xy, clip.edge_normal,
        clip.edge_sigma, clip.plane_point, clip.plane_normal, clip.plane_offset, clip.plane_sigma,
        clip.surface_cut,
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def frames_cost(
    x: Array, betas: Array, nb: int, body: BodyArrays, clip: Evidence, prior: Prior, first: int, last: int,
    frozen: Array, P: Array, D: Array, H: Array, g: Array, want: bool,
) -> float:  # fmt: skip
    """Terms within frames ``first`` to ``last - 1``: fills P (T, F, 3) and, where wanted, D (T, F, 3, 69 +
    nb), H (T, 69 + nb, 69 + nb) lower, g (T, 69 + nb). Frames that are frozen cost nothing."""
    n = N_FRAME + nb
    total = len(body.weight)
    X = np.empty((total, 3))
    dX = np.empty((total, 3, n))
    cost = 0.0
    unknowns = np.empty(n)
    b = betas.copy()
    for t in range(first, last):
        unknowns[:N_FRAME] = x[t]
        unknowns[N_FRAME:] = betas[:nb]
        value = evaluate(unknowns, b, nb, body, one_frame(clip, t), prior, X, dX, H[t], g[t], want)
        if frozen[t]:
            H[t] = 0.0
            g[t] = 0.0
        elif not value < 1e300:
            return np.inf
        else:
            cost += value
        for k in range(N_FOLLOWED):
            P[t, k] = X[FOLLOWED[k]]
            if want:
                D[t, k] = dX[FOLLOWED[k]]
    return cost


@numba.njit(cache=True, nogil=True)
def fill_band(H: Array, frozen: Array, nb: int, band: Array, border: Array, corner: Array) -> None:
    """Frames' own normal equations into the band (T * 69, 207), border (T * 69, nb), corner (nb, nb)."""
    band[:] = 0.0
    border[:] = 0.0
    corner[:] = 0.0
    for t in range(len(H)):
        at = t * N_FRAME
        for a in range(N_FRAME):
            if frozen[t]:
                band[at + a, 0] = 1.0
                continue
            for b in range(a + 1):
                band[at + b, a - b] = H[t, a, b]
            for c in range(nb):
                border[at + a, c] = H[t, N_FRAME + c, a]
        for c in range(nb):
            for d in range(c + 1):
                corner[c, d] += H[t, N_FRAME + c, N_FRAME + d]
    for c in range(nb):
        for d in range(c):
            corner[d, c] = corner[c, d]


@numba.njit(cache=True, nogil=True)
def _couple(
    t: int, n: int, coefficients: Array, k: int, r: Array, w: Array, D: Array, columns: Array,
    frozen: Array, band: Array, g: Array,
) -> None:  # fmt: skip
    """A residual r (3,) with weights w (3,) on point k of frames t to t + n - 1, a sum with coefficients."""
    for i in range(n):
        ti = t + i
        if frozen[ti]:
            continue
        ci = coefficients[i]
        for c in range(D.shape[3]):
            g[ti, c] += ci * (
                D[ti, k, 0, c] * w[0] * r[0] + D[ti, k, 1, c] * w[1] * r[1] + D[ti, k, 2, c] * w[2] * r[2]
            )
        for j in range(i + 1):
            tj = t + j
            if frozen[tj]:
                continue
            cc = ci * coefficients[j]
            for a in columns:
                d0 = cc * D[ti, k, 0, a] * w[0]
                d1 = cc * D[ti, k, 1, a] * w[1]
                d2 = cc * D[ti, k, 2, a] * w[2]
                for b in columns:
                    if i == j and b > a:
                        break
                    band[tj * N_FRAME + b, (ti - tj) * N_FRAME + a - b] += (
                        d0 * D[tj, k, 0, b] + d1 * D[tj, k, 1, b] + d2 * D[tj, k, 2, b]
                    )


@numba.njit(cache=True, nogil=True)
def points_acceleration_term(
    P: Array, D: Array, inverse: Array, cut: float, columns: Array, counts: Array, frozen: Array, band: Array,
    g: Array, want: bool,
) -> float:  # fmt: skip
    """Points go on as they went: ``P[t] - 2 P[t + 1] + P[t + 2]``, with inverse noises (T, F) 1 / m at the
    middle frame, robust."""
    cost = 0.0
    coefficients = np.array([1.0, -2.0, 1.0])
    r, weights = np.empty(3), np.empty(3)
    for t in range(len(P) - 2):
        if frozen[t] and frozen[t + 1] and frozen[t + 2]:
            continue
        for k in range(inverse.shape[1]):
            s = inverse[t + 1, k]
            if s == 0.0:
                continue
            for c in range(3):
                r[c] = P[t, k, c] - 2.0 * P[t + 1, k, c] + P[t + 2, k, c]
            value, w = robust((r * r).sum() * s * s, cut)
            cost += value
            if want:
                weights[:] = w * s * s
                _couple(t, 3, coefficients, k, r, weights, D, columns[k, : counts[k]], frozen, band, g)
    return cost


@numba.njit(cache=True, nogil=True)
def slide_term(
    P: Array, D: Array, weight: Array, across: Array, columns: Array, counts: Array, frozen: Array,
    band: Array, g: Array, want: bool,
) -> float:  # fmt: skip
    """Feet on the ground do not slide: ``P[t + 1] - P[t]`` of the feet's points, with weight (T - 1, 6),
    1 / m^2; ``across`` (3,) is 1 along the axes in which they are held."""
    cost = 0.0
    coefficients = np.array([-1.0, 1.0])
    first = P.shape[1] - weight.shape[1]
    r = np.empty(3)
    for t in range(len(P) - 1):
        if frozen[t] and frozen[t + 1]:
            continue
        for f in range(weight.shape[1]):
            if weight[t, f] == 0.0:
                continue
            k = first + f
            w = weight[t, f] * across
            for c in range(3):
                r[c] = P[t + 1, k, c] - P[t, k, c]
                cost += 0.5 * w[c] * r[c] * r[c]
            if want:
                _couple(t, 2, coefficients, k, r, w, D, columns[k, : counts[k]], frozen, band, g)
    return cost


@numba.njit(cache=True, nogil=True)
def ground_term(
    P: Array, D: Array, weight: Array, height: float, columns: Array, counts: Array, frozen: Array,
    band: Array, g: Array, want: bool,
) -> float:  # fmt: skip
    """Feet that stand are at the ground's height (world z of their keypoints, metres): weight (T, 6), 1 /
    m^2. None may sink below it."""
    cost = 0.0
    coefficients = np.ones(1)
    first = P.shape[1] - weight.shape[1]
    r, w = np.zeros(3), np.zeros(3)
    strongest = weight.max() if weight.size else 0.0
    for t in range(len(P)):
        if frozen[t]:
            continue
        for f in range(weight.shape[1]):
            k = first + f
            away = P[t, k, 2] - height
            held = weight[t, f] if away >= 0.0 else strongest
            if held == 0.0:
                continue
            r[2], w[2] = away, held
            cost += 0.5 * held * away * away
            if want:
                _couple(t, 1, coefficients, k, r, w, D, columns[k, : counts[k]], frozen, band, g)
    return cost


@numba.njit(cache=True, nogil=True)
def angles_term(
    x: Array, velocity: Array, acceleration: Array, frozen: Array, band: Array, g: Array, want: bool
) -> float:
    """The angles of joints 1 to 21 change slowly and evenly: inverse noises a frame, 1 / radian, (T, 22) at
    the later, and the middle, frame. The root is held by the points, for its axis-angle jumps."""
    cost = 0.0
    coefficients = np.array([-1.0, 1.0, 0.0])
    for order in range(1, 3):
        if order == 2:
            coefficients[0], coefficients[1], coefficients[2] = 1.0, -2.0, 1.0
        for t in range(len(x) - order):
            free = False
            for i in range(order + 1):
                free = free or not frozen[t + i]
            if not free:
                continue
            for a in range(3, N_POSE):
                s = velocity[t + 1, a // 3] if order == 1 else acceleration[t + 1, a // 3]
                s2 = s * s
                r = 0.0
                for i in range(order + 1):
                    r += coefficients[i] * x[t + i, a]
                cost += 0.5 * s2 * r * r
                if not want:
                    continue
                for i in range(order + 1):
                    if frozen[t + i]:
                        continue
                    g[t + i, a] += s2 * coefficients[i] * r
                    for j in range(i + 1):
                        if not frozen[t + j]:
                            band[(t + j) * N_FRAME + a, (i - j) * N_FRAME] += (
                                s2 * coefficients[i] * coefficients[j]
                            )
    return cost
