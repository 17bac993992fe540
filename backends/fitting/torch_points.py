"""Points of many posed bodies and their derivatives in torch: what :mod:`kernels` does for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from backends.fitting.arrays import BodyArrays
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE

Tensor = Any


@dataclass(frozen=True, slots=True, eq=False)
class TorchBody:
    """The body's arrays on a device; ``below`` (22, 22): whether joint i hangs on joint j (or is it)."""

    parents: tuple[int, ...]
    J_template: Tensor
    J_dirs: Tensor
    weight: Tensor
    template: Tensor
    dirs: Tensor
    below: Tensor

    @staticmethod
    def make(body: BodyArrays, n_points: int, device: Any, dtype: Any) -> TorchBody:
        """The first ``n_points`` points of a body."""
        below = np.zeros((N_FIT_JOINTS, N_FIT_JOINTS))
        for i in range(N_FIT_JOINTS):
            j = i
            while j >= 0:
                below[j, i] = 1.0
                j = int(body.parents[j])

        def tensor(a: Any) -> Tensor:
            return torch.as_tensor(np.ascontiguousarray(a), dtype=dtype, device=device)

        return TorchBody(
            tuple(int(p) for p in body.parents), tensor(body.J_template), tensor(body.J_dirs),
            tensor(body.weight[:n_points]), tensor(body.template[:n_points]), tensor(body.dirs[:n_points]),
            tensor(below),
        )  # fmt: skip


def _skew(v: Tensor) -> Tensor:
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))


def turns(v: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation matrices (..., 3, 3) of axis-angles (..., 3), and left Jacobians of SO(3)."""
    a2 = (v * v).sum(-1)[..., None, None]
    small = a2 < 1e-6
    safe = torch.where(small, torch.ones_like(a2), a2)
    a = safe.sqrt()
    sine = torch.where(small, 1 - a2 / 6, torch.sin(a) / a)
    cosine = torch.where(small, 0.5 - a2 / 24, (1 - torch.cos(a)) / safe)
    cubic = torch.where(small, 1 / 6 - a2 / 120, (a - torch.sin(a)) / (safe * a))
    K = _skew(v)
    K2 = K @ K
    one = torch.eye(3, dtype=v.dtype, device=v.device)
    return one + sine * K + cosine * K2, one + cosine * K + cubic * K2


def points_and_derivatives(x: Tensor, body: TorchBody) -> tuple[Tensor, Tensor]:
    """Points (N, K, 3) and derivatives (N, K, 3, n) of unknowns (N, n): 66 angles, place, shape."""
    n = len(x)
    betas = x[:, N_POSE + 3 :]
    J = body.J_template + torch.einsum("jrb,nb->njr", body.J_dirs, betas)
    L, V = turns(x[:, :N_POSE].view(n, N_FIT_JOINTS, 3))
    G: list[Tensor] = []
    P: list[Tensor] = []
    A: list[Tensor] = []
    dP: list[Tensor] = []
    for j, p in enumerate(body.parents):
        if p < 0:
            G.append(L[:, j])
            A.append(V[:, j])
            P.append(J[:, j] + x[:, N_POSE : N_POSE + 3])
            dP.append(body.J_dirs[j].expand(n, -1, -1))
        else:
            G.append(G[p] @ L[:, j])
            A.append(G[p] @ V[:, j])
            P.append(P[p] + (G[p] @ (J[:, j] - J[:, p])[..., None])[..., 0])
            dP.append(dP[p] + G[p] @ (body.J_dirs[j] - body.J_dirs[p]))
    rotation, place = torch.stack(G, 1), torch.stack(P, 1)
    turn, place_by_shape = torch.stack(A, 1), torch.stack(dP, 1)
    rest = body.template + torch.einsum("kjrb,nb->nkjr", body.dirs, betas)
    rest = rest - body.weight[..., None] * J[:, None]
    share = torch.einsum("njrc,nkjc->nkjr", rotation, rest) + body.weight[..., None] * place[:, None]
    X = share.sum(2)
    below = torch.einsum("ji,nkir->nkjr", body.below, share)
    lever = below - (body.weight @ body.below.T)[..., None] * place[:, None]
    # Column c of a joint's derivative is A[:, c] x lever.
    by_angle = torch.linalg.cross(turn.transpose(2, 3)[:, None], lever[..., None, :], dim=-1)
    by_angle = by_angle.permute(0, 1, 4, 2, 3).flatten(3)
    by_place = torch.eye(3, dtype=x.dtype, device=x.device).expand(n, X.shape[1], 3, 3)
    dirs = body.dirs - body.weight[..., None, None] * body.J_dirs
    by_shape = torch.einsum("njrc,kjcb->nkrb", rotation, dirs)
    by_shape = by_shape + torch.einsum("kj,njrb->nkrb", body.weight, place_by_shape)
    return X, torch.cat([by_angle, by_place, by_shape], dim=3)
