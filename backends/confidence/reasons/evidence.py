"""Reasons that single frames show: the picture and the body do not fit together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES
from backends.confidence.reasons.types import Found, ReasonKind, TrackView
from backends.keypoints.layout import INDEX, KEYPOINT_NAMES, MIRROR
from backends.metrics.align import procrustes_aligned

F8 = npt.NDArray[np.float64]

_FAR_NOISE, _FAR_SHARE = 5.0, 0.06
"""A keypoint is far where it misses by this many standard deviations and by this share of the size."""

_SURE = 0.5
_HARD = 0.35
_NOBODY = 0.5
_DISAGREE_MM = 200.0
_OUTSIDE = 0.1
_SWAP_GAIN = 0.5
_PAIRS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_LIMB_ENDS = ("elbow", "wrist", "knee", "ankle")
_MASKED = ("elbow", "wrist", "knee", "ankle", "shoulder", "hip")
_ON_JOINT = {name: name for name in KEYPOINT_NAMES if name in JOINT_INDEX}
_ON_JOINT.update({
    "nose": "head", "left_eye": "head", "right_eye": "head", "left_ear": "head", "right_ear": "head",
    "left_big_toe": "left_foot", "left_small_toe": "left_foot", "left_heel": "left_ankle",
    "right_big_toe": "right_foot", "right_small_toe": "right_foot", "right_heel": "right_ankle",
})  # fmt: skip
_JOINT_OF = tuple(_ON_JOINT[name] for name in KEYPOINT_NAMES)
_SENSED = (
    INDEX["nose"],
    *(INDEX[f"{side}_{name}"] for name in ("elbow", "wrist", "knee", "ankle") for side in ("left", "right")),
)
_APART_M = 0.12
"""On drawn people whom the networks had found, four of five keypoints that a sensor had farther off than
this were more than 10 cm off in truth; of all that it told about, 28 %."""


def body_size(view: TrackView) -> F8:
    """(T,) diagonal of the body in the picture, pixels, at least 4."""
    extent = view.joints_xy.max(axis=1) - view.joints_xy.min(axis=1)
    size: F8 = np.clip(np.hypot(*extent.T), 4.0, 1e5)
    return size


def _severity(value: float, begin: float, full: float) -> float:
    return float(np.clip((value - begin) / (full - begin), 0.0, 1.0))


def keypoint_far(view: TrackView) -> list[Found]:
    """Keypoints that the estimator is sure of and that the mesh misses."""
    size = body_size(view)[:, None]
    with np.errstate(invalid="ignore"):
        miss = np.linalg.norm(view.body_xy - view.xy, axis=2)
        far = view.used & (view.score > _SURE) & (miss > _FAR_SHARE * size) & (miss > _FAR_NOISE * view.noise)
    out = []
    for t, k in zip(*np.nonzero(far)):
        share = float(miss[t, k] / size[t, 0])
        out.append(
            Found(
                ReasonKind.KEYPOINT_FAR, _JOINT_OF[k], int(t), 0.3 + 0.7 * _severity(share, _FAR_SHARE, 0.2)
            )
        )
    return out


def sides_swapped(view: TrackView) -> list[Found]:
    """Pairs of limbs whose keypoints fit the body better with left and right exchanged."""
    size = body_size(view)
    out = []
    for t in range(len(view.frame)):
        for group in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
            which = [INDEX[f"{side}_{name}"] for side in ("left", "right") for name in group]
            if not view.used[t, which].all() or not np.isfinite(view.body_xy[t, which]).all():
                continue
            mirrored = [MIRROR[k] for k in which]
            given = np.linalg.norm(view.xy[t, which] - view.body_xy[t, which], axis=1).mean()
            other = np.linalg.norm(view.xy[t, mirrored] - view.body_xy[t, which], axis=1).mean()
            if given > 0.05 * size[t] and other < _SWAP_GAIN * given:
                worth = 0.5 + 0.5 * _severity(float(given / size[t]), 0.05, 0.15)
                out.append(Found(ReasonKind.SIDES_SWAPPED, f"left_{group[1]}", t, worth, group[1]))
    return out


def outside_mask(view: TrackView) -> list[Found]:
    """Joints of the mesh that lie outside the person's mask although they should be seen."""
    out = []
    width, height = view.size
    for name in _MASKED:
        for side in ("left", "right"):
            joint, keypoint = JOINT_INDEX[f"{side}_{name}"], INDEX[f"{side}_{name}"]
            x, y = view.joints_xy[:, joint].T
            inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
            with np.errstate(invalid="ignore"):
                bad = (view.in_mask[:, joint] < _OUTSIDE) & inside & (view.score[:, keypoint] > _SURE)
            out += [
                Found(ReasonKind.OUTSIDE_MASK, JOINT_NAMES[joint], int(t), 0.5) for t in np.flatnonzero(bad)
            ]
    return out


