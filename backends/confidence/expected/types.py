"""What goes into the expected error and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.camera import Camera
from backends.fitting.types import FitResult
from backends.keypoints.types import PoseEstimate

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]


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
        single: the body that the frame alone gave, or None where that is ``result``'s own.
        others: (M, 4) boxes of the other people in the frame, pixels.
        depth_mm: (23,) a depth sensor's readings at the keypoints, 0 or NaN for none; or None.
    """

    time: float
    result: FitResult
    estimate: PoseEstimate
    camera: Camera
    single: BodyParams | None = None
    others: F4 = field(default_factory=_nobody)
    depth_mm: F8 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedError:
    """How far one body may be off, in millimetres, after the body as a whole is aligned.

    Aligned means placed, turned and sized as a whole to fit the truth best (Umeyama, 1991), for one view
    cannot tell how far away or how large somebody is.

    Attributes:
        site_mm: (27,) expected error of each of :data:`backends.confidence.expected.sites.SITE_NAMES`.
        bound_mm: (27,) the error that nine of ten stay under, measured on sequences held out.
        group: (27,) uint8: what was seen of each, :class:`backends.confidence.expected.model.Group`, and
            three more where the focal length was assumed.
        joint_mm, keypoint_mm: (55,), (23,) expected errors of all joints, and of the keypoints.
        site_spread: (27, 27) mean square errors of what hangs on the sites, and how they err together, mm^2:
            for the vertices.
        mean_mm: one number for the person: the mean over the 22 body joints.
        centre, scale: (27,) of the log of the error (see :mod:`backends.confidence.expected.model`), from
            which probabilities follow.
    """

    site_mm: F4
    bound_mm: F4
    group: U1
    joint_mm: F4
    keypoint_mm: F4
    site_spread: F4
    mean_mm: float
    centre: F4
    scale: F4
