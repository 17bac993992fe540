"""Posing a body: linear blend skinning (Loper et al., SMPL, 2015, eq. 2-7) in compiled loops."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.errors import InputError

F8 = npt.NDArray[np.float64]


@numba.njit(cache=True, nogil=True)
def rodrigues(v: F8) -> F8:
    """Rotation matrix (3, 3) of an axis-angle vector (3,)."""
    angle2 = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
    R = np.empty((3, 3))
    if angle2 < 1e-16:
        a, b = 1.0, 0.5
    else:
        angle = np.sqrt(angle2)
        a, b = np.sin(angle) / angle, (1.0 - np.cos(angle)) / angle2
    x, y, z = v[0], v[1], v[2]
    R[0, 0] = 1.0 - b * (y * y + z * z)
    R[1, 1] = 1.0 - b * (x * x + z * z)
    R[2, 2] = 1.0 - b * (x * x + y * y)
    R[0, 1] = b * x * y - a * z
    R[1, 0] = b * x * y + a * z
    R[0, 2] = b * x * z + a * y
    R[2, 0] = b * x * z - a * y
    R[1, 2] = b * y * z - a * x
    R[2, 1] = b * y * z + a * x
    return R


@numba.njit(cache=True, nogil=True)
def forward_kinematics(J: F8, parents: npt.NDArray[np.int64], pose: F8, transl: F8) -> tuple[F8, F8, F8]:
    """World rotation G (J, 3, 3) and place P (J, 3) of each joint, and the local rotations (J, 3, 3)."""
    n = len(parents)
    G = np.empty((n, 3, 3))
    L = np.empty((n, 3, 3))
    P = np.empty((n, 3))
    for j in range(n):
        L[j] = rodrigues(pose[j])
        p = parents[j]
        if p < 0:
            G[j] = L[j]
            P[j] = J[j] + transl
        else:
            for r in range(3):
                for c in range(3):
                    G[j, r, c] = G[p, r, 0] * L[j, 0, c] + G[p, r, 1] * L[j, 1, c] + G[p, r, 2] * L[j, 2, c]
                P[j, r] = (
                    P[p, r]
                    + G[p, r, 0] * (J[j, 0] - J[p, 0])
                    + G[p, r, 1] * (J[j, 1] - J[p, 1])
                    + G[p, r, 2] * (J[j, 2] - J[p, 2])
                )
    return G, P, L


@numba.njit(cache=True, nogil=True, fastmath=True)
def _skin(
    v_template: F8, shapedirs: F8, betas: F8, J: F8, G: F8, P: F8, joints: npt.NDArray[np.int32], weights: F8
) -> F8:
    n_joints = len(J)
    offset = np.empty((n_joints, 3))
    for j in range(n_joints):
        for r in range(3):
            offset[j, r] = P[j, r] - (G[j, r, 0] * J[j, 0] + G[j, r, 1] * J[j, 1] + G[j, r, 2] * J[j, 2])
    n, n_betas, k = len(v_template), len(betas), joints.shape[1]
    out = np.empty((n, 3))
    for v in range(n):
        x, y, z = v_template[v, 0], v_template[v, 1], v_template[v, 2]
        for b in range(n_betas):
            x += shapedirs[v, 0, b] * betas[b]
            y += shapedirs[v, 1, b] * betas[b]
            z += shapedirs[v, 2, b] * betas[b]
        ox = oy = oz = 0.0
        for i in range(k):
            w = weights[v, i]
            if w == 0.0:
                break  # the weights are sorted
            j = joints[v, i]
            ox += w * (G[j, 0, 0] * x + G[j, 0, 1] * y + G[j, 0, 2] * z + offset[j, 0])
            oy += w * (G[j, 1, 0] * x + G[j, 1, 1] * y + G[j, 1, 2] * z + offset[j, 1])
            oz += w * (G[j, 2, 0] * x + G[j, 2, 1] * y + G[j, 2, 2] * z + offset[j, 2])
        out[v, 0], out[v, 1], out[v, 2] = ox, oy, oz
    return out


def _check(body: BodyModel, params: BodyParams) -> None:
    if params.pose.shape != (55, 3) or params.betas.shape != (body.n_betas,) or params.transl.shape != (3,):
        raise InputError(
            f"This body takes pose (55, 3), betas ({body.n_betas},) and transl (3,); got "
            f"{params.pose.shape}, {params.betas.shape} and {params.transl.shape}."
        )


def shaped_joints(body: BodyModel, betas: F8) -> F8:
    """(55, 3) joints of a shape in the rest pose."""
    joints: F8 = body.J_template + body.J_shapedirs @ betas
    return joints


def posed_joints(body: BodyModel, params: BodyParams) -> F8:
    """(55, 3) joints, metres, the coordinates of ``params``.

    Raises:
        InputError: for parameters of another size.
    """
    _check(body, params)
    J = shaped_joints(body, params.betas)
    joints: F8 = forward_kinematics(J, body.parents, params.pose, params.transl)[1]
    return joints


def posed_vertices(body: BodyModel, params: BodyParams) -> F8:
    """(V, 3) vertices, metres, the coordinates of ``params``.

    Raises:
        InputError: for parameters of another size.
    """
    _check(body, params)
    J = shaped_joints(body, params.betas)
    G, P, L = forward_kinematics(J, body.parents, params.pose, params.transl)
    template = body.v_template
    if body.posedirs is not None:
        n_pose = body.posedirs.shape[0] // 9
        feature = (L[1 : n_pose + 1] - np.eye(3)).reshape(-1)
        template = template + (feature @ body.posedirs).reshape(-1, 3)
    vertices: F8 = _skin(template, body.shapedirs, params.betas, J, G, P, body.skin_joints, body.skin_weights)
    return vertices


def posed_keypoints(body: BodyModel, params: BodyParams) -> F8:
    """(23, 3) default keypoints, metres, the coordinates of ``params``; pose corrections left out.

    Raises:
        InputError: for parameters of another size.
    """
    _check(body, params)
    J = shaped_joints(body, params.betas)
    G, P, _ = forward_kinematics(J, body.parents, params.pose, params.transl)
    rest = body.kp_template + body.kp_shapedirs @ params.betas
    offset = P - np.einsum("jrc,jc->jr", G, J)
    points: F8 = np.einsum("jrc,kjc->kr", G, rest) + body.kp_weight @ offset
    return points
