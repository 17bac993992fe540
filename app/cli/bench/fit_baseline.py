"""The textbook way to fit a body to keypoints, for comparison: SMPLify (Bogo et al., Keep it SMPL, 2016) as
smplx's users write it: torch, automatic derivatives through the skinning, L-BFGS with strong Wolfe steps,
the camera first and then everything in four stages of ever weaker priors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, BodyParams
from backends.camera import Camera
from backends.fitting.problem import pose_prior, resting_hands
from backends.keypoints.types import Keypoints

F8 = npt.NDArray[np.float64]

_STAGES = ((404.0, 100.0), (404.0, 50.0), (57.4, 10.0), (4.78, 5.0))
"""Weights of the pose and shape priors, stage by stage (SMPLify's published code)."""
_ROBUST_PX = 100.0
_STEPS = 30
_TOLERANCE = 1e-5
"""Relative drop of the cost at which a stage ends: the same as that of our own fit."""
_TORSO = (5, 6, 11, 12)


class Textbook:
    """Fits one body to one picture by automatic derivatives."""

    def __init__(self, body: BodyModel, steps: int = _STEPS) -> None:
        """``steps``: at most so many in each stage."""
        import torch

        self._steps = steps
        self._torch = torch
        self._body = body
        mean, inverse = pose_prior()
        self._mean, self._inverse = self._tensor(mean[3:]), self._tensor(inverse[3:])
        self._template, self._dirs = self._tensor(body.v_template), self._tensor(body.shapedirs)
        self._J, self._J_dirs = self._tensor(body.J_template), self._tensor(body.J_shapedirs)
        self._weights = self._tensor(body.weights)
        self._hands = self._tensor(resting_hands())
        regressor = body.keypoint_regressor
        columns = np.unique(regressor.indices)
        self._columns = torch.as_tensor(columns, dtype=torch.long)
        self._regressor = self._tensor(regressor[:, columns].toarray())

    def fit(self, keypoints: Keypoints, camera: Camera) -> tuple[BodyParams, float]:
        """The body in camera coordinates, and the root mean square miss of the used keypoints, pixels.

        The lens is taken to be straight. Facing the camera and turned away are both tried.
        """
        torch = self._torch
        used = keypoints.visibility > 0
        target = self._tensor(keypoints.xy)
        weight = self._tensor(np.where(used, keypoints.score, 0.0)) ** 2
        torso = torch.zeros_like(weight)
        torso[list(_TORSO)] = weight[list(_TORSO)]
        K = self._tensor(camera.K)
        best: tuple[float, list[Any]] = (np.inf, [])
        for turn in ((np.pi, 0.0, 0.0), (0.0, 0.0, np.pi)):
            x = [
                self._tensor(turn),
                self._mean.clone(),
                self._place(keypoints, camera),
                self._tensor(np.zeros(10)),
            ]
            x = [v.requires_grad_(True) for v in x]
            self._minimise([x[0], x[2]], lambda x=x: self._cost(x, K, target, torso, 0.0, 0.0))
            for pose, shape in _STAGES:
                cost = self._minimise(x, lambda x=x, p=pose, s=shape: self._cost(x, K, target, weight, p, s))
            if cost < best[0]:
                best = (cost, x)
        with torch.no_grad():
            root, pose, place, betas = best[1]
            away = (self._pixels(best[1], K) - target).norm(dim=1).numpy()[used]
        full = np.concatenate(
            [root.detach().numpy()[None], pose.detach().numpy().reshape(-1, 3), resting_hands()]
        )
        params = BodyParams(betas.detach().numpy(), full, place.detach().numpy())
        return params, float(np.sqrt((away**2).mean()))

    def _tensor(self, a: Any) -> Any:
        return self._torch.as_tensor(np.ascontiguousarray(a), dtype=self._torch.float64)

    def _place(self, keypoints: Keypoints, camera: Camera) -> Any:
        """Where the body is by its size in the picture."""
        used = keypoints.xy[keypoints.visibility > 0]
        size = max(float(np.ptp(used[:, 1])), 1.0)
        middle = np.linalg.inv(camera.K) @ np.append(used.mean(axis=0), 1.0)
        return self._tensor(middle * camera.fx * 1.7 / size)

    def _minimise(self, unknowns: list[Any], cost: Any) -> float:
        """L-BFGS until the cost falls by less than the tolerance."""
        solver = self._torch.optim.LBFGS(
            unknowns, lr=1.0, max_iter=1, history_size=100, line_search_fn="strong_wolfe"
        )

        def closure() -> Any:
            solver.zero_grad()
            value = cost()
            value.backward()
            return value

        last = np.inf
        for _ in range(self._steps):
            value = float(solver.step(closure).detach())
            if last - value < _TOLERANCE * (abs(value) + 1.0):
                break
            last = value
        return last

    def _cost(self, x: list[Any], K: Any, target: Any, weight: Any, pose: float, shape: float) -> Any:
        torch = self._torch
        square = ((self._pixels(x, K) - target) ** 2).sum(dim=1)
        bounded = _ROBUST_PX**2 * square / (_ROBUST_PX**2 + square)
        value = (weight * bounded).sum()
        if pose:
            body = x[1].reshape(-1, 3)
            # Elbows and knees that bend backwards (SMPLify, eq. 7).
            bent = torch.exp(torch.stack([body[17, 1], -body[18, 1], -body[3, 0], -body[4, 0]]))
            value = value + pose * (((x[1] - self._mean) * self._inverse) ** 2).sum()
            value = value + shape * (x[3] ** 2).sum() + 0.317 * pose * (bent**2).sum()
        return value

    def _pixels(self, x: list[Any], K: Any) -> Any:
        points = self._keypoints(x)
        flat = points @ K.T
        return flat[:, :2] / flat[:, 2:].clamp(min=0.05)

    def _keypoints(self, x: list[Any]) -> Any:
        """(23, 3) of the skinned body, as smplx does it: every vertex."""
        torch = self._torch
        root, pose, place, betas = x
        J = self._J + self._J_dirs @ betas
        local = self._rotations(torch.cat([root[None], pose.reshape(-1, 3), self._hands]))
        G: list[Any] = []
        P: list[Any] = []
        for j, parent in enumerate(int(p) for p in self._body.parents):
            G.append(local[j] if parent < 0 else G[parent] @ local[j])
            P.append(J[j] + place if parent < 0 else P[parent] + G[parent] @ (J[j] - J[parent]))
        rotation, position = torch.stack(G), torch.stack(P)
        offset = position - (rotation @ J[..., None])[..., 0]
        moves = torch.cat([rotation, offset[..., None]], dim=2)
        blend = (self._weights @ moves.reshape(len(moves), 12)).reshape(-1, 3, 4)
        shaped = self._template + self._dirs @ betas
        vertices = (blend[..., :3] @ shaped[..., None])[..., 0] + blend[..., 3]
        return self._regressor @ vertices[self._columns]

    def _rotations(self, v: Any) -> Any:
        """(N, 3, 3) of axis-angles (Rodrigues)."""
        torch = self._torch
        angle = (v + 1e-8).norm(dim=1)[:, None, None]
        axis = v / angle[:, :, 0]
        zero = torch.zeros_like(axis[:, 0])
        cross = torch.stack(
            [zero, -axis[:, 2], axis[:, 1], axis[:, 2], zero, -axis[:, 0], -axis[:, 1], axis[:, 0], zero],
            dim=1,
        ).reshape(-1, 3, 3)
        eye = torch.eye(3, dtype=v.dtype)
        return eye + angle.sin() * cross + (1 - angle.cos()) * cross @ cross
