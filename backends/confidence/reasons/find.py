"""All reasons of a person, put together to stretches so that the queue is not flooded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from backends.confidence.reasons import evidence, motion
from backends.confidence.reasons.sentences import sentence, title
from backends.confidence.reasons.types import Found, Reason, ReasonKind, TrackView
from backends.errors import InputError

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

JOIN_S: Final = 1.0
"""Stretches with less than this between them are one."""

_LEAST_S: Final[dict[ReasonKind, float]] = {
    ReasonKind.JUMP: 0.0, ReasonKind.BENT_WRONG: 0.1, ReasonKind.SIDES_SWAPPED: 0.0,
    ReasonKind.FOOT_SLIDES: 0.3, ReasonKind.KEYPOINT_FAR: 0.2, ReasonKind.TWO_TRACKS: 0.2,
    ReasonKind.OUTSIDE_MASK: 0.3, ReasonKind.CUT_OFF: 0.3, ReasonKind.DISAGREE: 0.3,
    ReasonKind.LOW_SCORE: 0.5, ReasonKind.DEPTH_APART: 0.3,
}  # fmt: skip
"""Shorter stretches are noise, unless a frame is all there is."""

_LIMBS: Final = {
    "shoulder": "arm", "elbow": "arm", "wrist": "arm", "hip": "leg", "knee": "leg", "ankle": "leg",
    "foot": "leg", "head": "head", "neck": "head",
}  # fmt: skip

_SINGLE: tuple[Callable[[TrackView], list[Found]], ...] = (
    evidence.keypoint_far, evidence.sides_swapped, evidence.outside_mask, evidence.cut_off,
    evidence.disagree, evidence.depth_apart, evidence.low_score, motion.bent_wrong, motion.jumps,
    motion.sides_flip, motion.foot_slides,
)  # fmt: skip


def find_reasons(
    view: TrackView, others: Sequence[tuple[str, TrackView]] = (), *, most: int = 40
) -> list[Reason]:
    """Why the bodies of a track should be looked at: the worst first, at most ``most``.

    Args:
        others: names and tracks of the other people.

    Raises:
        InputError: arrays that do not belong together, or times that do not rise.
    """
    return stretches(view.frame, view.time, findings(view, others), most=most)


def findings(view: TrackView, others: Sequence[tuple[str, TrackView]] = ()) -> list[Found]:
    """What single frames of a track show, in no order; see :func:`stretches`.

    Raises:
        InputError: arrays that do not belong together, or times that do not rise.
    """
    check_view(view)
    return [f for rule in _SINGLE for f in rule(view)] + motion.two_tracks(view, others)


def stretches(frame: I8, time: F8, found: Sequence[Found], *, most: int = 40) -> list[Reason]:
    """Findings of one kind, limb and joint put together over time, short ones left out: the worst first, at
    most ``most``. A limb has one reason of a kind at a time, which names the joint that is worst.

    Args:
        frame, time: (T,) number and seconds of each of the track's frames; findings count these from 0.
    """
    by_key: dict[tuple[ReasonKind, str], list[Found]] = {}
    for f in found:
        where = f.words if f.kind is ReasonKind.TWO_TRACKS else limb_of(f)
        by_key.setdefault((f.kind, where), []).append(f)
    out = []
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    for (kind, _), items in by_key.items():
        items.sort(key=lambda f: f.frame)
        for span in _spans(time, items):
            lasted = time[span[-1].frame] - time[span[0].frame] + step
            if lasted < min(_LEAST_S[kind], time[-1] - time[0] + step) - 1e-9:
                continue
            worst = max(span, key=lambda f: f.severity)
            out.append(
                Reason(
                    kind, worst.joint, int(frame[span[0].frame]), int(frame[span[-1].frame]),
                    int(frame[worst.frame]), float(worst.severity), title(worst), sentence(worst),
                )
            )  # fmt: skip
    out.sort(key=lambda r: (-r.severity, r.first, r.kind, r.joint))
    return out[:most]


def limb_of(found: Found) -> str:
    """The limb that a finding is about; "" for the whole body and for what the border cuts off."""
    return "" if found.kind is ReasonKind.CUT_OFF else limb_of_joint(found.joint)


def limb_of_joint(joint: str) -> str:
    """The limb that a joint belongs to: "left arm", "head", "torso"; "" for no joint."""
    if not joint:
        return ""
    side, _, part = joint.partition("_")
    limb = _LIMBS.get(part or side, "torso")
    return f"{side} {limb}" if part and limb in ("arm", "leg") else limb


def _spans(time: F8, items: Sequence[Found]) -> list[list[Found]]:
    spans: list[list[Found]] = []
    for item in items:
        if spans and time[item.frame] - time[spans[-1][-1].frame] <= JOIN_S:
            spans[-1].append(item)
        else:
            spans.append([item])
    return spans


def check_view(view: TrackView) -> None:
    """Raises:
    InputError: arrays that do not belong together, or times that do not rise.
    """
    n = len(view.frame)
    shapes = {
        "time": (n,), "joints": (n, 22, 3), "pose": (n, 22, 3), "joints_xy": (n, 22, 2),
        "body_xy": (n, 23, 2), "xy": (n, 23, 2), "score": (n, 23), "used": (n, 23), "by_person": (n, 23),
        "noise": (n, 23), "world": (n, 23, 3), "body_points": (n, 23, 3), "in_mask": (n, 22),
        "presence": (n,), "box": (n, 4), "mm_per_px": (n,), "apart": (n, 23),
    }  # fmt: skip
    for name, shape in shapes.items():
        if getattr(view, name).shape != shape:
            raise InputError(f"Reasons need '{name}' of shape {shape}, got {getattr(view, name).shape}.")
    for name in ("time", "joints", "pose", "joints_xy"):
        if not np.isfinite(getattr(view, name)).all():
            raise InputError(f"Reasons need finite values in '{name}'.")
    if n == 0 or (np.diff(view.time) <= 0).any():
        raise InputError("A track needs frames whose times rise from one to the next.")
