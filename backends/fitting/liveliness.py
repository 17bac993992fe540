"""How lively each part of a body moves, and when: who jumps may not be smoothed as who stands.

As in the 1-euro filter (Casiez, Roussel, Vogel, CHI 2012), what moves quickly is held less. The speed is
taken from a median over a few frames, so that a keypoint that jumps to and fro counts as still.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, median_filter

F8 = npt.NDArray[np.float64]

_STEP_S, _REACH_S = 0.07, 0.3
"""Speeds are differences over twice the former; what is quick now stays loose for the latter, for at the
turn of a quick movement the speed is nought and the acceleration greatest."""
_MANY_FPS = 20.0


def speeds(values: F8, fps: float) -> F8:
    """(T, N) largest speed of (T, N, 3) about each frame, units a second."""
    window = 5 if fps >= _MANY_FPS else 3
    if len(values) < window:
        return np.zeros(values.shape[:2])
    calm = median_filter(values, size=(window, 1, 1), mode="nearest")
    step = max(round(_STEP_S * fps), 1)
    at = np.arange(len(values))
    later, earlier = np.minimum(at + step, len(at) - 1), np.maximum(at - step, 0)
    seconds = (later - earlier) / fps
    speed = np.linalg.norm(calm[later] - calm[earlier], axis=2) / seconds[:, None]
    reach = 2 * max(round(_REACH_S * fps), 1) + 1
    lively: F8 = maximum_filter1d(speed, reach, axis=0, mode="nearest")
    return lively


def looseness(values: F8, fps: float, calm: npt.ArrayLike) -> F8:
    """(T, N) how many times looser than at rest parts of (T, N, 3) are held: 1 up to the speed ``calm``
    (one, or (N,)), then in proportion."""
    loose: F8 = np.maximum(speeds(values, fps) / np.asarray(calm, np.float64), 1.0)
    return loose
