"""The confidence of one body: expected errors in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DEFAULT_TOLERANCE_MM = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class BodyConfidence:
    """Expected errors of one fitted body.

    Attributes:
        keypoint_mm: (23,) float32 expected error of each keypoint's place on the body, mm.
        joint_mm: (55,) float32 expected error of each joint, mm.
        mean_mm: one number for the whole person, mm.
    """

    keypoint_mm: npt.NDArray[np.float32]
    joint_mm: npt.NDArray[np.float32]
    mean_mm: float
