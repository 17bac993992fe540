"""The project's rows as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.confidence.types import BodyConfidence
from backends.keypoints.types import PoseEstimate


@dataclass(frozen=True, slots=True, eq=False)
class FootageRecord:
    """The footage a project belongs to. ``pts`` (N,) int64 in units of ``time_base`` seconds."""

    path: Path
    sha256: str
    kind: str
    width: int
    height: int
    n_frames: int
    fps: float
    time_base: Fraction
    pts: npt.NDArray[np.int64]
    has_audio: bool

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """(N,) when each frame is shown, seconds from the first."""
        return (self.pts - self.pts[:1]).astype(np.float64) * float(self.time_base)


@dataclass(frozen=True, slots=True, eq=False)
class TrackRecord:
    """One person over time. ``state`` is "kept", "discarded" (by the tracker) or "deleted" (by a person)."""

    track_id: int
    name: str
    color_index: int
    hidden: bool
    state: str
    betas: npt.NDArray[np.float64] | None


@dataclass(frozen=True, slots=True, eq=False)
class FittedBody:
    """One fitted body.

    Attributes:
        reprojected: (23, 2) float32 pixels. rms_px: over visible keypoints.
        single: (27, 3) float32 metres, where the frame by itself put the body's sites, about the pelvis:
            evidence for the confidence; None where that is not known.
    """

    params: BodyParams
    reprojected: npt.NDArray[np.float32]
    rms_px: float
    single: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PersonRecord:
    """All that is stored of one person in one frame."""

    frame: int
    track_id: int
    estimate: PoseEstimate
    body: FittedBody | None
    confidence: BodyConfidence | None
    reviewed: bool = False
