"""The confidence of one body: expected errors in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F4 = npt.NDArray[np.float32]
U1 = npt.NDArray[np.uint8]

DEFAULT_TOLERANCE_MM = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class SiteErrors:
    """What the model of expected errors says of one body's 27 sites, after the body as a whole is aligned.

    Aligned means placed, turned and sized as a whole to fit the truth best (Umeyama, 1991), for one view
    cannot tell how far away or how large somebody is. Vertices, keypoints, bounds and probabilities follow
    from it (:mod:`backends.confidence.expected.estimate`).

    Attributes:
        mm: (27,) expected error of each of :data:`backends.confidence.expected.sites.SITE_NAMES`.
        bound_mm: (27,) the error that nine of ten stay under, measured on sequences held out.
        row: (27,) uint8: which table of held-out errors holds, by what was seen
            (:func:`backends.confidence.expected.model.table_rows`).
        spread: (27, 27) mean square errors of what hangs on the sites, and how they err together, mm^2.
        centre, scale: (27,) of the log of the error (see :mod:`backends.confidence.expected.model`), from
            which probabilities follow.
    """

    mm: F4
    bound_mm: F4
    row: U1
    spread: F4
    centre: F4
    scale: F4


@dataclass(frozen=True, slots=True, eq=False)
class BodyConfidence:
    """Expected errors of one fitted body, mm.

    Attributes:
        keypoint_mm: (23,) float32 expected error of each keypoint's place on the body.
        joint_mm: (55,) float32 expected error of each joint.
        mean_mm: one number for the whole person: the mean over the 22 body joints.
        sites: what these follow from; None in projects of earlier versions.
    """

    keypoint_mm: F4
    joint_mm: F4
    mean_mm: float
    sites: SiteErrors | None = None
