"""Where corrected keypoints probably are in the frames between corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.project.records import PersonRecord
from app.review.editing import replace_keypoints
from backends.keypoints.types import Keypoints, Visibility

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def moved_between(
    found: Mapping[int, PersonRecord], fixed: Sequence[int], placed: Mapping[int, BoolArray]
) -> dict[int, PersonRecord]:
    """The people with keypoints shifted by as much as they had to be corrected on both sides.

    What an estimator gets wrong in two frames it gets wrong between them too, and by about as much: left
    where it was, it would draw the body back.

    Args:
        found: people by frame; fixed: corrected frames, ascending; placed: per corrected frame the (23,)
            keypoints that a person has placed there.
    """
    result = dict(found)
    for first, last in pairwise(fixed):
        both = placed[first] & placed[last]
        shifts = [_shift(found, frame) for frame in (first, last)]
        if shifts[0] is None or shifts[1] is None or not both.any():
            continue
        for frame in range(first + 1, last):
            person = found.get(frame)
            if person is None or person.reviewed:
                continue
            share = (frame - first) / (last - first)
            shift = (1.0 - share) * shifts[0] + share * shifts[1]
            kp = person.estimate.keypoints
            use = both & (kp.visibility != Visibility.ABSENT) & np.isfinite(shift).all(axis=1)
            xy = np.where(use[:, None], kp.xy + shift, kp.xy).astype(np.float32)
            keypoints = Keypoints(xy, kp.score, kp.visibility, kp.source)
            result[frame] = replace(person, estimate=replace_keypoints(person.estimate, keypoints))
    return result


def _shift(found: Mapping[int, PersonRecord], frame: int) -> F8 | None:
    """(23, 2) pixels from where the neighbours' bodies have the keypoints to where the frame has them."""
    beside = [
        p.body.reprojected.astype(np.float64)
        for f in (frame - 1, frame + 1)
        if (p := found.get(f)) is not None and p.body is not None and not p.reviewed
    ]
    if not beside:
        return None
    return np.asarray(found[frame].estimate.keypoints.xy - np.mean(beside, axis=0))
