"""A body: template, shapes, skeleton and skinning, in SMPL-X's layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from backends.body.skeleton import JOINT_INDEX

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class BodyModel:
    """A body model; rest pose is smplx's T-pose (y up, facing +z, x to the body's left), metres.

    Whatever the file's own skeleton (24, 52 or 55 joints), the model speaks of SMPL-X's 55: joints that a
    file lacks carry no weight and lie on their parent.

    Attributes:
        name: what the body is called in files and reports.
        v_template: (V, 3); shapedirs: (V, 3, B); weights: (V, 55) float32; faces: (F, 3).
        posedirs: (P, V * 3) pose-dependent corrections, or None.
        parents: (55,) with -1 for the root.
        J_template: (55, 3); J_shapedirs: (55, 3, B): joints of a shape without touching vertices.
        keypoint_regressor: (23, V) sparse; rows add up to one.
        kp_weight: (23, 55); kp_template: (23, 55, 3); kp_shapedirs: (23, 55, 3, B): the regressor times
            the skinning weights, summed over vertices, so that a posed keypoint costs a few joints.
        part_of_vertex: (V,) joint that moves each vertex most.
        head_vertices, face_vertices: (V,) bool.
        joint_limits: (55, 3, 2) axis-angle bounds, radians.
        skin_joints, skin_weights: (V, 8) the strongest weights, sorted, for skinning.
        end_weights: (V, 55) skinning weights shared between both ends of each limb by place: what the
            doubt about joints means for a vertex between them.
    """

    name: str
    v_template: F8
    shapedirs: F8
    posedirs: npt.NDArray[np.float32] | None
    weights: npt.NDArray[np.float32]
    faces: I4
    parents: npt.NDArray[np.int64]
    J_template: F8
    J_shapedirs: F8
    keypoint_regressor: sparse.csr_matrix
    kp_weight: F8
    kp_template: F8
    kp_shapedirs: F8
    part_of_vertex: I4
    head_vertices: npt.NDArray[np.bool_]
    face_vertices: npt.NDArray[np.bool_]
    joint_limits: F8
    skin_joints: I4
    skin_weights: npt.NDArray[np.float64]
    end_weights: npt.NDArray[np.float32]

    @property
    def n_betas(self) -> int:
        """Number of shape coefficients."""
        return int(self.shapedirs.shape[2])

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return len(self.v_template)

    def height(self, betas: F8) -> float:
        """Standing height of a shape, metres."""
        y = self.v_template[:, 1] + self.shapedirs[:, 1] @ betas
        return float(y.max() - y.min())


_SKIN_INFLUENCES = 8


def make_body(
    name: str,
    *,
    v_template: F8,
    shapedirs: F8,
    posedirs: npt.NDArray[np.float32] | None,
    weights: F8,
    faces: I4,
    parents: npt.NDArray[np.int64],
    J_regressor: sparse.csr_matrix,
    keypoint_regressor: sparse.csr_matrix,
    head_vertices: npt.NDArray[np.bool_],
    face_vertices: npt.NDArray[np.bool_],
    joint_limits: F8,
) -> BodyModel:
    """Derive what the fitter and the skinning need from a file's arrays (already checked)."""
    weights = weights / weights.sum(axis=1, keepdims=True)
    n_vertices, _, n_betas = shapedirs.shape
    flat_dirs = shapedirs.reshape(n_vertices, -1)
    kp_weight = keypoint_regressor @ weights
    kp_template = np.empty((keypoint_regressor.shape[0], weights.shape[1], 3))
    kp_shapedirs = np.empty((*kp_template.shape, n_betas))
    for k in range(keypoint_regressor.shape[0]):
        row = keypoint_regressor.getrow(k)
        blend = weights[row.indices] * row.data[:, None]
        kp_template[k] = blend.T @ v_template[row.indices]
        kp_shapedirs[k] = (blend.T @ flat_dirs[row.indices]).reshape(-1, 3, n_betas)
    order = np.argsort(-weights, axis=1)[:, :_SKIN_INFLUENCES]
    top = np.take_along_axis(weights, order, axis=1)
    return BodyModel(
        name=name,
        v_template=np.ascontiguousarray(v_template),
        shapedirs=np.ascontiguousarray(shapedirs),
        posedirs=posedirs,
        weights=weights.astype(np.float32),
        faces=np.ascontiguousarray(faces, dtype=np.int32),
        parents=parents,
        J_template=J_regressor @ v_template,
        J_shapedirs=(J_regressor @ flat_dirs).reshape(-1, 3, n_betas),
        keypoint_regressor=keypoint_regressor,
        kp_weight=np.asarray(kp_weight),
        kp_template=kp_template,
        kp_shapedirs=kp_shapedirs,
        part_of_vertex=weights.argmax(axis=1).astype(np.int32),
        head_vertices=head_vertices,
        face_vertices=face_vertices,
        joint_limits=joint_limits,
        skin_joints=order.astype(np.int32),
        skin_weights=top / top.sum(axis=1, keepdims=True),
        end_weights=_shared_between_ends(v_template, weights, J_regressor @ v_template),
    )


_LIMBS = tuple(
    (JOINT_INDEX[f"{side}_{a}"], JOINT_INDEX[f"{side}_{b}"])
    for side in ("left", "right")
    for a, b in (
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("shoulder", "elbow"), ("elbow", "wrist"),
    )
)  # fmt: skip


def _shared_between_ends(vertices: F8, weights: F8, J: F8) -> npt.NDArray[np.float32]:
    shared = weights.copy()
    for start, end in _LIMBS:
        axis = J[end] - J[start]
        along = np.clip((vertices - J[start]) @ axis / max(float(axis @ axis), 1e-9), 0.0, 1.0)
        given = weights[:, start] * along
        shared[:, start] -= given
        shared[:, end] += given
    return shared.astype(np.float32)
