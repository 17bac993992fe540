"""What an estimator says about one person in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from backends.depth.patch import DepthPatch
from backends.keypoints.details import Details
from backends.keypoints.layout import N_KEYPOINTS
from backends.masks import CropMask


class Visibility(IntEnum):
    """COCO's visibility flag."""

    ABSENT = 0
    OCCLUDED = 1
    VISIBLE = 2


class Source(IntEnum):
    """Who placed a keypoint. ``CARRIED``: it follows a person's correction in a frame nearby."""

    MODEL = 0
    PERSON = 1
    CARRIED = 2


# As plain numbers: NumPy asks an enum's member for a dozen attributes before it compares with it.
_ABSENT, _VISIBLE, _PERSON = int(Visibility.ABSENT), int(Visibility.VISIBLE), int(Source.PERSON)


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """The 23 default keypoints of one person in one picture.

    Attributes:
        xy: (23, 2) float32, pixels of the full picture.
        score: (23,) float32 in [0, 1].
        visibility: (23,) uint8, see :class:`Visibility`.
        source: (23,) uint8, see :class:`Source`.
    """

    xy: npt.NDArray[np.float32]
    score: npt.NDArray[np.float32]
    visibility: npt.NDArray[np.uint8]
    source: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.xy.shape != (N_KEYPOINTS, 2):
            raise ValueError(f"keypoints need shape (23, 2), got {self.xy.shape}")

    @property
    def placed(self) -> npt.NDArray[np.bool_]:
        """(23,) keypoints that a person has put where they are; one that was only declared hidden is not."""
        seen = (self.visibility == _VISIBLE) | (self.score >= 1.0)
        return np.asarray((self.source == _PERSON) & (self.visibility != _ABSENT) & seen)

    def moved(self, index: int, xy: tuple[float, float]) -> Keypoints:
        """A copy in which a person has put keypoint ``index`` at ``xy`` (then visible, score 1)."""
        new = Keypoints(self.xy.copy(), self.score.copy(), self.visibility.copy(), self.source.copy())
        new.xy[index] = xy
        new.score[index] = 1.0
        if new.visibility[index] == Visibility.ABSENT:
            new.visibility[index] = Visibility.VISIBLE
        new.source[index] = Source.PERSON
        return new

    def carried(self, which: npt.NDArray[np.bool_], xy: npt.NDArray[np.float32]) -> Keypoints:
        """A copy in which the keypoints ``which`` (23,) lie at their ``xy`` (23, 2) as carried ones."""
        new = Keypoints(self.xy.copy(), self.score, self.visibility, self.source.copy())
        new.xy[which] = xy[which]
        new.source[which] = Source.CARRIED
        return new

    def with_visibility(self, index: int, visibility: Visibility) -> Keypoints:
        """A copy in which a person has declared the visibility of keypoint ``index``."""
        new = Keypoints(self.xy.copy(), self.score.copy(), self.visibility.copy(), self.source.copy())
        new.visibility[index] = visibility
        new.source[index] = Source.PERSON
        return new


@dataclass(frozen=True, slots=True, eq=False)
class PoseEstimate:
    """One person in one picture.

    Attributes:
        keypoints: see :class:`Keypoints`.
        box: (4,) float32, x0 y0 x1 y1 in pixels of the full picture.
        score: confidence in [0, 1] that this is a person at all (presence).
        world: (23, 3) float32 metres about the hips' centre, axes as the camera's
            (x right, y down, z away from the camera), or None where the estimator has no depth.
        mask: which pixels are this person, or None.
        details: points of hands and face, where they were looked for and seen.
        depth: what a depth sensor says about the person, where there is one.
    """

    keypoints: Keypoints
    box: npt.NDArray[np.float32]
    score: float
    world: npt.NDArray[np.float32] | None = None
    mask: CropMask | None = None
    details: Details | None = None
    depth: DepthPatch | None = None
