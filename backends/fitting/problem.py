"""A body in the form that the compiled kernels take: 22 joints, 23 keypoints and the joints as points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES
from backends.fitting.arrays import BodyArrays, Prior
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE
from backends.fitting.mixture import PoseMixture
from backends.keypoints.layout import INDEX, N_KEYPOINTS

F8 = npt.NDArray[np.float64]

_BONES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("left_shoulder",), ("left_elbow",)), (("left_elbow",), ("left_wrist",)),
    (("right_shoulder",), ("right_elbow",)), (("right_elbow",), ("right_wrist",)),
    (("left_hip",), ("left_knee",)), (("left_knee",), ("left_ankle",)),
    (("right_hip",), ("right_knee",)), (("right_knee",), ("right_ankle",)),
    (("left_heel",), ("left_big_toe",)), (("right_heel",), ("right_big_toe",)),
    (("right_shoulder",), ("left_shoulder",)), (("right_hip",), ("left_hip",)),
    (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")),
    (("left_shoulder", "right_shoulder"), ("left_ear", "right_ear")),
    (("left_ear", "right_ear"), ("nose",)),
)  # fmt: skip
"""Bones whose direction is compared: from the middle of the first points to the middle of the second."""

N_BONES = len(_BONES)


@lru_cache(maxsize=1)
def bone_matrix() -> F8:
    """(M, 23) coefficients: ``bone_matrix() @ points`` are the bones' vectors."""
    matrix = np.zeros((N_BONES, N_KEYPOINTS))
    for row, (start, end) in zip(matrix, _BONES):
        for name in start:
            row[INDEX[name]] -= 1.0 / len(start)
        for name in end:
            row[INDEX[name]] += 1.0 / len(end)
    return matrix


# Standard deviations of each joint's axis-angle about its mean, radians, and the mean where it is not
# zero, for the left side (the right side mirrors y and z). Set by hand from everyday movement: standing,
# walking, sitting and reaching lie within two of them.
_SPREAD: dict[str, tuple[float, float, float]] = {
    "pelvis": (np.inf, np.inf, np.inf),
    "hip": (0.70, 0.35, 0.30), "knee": (0.80, 0.12, 0.08), "ankle": (0.30, 0.15, 0.15),
    "foot": (0.12, 0.05, 0.05), "spine1": (0.20, 0.15, 0.12), "spine2": (0.14, 0.12, 0.10),
    "spine3": (0.14, 0.12, 0.10), "neck": (0.25, 0.28, 0.18), "head": (0.22, 0.25, 0.15),
    "collar": (0.12, 0.18, 0.18), "shoulder": (0.60, 0.70, 0.70), "elbow": (0.60, 0.85, 0.12),
    "wrist": (0.25, 0.25, 0.35),
}  # fmt: skip
_MEAN: dict[str, tuple[float, float, float]] = {
    "shoulder": (0.0, -0.2, -0.95), "elbow": (0.0, -0.45, 0.0), "knee": (0.25, 0.0, 0.0),
    "hip": (-0.15, 0.0, 0.05),
}  # fmt: skip
_FINGERS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "index": ((0.0, 0.13, -0.42), (0.0, 0.0, -0.42), (0.0, 0.0, -0.21)),
    "middle": ((0.0, 0.03, -0.50), (0.0, 0.0, -0.50), (0.0, 0.0, -0.27)),
    "ring": ((0.0, -0.07, -0.56), (0.0, 0.0, -0.56), (0.0, 0.0, -0.30)),
    "pinky": ((0.0, -0.17, -0.62), (0.0, 0.0, -0.58), (0.0, 0.0, -0.31)),
    "thumb": ((0.12, 0.10, 0.0), (0.0, 0.25, 0.0), (0.0, 0.26, 0.0)),
}
"""Fingers of the left hand where nothing is known of them, knuckle to tip: the mean of drawn people at work
and at rest, which is about how a relaxed hand hangs. The body's fit leaves them so."""


def _mirrored(joint: str, values: tuple[float, float, float]) -> tuple[float, float, float]:
    return (values[0], -values[1], -values[2]) if joint.startswith("right_") else values


def _part(joint: str) -> str:
    side, _, part = joint.partition("_")
    return part if side in ("left", "right") else joint


def pose_prior() -> tuple[F8, F8]:
    """Mean and inverse standard deviation (66,) of the pose."""
    mean, inverse = np.zeros(N_POSE), np.zeros(N_POSE)
    for j in range(N_FIT_JOINTS):
        name = JOINT_NAMES[j]
        part = _part(name)
        mean[3 * j : 3 * j + 3] = _mirrored(name, _MEAN.get(part, (0.0, 0.0, 0.0)))
        inverse[3 * j : 3 * j + 3] = 1.0 / np.array(_SPREAD[part])
    return mean, inverse


