"""The terms of the fit, one small function each, with derivatives by hand.

A term on a point of the body adds to the point's information ``M`` (3, 3) = J^T w J and pull ``v`` (3,) =
J^T w r, J being the residual's derivative by the point; :mod:`assemble` carries both to the unknowns. A
term on the unknowns themselves adds to the normal equations H (lower triangle) and g. Each returns its
cost: half the squared residual in standard deviations, bounded where it is robust.
"""

from __future__ import annotations

import numba
import numpy as np

from backends.body.pose import rodrigues
from backends.fitting.arrays import Array, Prior
from backends.fitting.kernels import N_POSE, left_jacobian

NEAR_M = 0.05
"""A point nearer than this to the plane of the camera, or behind it, cannot be seen."""

HINGE_SLACK = 0.05
"""Sine of the hyperextension that is still let pass: three degrees."""


@numba.njit(cache=True, nogil=True)
def robust(r2: float, cut: float) -> tuple[float, float]:
    """Geman and McClure (1987): half the bounded squared residual, and the weight w of its normal
    equations (twice the derivative of the former by ``r2``); ``cut`` 0 for the plain square."""
    if cut <= 0.0:
        return 0.5 * r2, 1.0
    s = cut * cut / (cut * cut + r2)
    return 0.5 * r2 * s, s * s


@numba.njit(cache=True, nogil=True)
def in_camera(camera: Array, X: Array) -> tuple[float, float, float]:
    """A world point in camera coordinates."""
    x = camera[10] * X[0] + camera[11] * X[1] + camera[12] * X[2] + camera[19]
    y = camera[13] * X[0] + camera[14] * X[1] + camera[15] * X[2] + camera[20]
    z = camera[16] * X[0] + camera[17] * X[1] + camera[18] * X[2] + camera[21]
    return x, y, z


@numba.njit(cache=True, nogil=True)
def distort(camera: Array, xn: float, yn: float) -> tuple[float, float, float, float, float, float]:
    """Brown's distortion (OpenCV, calib3d, k1 k2 p1 p2 k3): the distorted point and its derivatives
    ``dx/dxn, dx/dyn, dy/dxn, dy/dyn``; past the good radius the radial factor stays what it is there."""
    k1, k2, p1, p2, k3 = camera[5], camera[6], camera[7], camera[8], camera[9]
    r2 = xn * xn + yn * yn
    if r2 <= camera[22]:
        d = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
        slope = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3))
        x = xn * d + 2.0 * p1 * xn * yn + p2 * (r2 + 2.0 * xn * xn)
        y = yn * d + p1 * (r2 + 2.0 * yn * yn) + 2.0 * p2 * xn * yn
        cross = slope * xn * yn + 2.0 * p1 * xn + 2.0 * p2 * yn
        xx = d + slope * xn * xn + 2.0 * p1 * yn + 6.0 * p2 * xn
        yy = d + slope * yn * yn + 6.0 * p1 * yn + 2.0 * p2 * xn
        return x, y, xx, cross, cross, yy
    r2 = camera[22]
    d = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return xn * d, yn * d, d, 0.0, 0.0, d


@numba.njit(cache=True, nogil=True)
def project(camera: Array, X: Array, J: Array) -> tuple[float, float, float]:
    """Pixel and depth of a world point; J (2, 3) becomes the derivative of the pixel by the point.

    The caller checks the depth against :data:`NEAR_M`: nearer, pixel and J mean nothing.
    """
    x, y, z = in_camera(camera, X)
    if z < NEAR_M:
        return 0.0, 0.0, z
    xn, yn = x / z, y / z
    xd, yd, a, b, c, d = distort(camera, xn, yn)
    fx, skew, fy = camera[0], camera[1], camera[3]
    ux, uy = fx * a + skew * c, fx * b + skew * d
    vx, vy = fy * c, fy * d
    for r in range(3):
        rx, ry, rz = camera[10 + r], camera[13 + r], camera[16 + r]
        dxn, dyn = (rx - xn * rz) / z, (ry - yn * rz) / z
        J[0, r] = ux * dxn + uy * dyn
        J[1, r] = vx * dxn + vy * dyn
    return fx * xd + skew * yd + camera[2], fy * yd + camera[4], z


@numba.njit(cache=True, nogil=True)
def project_points(camera: Array, points: Array) -> Array:
    """(N, 2) pixels of world points (N, 3), distortion included; NaN nearer than :data:`NEAR_M`."""
    out = np.empty((len(points), 2))
    J = np.empty((2, 3))
    for k in range(len(points)):
        u, v, z = project(camera, points[k], J)
        out[k, 0] = u if z >= NEAR_M else np.nan
        out[k, 1] = v if z >= NEAR_M else np.nan
    return out


