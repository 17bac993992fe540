"""A named reason why a body should be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class ReasonKind(StrEnum):
    """What is wrong. The values are stored; do not change them."""

    KEYPOINT_FAR = "keypoint-far"
    SIDES_SWAPPED = "sides-swapped"
    BENT_WRONG = "bent-wrong"
    JUMP = "jump"
    FOOT_SLIDES = "foot-slides"
    TWO_TRACKS = "two-tracks"
    OUTSIDE_MASK = "outside-mask"
    CUT_OFF = "cut-off"
    DISAGREE = "disagree"
    LOW_SCORE = "low-score"
    DEPTH_APART = "depth-apart"


TITLES: dict[ReasonKind, str] = {
    ReasonKind.KEYPOINT_FAR: "Keypoint far from the mesh",
    ReasonKind.SIDES_SWAPPED: "Left and right swapped",
    ReasonKind.BENT_WRONG: "Limb bent the wrong way",
    ReasonKind.JUMP: "Sudden jump",
    ReasonKind.FOOT_SLIDES: "Foot slides",
    ReasonKind.TWO_TRACKS: "Two tracks on one person",
    ReasonKind.OUTSIDE_MASK: "Mesh outside the person",
    ReasonKind.CUT_OFF: "Person cut off by the border",
    ReasonKind.DISAGREE: "Estimators disagree",
    ReasonKind.LOW_SCORE: "Hard to see",
    ReasonKind.DEPTH_APART: "Depth sensor disagrees",
}
"""What a filter is called."""


@dataclass(frozen=True, slots=True)
class Found:
    """A reason in single frames, before neighbouring frames are put together.

    Attributes:
        kind: what is wrong. joint: which joint, as in :data:`JOINT_NAMES`, or "" for the whole body.
        frame: index into the track's frames. severity: 0 (worth a look) to 1 (surely wrong).
        words: what follows the joint's name in the sentence; see :mod:`sentences`.
    """

    kind: ReasonKind
    joint: str
    frame: int
    severity: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason over a stretch of a track.

    Attributes:
        kind: what is wrong. joint: which joint, or "" for the whole body.
        first, last: frame numbers of the footage, both included.
        worst: the frame in which it is worst. severity: there, 0 to 1.
        title: a few words that name the joint. sentence: the same as one short sentence.
    """

    kind: ReasonKind
    joint: str
    first: int
    last: int
    worst: int
    severity: float
    title: str
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class TrackView:
    """What the reasons look at: one person over T frames, in order.

    Attributes:
        frame: (T,) frame numbers. time: (T,) seconds.
        joints: (T, 22, 3) of the body that is shown, metres, camera coordinates. pose: (T, 22, 3) radians.
        joints_xy: (T, 22, 2) pixels.
        body_xy: (T, 23, 2) the body's keypoints in the picture, NaN where it has none.
        xy, score, used: (T, 23, 2), (T, 23), (T, 23) the estimated keypoints, and whether the fit used them.
        by_person: (T, 23) keypoints that a person has placed.
        noise: (T, 23) pixels that each may be off.
        world: (T, 23, 3) world landmarks, metres, NaN where unknown; body_points (T, 23, 3) metres.
        in_mask: (T, 22) share of a disc about each joint that the person's mask holds, NaN without a mask.
        presence: (T,) the detector's score. box: (T, 4) pixels. size: (width, height) of the picture.
        mm_per_px: (T,) millimetres a pixel at the pelvis.
        apart: (T, 23) metres that a depth sensor has each keypoint nearer (-) or farther (+) than the body,
            NaN where it says nothing.
    """

    frame: npt.NDArray[np.int64]
    time: F8
    joints: F8
    pose: F8
    joints_xy: F8
    body_xy: F8
    xy: F8
    score: F8
    used: BoolArray
    by_person: BoolArray
    noise: F8
    world: F8
    body_points: F8
    in_mask: F8
    presence: F8
    box: F8
    size: tuple[int, int]
    mm_per_px: F8
    apart: F8
