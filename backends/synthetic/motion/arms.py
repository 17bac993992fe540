"""Where the arms are when they do nothing, or hold something: at the sides, folded, crossed, behind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from backends.synthetic.motion import hands
from backends.synthetic.motion.goal import Goal
from backends.synthetic.motion.rig import Rig

F8 = npt.NDArray[np.float64]


def hang(
    goal: Goal, rig: Rig, side: int, forward: float = 0.05, bend: float = 0.24, out: float = 0.13
) -> None:
    """The arm hangs from the shoulder, turned ``forward`` radians, the elbow bent by ``bend`` radians."""
    sign = 1.0 if side == 0 else -1.0
    R, _ = goal.chest(rig)
    # From the pelvis' heading, not from the chest's lean: an arm hangs down.
    ahead = R[:, 2] - np.array([0.0, 0.0, R[2, 2]])
    ahead /= np.sqrt(ahead @ ahead)
    outwards = sign * (R[:, 0] - np.array([0.0, 0.0, R[2, 0]]))
    half = rig.arm / 2
    upper = np.sin(forward - 0.25 * bend) * ahead - np.cos(forward - 0.25 * bend) * np.array([0, 0, 1.0])
    angle = forward + 0.75 * bend
    lower = np.sin(angle) * ahead - np.cos(angle) * np.array([0.0, 0.0, 1.0])
    wrist = goal.shoulder(rig, side) + half * (upper + lower) + (out * rig.arm) * outwards
    fingers = np.sin(angle + 0.10) * ahead - np.cos(angle + 0.10) * np.array([0, 0, 1.0]) - 0.04 * outwards
    palm = -outwards - 0.30 * ahead
    goal.put_hand(side, wrist, fingers, palm)
    goal.swivel[side] = 0.0


def carry_clipboard(goal: Goal, rig: Rig, side: int) -> None:
    """The forearm level before the belly, the hand under the clipboard's lower edge."""
    sign = 1.0 if side == 0 else -1.0
    y = 0.16
    point = goal.from_pelvis(np.array([sign * 0.13, y, rig.depth_at(y) + 0.10]))
    out, up, ahead = goal.root[:, 0] * sign, goal.root[:, 1], goal.root[:, 2]
    goal.put_hand(side, point, ahead - 0.55 * out + 0.15 * up, up - 0.35 * out)
    goal.swivel[side] = 0.15


def at_sides(goal: Goal, rig: Rig, sway: F8) -> None:
    """Both arms hang."""
    for side in (0, 1):
        hang(goal, rig, side, 0.04 + 0.03 * sway[side], 0.22 + 0.05 * sway[1 - side])


def _before(goal: Goal, rig: Rig, x: float, y: float, gap: float) -> F8:
    """World place ``gap`` metres before the torso's front at ``x, y`` from the pelvis joint."""
    return goal.from_pelvis(np.array([x, y, rig.depth_at(y) + gap]))


def _in_chest(goal: Goal, rig: Rig, x: float, y: float, gap: float) -> F8:
    """As :func:`_before`, but carried by the chest."""
    R, at = goal.chest(rig)
    spine3 = rig.J[9] - rig.J[0]
    point: F8 = at + R @ (np.array([x, y, rig.depth_at(y) + gap]) - spine3)
    return point


def _directions(goal: Goal, rig: Rig) -> tuple[F8, F8, F8]:
    """The chest's left, up and ahead in the world."""
    R, _ = goal.chest(rig)
    return R[:, 0], R[:, 1], R[:, 2]


def folded_low(goal: Goal, rig: Rig, sway: F8) -> None:
    """One hand in the other before the lap."""
    left, up, ahead = _directions(goal, rig)
    y = 0.00 + 0.006 * sway[0]
    goal.put_hand(
        0, _before(goal, rig, 0.088, y + 0.02, 0.062), -0.8 * left - 0.62 * up, -ahead + 0.25 * left
    )
    goal.put_hand(1, _before(goal, rig, -0.082, y, 0.030), 0.75 * left - 0.68 * up, -ahead - 0.25 * left)
    goal.swivel[:] = 0.10
    goal.fingers[0], goal.fingers[1] = hands.CUP, hands.FLAT


