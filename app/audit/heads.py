"""Where a head is, as far as its keypoints tell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.keypoints.layout import INDEX
from backends.keypoints.types import Keypoints, Visibility

F4 = npt.NDArray[np.float32]

_FACE = tuple(INDEX[n] for n in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
_SMALLEST = 3.0


def core_of_head(keypoints: Keypoints) -> F4 | None:
    """(4,) the middle of a head that is seen: half as wide as its ears are apart, to each side.

    None where fewer than two points of it are seen: then somebody or something is in front of it, and what
    the networks find there counts.
    """
    points = _face_points(keypoints)
    if len(points) < 2:
        return None
    apart = float(np.linalg.norm(points[:, None] - points[None], axis=-1).max())
    middle, reach = points.mean(axis=0), max(0.5 * apart, _SMALLEST)
    return np.concatenate([middle - reach, middle + reach]).astype(np.float32)


def _face_points(keypoints: Keypoints) -> F4:
    """(K, 2) those of nose, eyes and ears that are seen."""
    shown = [k for k in _FACE if keypoints.visibility[k] == Visibility.VISIBLE]
    xy: F4 = keypoints.xy[shown]
    return xy[np.isfinite(xy).all(axis=1)]
