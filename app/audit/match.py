"""Whether two findings, of one search and of a later one, are the same thing in the same place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.audit.types import F4, LeakEvent

_SLACK_FRAMES = 3
"""Networks see a thing a frame or two earlier or later when the video is encoded anew."""

_OVERLAP = 0.3
_SHARE = 0.9


def boxes_at(event: LeakEvent, frames: npt.NDArray[np.int64]) -> F4:
    """(N, 4) where an event is in frames, straight lines between the frames in which it was seen."""
    boxes = [np.interp(frames, event.frames, event.boxes[:, k]) for k in range(4)]
    return np.stack(boxes, axis=1).astype(np.float32)


def overlap_of(a: F4, b: F4) -> npt.NDArray[np.float64]:
    """(N,) intersection over union of boxes (N, 4), one by one."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1, dtype=np.float64)
    areas = [np.prod(np.clip(v[:, 2:] - v[:, :2], 0, None), axis=1, dtype=np.float64) for v in (a, b)]
    result: npt.NDArray[np.float64] = both / np.maximum(areas[0] + areas[1] - both, 1e-9)
    return result


def is_same(found: LeakEvent, known: LeakEvent) -> bool:
    """Whether what a person decided about ``known`` speaks of ``found`` too.

    A longer event, or one that wanders elsewhere, is more than the person looked at: then it does not.
    """
    if found.kind != known.kind:
        return False
    near = (found.frames >= known.first - _SLACK_FRAMES) & (found.frames <= known.last + _SLACK_FRAMES)
    overlap = overlap_of(found.boxes, boxes_at(known, found.frames))
    return float((near & (overlap > _OVERLAP)).mean()) >= _SHARE
