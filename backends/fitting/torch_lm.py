"""Batched Levenberg-Marquardt in torch: the terms of :mod:`terms` for many people at once, but for those on
the skin (outline, surface), whose pairs change from round to round and from one person to the next.

On a CPU the compiled threads of :mod:`batch` are faster; this is for a GPU, where thousands of bodies
cost about as much as one. Derivatives are by hand here too. Each body has its own damping.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from backends.camera import Camera
from backends.fitting.arrays import Evidence, Prior
from backends.fitting.batch import BatchFit, make_batch, starts
from backends.fitting.evidence import N_POINTS
from backends.fitting.fitter import COLD_WIDTH, BodyFitter
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE
from backends.fitting.terms import HINGE_SLACK, NEAR_M
from backends.fitting.torch_points import Tensor, TorchBody, points_and_derivatives, turns
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]

_HUGE = 1e30


class TorchFitter:
    """The fit of many people at once, on a GPU where there is one."""

    def __init__(self, fitter: BodyFitter, *, device: str | None = None, dtype: Any = torch.float32) -> None:
        """``device`` as torch names it; by default CUDA where there is one, else the CPU."""
        self._fitter = fitter
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._dtype = dtype
        self._body = TorchBody.make(fitter.arrays, N_KEYPOINTS, self.device, dtype)
        self._whole = TorchBody.make(fitter.arrays, N_POINTS, self.device, dtype)
        self.nb = fitter.body.n_betas

    def fit_many(
        self, xy: npt.ArrayLike, score: npt.ArrayLike, world: npt.ArrayLike, camera: Camera
    ) -> BatchFit:
        """As :func:`backends.fitting.batch.fit_many`, to the working precision."""
        f = self._fitter
        batch = make_batch(f, xy, score, world, camera)
        x = self._tensor(starts(f, batch))
        known = self._evidence(batch.known)
        prior, limits = f.prior_for(self.nb), self._tensor(f.bounds(self.nb, in_front=True))
        terms = _Terms(self._body, known, prior, self._tensor)
        with torch.no_grad():
            x, _ = self._descend(terms, x, limits, f.settings.cold_iterations, COLD_WIDTH, 1e-3)
            x, cost = self._descend(terms, x, limits, f.settings.cold_iterations, 1.0, 1e-5)
            miss = terms.misses(x)
        found, costs = x.double().cpu().numpy(), cost.double().cpu().numpy()
        away, used = miss.double().cpu().numpy(), batch.view.used
        fitted = batch.enough & np.isfinite(costs) & (costs < _HUGE) & np.isfinite(found).all(axis=1)
        found[~fitted] = np.concatenate([f.prior.mean, np.zeros(self.nb)])
        squares = np.where(used & fitted[:, None], away**2, 0.0).sum(axis=1)
        rms = np.where(fitted, np.sqrt(squares / np.maximum(used.sum(axis=1), 1)), np.nan)
        return BatchFit(
            fitted, found[:, :N_POSE].reshape(len(found), N_FIT_JOINTS, 3), found[:, N_POSE : N_POSE + 3],
            found[:, N_POSE + 3 :], rms, np.where(fitted, costs, np.inf),
        )  # fmt: skip

    def descend(
        self, known: Evidence, x: F8, *, in_front: bool = True, prior: Prior | None = None
    ) -> tuple[F8, F8]:
        """Many people's bodies from evidence of any kind: several views, depths, places in space, bones.

        Args:
            known: a row a person in all arrays but ``cameras`` and ``bones``
                (:func:`backends.fitting.clip_kernels.one_frame`).
            x: (N, 69 + B) where each starts; :meth:`BodyFitter.pack`.
            in_front: all stand before a camera at the origin.

        Returns:
            Unknowns (N, 69 + B), and costs (N,), inf where a body lies behind its only camera.
        """
        f = self._fitter
        told = bool(np.isfinite(known.points_sigma[:, N_KEYPOINTS:]).any())
        body = self._whole if told else self._body
        terms = _Terms(body, self._evidence(known), prior or f.prior_for(self.nb), self._tensor)
        limits = self._tensor(f.bounds(self.nb, in_front=in_front))
        with torch.no_grad():
            found, cost = self._descend(terms, self._tensor(x), limits, f.settings.cold_iterations, 1.0, 1e-5)
        costs = cost.double().cpu().numpy()
        return found.double().cpu().numpy(), np.where(costs < _HUGE, costs, np.inf)

    def _tensor(self, a: Any) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(a), dtype=self._dtype, device=self.device)

    def _evidence(self, known: Evidence) -> dict[str, Tensor]:
        return {
            "cameras": self._tensor(known.cameras),
            "xy": self._tensor(known.xy),
            "inverse": self._tensor(_inverse(known.sigma)),
            "cuts": self._tensor(known.cuts),
            "depth": self._tensor(known.depth),
            "depth_inverse": self._tensor(_inverse(known.depth_sigma)),
            "depth_cut": self._tensor(np.array(known.depth_cut)),
            "points": self._tensor(known.points),
            "points_inverse": self._tensor(_inverse(known.points_sigma)),
            "points_cut": self._tensor(np.array(known.points_cut)),
            "bones": self._tensor(known.bones),
            "target": self._tensor(known.target),
            "frame": self._tensor(known.frame),
            "bone_weight": self._tensor(known.bone_weight),
            "bone_cut": self._tensor(np.array(known.bone_cut)),
        }

    def _descend(
        self, terms: _Terms, x: Tensor, limits: Tensor, steps: int, width: float, tolerance: float
    ) -> tuple[Tensor, Tensor]:
        n = len(x)
        lam = torch.full((n,), 1e-3, dtype=x.dtype, device=x.device)
        grow = torch.full_like(lam, 2.0)
        going = torch.ones(n, dtype=torch.bool, device=x.device)
        cost, H, g = terms.normal_equations(x, width)
        for _ in range(steps):
            diagonal = torch.diagonal(H, dim1=1, dim2=2)
            damped = H + torch.diag_embed(lam[:, None] * (diagonal + 1e-3))
            L, info = torch.linalg.cholesky_ex(damped)
            step = -torch.cholesky_solve(g[..., None], L)[..., 0]
            trial = torch.clamp(torch.where(torch.isfinite(step), x + step, x), limits[:, 0], limits[:, 1])
            new, new_H, new_g = terms.normal_equations(trial, width)
            better = (new < cost) & (info == 0) & going
            drop = cost - new
            pick = better[:, None]
            x = torch.where(pick, trial, x)
            H = torch.where(pick[..., None], new_H, H)
            g = torch.where(pick, new_g, g)
            done = better & (drop < tolerance * (new.abs() + 1.0))
            cost = torch.where(better, new, cost)
            lam = torch.where(better, torch.clamp(lam * 0.2, min=1e-6), lam * grow)
            grow = torch.where(better, torch.full_like(grow, 2.0), grow * 2.0)
            going &= ~done & (lam < 1e8)
            if not bool(going.any()):
                break
        return x, cost


class _Terms:
    """The cost of many bodies and their normal equations."""

    def __init__(self, body: TorchBody, known: dict[str, Tensor], prior: Prior, tensor: Any) -> None:
        self._body, self._known = body, known
        self._has_depth = bool((known["depth_inverse"] > 0).any())
        self._has_points = bool((known["points_inverse"] > 0).any())
        self._mean, self._inverse = tensor(prior.mean), tensor(prior.inverse_sigma)
        self._low, self._high = tensor(prior.limits[:, 0]), tensor(prior.limits[:, 1])
        self._wall2 = float(prior.wall) ** 2
        self._hinges = [int(j) for j in prior.hinge_joint]
        self._side = tensor(np.cross(prior.hinge_axis, prior.hinge_upper))
        self._lower = tensor(prior.hinge_lower)
        self._hinge2 = float(prior.hinge_weight) ** 2
        self._mix = (tensor(prior.mix_log), tensor(prior.mix_mean), tensor(prior.mix_precision))
        self._mix_weight = float(prior.mix_weight)

    def normal_equations(self, x: Tensor, width: float) -> tuple[Tensor, Tensor, Tensor]:
        """Costs (N,), H (N, n, n), g (N, n)."""
        X, dX = points_and_derivatives(x, self._body)
        seen = dX[:, :N_KEYPOINTS]
        cost = torch.zeros_like(x[:, 0])
        parts, residuals = [], []
        for view in range(len(self._known["cameras"])):
            value, J, r = self._reprojection(X[:, :N_KEYPOINTS], view, width)
            cost = cost + value
            parts.append((J @ seen).flatten(1, 2))
            residuals.append(r.flatten(1))
            if self._has_depth:
                value, J, r = self._depth(X[:, :N_KEYPOINTS], view, width)
                cost = cost + value
                parts.append((J @ seen).flatten(1, 2))
                residuals.append(r.flatten(1))
        if self._has_points:
            value, weight, r = self._places(X, width)
            cost = cost + value
            parts.append((weight[..., None, None] * dX).flatten(1, 2))
            residuals.append(r.flatten(1))
        b_cost, b_J, b_r = self._bones(X[:, :N_KEYPOINTS], width)
        parts.append((b_J @ torch.einsum("mk,nkra->nmra", self._known["bones"], seen)).flatten(1, 2))
        rows, r = torch.cat(parts, 1), torch.cat([*residuals, b_r.flatten(1)], 1)
        H = rows.transpose(1, 2) @ rows
        g = (rows.transpose(1, 2) @ r[..., None])[..., 0]
        diagonal, pull, p_cost = self._priors(x)
        H = H + torch.diag_embed(diagonal)
        g = g + pull
        h_cost = self._hinge(x, H, g) + self._mixture(x, H, g)
        return cost + b_cost + p_cost + h_cost, H, g

    def misses(self, x: Tensor) -> Tensor:
        """(N, 23) pixels from the given keypoints of the first view."""
        X, _ = points_and_derivatives(x, self._body)
        xy, _, _ = _project(self._known["cameras"][0], X[:, :N_KEYPOINTS])
        return (xy - self._known["xy"][:, 0]).norm(dim=-1)

    def _reprojection(self, X: Tensor, view: int, width: float) -> tuple[Tensor, Tensor, Tensor]:
        """Costs (N,), weighted derivatives (N, 23, 2, 3) by the points, weighted residuals (N, 23, 2)."""
        k = self._known
        inverse, cuts = k["inverse"][:, view], k["cuts"][:, view] * width
        xy, J, z = _project(k["cameras"][view], X)
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
        J = k["bone_weight"][..., None] * (k["frame"][:, None] @ across) / length[..., None]
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

    def _hinge(self, x: Tensor, H: Tensor, g: Tensor) -> Tensor:
        cost = torch.zeros_like(x[:, 0])
        for h, j in enumerate(self._hinges):
            at = slice(3 * j, 3 * j + 3)
            R, V = turns(x[:, at])
            f = R @ self._lower[h]
            short = torch.clamp(-HINGE_SLACK - f @ self._side[h], min=0)
            ds = (torch.linalg.cross(f, self._side[h].expand_as(f))[:, None] @ V)[:, 0]
            ds = ds * (short > 0)[:, None]
            cost = cost + 0.5 * self._hinge2 * short * short
            g[:, at] -= self._hinge2 * short[:, None] * ds
            H[:, at, at] += self._hinge2 * ds[:, :, None] * ds[:, None, :]
        return cost

    def _mixture(self, x: Tensor, H: Tensor, g: Tensor) -> Tensor:
        log, mean, precision = self._mix
        if not len(log) or self._mix_weight <= 0:
            return torch.zeros_like(x[:, 0])
        d = x[:, None, 3:N_POSE] - mean
        pull = (precision @ d[..., None])[..., 0]
        value = 0.5 * (d * pull).sum(-1) - log
        best, which = value.min(1)
        g[:, 3:N_POSE] += self._mix_weight * pull[torch.arange(len(x), device=x.device), which]
        H[:, 3:N_POSE, 3:N_POSE] += self._mix_weight * precision[which]
        return self._mix_weight * best


def _inverse(sigma: F8) -> F8:
    """One over a noise, 0 where it is infinite."""
    told = np.isfinite(sigma)
    return np.asarray(np.where(told, 1.0 / np.where(told, sigma, 1.0), 0.0))


def _robust(r2: Tensor, cut: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.where(cut > 0, cut * cut / (cut * cut + r2), torch.ones_like(r2))
    return 0.5 * r2 * s, s * s


def _project(camera: Tensor, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels (N, K, 2), their derivatives (N, K, 2, 3) by the points, and depths of world points."""
    fx, skew, cx, fy, cy, k1, k2, p1, p2, k3 = camera[:10]
    R = camera[10:19].view(3, 3)
    X = X @ R.T + camera[19:22]
    z = X[..., 2]
    safe = torch.clamp(z, min=NEAR_M)
    x, y = X[..., 0] / safe, X[..., 1] / safe
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
    return xy, J @ R, z
