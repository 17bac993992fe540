"""Body models in SMPL-X's layout, and the free body that ships with the program."""

from backends.body.fixed import FixedBody
from backends.body.load import load_body
from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.body.pose import posed_joints, posed_keypoints, posed_vertices

__all__ = [
    "BodyModel", "BodyParams", "FixedBody", "load_body", "posed_joints", "posed_keypoints", "posed_vertices",
]  # fmt: skip
