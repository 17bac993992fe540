"""SMPL-X's 55 joints: names, parents and how far each can turn."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_BODY = (
    ("pelvis", ""), ("left_hip", "pelvis"), ("right_hip", "pelvis"), ("spine1", "pelvis"),
    ("left_knee", "left_hip"), ("right_knee", "right_hip"), ("spine2", "spine1"),
    ("left_ankle", "left_knee"), ("right_ankle", "right_knee"), ("spine3", "spine2"),
    ("left_foot", "left_ankle"), ("right_foot", "right_ankle"), ("neck", "spine3"),
    ("left_collar", "spine3"), ("right_collar", "spine3"), ("head", "neck"),
    ("left_shoulder", "left_collar"), ("right_shoulder", "right_collar"),
    ("left_elbow", "left_shoulder"), ("right_elbow", "right_shoulder"),
    ("left_wrist", "left_elbow"), ("right_wrist", "right_elbow"),
    ("jaw", "head"), ("left_eye_smplhf", "head"), ("right_eye_smplhf", "head"),
)  # fmt: skip

FINGERS: Final = ("index", "middle", "pinky", "ring", "thumb")


def _hand(side: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{side}_{finger}{k}", f"{side}_wrist" if k == 1 else f"{side}_{finger}{k - 1}")
        for finger in FINGERS
        for k in (1, 2, 3)
    )


_TREE = _BODY + _hand("left") + _hand("right")

JOINT_NAMES: Final[tuple[str, ...]] = tuple(name for name, _ in _TREE)
"""The order of ``smplx.joint_names.JOINT_NAMES[:55]``."""

JOINT_INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(JOINT_NAMES)}

PARENTS: Final[tuple[int, ...]] = tuple(JOINT_INDEX[p] if p else -1 for _, p in _TREE)

# Degrees of rotation about the axes of the T-pose (x to the body's left, y up, z forwards), for the left
# side; the right side mirrors y and z. They hold the published ranges below with some room, because an
# axis-angle vector is not three independent angles and because loaded joints go further.
_LIMITS_DEG: Final[dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]]] = {
    "pelvis": ((-360, 360), (-360, 360), (-360, 360)),
    "hip": ((-130, 40), (-50, 50), (-35, 60)),  # -x lifts the thigh forwards, +z spreads the left leg
    "knee": ((-3, 150), (-15, 15), (-10, 10)),  # +x bends the knee
    "ankle": ((-45, 50), (-30, 30), (-30, 30)),
    "foot": ((-40, 40), (-10, 10), (-10, 10)),
    "spine1": ((-20, 40), (-25, 25), (-25, 25)),
    "spine2": ((-20, 40), (-25, 25), (-25, 25)),
    "spine3": ((-20, 40), (-25, 25), (-25, 25)),
    "neck": ((-40, 45), (-50, 50), (-35, 35)),
    "head": ((-30, 35), (-40, 40), (-25, 25)),
    "collar": ((-20, 20), (-30, 30), (-20, 35)),
    "shoulder": ((-90, 90), (-130, 50), (-100, 95)),  # -y brings the left arm forwards, +z lifts it
    "elbow": ((-90, 90), (-155, 5), (-15, 15)),  # -y bends the left elbow
    "wrist": ((-40, 40), (-40, 40), (-80, 80)),
    "jaw": ((0, 30), (-8, 8), (-5, 5)),
    "eye_smplhf": ((-30, 30), (-40, 40), (-5, 5)),
    "finger": ((-30, 30), (-40, 40), (-110, 110)),
}


PUBLISHED_DEG: Final[dict[str, tuple[int, float, float]]] = {
    "left_hip flexion, extension": (0, -120, 30),
    "left_hip rotation inwards, outwards": (1, -45, 45),
    "left_hip adduction, abduction": (2, -30, 45),
    "left_knee extension, flexion": (0, 0, 135),
    "left_ankle dorsiflexion, plantar flexion": (0, -20, 50),
    "left_elbow flexion, extension": (1, -150, 0),
    "left_elbow pronation, supination": (0, -80, 80),
    "left_wrist flexion, extension": (2, -80, 70),
    "left_wrist deviation to either side": (1, -30, 30),
    "left_shoulder rotation outwards, inwards": (0, -90, 70),
    "left_shoulder arm hanging, arm overhead": (2, -90, 90),
}
"""Axis of the joint and range in degrees: American Academy of Orthopaedic Surgeons, Joint Motion: Method of
Measuring and Recording, 1965; confirmed for healthy adults by Boone and Azen, J. Bone Joint Surg. 61-A, 1979,
and Roaas and Andersson, Acta Orthop. Scand. 53, 1982. At rest the arms are spread here, so
that the shoulder's 180 degrees of abduction are 90 to either side."""


def joint_limits() -> npt.NDArray[np.float64]:
    """(55, 3, 2) lower and upper bound of each axis-angle component, radians, T-pose axes.

    Wider than the ranges of motion that are published for healthy adults (:data:`PUBLISHED_DEG`); the
    spine's 80 degrees forwards, 35 aside and 45 of rotation (the same source) are shared by three joints,
    the neck's 45, 45 and 60 by two.
    """
    limits = np.empty((len(JOINT_NAMES), 3, 2))
    for i, name in enumerate(JOINT_NAMES):
        side, _, part = name.partition("_")
        key = part if side in ("left", "right") else name
        if any(key.startswith(f) for f in FINGERS):
            key = "finger"
        limits[i] = np.deg2rad(_LIMITS_DEG[key])
        if side == "right":
            limits[i, 1:] = -limits[i, 1:, ::-1]
    return limits
