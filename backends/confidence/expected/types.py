"""What goes into the expected error."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.fitting.types import FitResult
from backends.keypoints.types import PoseEstimate

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]


def _nobody() -> F4:
    return np.zeros((0, 4), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One person in one frame: what was seen, and the body that was fitted to it.

    Attributes:
        time: seconds since any fixed moment.
        result: the body as it is shown, with its posterior (from a fit, or from
            :func:`backends.fitting.assess.assess` after a clip was fitted).
        estimate: the keypoints, world landmarks, box, mask and score that it was fitted to.
        camera: the camera of the frame.
        single: (27, 3) metres, the sites about the pelvis as the frame alone gave them, before its
            neighbours were taken in (camera axes), or None where that is not known.
        others: (M, 4) boxes of the other people in the frame, pixels.
        depth_mm: (23,) a depth sensor's readings at the keypoints, 0 or NaN for none; or None.
    """

    time: float
    result: FitResult
    estimate: PoseEstimate
    camera: Camera
    single: F4 | None = None
    others: F4 = field(default_factory=_nobody)
    depth_mm: F8 | None = None
