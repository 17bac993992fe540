"""Painting over people who are known already, so that the networks see those beside and behind them.

The detector gives one person where two stand close, and the landmarks slip to the clearer of two bodies.
With that one painted over they find the other: in ``pedestrians.avi`` 8 of 9 times instead of never.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from backends.keypoints.types import PoseEstimate

U1 = npt.NDArray[np.uint8]

_RIM: Final = 0.03
"""Share of a person's height that the mask is widened by: a rim of clothes would still be somebody."""

_AROUND: Final = 0.25
_ENOUGH: Final = 16


def cover_people(image: U1, people: Iterable[PoseEstimate]) -> U1:
    """A copy of ``image`` (H, W, 3) in which each person has the middle colour of what is around them."""
    result = image.copy()
    height, width = image.shape[:2]
    masks = []
    for person in people:
        x0, y0, x1, y1 = (float(v) for v in person.box)
        pad = _AROUND * (y1 - y0) + 2
        left, top = max(0, int(x0 - pad)), max(0, int(y0 - pad))
        right, bottom = min(width, int(x1 + pad) + 1), min(height, int(y1 + pad) + 1)
        crop = np.zeros((bottom - top, right - left), np.uint8)
        if person.mask is None:
            crop[max(0, int(y0) - top) : int(y1) - top + 1, max(0, int(x0) - left) : int(x1) - left + 1] = 1
        else:
            _paint(crop, person, left, top)
        side = 2 * max(1, round(_RIM * (y1 - y0))) + 1
        masks.append((left, top, np.asarray(cv2.dilate(crop, np.ones((side, side), np.uint8))) > 0))
    everybody = np.zeros((height, width), np.bool_)
    for left, top, mask in masks:
        everybody[top : top + mask.shape[0], left : left + mask.shape[1]] |= mask
    for left, top, mask in masks:
        area = (slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1]))
        around = image[area][~everybody[area]]
        step = max(1, len(around) // 2000)
        colour = np.median(around[::step], axis=0) if len(around) >= _ENOUGH else np.full(3, 128)
        result[area][mask] = colour.astype(np.uint8)
    return result


def _paint(crop: U1, person: PoseEstimate, left: int, top: int) -> None:
    mask = person.mask
    if mask is None:
        return
    x, y = mask.x0 - left, mask.y0 - top
    inside = mask.decode()
    cut_x, cut_y = max(0, -x), max(0, -y)
    x, y = max(0, x), max(0, y)
    inside = inside[cut_y : cut_y + crop.shape[0] - y, cut_x : cut_x + crop.shape[1] - x]
    crop[y : y + inside.shape[0], x : x + inside.shape[1]] |= inside.astype(np.uint8)
