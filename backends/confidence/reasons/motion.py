"""Reasons that a movement shows: limbs that bend as none does, jumps, feet that slide, doubled people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.body.pose import forward_kinematics
from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from backends.confidence.reasons.types import Found, ReasonKind, TrackView
from backends.keypoints.layout import INDEX

F8 = npt.NDArray[np.float64]

_STRAIGHT = np.radians(12.0)
_WRONG, _SURELY_WRONG = np.radians(15.0), np.radians(45.0)
_FAST, _ABSURD = 8.0, 20.0
"""Metres a second about the pelvis: a quick punch, and what nobody does."""

_TURN_BACK = 0.5
_LOST_S = 0.5
_FLIP_M, _FLIP_GAIN = 0.12, 0.5
_STAND_SHARE, _SEEN, _STILL, _SLIDE, _FAST_SLIDE = 0.04, 0.5, 0.15, 0.5, 1.5
"""Of a foot that stands: at most this share of the size above the other, score, metres a second in the
picture; of one that slides: metres a second in space, and what is surely wrong."""

_LONGEST_STEP_S = 0.12
_SAME, _SURELY_SAME = 0.10, 0.04
_HINGES = (
    ("left_elbow", "left_shoulder", "left_wrist", (0.0, -1.0, 0.0)),
    ("right_elbow", "right_shoulder", "right_wrist", (0.0, 1.0, 0.0)),
    ("left_knee", "left_hip", "left_ankle", (1.0, 0.0, 0.0)),
    ("right_knee", "right_hip", "right_ankle", (1.0, 0.0, 0.0)),
)
"""Hinge, the joints above and below, and the axis of the rest pose about which it bends."""

_ENDS = ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "left_elbow", "right_elbow", "left_knee",
         "right_knee", "head")  # fmt: skip


def bent_wrong(view: TrackView) -> list[Found]:
    """Elbows and knees that bend against their hinge."""
    out: list[Found] = []
    if not len(view.frame):
        return out
    parents = np.array(PARENTS[:22], np.int64)
    zero = np.zeros((22, 3))
    turns = np.stack([forward_kinematics(zero, parents, pose, np.zeros(3))[0] for pose in view.pose])
    for joint, above, below, axis in _HINGES:
        j, a, b = JOINT_INDEX[joint], JOINT_INDEX[above], JOINT_INDEX[below]
        upper = _unit(view.joints[:, j] - view.joints[:, a])
        lower = _unit(view.joints[:, b] - view.joints[:, j])
        bend = np.arccos(np.clip((upper * lower).sum(axis=1), -1.0, 1.0))
        # How much of the bending is about the hinge's axis, as the bone above carries it.
        about = (np.cross(upper, lower) * (turns[:, a] @ np.array(axis))).sum(axis=1)
        wrong = (bend > _STRAIGHT) & (np.arcsin(np.clip(-about, -1.0, 1.0)) > _WRONG)
        worth = 0.5 + 0.5 * np.clip((bend - _WRONG) / (_SURELY_WRONG - _WRONG), 0.0, 1.0)
        out += [Found(ReasonKind.BENT_WRONG, joint, int(t), float(worth[t])) for t in np.flatnonzero(wrong)]
    return out


def _unit(v: F8) -> F8:
    """(T, 3) of length one."""
    out: F8 = v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-9)
    return out


def jumps(view: TrackView) -> list[Found]:
    """Joints that leap away and, unlike a quick movement, come to rest or back at once."""
    out: list[Found] = []
    if len(view.frame) < 3:
        return out
    step = np.diff(view.time)
    about = view.joints - view.joints[:, :1]
    speed = np.linalg.norm(np.diff(about, axis=0), axis=2) / step[:, None]
    speed[step > _LOST_S] = 0.0
    padded = np.concatenate([np.zeros((1, speed.shape[1])), speed, np.zeros((1, speed.shape[1]))])
    for name in _ENDS:
        j = JOINT_INDEX[name]
        for i in np.flatnonzero(speed[:, j] > _FAST):
            calmer = min(padded[i, j], padded[i + 2, j])
            if calmer < _TURN_BACK * speed[i, j]:
                worth = 0.4 + 0.6 * float(np.clip((speed[i, j] - _FAST) / (_ABSURD - _FAST), 0.0, 1.0))
                out.append(Found(ReasonKind.JUMP, name, int(i + 1), worth))
    return out


def sides_flip(view: TrackView) -> list[Found]:
    """Frames in which arms or legs change sides: exchanged, they would lie where they were a frame ago."""
    out: list[Found] = []
    if len(view.frame) < 2:
        return out
    close = np.diff(view.time) <= _LOST_S
    about = view.joints - view.joints[:, :1]
    for group in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
        left, right = ([JOINT_INDEX[f"{side}_{name}"] for name in group] for side in ("left", "right"))
        now, before = about[1:, left + right], about[:-1, left + right]
        other = about[1:, right + left]
        moved = np.linalg.norm(now - before, axis=2).mean(axis=1)
        exchanged = np.linalg.norm(other - before, axis=2).mean(axis=1)
        for i in np.flatnonzero(close & (moved > _FLIP_M) & (exchanged < _FLIP_GAIN * moved)):
            out.append(Found(ReasonKind.SIDES_SWAPPED, f"left_{group[1]}", int(i + 1), 0.9, group[1]))
    return out


def foot_slides(view: TrackView) -> list[Found]:
    """Feet that stay where they are in the picture and yet move in space.

    A foot stands where its ankle was seen, keeps still in the picture and is not the higher of the two;
    nothing is said over steps longer than an eighth of a second. Where the camera moves, nothing keeps
    still in the picture, and nothing is found.
    """
    out: list[Found] = []
    if len(view.frame) < 3:
        return out
    step = np.diff(view.time)[:, None]
    feet = [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]
    seen = [INDEX["left_ankle"], INDEX["right_ankle"]]
    size = np.clip(np.hypot(*(view.joints_xy.max(axis=1) - view.joints_xy.min(axis=1)).T), 4.0, 1e5)
    down = view.xy[:, seen, 1]
    lower = down >= down.max(axis=1, keepdims=True) - _STAND_SHARE * size[:, None]
    sure = view.used[:, seen] & (view.score[:, seen] > _SEEN)
    with np.errstate(invalid="ignore"):
        drift = np.linalg.norm(np.diff(view.xy[:, seen], axis=0), axis=2) * view.mm_per_px[1:, None] / 1e3
        still = drift / step < _STILL
    stands = still & sure[1:] & sure[:-1] & lower[1:] & lower[:-1] & (step < _LONGEST_STEP_S)
    speed = np.linalg.norm(np.diff(view.joints[:, feet], axis=0), axis=2) / step
    for i, f in zip(*np.nonzero(stands & (speed > _SLIDE))):
        worth = 0.2 + 0.6 * float(np.clip((speed[i, f] - _SLIDE) / (_FAST_SLIDE - _SLIDE), 0.0, 1.0))
        out.append(Found(ReasonKind.FOOT_SLIDES, JOINT_NAMES[feet[f]], int(i + 1), worth))
    return out


def two_tracks(view: TrackView, others: Sequence[tuple[str, TrackView]]) -> list[Found]:
    """Frames in which another track's keypoints lie on this person's."""
    out = []
    for name, other in others:
        _, mine, theirs = np.intersect1d(view.frame, other.frame, return_indices=True)
        for a, b in zip(mine, theirs):
            both = view.used[a] & other.used[b]
            if both.sum() < 6:
                continue
            size = max(float(np.hypot(*np.ptp(view.xy[a][both], axis=0))), 4.0)
            apart = float(np.median(np.linalg.norm(view.xy[a][both] - other.xy[b][both], axis=1))) / size
            if apart < _SAME:
                worth = 0.7 + 0.3 * float(np.clip((_SAME - apart) / (_SAME - _SURELY_SAME), 0.0, 1.0))
                out.append(Found(ReasonKind.TWO_TRACKS, "", int(a), worth, name))
    return out