def resting_hands() -> F8:
    """(33, 3) axis-angles of joints 22 to 54: jaw and eyes straight, fingers relaxed."""
    pose = np.zeros((len(JOINT_NAMES) - N_FIT_JOINTS, 3))
    for j, name in enumerate(JOINT_NAMES[N_FIT_JOINTS:]):
        if name[-1].isdigit():
            pose[j] = _mirrored(name, _FINGERS[_part(name)[:-1]][int(name[-1]) - 1])
    return pose


_HINGES = (
    ("left_hip", "left_knee", "left_ankle", (1.0, 0.0, 0.0)),
    ("right_hip", "right_knee", "right_ankle", (1.0, 0.0, 0.0)),
    ("left_shoulder", "left_elbow", "left_wrist", (0.0, -1.0, 0.0)),
    ("right_shoulder", "right_elbow", "right_wrist", (0.0, 1.0, 0.0)),
)
"""Joint above, hinge, joint below, and the axis of the rest pose about which the hinge bends."""

WALL = 12.0
"""Inverse noise, 1 / radian, of what goes beyond a joint's limit."""


def joint_roots(body: BodyModel) -> list[int]:
    """For each of the 55 joints the fitted one that it hangs on: fingers on a wrist, jaw on the head."""
    roots = list(range(len(body.parents)))
    for j in range(N_FIT_JOINTS, len(roots)):
        roots[j] = roots[int(body.parents[j])]
    return roots


def make_problem(body: BodyModel) -> BodyArrays:
    """Keypoints and joints as points of 22 joints; the others are folded into those they hang on."""
    root_of = joint_roots(body)
    n_points, nb = N_KEYPOINTS + N_FIT_JOINTS, body.n_betas
    weight = np.zeros((n_points, N_FIT_JOINTS))
    template = np.zeros((n_points, N_FIT_JOINTS, 3))
    dirs = np.zeros((n_points, N_FIT_JOINTS, 3, nb))
    for j, root in enumerate(root_of):
        weight[:N_KEYPOINTS, root] += body.kp_weight[:, j]
        template[:N_KEYPOINTS, root] += body.kp_template[:, j]
        dirs[:N_KEYPOINTS, root] += body.kp_shapedirs[:, j]
    for j in range(N_FIT_JOINTS):
        weight[N_KEYPOINTS + j, j] = 1.0
        template[N_KEYPOINTS + j, j] = body.J_template[j]
        dirs[N_KEYPOINTS + j, j] = body.J_shapedirs[j]
    weight[np.abs(weight) < 1e-5] = 0.0
    template[weight == 0.0] = 0.0
    dirs[weight == 0.0] = 0.0
    total = weight.sum(axis=1)
    weight /= total[:, None]
    template /= total[:, None, None]
    dirs /= total[:, None, None, None]
    return BodyArrays(
        parents=np.ascontiguousarray(body.parents[:N_FIT_JOINTS], dtype=np.int64),
        J_template=np.ascontiguousarray(body.J_template[:N_FIT_JOINTS], dtype=np.float64),
        J_dirs=np.ascontiguousarray(body.J_shapedirs[:N_FIT_JOINTS], dtype=np.float64),
        weight=weight,
        template=template,
        dirs=dirs,
    )


def make_prior(body: BodyModel, mixture: PoseMixture | None = None, weight: float = 1.0) -> Prior:
    """The prior of a body's 66 angles and 3 of its place; a free shape is appended by the caller.

    Args:
        mixture: a density of poses on top of the independent Gaussians; ``weight``: how much its logarithm
            counts.
    """
    mean, inverse = pose_prior()
    joints = np.array([JOINT_INDEX[hinge] for _, hinge, _, _ in _HINGES], dtype=np.int64)
    J = body.J_template

    def along(a: str, b: str) -> F8:
        bone = J[JOINT_INDEX[b]] - J[JOINT_INDEX[a]]
        unit: F8 = bone / max(float(np.linalg.norm(bone)), 1e-9)
        return unit

    n = N_POSE - 3
    parts = mixture.kernel_arrays() if mixture else (np.zeros(0), np.zeros((0, n)), np.zeros((0, n, n)))
    roots = mixture.factors if mixture else np.zeros((0, n, n))
    return Prior(
        mean=np.concatenate([mean, np.zeros(3)]),
        inverse_sigma=np.concatenate([inverse, np.zeros(3)]),
        limits=np.ascontiguousarray(body.joint_limits[:N_FIT_JOINTS].reshape(-1, 2), dtype=np.float64),
        wall=WALL,
        hinge_joint=joints,
        hinge_axis=np.array([axis for *_, axis in _HINGES]),
        hinge_upper=np.stack([along(a, b) for a, b, _, _ in _HINGES]),
        hinge_lower=np.stack([along(b, c) for _, b, c, _ in _HINGES]),
        hinge_weight=WALL,
        mix_log=parts[0],
        mix_mean=parts[1],
        mix_precision=parts[2],
        mix_root=np.ascontiguousarray(roots.transpose(0, 2, 1)),
        mix_weight=weight if mixture else 0.0,
    )
