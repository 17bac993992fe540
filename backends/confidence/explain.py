"""A few plain words on why a keypoint may be off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, Source, Visibility

F4 = npt.NDArray[np.float32]

_UNCLEAR_MM = 75.0


def explain_keypoints(
    keypoints: Keypoints, reprojected: F4, camera: Camera, keypoint_mm: F4
) -> tuple[str, ...]:
    """Per keypoint a few plain words on why it may be off, or ""."""
    xy = keypoints.xy
    inside = (xy[:, 0] >= 0) & (xy[:, 0] < camera.width) & (xy[:, 1] >= 0) & (xy[:, 1] < camera.height)
    used = keypoints.visibility != Visibility.ABSENT
    size = float(np.hypot(*np.ptp(xy[used], axis=0))) if used.any() else 1.0
    away = np.hypot(*(reprojected - xy).T)
    words = []
    for k in range(N_KEYPOINTS):
        unclear = keypoint_mm[k] > _UNCLEAR_MM
        if keypoints.source[k] == Source.PERSON:
            words.append("placed by hand, depth unclear" if unclear else "placed by hand")
        elif keypoints.source[k] == Source.CARRIED:
            words.append("follows a correction nearby")
        elif keypoints.visibility[k] == Visibility.ABSENT:
            words.append("not seen")
        elif not inside[k]:
            words.append("outside the picture")
        elif away[k] > 0.06 * size:
            words.append("far from the mesh")
        elif keypoints.visibility[k] == Visibility.OCCLUDED:
            words.append("hidden from view")
        elif keypoints.score[k] < 0.5:
            words.append("hard to see")
        elif unclear:
            words.append("distance unclear")
        else:
            words.append("")
    return tuple(words)