@numba.njit(cache=True, nogil=True)
def reprojection_term(
    camera: Array, X: Array, xy: Array, sigma: float, cut: float, J: Array, M: Array, v: Array
) -> float:
    """A keypoint in a picture; J (2, 3) is room to work in. Returns inf behind the camera."""
    px, py, z = project(camera, X, J)
    if z < NEAR_M:
        return np.inf
    inverse = 1.0 / sigma
    ru, rv = (px - xy[0]) * inverse, (py - xy[1]) * inverse
    cost, w = robust(ru * ru + rv * rv, cut)
    wi = w * inverse
    for a in range(3):
        v[a] += wi * (J[0, a] * ru + J[1, a] * rv)
        for b in range(3):
            M[a, b] += wi * inverse * (J[0, a] * J[0, b] + J[1, a] * J[1, b])
    return float(cost)


@numba.njit(cache=True, nogil=True)
def depth_term(camera: Array, X: Array, depth: float, sigma: float, cut: float, M: Array, v: Array) -> float:
    """A keypoint's distance along the camera's axis, metres, as a depth camera measures it."""
    z = in_camera(camera, X)[2]
    r = (z - depth) / sigma
    cost, w = robust(r * r, cut)
    for a in range(3):
        v[a] += w * r * camera[16 + a] / sigma
        for b in range(3):
            M[a, b] += w * camera[16 + a] * camera[16 + b] / (sigma * sigma)
    return float(cost)


@numba.njit(cache=True, nogil=True)
def point_term(X: Array, target: Array, sigma: float, cut: float, M: Array, v: Array) -> float:
    """A keypoint or joint whose place in space is known, metres."""
    r2 = 0.0
    for a in range(3):
        r = (X[a] - target[a]) / sigma
        r2 += r * r
    cost, w = robust(r2, cut)
    for a in range(3):
        v[a] += w * (X[a] - target[a]) / (sigma * sigma)
        M[a, a] += w / (sigma * sigma)
    return float(cost)


@numba.njit(cache=True, nogil=True)
def edge_term(
    camera: Array, X: Array, xy: Array, normal: Array, sigma: float, cut: float, J: Array, M: Array, v: Array
) -> float:
    """A point of the body's outline on the outline seen: its pixel's distance along the unit ``normal``
    (2,), for along the outline it may slide. J (2, 3) is room to work in. Returns inf behind the camera."""
    px, py, z = project(camera, X, J)
    if z < NEAR_M:
        return np.inf
    r = (normal[0] * (px - xy[0]) + normal[1] * (py - xy[1])) / sigma
    cost, w = robust(r * r, cut)
    for a in range(3):
        da = (normal[0] * J[0, a] + normal[1] * J[1, a]) / sigma
        v[a] += w * r * da
        for b in range(3):
            M[a, b] += w * da * (normal[0] * J[0, b] + normal[1] * J[1, b]) / sigma
    return float(cost)


@numba.njit(cache=True, nogil=True)
def plane_term(X: Array, normal: Array, offset: float, sigma: float, cut: float, M: Array, v: Array) -> float:
    """A point of the skin on the surface that a depth camera sees, ``normal . x = offset``, metres."""
    r = (normal[0] * X[0] + normal[1] * X[1] + normal[2] * X[2] - offset) / sigma
    cost, w = robust(r * r, cut)
    for a in range(3):
        v[a] += w * r * normal[a] / sigma
        for b in range(3):
            M[a, b] += w * normal[a] * normal[b] / (sigma * sigma)
    return float(cost)


@numba.njit(cache=True, nogil=True)
def bone_term(d: Array, target: Array, frame: Array, weight: Array, cut: float, M: Array, v: Array) -> float:
    """The direction of a bone ``d`` (3,), any length, against a unit vector, as world landmarks say it.

    ``frame`` (3, 3) rows are the axes in which ``weight`` (3,) holds inverse noises. The derivative of
    ``d / |d|`` is ``(I - d d^T / |d|^2) / |d|``.
    """
    length = max(np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]), 1e-9)
    ux, uy, uz = d[0] / length, d[1] / length, d[2] / length
    r2 = 0.0
    for i in range(3):
        r = weight[i] * (
            frame[i, 0] * (ux - target[0]) + frame[i, 1] * (uy - target[1]) + frame[i, 2] * (uz - target[2])
        )
        r2 += r * r
    cost, w = robust(r2, cut)
    row = np.empty(3)
    for i in range(3):
        f0, f1, f2 = frame[i, 0], frame[i, 1], frame[i, 2]
        r = weight[i] * (f0 * (ux - target[0]) + f1 * (uy - target[1]) + f2 * (uz - target[2]))
        along = f0 * ux + f1 * uy + f2 * uz
        row[0] = weight[i] * (f0 - along * ux) / length
        row[1] = weight[i] * (f1 - along * uy) / length
        row[2] = weight[i] * (f2 - along * uz) / length
        for a in range(3):
            v[a] += w * row[a] * r
            for b in range(3):
                M[a, b] += w * row[a] * row[b]
    return float(cost)


