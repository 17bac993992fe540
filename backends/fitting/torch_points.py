"""Points of many posed bodies and their derivatives in torch: what :mod:`kernels` does for one.

A GPU is busy here with carrying numbers to and fro, not with reckoning: products of 3 x 3 matrices are
written as sums of products over whole arrays, joints lie last, and results go straight to their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from backends.fitting.arrays import BodyArrays
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE

Tensor = Any


@dataclass(frozen=True, slots=True, eq=False)
class TorchBody:
    """The body's arrays on a device.

    Attributes:
        by_level: (22,) joints, the root first, then level after level of those that hang on it.
        order: (22,) where joint j stands among these; parents: (22,), the root's is itself.
        levels: of each level below the root, how many joints, and which of the level above they hang on.
        J_template (3, 22), J_dirs (3 * 22, B), weight (K, 22): as in :class:`BodyArrays`, joints last.
        rest_dirs: (K * 3 * 22, B) of points in their joints' axes, by shape; rest_template: (K, 3, 22).
        below: (22, 22): whether joint i hangs on joint j (or is it), at [i, j].
        below_weight: (K, 22) how much of a point hangs on a joint.
    """

    by_level: Tensor
    order: Tensor
    parents: Tensor
    levels: tuple[tuple[int, Tensor], ...]
    J_template: Tensor
    J_dirs: Tensor
    weight: Tensor
    rest_template: Tensor
    rest_dirs: Tensor
    below: Tensor
    below_weight: Tensor

    @staticmethod
    def make(body: BodyArrays, n_points: int, device: Any, dtype: Any) -> TorchBody:
        """The first ``n_points`` points of a body."""
        parents = [int(p) for p in body.parents[:N_FIT_JOINTS]]
        below = np.zeros((N_FIT_JOINTS, N_FIT_JOINTS))
        deep = []
        for i in range(N_FIT_JOINTS):
            j, steps = i, 0
            while j >= 0:
                below[i, j] = 1.0
                j, steps = parents[j], steps + 1
            deep.append(steps - 1)
        levels = [[j for j in range(N_FIT_JOINTS) if deep[j] == d] for d in range(max(deep) + 1)]
        by_level = [j for level in levels for j in level]
        weight = body.weight[:n_points]
        template = body.template[:n_points] - weight[..., None] * body.J_template
        dirs = body.dirs[:n_points] - weight[..., None, None] * body.J_dirs

        def tensor(a: Any) -> Tensor:
            return torch.as_tensor(np.ascontiguousarray(a), dtype=dtype, device=device)

        def index(a: Any) -> Tensor:
            return torch.as_tensor(np.array(a), dtype=torch.int64, device=device)

        return TorchBody(
            index(by_level), index(np.argsort(by_level)), index([max(p, 0) for p in parents]),
            tuple((len(on), index([up.index(parents[j]) for j in on])) for up, on in pairwise(levels)),
            tensor(body.J_template.T), tensor(body.J_dirs.transpose(1, 0, 2).reshape(-1, dirs.shape[-1])),
            tensor(weight), tensor(template.transpose(0, 2, 1)),
            tensor(dirs.transpose(0, 2, 1, 3).reshape(-1, dirs.shape[-1])),
            tensor(below), tensor(weight @ below),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Joints of N posed bodies.

    Attributes:
        local, jacobian: (N, 22, 3, 3) :func:`turns` of each joint's own axis-angle.
        rotation: (N, 22, 3, 3) from rest to the body's axes; turn: (N, 22, 3, 3) axes that the components of
            the axis-angle turn about.
        place: (N, 22, 3); place_by_shape: (N, 22, 3, B).
    """

    local: Tensor
    jacobian: Tensor
    rotation: Tensor
    turn: Tensor
    place: Tensor
    place_by_shape: Tensor


def through(a: Tensor, b: Tensor) -> Tensor:
    """Products (..., I, C) of many small matrices (..., I, 3) and (..., 3, C), faster than ``@`` here."""
    out = a[..., :, 0, None] * b[..., None, 0, :]
    out.addcmul_(a[..., :, 1, None], b[..., None, 1, :])
    return out.addcmul_(a[..., :, 2, None], b[..., None, 2, :])


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
    one = torch.eye(3, dtype=v.dtype, device=v.device)
    K2 = v[..., :, None] * v[..., None, :] - a2 * one
    return one + sine * K + cosine * K2, one + cosine * K + cubic * K2


