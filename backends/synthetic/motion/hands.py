"""Shapes of the hand: how far each finger is bent and where the thumb lies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.body.pose import forward_kinematics
from backends.body.skeleton import JOINT_INDEX, PARENTS

F8 = npt.NDArray[np.float64]


def shape(
    index: tuple[float, float, float],
    middle: tuple[float, float, float],
    ring: tuple[float, float, float],
    pinky: tuple[float, float, float],
    thumb: tuple[float, float, float, float, float],
    spread: float = 0.0,
) -> F8:
    """(15, 3) axis-angles of a left hand in smplx's order, from degrees.

    A finger is its three joints' bend; the thumb is x, y, z of its root and the bend of its two other
    joints towards the fingers; ``spread`` fans the fingers out.
    """
    out = np.zeros((15, 3))
    for row, finger, fan in ((0, index, -1.0), (3, middle, -0.2), (6, pinky, 1.3), (9, ring, 0.5)):
        out[row : row + 3, 2] = -np.asarray(finger)
        out[row, 1] = fan * spread
    out[12] = thumb[:3]
    out[13, 1], out[14, 1] = thumb[3], thumb[4]
    radians: F8 = np.deg2rad(out)
    return radians


RELAXED = shape((16, 20, 12), (20, 24, 14), (24, 27, 16), (28, 28, 16), (8, 8, 4, 10, 10), -12)
"""Hanging at the side."""
OPEN = shape((4, 6, 4), (4, 6, 4), (6, 8, 5), (8, 9, 6), (-4, -4, -6, 2, 2), -1)
"""An open palm."""
FLAT = shape((6, 8, 5), (6, 8, 5), (7, 9, 6), (8, 10, 6), (2, 8, 4, 6, 6), -9)
"""Fingers side by side, nearly straight."""
CUP = shape((26, 24, 12), (28, 26, 14), (30, 28, 14), (32, 28, 14), (8, 6, 0, 10, 12), -6)
"""Laid on something round, or on the other hand."""
PEN = shape((48, 42, 18), (58, 48, 22), (66, 60, 30), (70, 66, 34), (0, 1, -17, 38, 38), -6)
"""Thumb against index and middle finger: scalpel, forceps, pen."""
RINGS = shape((30, 30, 14), (48, 46, 24), (62, 66, 34), (74, 74, 40), (12, 15, -8, 38, 35), -6)
"""Thumb and ring finger in the rings of scissors, the index along the blades."""
GRIP = shape((52, 60, 34), (56, 62, 36), (60, 62, 36), (62, 62, 36), (24, 29, 9, 10, 6), -6)
"""Closed round a handle."""
PHONE = shape((34, 40, 24), (38, 42, 26), (42, 44, 26), (46, 44, 26), (14, 4, -16, 12, 12), -6)
"""Round the edges of something flat."""
FIST = shape((78, 88, 52), (80, 92, 55), (82, 92, 55), (82, 90, 55), (17, 19, 8, 26, 22), -6)
POINTING = shape((-10, -8, -16), (70, 86, 50), (76, 88, 52), (78, 88, 52), (-2, -3, -1, 38, 38), -6)
ONE, TWO, THREE = (
    shape(
        (2, 2, 0),
        (2, 4, 0) if n > 1 else (72, 86, 50),
        (4, 6, 0) if n > 2 else (78, 88, 52),
        (80, 90, 52),
        (4, 8, 0, 38, 36) if n > 1 else (0, 0, 0, 38, 38),
        3.0 * (n > 1),
    )
    for n in (1, 2, 3)
)
"""Counting on the fingers."""

HELD = {"scalpel": PEN, "forceps": PEN, "scissors": RINGS, "clipboard": PHONE, "phone": PHONE}
"""The hand's shape round each thing that is held."""


def grasp_point(J: F8, fingers: F8) -> F8:
    """(3,) where thumb and index finger meet, a left hand's axes from the wrist, for rest joints (55, 3)."""
    pose = np.zeros((55, 3))
    pose[25:40] = fingers
    parents = np.array(PARENTS, dtype=np.int64)
    G, P, _ = forward_kinematics(J, parents, pose, np.zeros(3))
    tips = []
    for finger in ("index", "thumb"):
        last, before = JOINT_INDEX[f"left_{finger}3"], JOINT_INDEX[f"left_{finger}2"]
        tips.append(P[last] + 0.75 * (G[last] @ (J[last] - J[before])))
    point: F8 = (tips[0] + tips[1]) / 2 - J[JOINT_INDEX["left_wrist"]]
    return point