def folded_high(goal: Goal, rig: Rig, sway: F8) -> None:
    """Gloved hands folded before the chest, away from what is not sterile."""
    left, up, ahead = _directions(goal, rig)
    y = 0.215 + 0.008 * sway[0]
    goal.put_hand(
        0, _before(goal, rig, 0.082, y + 0.012, 0.115), -0.85 * left + 0.25 * up + 0.30 * ahead,
        -0.75 * ahead - 0.55 * up - 0.2 * left,
    )  # fmt: skip
    goal.put_hand(
        1, _before(goal, rig, -0.078, y - 0.012, 0.080), 0.85 * left + 0.22 * up + 0.30 * ahead,
        -0.75 * ahead - 0.55 * up + 0.2 * left,
    )  # fmt: skip
    goal.swivel[:] = 0.05
    goal.fingers[0], goal.fingers[1] = hands.CUP, hands.CUP


def behind(goal: Goal, rig: Rig, sway: F8) -> None:
    """Hands joined behind the back."""
    left, up, ahead = goal.root[:, 0], goal.root[:, 1], goal.root[:, 2]
    y = -0.02 + 0.006 * sway[0]
    back = float(np.interp(y, rig.profile_y, rig.back))
    goal.put_hand(
        0, goal.from_pelvis(np.array([0.100, y + 0.01, back - 0.065])), -0.6 * left - 0.78 * up, -ahead
    )
    goal.put_hand(1, goal.from_pelvis(np.array([-0.095, y, back - 0.030])), 0.6 * left - 0.78 * up, -ahead)
    goal.swivel[:] = 0.30
    goal.fingers[0], goal.fingers[1] = hands.CUP, hands.RELAXED


def crossed(goal: Goal, rig: Rig, sway: F8) -> None:
    """Arms crossed before the chest."""
    left, up, ahead = _directions(goal, rig)
    y = 0.235 + 0.006 * sway[0]
    wide = float(np.interp(y, rig.profile_y, rig.half_width))
    goal.put_hand(
        0, _in_chest(goal, rig, -0.62 * wide, y + 0.035, 0.085), -0.85 * left + 0.12 * up - 0.50 * ahead,
        -ahead + 0.5 * left,
    )  # fmt: skip
    goal.put_hand(
        1, _in_chest(goal, rig, 0.55 * wide, y - 0.02, 0.045), 0.90 * left + 0.10 * up - 0.35 * ahead,
        -ahead - 0.5 * left,
    )  # fmt: skip
    goal.swivel[:] = 0.35
    goal.fingers[0], goal.fingers[1] = hands.CUP, hands.FLAT


def on_phone(goal: Goal, rig: Rig, sway: F8) -> None:
    """A telephone read before the chest in the right hand; the left arm hangs."""
    left, up, ahead = _directions(goal, rig)
    hang(goal, rig, 0, 0.05, 0.3)
    point = _in_chest(goal, rig, -0.09 + 0.006 * sway[0], 0.25 + 0.008 * sway[1], 0.17)
    goal.put_hand(1, point, 0.45 * ahead + 0.62 * up + 0.50 * left, 0.50 * up - 0.75 * ahead + 0.35 * left)
    goal.swivel[1] = 0.0
    goal.fingers[1] = hands.PHONE


def on_clipboard(goal: Goal, rig: Rig, sway: F8) -> None:
    """A clipboard on the left forearm; the right hand writes on it."""
    left, up, ahead = goal.root[:, 0], goal.root[:, 1], goal.root[:, 2]
    carry_clipboard(goal, rig, 0)
    point = _before(goal, rig, -0.075 + 0.02 * sway[2], 0.235 + 0.004 * sway[3], 0.14 + 0.012 * sway[1])
    goal.put_hand(1, point, 0.70 * left + 0.45 * ahead - 0.25 * up, -0.85 * up + 0.35 * left)
    goal.swivel[1] = 0.15
    goal.fingers[0], goal.fingers[1] = hands.PHONE, hands.PEN


STYLES: dict[str, Callable[[Goal, Rig, F8], None]] = {
    "sides": at_sides, "low": folded_low, "high": folded_high, "behind": behind, "crossed": crossed,
    "phone": on_phone, "clipboard": on_clipboard,
}  # fmt: skip
"""What arms do while their owner waits."""
