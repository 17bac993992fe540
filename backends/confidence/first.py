"""A first confidence: how far each joint of a fitted body may be from the truth, in millimetres.

The posterior of the fit says how well the evidence and the priors pin each joint down; where the body
missed the evidence by more than its noise, the miss itself is added, for then the model was wrong. Figures
hold after the body as a whole is aligned (place, turn and size): one view cannot tell how far away a
body is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.body.params import BodyParams
from backends.body.pose import posed_joints
from backends.body.skeleton import JOINT_NAMES
from backends.camera import Camera
from backends.confidence.types import BodyConfidence
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.types import FitResult
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.keypoints.types import Keypoints, Source, Visibility

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_MEAN_OF_NORMAL = 0.92
"""Mean length of a three-dimensional normal vector over the root of its covariance's trace."""

_MAX_MM = 500.0
_JUMP_M = 0.25
"""A joint that moves this far from one frame to the next, about the pelvis, is not to be believed."""

_NEAREST: dict[str, tuple[str, ...]] = {
    "pelvis": ("left_hip", "right_hip"), "spine1": ("left_hip", "right_hip"),
    "spine2": ("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
    "spine3": ("left_shoulder", "right_shoulder"), "neck": ("left_shoulder", "right_shoulder"),
    "head": ("nose", "left_ear", "right_ear"), "left_collar": ("left_shoulder",),
    "right_collar": ("right_shoulder",), "left_foot": ("left_big_toe",), "right_foot": ("right_big_toe",),
}  # fmt: skip


def _joint_from_keypoints() -> F8:
    matrix = np.zeros((N_FIT_JOINTS, N_KEYPOINTS))
    for j in range(N_FIT_JOINTS):
        names = _NEAREST.get(JOINT_NAMES[j], (JOINT_NAMES[j],))
        for name in names:
            matrix[j, INDEX[name]] = 1.0 / len(names)
    return matrix


_TO_JOINTS = _joint_from_keypoints()


def estimate_confidence(
    body: BodyModel,
    result: FitResult,
    keypoints: Keypoints,
    camera: Camera,
    *,
    previous: BodyParams | None = None,
) -> BodyConfidence:
    """Expected errors of a fit.

    Args:
        keypoints: what the body was fitted to.
        previous: the same person a frame earlier, if the fit started there; sudden jumps count as doubt.
    """
    joints = posed_joints(body, result.params)[:N_FIT_JOINTS]
    depth = max(float(joints[:, 2].mean()), 0.1)
    mm_per_px = 1e3 * depth / camera.fx
    used = np.isfinite(result.residual_px)
    residual = np.where(used, np.nan_to_num(result.residual_px), 0.0).astype(np.float64)
    noise = np.where(used, result.sigma_px, 0.0).astype(np.float64)
    # Within two standard deviations a miss is noise, which the posterior has already counted.
    miss = np.maximum(residual - 2.0 * noise, 0.0) * mm_per_px
    by_person = keypoints.source == Source.PERSON
    keypoint_mm = np.hypot(_MEAN_OF_NORMAL * result.keypoint_sigma_mm, miss)
    joint_mm = np.hypot(_MEAN_OF_NORMAL * result.joint_sigma_mm, _TO_JOINTS @ np.where(by_person, 0.0, miss))
    if previous is not None:
        before = posed_joints(body, previous)[:N_FIT_JOINTS]
        moved = np.linalg.norm((joints - joints[0]) - (before - before[0]), axis=1)
        jump = 1e3 * np.maximum(moved - _JUMP_M, 0.0)
        joint_mm = np.hypot(joint_mm, jump)
    full = np.empty(len(JOINT_NAMES))
    full[:N_FIT_JOINTS] = joint_mm
    for j in range(N_FIT_JOINTS, len(JOINT_NAMES)):
        # Fingers and face are not fitted: each joint farther out is a little less sure.
        step = 6.0 if JOINT_NAMES[j][-1].isdigit() else 0.0
        full[j] = full[int(body.parents[j])] + step
    points: F4 = np.minimum(np.nan_to_num(keypoint_mm, nan=_MAX_MM), _MAX_MM).astype(np.float32)
    joint: F4 = np.minimum(np.nan_to_num(full, nan=_MAX_MM), _MAX_MM).astype(np.float32)
    return BodyConfidence(points, joint, float(joint[:N_FIT_JOINTS].mean()))


def spread_to_vertices(body: BodyModel, joint_mm: npt.ArrayLike) -> F4:
    """(V,) float32 expected error of each vertex, mm: the mean over the ends of the bones that move it.

    A vertex hangs on a joint by its skinning weight, but how far it may be off depends on both ends of
    the bone: an upper arm is as sure as shoulder and elbow together.
    """
    mm = np.asarray(joint_mm, dtype=np.float64)
    return np.asarray(body.end_weights @ mm, dtype=np.float32)


def explain_keypoints(
    keypoints: Keypoints, reprojected: F4, camera: Camera, keypoint_mm: F4
) -> tuple[str, ...]:
    """Per keypoint a few plain words on why it may be off, or ""."""
    xy = keypoints.xy
    inside = (xy[:, 0] >= 0) & (xy[:, 0] < camera.width) & (xy[:, 1] >= 0) & (xy[:, 1] < camera.height)
    used = keypoints.visibility != Visibility.ABSENT
    size = float(np.hypot(*np.ptp(xy[used], axis=0))) if used.any() else 1.0
    away = np.hypot(*(reprojected - xy).T)
    words = []
    for k in range(N_KEYPOINTS):
        if keypoints.source[k] == Source.PERSON:
            words.append("placed by hand, depth unclear" if keypoint_mm[k] > 75.0 else "placed by hand")
        elif keypoints.visibility[k] == Visibility.ABSENT:
            words.append("not seen")
        elif not inside[k]:
            words.append("outside the picture")
        elif away[k] > 0.06 * size:
            words.append("far from the mesh")
        elif keypoints.visibility[k] == Visibility.OCCLUDED:
            words.append("hidden from view")
        elif keypoints.score[k] < 0.5:
            words.append("hard to see")
        elif keypoint_mm[k] > 75.0:
            words.append("distance unclear")
        else:
            words.append("")
    return tuple(words)
