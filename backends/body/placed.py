"""Bodies carried from one frame of coordinates into another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from backends.body.params import BodyParams

F8 = npt.NDArray[np.float64]


def in_camera(params: BodyParams, rest_pelvis: F8, R: F8, t: F8) -> BodyParams:
    """World parameters as camera parameters, ``x_cam = R @ x_world + t``.

    A body turns about its pelvis joint, which does not lie at its origin, so that the translation changes
    with the rotation: ``transl' = R (J0 + transl) + t - J0``.

    Args:
        rest_pelvis: (3,) J0, the pelvis joint of this shape in the rest pose
            (``shaped_joints(body, betas)[0]``), metres.
        R, t: (3, 3) and (3,), metres.
    """
    pose = params.pose.copy()
    pose[0] = Rotation.from_matrix(R @ Rotation.from_rotvec(params.pose[0]).as_matrix()).as_rotvec()
    return BodyParams(params.betas, pose, R @ (rest_pelvis + params.transl) + t - rest_pelvis)
