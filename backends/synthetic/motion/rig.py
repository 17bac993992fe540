"""The measures of one person that posing needs: bones, soles, hands, the torso's outline."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.body.pose import posed_keypoints, posed_vertices, shaped_joints
from backends.body.skeleton import JOINT_INDEX
from backends.errors import InputError

F8 = npt.NDArray[np.float64]

SOLE_M = 0.022
"""Height of the lowest keypoint of a standing foot over the floor: skin below it and the shoe's sole."""

_TRUNK = tuple(JOINT_INDEX[n] for n in ("pelvis", "spine1", "spine2", "spine3"))
_SEAT = tuple(JOINT_INDEX[n] for n in ("pelvis", "left_hip", "right_hip"))


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """One person's measures, metres; vectors in body axes (x to the body's left, y up, z forwards).

    Attributes:
        body, betas: whose.
        J: (55, 3) rest joints.
        limits: (55, 3, 2) joint limits.
        leg: length of thigh and shin; arm: of upper arm and forearm.
        knee_rest: angle between thigh and shin in the rest pose, radians.
        hip_half: half the distance of the hips.
        ankle_height: ankle joint over the floor, standing flat.
        heel, tip: (3,) ends of the sole, ball: (3,) the joint of the toes, from the left ankle joint.
        front, back: (20,) depth of the torso's skin at ``profile_y``, z from the pelvis joint.
        half_width: (20,) of the torso without arms.
        profile_y: (20,) heights over the pelvis joint.
        seat: height of the pelvis joint over the seat when sitting upright.
        eyes: (3,) between the eyes, from the neck joint.
        height: standing height.
    """

    body: BodyModel
    betas: F8
    J: F8
    limits: F8
    leg: float
    arm: float
    knee_rest: float
    hip_half: float
    ankle_height: float
    heel: F8
    ball: F8
    tip: F8
    front: F8
    back: F8
    half_width: F8
    profile_y: F8
    seat: float
    eyes: F8
    height: float

    def depth_at(self, y: float) -> float:
        """Where the torso's front is (z from the pelvis joint) at height ``y`` over the pelvis joint."""
        return float(np.interp(y, self.profile_y, self.front))


def make_rig(body: BodyModel, betas: F8) -> Rig:
    """Measure a shape.

    Raises:
        InputError: betas of another size, or not finite.
    """
    betas = np.asarray(betas, dtype=np.float64)
    if betas.shape != (body.n_betas,) or not np.isfinite(betas).all():
        raise InputError(f"This body takes {body.n_betas} finite betas; got shape {betas.shape}.")
    J = shaped_joints(body, betas)
    rest = BodyParams(betas, np.zeros((55, 3)), np.zeros(3))
    keypoints = posed_keypoints(body, rest)
    vertices = posed_vertices(body, rest)
    floor = float(keypoints[17:, 1].min()) - SOLE_M

    def at(name: str) -> F8:
        point: F8 = J[JOINT_INDEX[name]]
        return point

    def bone(*names: str) -> float:
        return float(sum(np.linalg.norm(at(a) - at(b)) for a, b in pairwise(names)))

    ankle = at("left_ankle")
    thigh, shin = at("left_knee") - at("left_hip"), ankle - at("left_knee")
    straight = float(thigh @ shin / np.linalg.norm(thigh) / np.linalg.norm(shin))
    shoe = vertices[
        (vertices[:, 0] > 0)
        & np.isin(body.part_of_vertex, [JOINT_INDEX["left_ankle"], JOINT_INDEX["left_foot"]])
    ]
    sole = floor - ankle[1]
    heel = np.array([keypoints[19, 0] - ankle[0], sole, float(shoe[:, 2].min()) + 0.012 - ankle[2]])
    ball = at("left_foot") - ankle
    tip = np.array([keypoints[17, 0] - ankle[0], sole, float(shoe[:, 2].max()) - ankle[2]])
    profile_y, front, back, half_width = _profile(body, vertices - at("pelvis"), at("neck") - at("pelvis"))
    return Rig(
        body=body, betas=betas, J=J, limits=body.joint_limits,
        leg=bone("left_hip", "left_knee", "left_ankle"),
        arm=bone("left_shoulder", "left_elbow", "left_wrist"),
        knee_rest=float(np.arccos(np.clip(straight, -1.0, 1.0))),
        hip_half=float(at("left_hip")[0] - at("right_hip")[0]) / 2,
        ankle_height=float(ankle[1]) - floor, heel=heel, ball=ball, tip=tip,
        front=front, back=back, half_width=half_width, profile_y=profile_y,
        seat=_seat(body, betas),
        eyes=(at("left_eye_smplhf") + at("right_eye_smplhf")) / 2 - at("neck"),
        height=body.height(betas),
    )  # fmt: skip


def _profile(body: BodyModel, vertices: F8, neck: F8) -> tuple[F8, F8, F8, F8]:
    """Front, back and half width of the torso at heights from the crotch to the neck."""
    trunk = np.isin(body.part_of_vertex, [*_TRUNK, *_SEAT]) & (vertices[:, 1] > -0.15)
    points = vertices[trunk]
    y = np.linspace(-0.15, float(neck[1]) - 0.04, 20)
    step = float(y[1] - y[0])
    front, back, wide = np.zeros(20), np.zeros(20), np.zeros(20)
    for i, level in enumerate(y):
        near = points[np.abs(points[:, 1] - level) < 1.2 * step]
        front[i], back[i], wide[i] = near[:, 2].max(), near[:, 2].min(), np.abs(near[:, 0]).max()
    return y, front, back, wide


def _seat(body: BodyModel, betas: F8) -> float:
    """Height of the pelvis joint over the lowest skin of the buttocks, thighs level."""
    pose = np.zeros((55, 3))
    for side in ("left", "right"):
        pose[JOINT_INDEX[f"{side}_hip"]] = (-np.pi / 2, 0.0, 0.0)
        pose[JOINT_INDEX[f"{side}_knee"]] = (np.pi / 2, 0.0, 0.0)
    vertices = posed_vertices(body, BodyParams(betas, pose, np.zeros(3)))
    pelvis = shaped_joints(body, betas)[0]
    under = np.isin(body.part_of_vertex, _SEAT) & (vertices[:, 2] - pelvis[2] < 0.12)
    # What one sits on yields: a cushion and the flesh give way by two centimetres.
    return float(pelvis[1] - np.quantile(vertices[under, 1], 0.02)) - 0.02
