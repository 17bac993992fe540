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
        if frozen[t]:
            band[at : at + N_FRAME, 0] = 1.0
        else:
            for b in range(N_FRAME):
                for a in range(b, N_FRAME):
                    band[at + b, a - b] = H[t, a, b]
            for a in range(N_FRAME):
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


@numba.njit(cache=True, nogil=True, fastmath=True)
def _tie(
    later: Array, earlier: Array, worth: Array, lag: int, points: Array, counts: Array, rows: Array
) -> None:  # fmt: skip
    """Points of two frames ``lag`` apart, or of one, into its rows (69, 207) of the band.

    ``later``, ``earlier`` (F, 3, n) are their derivatives, ``worth`` (F,) the weight of each point's product;
    ``points`` (69, F) says which points an unknown moves, ``counts`` (69,) how many. The innermost loop
    runs along the band, over all unknowns whether they move the point or not: that is quicker than picking.
    """
    row = np.empty(N_FRAME)
    for b in range(N_FRAME):
        first = b if lag == 0 else 0
        row[:] = 0.0
        for i in range(counts[b]):
            k = points[b, i]
            d0 = worth[k] * earlier[k, 0, b]
            d1 = worth[k] * earlier[k, 1, b]
            d2 = worth[k] * earlier[k, 2, b]
            for a in range(N_FRAME):
                row[a] += d0 * later[k, 0, a] + d1 * later[k, 1, a] + d2 * later[k, 2, a]
        at = lag * N_FRAME - b
        for a in range(first, N_FRAME):
            rows[b, at + a] += row[a]


@numba.njit(cache=True, nogil=True)
def moved_points(columns: Array, counts: Array) -> tuple[Array, Array]:
    """(69, F), (69,): which points each unknown of a frame moves, from the reverse (F, 69), (F,)."""
    points = np.zeros((N_FRAME, len(columns)), np.int64)
    many = np.zeros(N_FRAME, np.int64)
    for k in range(len(columns)):
        for i in range(counts[k]):
            a = columns[k, i]
            points[a, many[a]] = k
            many[a] += 1
    return points, many


@numba.njit(cache=True, nogil=True)
def points_acceleration_term(
    P: Array, D: Array, inverse: Array, cut: float, columns: Array, counts: Array, frozen: Array, band: Array,
    g: Array, want: bool,
) -> float:  # fmt: skip
    """Points go on as they went: ``P[t] - 2 P[t + 1] + P[t + 2]``, with inverse noises (T, F) 1 / m at the
    middle frame, robust.

    Three residuals tie a frame to itself, two to the next, one to the one after: their weights are added
    before the derivatives are multiplied.
    """
    cost = 0.0
    total, n_points = len(P), inverse.shape[1]
    weight = np.zeros((total, n_points))  # of the residual about each middle frame
    pull = np.zeros((total, n_points, 3))
    for m in range(1, total - 1):
        if frozen[m - 1] and frozen[m] and frozen[m + 1]:
            continue
        for k in range(n_points):
            s = inverse[m, k]
            if s == 0.0:
                continue
            r2 = 0.0
            for c in range(3):
                r = P[m - 1, k, c] - 2.0 * P[m, k, c] + P[m + 1, k, c]
                pull[m, k, c] = r
                r2 += r * r
            value, w = robust(r2 * s * s, cut)
            cost += value
            weight[m, k] = w * s * s
            for c in range(3):
                pull[m, k, c] *= weight[m, k]
    if not want:
        return cost
    points, many = moved_points(columns, counts)
    worth = np.empty(n_points)
    for t in range(total):
        if frozen[t]:
            continue
        before, after = max(t - 1, 0), min(t + 1, total - 1)  # at the ends both hold nothing
        for k in range(n_points):
            for c in range(3):
                p = pull[before, k, c] - 2.0 * pull[t, k, c] + pull[after, k, c]
                for a in range(D.shape[3]):
                    g[t, a] += p * D[t, k, c, a]
            worth[k] = weight[before, k] + 4.0 * weight[t, k] + weight[after, k]
        _tie(D[t], D[t], worth, 0, points, many, band[t * N_FRAME : (t + 1) * N_FRAME])
        if t >= 1 and not frozen[t - 1]:
            for k in range(n_points):
                worth[k] = -2.0 * (weight[t - 1, k] + weight[t, k])
            _tie(D[t], D[t - 1], worth, 1, points, many, band[(t - 1) * N_FRAME : t * N_FRAME])
        if t >= 2 and not frozen[t - 2]:
            _tie(D[t], D[t - 2], weight[t - 1], 2, points, many, band[(t - 2) * N_FRAME : (t - 1) * N_FRAME])
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