@numba.njit(cache=True, nogil=True)
def gaussian_term(x: Array, mean: Array, inverse_sigma: Array, H: Array, g: Array, want: bool) -> float:
    """Independent Gaussians on the unknowns: pose prior, shape prior (betas are standard normal), and
    where the body was a frame ago."""
    cost = 0.0
    for a in range(len(x)):
        s = inverse_sigma[a]
        if s > 0.0:
            r = (x[a] - mean[a]) * s
            cost += 0.5 * r * r
            if want:
                H[a, a] += s * s
                g[a] += s * r
    return cost


@numba.njit(cache=True, nogil=True)
def limit_term(x: Array, limits: Array, wall: float, H: Array, g: Array, want: bool) -> float:
    """A soft wall at the joints' limits; the root turns freely."""
    cost = 0.0
    for a in range(3, N_POSE):
        over = 0.0
        if x[a] < limits[a, 0]:
            over = x[a] - limits[a, 0]
        elif x[a] > limits[a, 1]:
            over = x[a] - limits[a, 1]
        if over != 0.0:
            cost += 0.5 * wall * wall * over * over
            if want:
                H[a, a] += wall * wall
                g[a] += wall * wall * over
    return cost


@numba.njit(cache=True, nogil=True)
def hinge_term(x: Array, prior: Prior, H: Array, g: Array, want: bool) -> float:
    """Elbows and knees do not bend backwards.

    ``s = axis . (upper x R lower)`` is the sine of the bend; the residual is what falls short of a few
    degrees below straight. By the joint's axis-angle: ``dR = [Jl dθ]x R``, so
    ``ds = (f x (axis x upper)) . Jl dθ`` with ``f = R lower``.
    """
    cost = 0.0
    for h in range(len(prior.hinge_joint)):
        j = prior.hinge_joint[h]
        theta = x[3 * j : 3 * j + 3]
        R = rodrigues(theta)
        f = R @ prior.hinge_lower[h]
        side = np.cross(prior.hinge_axis[h], prior.hinge_upper[h])
        short = -HINGE_SLACK - side @ f
        if short <= 0.0:
            continue
        w2 = prior.hinge_weight * prior.hinge_weight
        cost += 0.5 * w2 * short * short
        if want:
            ds = np.cross(f, side) @ left_jacobian(theta)
            for a in range(3):
                g[3 * j + a] -= w2 * short * ds[a]
                for b in range(a + 1):
                    H[3 * j + a, 3 * j + b] += w2 * ds[a] * ds[b]
    return cost


@numba.njit(cache=True, nogil=True, fastmath=True)
def mixture_term(x: Array, prior: Prior, H: Array, g: Array, want: bool) -> float:
    """A Gaussian mixture on the 63 body angles, by its likeliest component (Olson and Agarwal, Inference
    on networks of mixtures, 2012; Bogo et al., Keep it SMPL, 2016, eq. 8)."""
    if len(prior.mix_log) == 0 or prior.mix_weight <= 0.0:
        return 0.0
    best, which = np.inf, 0
    n = N_POSE - 3
    d = np.empty(n)
    for c in range(len(prior.mix_log)):
        for a in range(n):
            d[a] = x[3 + a] - prior.mix_mean[c, a]
        value = -prior.mix_log[c]
        for i in range(n):
            z = 0.0
            for a in range(i, n):
                z += prior.mix_root[c, i, a] * d[a]
            value += 0.5 * z * z
            if value >= best:
                break
        if value < best:
            best, which = value, c
    if want:
        P = prior.mix_precision[which]
        pull = P @ (x[3:N_POSE] - prior.mix_mean[which])
        for a in range(n):
            g[3 + a] += prior.mix_weight * pull[a]
            for b in range(a + 1):
                H[3 + a, 3 + b] += prior.mix_weight * P[a, b]
    return prior.mix_weight * best
