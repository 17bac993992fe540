"""The orders of joints that data sets use, under the field's common names."""

from __future__ import annotations

from typing import Final

from app.datasets.types import JointLayout
from backends.body.skeleton import JOINT_NAMES
from backends.keypoints.convert import LAYOUTS
from backends.keypoints.layout import KEYPOINT_NAMES

KEYPOINTS23: Final = JointLayout("keypoints23", KEYPOINT_NAMES)
"""The program's own: COCO's 17 and COCO-WholeBody's six of the feet."""

COCO17: Final = JointLayout("coco17", LAYOUTS["coco17"])
COCO18: Final = JointLayout("coco18", LAYOUTS["coco18"])
"""OpenPose's COCO model, as 3DPW's ``poses2d``."""

BODY25: Final = JointLayout("body25", LAYOUTS["body25"])
"""OpenPose's BODY_25."""

SMPLX55: Final = JointLayout("smplx55", JOINT_NAMES)
SMPL24: Final = JointLayout("smpl24", (*JOINT_NAMES[:22], "left_hand", "right_hand"))

H36M17: Final = JointLayout("h36m17", LAYOUTS["h36m17"])
"""Human3.6M's 17 of 32 joints (its "Torso" is the spine, its "Nose" the head, its "Head" the head's top)."""

LSP14: Final = JointLayout(
    "lsp14",
    (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist",
        "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top",
    ),
)  # fmt: skip
"""Leeds Sports Pose."""

MPI28: Final = JointLayout(
    "mpi28",
    (
        "mpi_spine3", "mpi_spine4", "mpi_spine2", "spine", "mid_hip", "neck", "head", "head_top",
        "left_clavicle", "left_shoulder", "left_elbow", "left_wrist", "left_hand", "right_clavicle",
        "right_shoulder", "right_elbow", "right_wrist", "right_hand", "left_hip", "left_knee", "left_ankle",
        "left_foot", "left_toe", "right_hip", "right_knee", "right_ankle", "right_foot", "right_toe",
    ),
)  # fmt: skip
"""All joints of MPI-INF-3DHP's training set: its "pelvis" is the middle of the hips, and three points of its
spine are not SMPL's of the same names."""

PANOPTIC19: Final = JointLayout(
    "panoptic19",
    (
        "neck", "nose", "mid_hip", "left_shoulder", "left_elbow", "left_wrist", "left_hip", "left_knee",
        "left_ankle", "right_shoulder", "right_elbow", "right_wrist", "right_hip", "right_knee",
        "right_ankle", "left_eye", "left_ear", "right_eye", "right_ear",
    ),
)  # fmt: skip
"""CMU Panoptic's COCO-19."""
