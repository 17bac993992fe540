"""The terms of :mod:`terms` for many people at once in torch, and their normal equations.

Derivatives are by hand here too. Terms on the skin (outline, surface) are left out: their pairs change from
round to round and from one person to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import torch

from backends.fitting.arrays import Array, Evidence, Prior
from backends.fitting.kernels import N_POSE
from backends.fitting.terms import HINGE_SLACK, NEAR_M
from backends.fitting.torch_points import Chain, Tensor, TorchBody, points_and_derivatives, through
from backends.keypoints.layout import N_KEYPOINTS

_SHARED = frozenset({"cameras", "depth_cut", "points_cut", "bones", "bone_cut"})
"""Evidence that does not differ from one person to the next."""


class Terms:
    """The cost of many bodies and their normal equations."""

    def __init__(self, body: TorchBody, known: dict[str, Tensor], prior: Prior, tensor: Any) -> None:
        self._body, self._known = body, known
        bent = known["cameras"][:, [1, 5, 6, 7, 8, 9]] != 0
        self._straight = [not b for b in bent.any(1).tolist()]
        self._mean, self._inverse = tensor(prior.mean), tensor(prior.inverse_sigma)
        self._low, self._high = tensor(prior.limits[:, 0]), tensor(prior.limits[:, 1])
        self._wall2 = float(prior.wall) ** 2
        self._hinges = torch.as_tensor(prior.hinge_joint, dtype=torch.int64, device=body.order.device)
        self._side = tensor(np.cross(prior.hinge_axis, prior.hinge_upper))
        self._lower = tensor(prior.hinge_lower)
        self._hinge2 = float(prior.hinge_weight) ** 2
        self._mix = (tensor(prior.mix_log), tensor(prior.mix_mean), tensor(prior.mix_precision))
        self._mix_weight = float(prior.mix_weight)

    def of(self, people: Tensor) -> Terms:
        """The terms of some of the people (M,)."""
        some = copy(self)
        some._known = {name: a if name in _SHARED else a[people] for name, a in self._known.items()}
        return some

    def normal_equations(self, x: Tensor, width: float) -> tuple[Tensor, Tensor, Tensor]:
        """Costs (N,), H (N, n, n), g (N, n)."""
        X, dX, chain = points_and_derivatives(x, self._body)
        near, seen = X[:, :N_KEYPOINTS], dX[:, :N_KEYPOINTS]
        cost = torch.zeros_like(x[:, 0])
        parts, residuals = [], []

        def add(value: Tensor, J: Tensor, by: Tensor, r: Tensor) -> None:
            nonlocal cost
            cost = cost + value
            parts.append(through(J, by).flatten(1, 2))
            residuals.append(r.flatten(1))

        for view in range(len(self._known["cameras"])):
            value, J, r = self._reprojection(near, view, width)
            add(value, J, seen, r)
            if "depth" in self._known:
                value, J, r = self._depth(near, view, width)
                add(value, J, seen, r)
        if "points" in self._known:
            value, weight, r = self._places(X, width)
            cost = cost + value
            parts.append((weight[..., None, None] * dX).flatten(1, 2))
            residuals.append(r.flatten(1))
        value, J, r = self._bones(near, width)
        add(value, J, (self._known["bones"] @ seen.flatten(2)).unflatten(2, seen.shape[2:]), r)
        rows, r = torch.cat(parts, 1), torch.cat(residuals, 1)
        H = rows.transpose(1, 2) @ rows
        g = (rows.transpose(1, 2) @ r[..., None])[..., 0]
        diagonal, pull, p_cost = self._priors(x)
        torch.diagonal(H, dim1=1, dim2=2).add_(diagonal)
        g += pull
        return cost + p_cost + self._hinge(chain, H, g) + self._mixture(x, H, g), H, g

    def misses(self, x: Tensor) -> Tensor:
        """(N, 23) pixels from the given keypoints of the first view."""
        X, _, _ = points_and_derivatives(x, self._body)
        xy, _, _ = _project(self._known["cameras"][0], X[:, :N_KEYPOINTS], self._straight[0])
        return (xy - self._known["xy"][:, 0]).norm(dim=-1)

    def _reprojection(self, X: Tensor, view: int, width: float) -> tuple[Tensor, Tensor, Tensor]:
        """Costs (N,), weighted derivatives (N, 23, 2, 3) by the points, weighted residuals (N, 23, 2)."""
        k = self._known
        inverse, cuts = k["inverse"][:, view], k["cuts"][:, view] * width
        xy, J, z = _project(k["cameras"][view], X, self._straight[view])
        used = inverse > 0
        lost = used & (z < NEAR_M)
        used = used & ~lost
        r = torch.where(used[..., None], (xy - k["xy"][:, view]) * inverse[..., None], torch.zeros_like(xy))
        cost, w = _robust((r * r).sum(-1), cuts)
        if len(k["cameras"]) == 1:
            total = torch.where(lost.any(1), torch.full_like(z[:, 0], torch.inf), cost.sum(1))
        else:  # a view that sees nothing of it has lost its say
            total = torch.where(lost, 0.5 * cuts * cuts, cost).sum(1)
        root = w.sqrt()[..., None]
        J = torch.where(used[..., None, None], J * (inverse[..., None] * root)[..., None], 0.0)
        return total, J, r * root

    def _depth(self, X: Tensor, view: int, width: float) -> tuple[Tensor, Tensor, Tensor]:
        """The same for distances along a camera's axis: (N,), (N, 23, 1, 3), (N, 23, 1)."""
        k = self._known
        camera, inverse = k["cameras"][view], k["depth_inverse"][:, view]
        axis = camera[16:19]
        r = torch.where(inverse > 0, (X @ axis + camera[21] - k["depth"][:, view]) * inverse, 0.0)
        cost, w = _robust(r * r, k["depth_cut"] * width)
        root = w.sqrt()
        return cost.sum(1), (inverse * root)[..., None, None] * axis, (r * root)[..., None]

    def _places(self, X: Tensor, width: float) -> tuple[Tensor, Tensor, Tensor]:
        """Costs (N,) of points known in space, weights (N, K) of their derivatives, residuals (N, K, 3)."""
        k, n = self._known, X.shape[1]
        inverse = k["points_inverse"][:, :n]
        gap = (X - k["points"][:, :n]) * inverse[..., None]
        cost, w = _robust((gap * gap).sum(-1), k["points_cut"] * width)
        root = w.sqrt()
        return cost.sum(1), inverse * root, gap * root[..., None]

    def _bones(self, X: Tensor, width: float) -> tuple[Tensor, Tensor, Tensor]:
        """The same for bones: (N,), (N, M, 3, 3) by the bones' vectors, (N, M, 3)."""
        k = self._known
        d = torch.einsum("mk,nkr->nmr", k["bones"], X)
        length = d.norm(dim=-1, keepdim=True).clamp(min=1e-9)
        u = d / length
        turned = torch.einsum("nir,nmr->nmi", k["frame"], u - k["target"])
        r = k["bone_weight"] * turned
        cost, w = _robust((r * r).sum(-1), k["bone_cut"] * width)
        across = torch.eye(3, dtype=X.dtype, device=X.device) - u[..., :, None] * u[..., None, :]
        J = k["bone_weight"][..., None] * through(k["frame"][:, None], across) / length[..., None]
        root = w.sqrt()[..., None]
        return cost.sum(1), J * root[..., None], r * root

    def _priors(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        r = (x - self._mean) * self._inverse
        cost = 0.5 * (r * r).sum(1)
        a = x[:, 3:N_POSE]
        over = torch.clamp(a - self._high[3:], min=0) + torch.clamp(a - self._low[3:], max=0)
        wall = self._wall2 * (over != 0).to(x.dtype)
        cost = cost + 0.5 * self._wall2 * (over * over).sum(1)
        diagonal = (self._inverse**2).expand_as(x).clone()
        pull = r * self._inverse
        diagonal[:, 3:N_POSE] += wall
        pull[:, 3:N_POSE] += self._wall2 * over
        return diagonal, pull, cost

    def _hinge(self, chain: Chain, H: Tensor, g: Tensor) -> Tensor:
        R, V = chain.local[:, self._hinges], chain.jacobian[:, self._hinges]
        f = through(R, self._lower[..., None])[..., 0]
        short = torch.clamp(-HINGE_SLACK - (f * self._side).sum(-1), min=0)
        ds = through(torch.linalg.cross(f, self._side.expand_as(f))[..., None, :], V)[..., 0, :]
        ds = ds * (short > 0)[..., None]
        g[:, :N_POSE].view(len(g), -1, 3)[:, self._hinges] -= self._hinge2 * short[..., None] * ds
        columns = (3 * self._hinges[:, None] + torch.arange(3, device=g.device))[:, :, None]
        H[:, columns, columns.transpose(1, 2)] += self._hinge2 * ds[..., :, None] * ds[..., None, :]
        return 0.5 * self._hinge2 * (short * short).sum(1)

    def _mixture(self, x: Tensor, H: Tensor, g: Tensor) -> Tensor:
        log, mean, precision = self._mix
        if not len(log) or self._mix_weight <= 0:
            return torch.zeros_like(x[:, 0])
        d = x[:, None, 3:N_POSE] - mean
        pull = torch.einsum("cij,ncj->nci", precision, d)
        best, which = (0.5 * (d * pull).sum(-1) - log).min(1)
        g[:, 3:N_POSE] += self._mix_weight * pull[torch.arange(len(x), device=x.device), which]
        H[:, 3:N_POSE, 3:N_POSE] += (self._mix_weight * precision)[which]
        return self._mix_weight * best


def evidence_arrays(known: Evidence) -> dict[str, Array]:
    """What the terms need of the evidence; depths and places in space only where there are any."""
    arrays = {
        "cameras": known.cameras, "xy": known.xy, "inverse": _inverse(known.sigma), "cuts": known.cuts,
        "bones": known.bones, "target": known.target, "frame": known.frame,
        "bone_weight": known.bone_weight, "bone_cut": np.array(known.bone_cut),
    }  # fmt: skip
    if np.isfinite(known.depth_sigma).any():
        arrays |= {"depth": known.depth, "depth_inverse": _inverse(known.depth_sigma)}
        arrays["depth_cut"] = np.array(known.depth_cut)
    if np.isfinite(known.points_sigma).any():
        arrays |= {"points": known.points, "points_inverse": _inverse(known.points_sigma)}
        arrays["points_cut"] = np.array(known.points_cut)
    return arrays


def joined(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The evidence of several lots of people seen by the same cameras, as one."""
    return {
        name: a if name in _SHARED else torch.cat([p[name] for p in parts]) for name, a in parts[0].items()
    }


def _inverse(sigma: Array) -> Array:
    """One over a noise, 0 where it is infinite."""
    told = np.isfinite(sigma)
    return np.asarray(np.where(told, 1.0 / np.where(told, sigma, 1.0), 0.0))


def _robust(r2: Tensor, cut: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.where(cut > 0, cut * cut / (cut * cut + r2), torch.ones_like(r2))
    return 0.5 * r2 * s, s * s


def _project(camera: Tensor, X: Tensor, straight: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels (N, K, 2), their derivatives (N, K, 2, 3) by the points, and depths of world points.

    ``straight``: the lens neither bends nor skews, which saves a GPU many small steps.
    """
    fx, skew, cx, fy, cy, k1, k2, p1, p2, k3 = camera[:10]
    R = camera[10:19].view(3, 3)
    X = X @ R.T + camera[19:22]
    z = X[..., 2]
    safe = torch.clamp(z, min=NEAR_M)
    x, y = X[..., 0] / safe, X[..., 1] / safe
    if straight:
        zero = torch.zeros_like(x)
        ux, vy = fx.expand_as(x), fy.expand_as(x)
        J = torch.stack([ux, zero, -fx * x, zero, vy, -fy * y], dim=-1).unflatten(-1, (2, 3))
        xy = torch.stack([fx * x + cx, fy * y + cy], dim=-1)
        return xy, through(J / safe[..., None, None], R), z
    r2 = x * x + y * y
    inside = r2 <= camera[22]
    q = torch.where(inside, r2, camera[22])
    d = 1 + q * (k1 + q * (k2 + q * k3))
    on = inside.to(X.dtype)
    slope = 2 * (k1 + q * (2 * k2 + 3 * q * k3)) * on
    t1, t2 = p1 * on, p2 * on
    xd = x * d + 2 * t1 * x * y + t2 * (r2 + 2 * x * x)
    yd = y * d + t1 * (r2 + 2 * y * y) + 2 * t2 * x * y
    cross = slope * x * y + 2 * t1 * x + 2 * t2 * y
    a = d + slope * x * x + 2 * t1 * y + 6 * t2 * x
    b = d + slope * y * y + 6 * t1 * y + 2 * t2 * x
    ux, uy = fx * a + skew * cross, fx * cross + skew * b
    vx, vy = fy * cross, fy * b
    J = torch.stack(
        [ux, uy, -(ux * x + uy * y), vx, vy, -(vx * x + vy * y)], dim=-1
    ).unflatten(-1, (2, 3)) / safe[..., None, None]  # fmt: skip
    xy = torch.stack([fx * xd + skew * yd + cx, fy * yd + cy], dim=-1)
    return xy, through(J, R), z
