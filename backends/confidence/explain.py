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
    far, unclear = away > 0.06 * size, keypoint_mm > _UNCLEAR_MM
    # Plain values: looking members of an enumeration up 23 times a person would cost a frame change 1 ms.
    by_person, carried = int(Source.PERSON), int(Source.CARRIED)
    absent, occluded = int(Visibility.ABSENT), int(Visibility.OCCLUDED)
    source, visibility = keypoints.source.tolist(), keypoints.visibility.tolist()
    score = keypoints.score.tolist()
    words = []
    for k in range(N_KEYPOINTS):
        if source[k] == by_person:
            words.append("placed by hand, depth unclear" if unclear[k] else "placed by hand")
        elif source[k] == carried:
            words.append("follows a correction nearby")
        elif visibility[k] == absent:
            words.append("not seen")
        elif not inside[k]:
            words.append("outside the picture")
        elif far[k]:
            words.append("far from the mesh")
        elif visibility[k] == occluded:
            words.append("hidden from view")
        elif score[k] < 0.5:
            words.append("hard to see")
        elif unclear[k]:
            words.append("distance unclear")
        else:
            words.append("")
    return tuple(words)
