"""Carries a fit from one body to another, through the joints and keypoints that both have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, BodyParams, posed_joints, posed_keypoints
from backends.errors import InputError
from backends.fitting.evidence import gather
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE
from backends.fitting.problem import make_prior, make_problem
from backends.fitting.solver import solve
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]

_JOINT_M, _KEYPOINT_M = 0.010, 0.020
"""How well two bodies agree on where a joint, and a keypoint of the skin, lies."""
_TURN = 0.15
"""How well they agree on a joint's angles, radians."""
_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """The other body's parameters, the same coordinates.

    Attributes:
        joints_mm: (22,) distance between the two bodies' joints; keypoints_mm (23,).
    """

    params: BodyParams
    joints_mm: F8
    keypoints_mm: F8


def transfer(
    source: BodyModel, params: BodyParams, target: BodyModel, *, betas: F8 | None = None
) -> Transfer:
    """Find the parameters by which ``target`` stands as ``source`` does.

    Both speak SMPL-X's joints, so that angles carry over but for what the bodies' different builds ask
    for; hands, jaw and eyes carry over as they are.

    Args:
        params: of the source body.
        betas: shape of the target body, which is then not fitted: fit it once a person.

    Raises:
        InputError: parameters of another size than the source body's, or not finite.
    """
    if not all(np.isfinite(a).all() for a in (params.betas, params.pose, params.transl)):
        raise InputError("The body to carry over holds values that are not finite.")
    points = np.concatenate([posed_keypoints(source, params), posed_joints(source, params)[:N_FIT_JOINTS]])
    if betas is not None and (betas.shape != (target.n_betas,) or not np.isfinite(betas).all()):
        raise InputError(f"betas need shape ({target.n_betas},) and finite values, got {betas.shape}.")
    nb = target.n_betas if betas is None else 0
    shape = np.zeros(target.n_betas) if betas is None else np.ascontiguousarray(betas, np.float64)
    sigma = np.concatenate([np.full(N_KEYPOINTS, _KEYPOINT_M), np.full(N_FIT_JOINTS, _JOINT_M)])
    known = gather([], [], own_axes=True, points=points, points_sigma=sigma, points_cut=6.0)
    angles = params.pose[:N_FIT_JOINTS].reshape(-1)
    prior = make_prior(target)
    inverse = np.concatenate([np.zeros(3), np.full(N_POSE - 3, 1.0 / _TURN), np.zeros(3), np.ones(nb)])
    prior = prior._replace(
        mean=np.concatenate([angles, np.zeros(3 + nb)]), inverse_sigma=inverse, wall=0.0, hinge_weight=0.0
    )
    root = target.J_template[0] + target.J_shapedirs[0] @ shape
    x = np.concatenate([angles, points[N_KEYPOINTS] - root, np.zeros(nb)])
    bounds = np.full((len(x), 2), [-np.inf, np.inf])
    bounds[N_POSE + 3 :] = -5.0, 5.0
    x, _, _ = solve(x, shape, nb, make_problem(target), known, prior, bounds, len(points), _STEPS, 1e-8)
    pose = np.concatenate([x[:N_POSE].reshape(-1, 3), params.pose[N_FIT_JOINTS:]])
    found = BodyParams(x[N_POSE + 3 :].copy() if nb else shape, pose, x[N_POSE : N_POSE + 3].copy())
    joints = posed_joints(target, found)[:N_FIT_JOINTS]
    keypoints = posed_keypoints(target, found)
    return Transfer(
        found,
        1e3 * np.linalg.norm(joints - points[N_KEYPOINTS:], axis=1),
        1e3 * np.linalg.norm(keypoints - points[:N_KEYPOINTS], axis=1),
    )