def cut_off(view: TrackView) -> list[Found]:
    """Frames in which the border cuts the person off: what lies outside has been guessed."""
    width, height = view.size
    x, y = view.joints_xy[..., 0], view.joints_xy[..., 1]
    gone = (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)
    out = []
    for t in np.flatnonzero(gone.any(axis=1)):
        joint = _farthest_out(gone[t], view.joints_xy[t], width, height)
        out.append(Found(ReasonKind.CUT_OFF, joint, int(t), 0.2 + 0.8 * float(gone[t].mean())))
    return out


def _farthest_out(gone: npt.NDArray[np.bool_], xy: F8, width: int, height: int) -> str:
    beyond = np.maximum(np.maximum(-xy, xy - (width - 1, height - 1)), 0.0).max(axis=1)
    return JOINT_NAMES[int(np.argmax(np.where(gone, beyond, -1.0)))]


def disagree(view: TrackView) -> list[Found]:
    """Limbs that the world landmarks put elsewhere than the fit does, after both are aligned."""
    known = np.asarray(np.isfinite(view.world).all(axis=2))
    enough: npt.NDArray[np.bool_] = np.asarray(known.sum(axis=1) >= 8)
    if not enough.any():
        return []
    aligned = procrustes_aligned(np.where(known[..., None], view.world, np.nan), view.body_points)
    with np.errstate(invalid="ignore"):
        apart = 1e3 * np.linalg.norm(aligned - view.body_points, axis=2)
    out = []
    for name in _LIMB_ENDS:
        for side in ("left", "right"):
            k = INDEX[f"{side}_{name}"]
            with np.errstate(invalid="ignore"):
                bad = enough & (apart[:, k] > _DISAGREE_MM) & ~view.by_person[:, k]
            for t in np.flatnonzero(bad):
                worth = 0.2 + 0.8 * _severity(float(apart[t, k]), _DISAGREE_MM, 500.0)
                mm = round(float(apart[t, k]) / 10)
                out.append(Found(ReasonKind.DISAGREE, _JOINT_OF[k], int(t), worth, f"{mm} cm"))
    return out


def depth_apart(view: TrackView) -> list[Found]:
    """Limbs and heads that a depth sensor has nearer or farther than the body, which was told."""
    out = []
    for k in _SENSED:
        with np.errstate(invalid="ignore"):
            bad = np.abs(view.apart[:, k]) > _APART_M
        for t in np.flatnonzero(bad):
            gap = float(view.apart[t, k])
            worth = 0.3 + 0.7 * _severity(abs(gap), _APART_M, 0.5)
            words = f"{round(100 * abs(gap))} cm {'nearer' if gap < 0 else 'farther away'}"
            out.append(Found(ReasonKind.DEPTH_APART, _JOINT_OF[k], int(t), worth, words))
    return out


def low_score(view: TrackView) -> list[Found]:
    """Limbs that the estimator itself is unsure of, and people of whom it is unsure altogether."""
    out = [
        Found(
            ReasonKind.LOW_SCORE,
            "",
            int(t),
            0.3 + 0.7 * _severity(_NOBODY - float(view.presence[t]), 0.0, 0.5),
        )
        for t in np.flatnonzero(view.presence < _NOBODY)
    ]
    width, height = view.size
    for name in _LIMB_ENDS:
        for side in ("left", "right"):
            k = INDEX[f"{side}_{name}"]
            x, y = view.joints_xy[:, JOINT_INDEX[f"{side}_{name}"]].T
            inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
            poor = (view.score[:, k] < _HARD) & inside & ~view.by_person[:, k]
            out += [
                Found(ReasonKind.LOW_SCORE, _JOINT_OF[k], int(t),
                      0.1 + 0.4 * _severity(_HARD - float(view.score[t, k]), 0.0, _HARD))
                for t in np.flatnonzero(poor)
            ]  # fmt: skip
    return out
