"""Painting over people who are known already, so that the networks see those beside and behind them.

The detector gives one person where two stand close, and the landmarks slip to the clearer of two bodies.
With that one painted over they find the other: in ``pedestrians.avi`` 8 of 9 times instead of never.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from backends.detection.types import Region
from backends.keypoints.types import PoseEstimate
from backends.masks import CropMask

U1 = npt.NDArray[np.uint8]

_RIM: Final = 0.03
"""Share of a person's height that the mask is widened by: a rim of clothes would still be somebody."""

_REACH: Final = 1.7
"""Half the side of what is looked at about a place, in its radii."""

_AROUND: Final = 0.25
_ENOUGH: Final = 16
_BODY: Final = 17
_PAINTED: Final = 0.6
"""Share of keypoints; of people who stand behind somebody more than this is hidden only now and then."""


def cover_people(image: U1, people: Iterable[PoseEstimate], places: Sequence[Region]) -> U1:
    """``image`` (H, W, 3) in which the people about ``places`` have the middle colour of what is around them.

    A copy, or the image itself where nobody is there.
    """
    height, width = image.shape[:2]
    masks = []
    for person in people:
        if not any(_reaches(place, person.box) for place in places):
            continue
        x0, y0, x1, y1 = (float(v) for v in person.box)
        pad = _AROUND * (y1 - y0) + 2
        left, top = max(0, int(x0 - pad)), max(0, int(y0 - pad))
        right, bottom = min(width, int(x1 + pad) + 1), min(height, int(y1 + pad) + 1)
        crop = np.zeros((bottom - top, right - left), np.uint8)
        if person.mask is None:
            crop[max(0, int(y0) - top) : int(y1) - top + 1, max(0, int(x0) - left) : int(x1) - left + 1] = 1
        else:
            _paint(crop, person.mask, left, top)
        side = 2 * max(1, round(_RIM * (y1 - y0))) + 1
        masks.append((left, top, np.asarray(cv2.dilate(crop, np.ones((side, side), np.uint8)), np.uint8)))
    if not masks:
        return image
    result = image.copy()
    everybody = np.zeros((height, width), np.uint8)
    for left, top, mask in masks:
        everybody[top : top + mask.shape[0], left : left + mask.shape[1]] |= mask
    for left, top, mask in masks:
        area = (slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1]))
        n = max(1, min(mask.shape) // 32)  # a sparse grid is enough for a middle colour
        around = image[area][::n, ::n][everybody[area][::n, ::n] == 0]
        colour = np.median(around, axis=0) if len(around) >= _ENOUGH else np.full(3, 128)
        paint = np.empty((*mask.shape, 3), np.uint8)
        paint[:] = colour.astype(np.uint8)
        cv2.copyTo(paint, mask, result[area])
    return result


def is_painted(person: PoseEstimate, people: Iterable[PoseEstimate]) -> bool:
    """Whether ``person``, found with ``people`` painted over, is only the paint: it has their outline."""
    xy = person.keypoints.xy[:_BODY].astype(np.float64)
    on_paint = np.zeros(len(xy), np.bool_)
    for other in people:
        mask = other.mask
        if mask is None or (xy.max(axis=0) < other.box[:2]).any() or (xy.min(axis=0) > other.box[2:]).any():
            continue
        inside = mask.decode()
        at = np.rint(xy - (mask.x0, mask.y0)).astype(np.int64)
        within = (at >= 0).all(axis=1) & (at[:, 0] < mask.width) & (at[:, 1] < mask.height)
        on_paint[within] |= inside[at[within, 1], at[within, 0]]
    return bool(on_paint.mean() > _PAINTED)


def _reaches(place: Region, box: npt.NDArray[np.floating[Any]]) -> bool:
    reach = _REACH * place.radius
    return bool((box[:2] < place.centre + reach).all() and (box[2:] > place.centre - reach).all())


def _paint(crop: U1, mask: CropMask, left: int, top: int) -> None:
    x, y = mask.x0 - left, mask.y0 - top
    inside = mask.decode()
    cut_x, cut_y = max(0, -x), max(0, -y)
    x, y = max(0, x), max(0, y)
    inside = inside[cut_y : cut_y + crop.shape[0] - y, cut_x : cut_x + crop.shape[1] - x]
    crop[y : y + inside.shape[0], x : x + inside.shape[1]] |= inside.astype(np.uint8)
