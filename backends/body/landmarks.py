"""Where the keypoints lie on a body file that does not say so itself: joints, and places on face and feet.

On SMPL's and SMPL-X's own meshes the places are the vertices that ``smplx.vertex_ids`` lists. On any other
mesh they are found by form: the nose is the foremost point of the head, the heel the hindmost of the foot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from backends.body.skeleton import JOINT_INDEX
from backends.errors import WeightsError
from backends.keypoints.layout import KEYPOINT_NAMES, N_KEYPOINTS

F8 = npt.NDArray[np.float64]

_KNOWN_MESHES: Final = {6890: "smplh", 10475: "smplx"}
"""Vertices of the published meshes: SMPL and SMPL-H share one."""

_HEAD: Final = ("head", "jaw", "left_eye_smplhf", "right_eye_smplhf")
_EYE: Final = (0.175, 0.135, 0.86)
_EAR: Final = (0.43, 0.055, 0.47)
"""Places in the head's box: aside of the middle, above the nose, and forward, as shares of its width, height
and depth (of the body that ships with the program)."""


def landmark_regressor(
    name: str, v_template: F8, part: npt.NDArray[Any], J: sparse.csr_matrix
) -> sparse.csr_matrix:
    """(23, V) weights of vertices, rows adding up to one.

    Args:
        name: of the file, for messages.
        v_template: (V, 3) metres at rest, y up, facing +z, x to the body's left.
        part: (V,) joint that moves each vertex most.
        J: (55, V) joints from vertices.

    Raises:
        WeightsError: the mesh has no head or no feet to look at.
    """
    n = len(v_template)
    find = _listed(n) if n in _KNOWN_MESHES else _by_form(name, v_template, part)
    matrix = sparse.lil_matrix((N_KEYPOINTS, n))
    for k, keypoint in enumerate(KEYPOINT_NAMES):
        if keypoint in JOINT_INDEX:
            matrix[k] = J[JOINT_INDEX[keypoint]]
        else:
            matrix[k, find(keypoint)] = 1.0
    return sparse.csr_matrix(matrix)


def _listed(n: int) -> Callable[[str], int]:
    from smplx.vertex_ids import vertex_ids

    ids = vertex_ids[_KNOWN_MESHES[n]]
    short = {"big_toe": "BigToe", "small_toe": "SmallToe", "heel": "Heel"}

    def find(keypoint: str) -> int:
        side, _, what = keypoint.partition("_")
        if not what:
            return int(ids[keypoint])
        listed = f"{side[0]}{what}" if what in ("eye", "ear") else f"{side[0].upper()}{short[what]}"
        return int(ids[listed])

    return find


def _by_form(name: str, v_template: F8, part: npt.NDArray[Any]) -> Callable[[str], int]:
    def of(*joints: str) -> npt.NDArray[np.int64]:
        own = np.flatnonzero(np.isin(part, [JOINT_INDEX[j] for j in joints]))
        if len(own) < 8:
            raise WeightsError(f"{name} has no {joints[0].replace('_', ' ')} to speak of; keypoints need it.")
        return own

    head = of(*_HEAD)
    centre = float(np.median(v_template[head, 0]))
    size = np.ptp(v_template[head], axis=0)
    back = float(v_template[head, 2].min())
    # The tip of the nose: the foremost point near the middle, not a fringe or a chin aside.
    middle = head[np.abs(v_template[head, 0] - centre) < 0.12 * size[0]]
    low = float(v_template[head, 1].min())
    face = middle[v_template[middle, 1] > low + 0.25 * size[1]]
    nose = int(face[np.argmax(v_template[face, 2])])

    def on_head(side: float, place: tuple[float, float, float]) -> int:
        aside, above, forward = place
        at = np.array([
            centre + side * aside * size[0], v_template[nose, 1] + above * size[1], back + forward * size[2],
        ])  # fmt: skip
        return int(head[np.argmin(((v_template[head] - at) ** 2).sum(axis=1))])

    def find(keypoint: str) -> int:
        side, _, what = keypoint.partition("_")
        sign = 1.0 if side == "left" else -1.0
        if keypoint == "nose":
            return nose
        if what in ("eye", "ear"):
            return on_head(sign, _EYE if what == "eye" else _EAR)
        foot = of(f"{side}_ankle", f"{side}_foot")
        v = v_template[foot]
        ground = foot[v[:, 1] < v[:, 1].min() + 0.05]
        w = v_template[ground]
        outwards = sign * w[:, 0]
        if what == "heel":
            return int(ground[np.argmin(w[:, 2])])
        # Toes: as far forward as may be, the big one on the inner, the small one on the outer side.
        inner = -0.5 if what == "big_toe" else 1.0
        return int(ground[np.argmax(w[:, 2] + inner * outwards)])

    return find