def points_and_derivatives(x: Tensor, body: TorchBody) -> tuple[Tensor, Tensor, Chain]:
    """Points (N, K, 3), their derivatives (N, K, 3, n) by unknowns (N, n), 66 angles, place and shape; and
    the joints they hang on."""
    n, k, nb = len(x), len(body.weight), x.shape[1] - N_POSE - 3
    betas = x[:, N_POSE + 3 :]
    J = body.J_template + (betas @ body.J_dirs.T).view(n, 3, N_FIT_JOINTS)
    chain = _chain(x, J, body)
    # Joints last from here on: R (N, 3, 3, 22).
    R = chain.rotation.permute(0, 2, 3, 1).contiguous()
    A = chain.turn.permute(0, 2, 3, 1).contiguous()
    rest = (betas @ body.rest_dirs.T).view(n, k, 3, N_FIT_JOINTS) + body.rest_template
    at = chain.place.transpose(1, 2).contiguous()[:, None]
    share = body.weight[:, None] * at
    for c in range(3):
        share.addcmul_(rest[:, :, None, c], R[:, None, :, c])
    X = share.sum(3)
    lever = (share.view(-1, N_FIT_JOINTS) @ body.below).view(n, k, 3, N_FIT_JOINTS)
    lever.addcmul_(body.below_weight[:, None], at, value=-1)
    dX = torch.empty((n, k, 3, x.shape[1]), dtype=x.dtype, device=x.device)
    # Column c of joint j's derivative is A[:, c] x lever.
    for r, (up, on) in enumerate(((1, 2), (2, 0), (0, 1))):
        columns = dX[:, :, r, :N_POSE].view(n, k, N_FIT_JOINTS, 3)
        of_up, of_on = A[:, up].transpose(1, 2)[:, None], A[:, on].transpose(1, 2)[:, None]
        torch.mul(of_up, lever[:, :, on, :, None], out=columns)
        columns.addcmul_(of_on, lever[:, :, up, :, None], value=-1)
    dX[..., N_POSE : N_POSE + 3] = torch.eye(3, dtype=x.dtype, device=x.device)
    dirs = body.rest_dirs.view(k, 3, N_FIT_JOINTS, nb).permute(1, 2, 0, 3).reshape(3 * N_FIT_JOINTS, -1)
    by_shape = (R.view(n, 3, -1) @ dirs).view(n, 3, k, nb)
    by_shape += (chain.place_by_shape.permute(0, 2, 3, 1) @ body.weight.T).transpose(2, 3)
    dX[..., N_POSE + 3 :] = by_shape.transpose(1, 2)
    return X, dX, chain


def _chain(x: Tensor, J: Tensor, body: TorchBody) -> Chain:
    n = len(x)
    L, V = turns(x[:, :N_POSE].view(n, N_FIT_JOINTS, 3))
    own = L[:, body.by_level]
    G = [own[:, :1]]
    first = 1
    for count, above in body.levels:
        G.append(through(G[-1][:, above], own[:, first : first + count]))
        first += count
    rotation = torch.cat(G, 1)[:, body.order]
    up = rotation[:, body.parents]
    up[:, 0] = torch.eye(3, dtype=x.dtype, device=x.device)
    # What hangs between a joint and the one above it, summed up from the root.
    along = J.transpose(1, 2) - J.transpose(1, 2)[:, body.parents]
    along[:, 0] = J[:, :, 0] + x[:, N_POSE : N_POSE + 3]
    by_shape = body.J_dirs.view(3, N_FIT_JOINTS, -1).transpose(0, 1)
    along_by_shape = by_shape - by_shape[body.parents]
    along_by_shape[0] = by_shape[0]
    hung = torch.cat([along[..., None], along_by_shape.expand(n, -1, -1, -1)], dim=3)
    place = (body.below @ through(up, hung).flatten(2)).view(n, N_FIT_JOINTS, 3, -1)
    return Chain(L, V, rotation, through(up, V), place[..., 0], place[..., 1:])


def _skew(v: Tensor) -> Tensor:
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
