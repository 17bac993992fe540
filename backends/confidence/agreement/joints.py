"""The 14 joints on which a mesh and a keypoint estimator are compared, and where each layout has them.

Jafarian and Qureshi, Error estimation for single-image human body mesh reconstruction, arXiv 2305.17245.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from backends.keypoints.layout import INDEX

AGREEMENT_JOINTS: Final[tuple[str, ...]] = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist",
    "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head",
)  # fmt: skip
"""The paper's order. ``head`` is the nose for both estimators."""
N_JOINTS: Final = len(AGREEMENT_JOINTS)

RIGHT_HIP, LEFT_HIP, NECK = (AGREEMENT_JOINTS.index(n) for n in ("right_hip", "left_hip", "neck"))

MIRROR: Final = np.array([5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13])
"""Index of each joint's counterpart on the other side of the body."""

KIND: Final = np.array([0, 1, 2, 2, 1, 0, 3, 4, 5, 5, 4, 3, 6, 7])
"""Joints of one kind (left and right) share a number."""

FROM_SPIN49: Final = np.array([11, 10, 9, 12, 13, 14, 4, 3, 2, 5, 6, 7, 40, 0])
"""Where SPIN's superset of 49 joints has them."""
SPIN49_SPINE: Final = 41
"""The spine in SPIN's superset (H36M's definition)."""

FROM_COCO18: Final = np.array([10, 9, 8, 11, 12, 13, 4, 3, 2, 5, 6, 7, 1, 0])
"""Where OpenPose's COCO model of 18 has them."""

FROM_KEYPOINTS23: Final = np.array(
    [INDEX[n] for n in AGREEMENT_JOINTS[:12]] + [-1, INDEX["nose"]], dtype=np.int64
)
"""Where the program's 23 keypoints have them; the neck (-1) is the middle of the shoulders."""

PARTS: Final[dict[str, tuple[int, ...]]] = {
    "hips": (2, 3), "leftUpLeg": (3, 4), "rightUpLeg": (1, 2), "spine": (2, 3), "leftLeg": (4, 5),
    "rightLeg": (0, 1), "spine1": (8, 9), "leftFoot": (5,), "rightFoot": (0,), "spine2": (8, 9, 12),
    "leftToeBase": (5,), "rightToeBase": (0,), "neck": (12,), "leftShoulder": (9,), "rightShoulder": (8,),
    "head": (13,), "leftArm": (9, 10), "rightArm": (7, 8), "leftForeArm": (10, 11), "rightForeArm": (6, 7),
    "leftHand": (11,), "rightHand": (6,), "leftHandIndex1": (11,), "rightHandIndex1": (6,),
}  # fmt: skip
"""SMPL's 24 parts in the order of its joints, under the names of its published segmentation (the first
knuckles being SMPL's last two joints), each with the joints whose mean is its value."""
