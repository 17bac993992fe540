"""What an estimator means by a keypoint: its constant offset from the body's own, learnt from footage.

Estimators disagree on where in the body a hip or a shoulder lies by centimetres, always to the same side.
Where several cameras triangulate the keypoints of many frames, the offset shows in the body's own axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.body.pose import forward_kinematics, shaped_joints
from backends.errors import InputError
from backends.fitting.arrays import BodyArrays
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.types import ViewsFit
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]

_MAX_M = 0.08
_MIN_FRAMES = 5


def shifted(arrays: BodyArrays, offsets: F8) -> BodyArrays:
    """The body with its keypoints shifted by ``offsets`` (23, 3), metres, axes of the rest pose."""
    template = arrays.template.copy()
    template[:N_KEYPOINTS] += arrays.weight[:N_KEYPOINTS, :, None] * offsets[:, None]
    return arrays._replace(template=template)


def learn_offsets(
    body: BodyModel, arrays: BodyArrays, fits: Sequence[ViewsFit], points: Sequence[npt.ArrayLike]
) -> F8:
    """(23, 3) how far the estimator's keypoints lie from the body's, metres, axes of the rest pose.

    The median over frames, in the axes of the limbs that carry each keypoint; 0 where fewer than five
    frames tell, never more than 8 cm.

    Args:
        arrays: the keypoints that ``fits`` were made with.
        points: per fit (23, 3) triangulated keypoints, world, NaN where unknown.

    Raises:
        InputError: other numbers of fits and points, or points of another shape.
    """
    if len(fits) != len(points):
        raise InputError(f"Each fit needs its triangulated points; got {len(fits)} and {len(points)}.")
    gaps = np.full((len(fits), N_KEYPOINTS, 3), np.nan)
    for gap, fit, given in zip(gaps, fits, points):
        target = np.asarray(given, dtype=np.float64)
        if target.shape != (N_KEYPOINTS, 3):
            raise InputError(f"Triangulated keypoints need shape (23, 3), got {target.shape}.")
        J = shaped_joints(body, fit.params.betas)
        G, _, _ = forward_kinematics(J, body.parents, fit.params.pose, fit.params.transl)
        turn = np.einsum("kj,jrc->krc", arrays.weight[:N_KEYPOINTS], G[:N_FIT_JOINTS])
        gap[:] = np.linalg.solve(turn, (target - fit.keypoints_3d)[..., None])[..., 0]
    told = np.isfinite(gaps).all(axis=2).sum(axis=0) >= _MIN_FRAMES
    offsets = np.zeros((N_KEYPOINTS, 3))
    if told.any():
        offsets[told] = np.nanmedian(gaps[:, told], axis=0)
    length = np.linalg.norm(offsets, axis=1, keepdims=True)
    bounded: F8 = offsets * np.minimum(1.0, _MAX_M / np.maximum(length, 1e-9))
    return bounded
