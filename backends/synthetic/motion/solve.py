"""From where the body's ends shall be to the angles of its joints: analytic inverse kinematics.

Legs and arms are two bones with a hinge between (Tolani, Goswami & Badler 2000). An elbow turns by
Rx(r) Ry(b) Rx(r), the only mix of bending and rolling whose axis-angle has no z component, so that a
forearm rolls within the elbow's limits.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from backends.body.pose import rodrigues
from backends.body.skeleton import JOINT_INDEX
from backends.synthetic.motion.maths import (
    apply,
    apply_t,
    axis_turn,
    cross,
    dot,
    frame,
    log_map,
    mul,
    mul_t,
    quaternion,
    soft_clip,
    unit,
)

F8 = npt.NDArray[np.float64]

_SPINE = tuple(JOINT_INDEX[n] for n in ("spine1", "spine2", "spine3"))
_NECK, _HEAD, _JAW = JOINT_INDEX["neck"], JOINT_INDEX["head"], JOINT_INDEX["jaw"]
_EYES = (JOINT_INDEX["left_eye_smplhf"], JOINT_INDEX["right_eye_smplhf"])
_LEGS = tuple(
    tuple(JOINT_INDEX[f"{s}_{n}"] for n in ("hip", "knee", "ankle", "foot")) for s in ("left", "right")
)
_ARMS = tuple(
    tuple(JOINT_INDEX[f"{s}_{n}"] for n in ("collar", "shoulder", "elbow", "wrist"))
    for s in ("left", "right")
)
_HANDS = (25, 40)
_UPPER_SHARE = (0.38, 0.34, 0.28)
"""How a bend of the back is shared out from the loins upwards."""


@numba.njit(cache=True, nogil=True)
def _hinge(upper: F8, lower: F8, axis: int, sign: float, length: float) -> float:
    """The angle about ``axis`` (times ``sign``, positive bends) at which |upper + R lower| is ``length``."""
    j, k = (axis + 1) % 3, (axis + 2) % 3
    a = upper[j] * lower[j] + upper[k] * lower[k]
    b = sign * (upper[k] * lower[j] - upper[j] * lower[k])
    c = (length * length - dot(upper, upper) - dot(lower, lower)) / 2 - upper[axis] * lower[axis]
    ratio = min(max(c / np.sqrt(a * a + b * b), -1.0), 1.0)
    angle: float = np.arctan2(b, a) + np.arccos(ratio)
    return angle


@numba.njit(cache=True, nogil=True)
def _leg(J: F8, leg: tuple[int, int, int, int], root: F8, pelvis: F8, ankle: F8, foot: F8, out: F8) -> None:
    """Hip, knee, ankle and toes so that the ankle joint is at ``ankle``; ``foot`` is yaw, pitch, toes."""
    hip_j, knee_j, ankle_j, foot_j = leg
    upper, lower = J[knee_j] - J[hip_j], J[ankle_j] - J[knee_j]
    target = apply_t(root, ankle - pelvis) - (J[hip_j] - J[0])
    reach = np.sqrt(dot(upper, upper)) + np.sqrt(dot(lower, lower))
    length = soft_clip(np.sqrt(dot(target, target)), 0.30 * reach, 0.9995 * reach, 0.001 * reach)
    bend = _hinge(upper, lower, 0, 1.0, length)
    knee = axis_turn(0, bend)
    # The knee points between where the foot and where the pelvis point.
    towards = np.array([np.cos(foot[0]), np.sin(foot[0]), 0.0])
    ahead = 0.55 * unit(apply_t(root, towards))
    ahead[2] += 0.45
    ahead[1] += 0.25
    R = mul(
        frame(target, cross(ahead, target)), frame(upper + apply(knee, lower), np.array([1.0, 0.0, 0.0])).T
    )
    out[hip_j] = log_map(R)
    out[knee_j, 0] = bend
    c, s = np.cos(foot[0]), np.sin(foot[0])
    flat = np.array([[-s, 0.0, c], [c, 0.0, s], [0.0, 1.0, 0.0]])
    shin = mul(mul(root, R), knee)
    out[ankle_j] = log_map(mul_t(shin, mul(flat, axis_turn(0, foot[1]))))
    out[foot_j, 0] = -foot[2]


@numba.njit(cache=True, nogil=True)
def _smooth(x: float, low: float, high: float) -> float:
    """0 below ``low``, 1 above ``high``, C1."""
    x = min(max((x - low) / (high - low), 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@numba.njit(cache=True, nogil=True)
def _collar(sign: float, towards: F8, shrug: float) -> F8:
    """How a shoulder blade follows the hand: ``towards`` from the shoulder, in arm lengths, chest axes."""
    turn = np.zeros(3)
    across = -sign * towards[0]
    up = 0.36 * _smooth(towards[1], -0.25, 0.95) - 0.10 * _smooth(-towards[1], 0.2, 0.9) + shrug
    forward = 0.26 * _smooth(towards[2], 0.30, 1.0) + 0.16 * _smooth(across, 0.0, 0.7)
    forward -= 0.20 * _smooth(-towards[2], 0.0, 0.4)
    turn[1] = -sign * forward
    turn[2] = sign * up
    return turn


@numba.njit(cache=True, nogil=True)
def _arm(
    J: F8, arm: tuple[int, int, int, int], left: bool, chest: F8, chest_at: F8, chest_j: int,
    wrist: F8, hand: F8, swivel: float, shrug: float, out: F8,
) -> None:  # fmt: skip
    """Collar, shoulder, elbow and wrist so that the wrist joint is at ``wrist`` and turned like ``hand``."""
    collar_j, shoulder_j, elbow_j, wrist_j = arm
    sign = 1.0 if left else -1.0
    upper, lower = J[elbow_j] - J[shoulder_j], J[wrist_j] - J[elbow_j]
    reach = np.sqrt(dot(upper, upper)) + np.sqrt(dot(lower, lower))
    rest = chest_at + apply(chest, J[shoulder_j] - J[chest_j])
    out[collar_j] = _collar(sign, apply_t(chest, wrist - rest) / reach, shrug)
    blade = mul(chest, rodrigues(out[collar_j]))
    shoulder = chest_at + apply(chest, J[collar_j] - J[chest_j]) + apply(blade, J[shoulder_j] - J[collar_j])
    aim = apply_t(blade, wrist - shoulder)
    length = soft_clip(np.sqrt(dot(aim, aim)), 0.22 * reach, 0.985 * reach, 0.02 * reach)
    a = unit(aim)
    pole = np.array([sign * 0.45, -a[2] - 0.30, a[1] - 0.30])
    if swivel != 0.0:
        pole = apply(rodrigues(a * (sign * swivel)), pole)
    goal = frame(aim, pole)
    bend = _hinge(upper, lower, 1, -sign, length)
    roll = 0.0
    elbow = axis_turn(1, -sign * bend)
    turn = np.eye(3)
    for step in range(3):
        reached = upper + apply(elbow, lower)
        turn = mul(goal, frame(reached, upper).T)
        if step == 2:
            break
        q = quaternion(mul_t(mul(mul(blade, turn), elbow), hand))
        twist = 2.0 * np.arctan2(q[1], q[0])
        roll = soft_clip(roll + 0.85 * twist, -0.85, 0.85, 0.25)
        half = axis_turn(0, roll)
        for _ in range(2):
            elbow = mul(mul(half, axis_turn(1, -sign * bend)), half)
            reached = upper + apply(elbow, lower)
            now = np.sqrt(dot(reached, reached))
            slope = -np.sqrt(dot(upper, upper) * dot(lower, lower)) * np.sin(bend) / now
            bend += (length - now) / min(slope, -0.02)
        elbow = mul(mul(half, axis_turn(1, -sign * bend)), half)
    out[shoulder_j] = log_map(turn)
    out[elbow_j] = log_map(elbow)
    out[wrist_j] = log_map(mul_t(mul(mul(blade, turn), elbow), hand))


@numba.njit(cache=True, nogil=True)
def chest_of(J: F8, root: F8, pelvis: F8, spine: F8) -> tuple[F8, F8]:
    """World rotation and place of joint spine3 for a bend ``spine`` (3,) of the whole back."""
    R = root.copy()
    at = pelvis.copy()
    before = 0
    for i in range(3):
        at = at + apply(R, J[_SPINE[i]] - J[before])
        R = mul(R, rodrigues(spine * _UPPER_SHARE[i]))
        before = _SPINE[i]
    return R, at


@numba.njit(cache=True, nogil=True)
def solve_pose(
    J: F8, limits: F8, root: F8, pelvis: F8, spine: F8, head: F8, eyes: F8, jaw: float, shrug: F8,
    ankles: F8, feet: F8, wrists: F8, hands: F8, swivel: F8, fingers: F8,
) -> F8:  # fmt: skip
    """(55, 3) axis-angles, row 0 in the world, that bring ankles (2, 3) and wrists (2, 3) to their places.

    Args:
        J: (55, 3) rest joints; limits: (55, 3, 2).
        root: (3, 3) world rotation of the pelvis; pelvis: (3,) world place of its joint.
        spine, head: (3,) axis-angle of the whole back and of the head on the chest.
        eyes: (2,) turn to the left and down; jaw: opening; shrug: (2,) lift of the shoulders.
        feet: (2, 3) yaw in the world, pitch (heel up), bend of the toes.
        hands: (2, 3, 3) world rotation of the hands; swivel: (2,) of the elbow, positive outwards.
        fingers: (2, 15, 3) axis-angles as for a left hand.
    """
    out = np.zeros((55, 3))
    out[0] = log_map(root)
    for i in range(3):
        out[_SPINE[i]] = spine * _UPPER_SHARE[i]
    out[_NECK], out[_HEAD] = head * 0.5, head * 0.5
    out[_JAW, 0] = jaw
    for e in range(2):
        out[_EYES[e], 0], out[_EYES[e], 1] = eyes[1], eyes[0]
    chest, chest_at = chest_of(J, root, pelvis, spine)
    _leg(J, _LEGS[0], root, pelvis, ankles[0], feet[0], out)
    _leg(J, _LEGS[1], root, pelvis, ankles[1], feet[1], out)
    for s in range(2):
        _arm(
            J, _ARMS[s], s == 0, chest, chest_at, _SPINE[2],
            wrists[s], hands[s], swivel[s], shrug[s], out,
        )  # fmt: skip
        for f in range(15):
            out[_HANDS[s] + f] = fingers[s, f]
            if s == 1:
                out[_HANDS[s] + f, 1:] *= -1.0
    for j in range(1, 55):
        for c in range(3):
            low, high = limits[j, c, 0], limits[j, c, 1]
            out[j, c] = soft_clip(out[j, c], low, high, min(0.05, 0.2 * (high - low)))
    return out
