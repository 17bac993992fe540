"""Points of hands and face, beyond the default 23 keypoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

F4 = npt.NDArray[np.float32]

N_HAND: Final = 21
N_FACE: Final = 468

FINGERS: Final = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
"""Thumb, index, middle, ring, little finger: from the knuckle to the tip. Point 0 is the wrist."""

HAND_LINES: Final = (
    *((0, finger[0]) for finger in FINGERS),
    *((a, b) for finger in FINGERS for a, b in pairwise(finger)),
    (5, 9), (9, 13), (13, 17),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class HandLandmarks:
    """One hand.

    Attributes:
        xy: (21, 2) float32 pixels of the picture.
        world: (21, 3) float32 metres about the hand's middle, the picture's axes (x right, y down, z away).
        score: probability in [0, 1] that a hand is there.
    """

    xy: F4
    world: F4
    score: float

    def __post_init__(self) -> None:
        if self.xy.shape != (N_HAND, 2) or self.world.shape != (N_HAND, 3):
            raise ValueError(f"a hand needs shapes (21, 2), (21, 3), got {self.xy.shape}, {self.world.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class FaceLandmarks:
    """One face.

    Attributes:
        xyz: (468, 3) float32 pixels of the picture; z away from the camera in the same unit, about the
            face's middle. Order of MediaPipe's face mesh.
        score: probability in [0, 1] that a face is there.
    """

    xyz: F4
    score: float

    def __post_init__(self) -> None:
        if self.xyz.shape != (N_FACE, 3):
            raise ValueError(f"a face needs shape (468, 3), got {self.xyz.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Details:
    """Hands and face of one person in one picture; None where they are not seen well enough."""

    left_hand: HandLandmarks | None = None
    right_hand: HandLandmarks | None = None
    face: FaceLandmarks | None = None

    def shifted(self, dx: float, dy: float) -> Details:
        """A copy moved in the picture by (dx, dy) pixels."""
        step = np.array([dx, dy], np.float32)
        left, right = (
            None if h is None else replace(h, xy=h.xy + step) for h in (self.left_hand, self.right_hand)
        )
        face = self.face
        if face is not None:
            face = replace(face, xyz=face.xyz + np.array([dx, dy, 0.0], np.float32))
        return Details(left, right, face)
