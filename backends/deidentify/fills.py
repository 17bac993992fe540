"""What a covered region shows instead: a colour, cells, a blur, the empty room, its surroundings."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backends.background import fill
from backends.deidentify.types import Region

U1 = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

SOLID_RGB = (104, 110, 118)
_CELL_OF_RADIUS = 0.6
"""Cells of this share of the head's radius are three or four across a head; about twelve would show who."""
_MIN_CELL = 6
_BLUR_OF_RADIUS = 0.45
_BLUR_STEP = 4
"""A blur is made on a picture this many times smaller than its standard deviation."""
_MARGIN = 24


def solid(region: Region) -> U1:
    """(h, w, 3) one calm colour."""
    return np.full((*region.mask.shape, 3), SOLID_RGB, np.uint8)


def pixelated(image: U1, region: Region, radius: float, phase: tuple[float, float]) -> U1:
    """(h, w, 3) the region in cells; ``radius`` of the head, pixels; ``phase`` in [0, 1) shifts the cells."""
    return _cells(image, region, max(_MIN_CELL, round(_CELL_OF_RADIUS * radius)), phase, cv2.INTER_NEAREST)


def blurred(image: U1, region: Region, radius: float) -> U1:
    """(h, w, 3) the region through a Gaussian; ``radius`` of the head, pixels. It can be seen through."""
    deviation = max(float(_MIN_CELL), _BLUR_OF_RADIUS * radius)
    step = max(1, round(deviation / _BLUR_STEP))
    return _cells(image, region, step, (0.0, 0.0), cv2.INTER_LINEAR, deviation / step)


def _cells(
    image: U1, region: Region, cell: int, phase: tuple[float, float], enlarge: int, deviation: float = 0.0
) -> U1:
    """The region's means over squares of ``cell`` pixels, blurred by ``deviation`` cells, enlarged again."""
    h, w = region.mask.shape
    oy, ox = int(phase[0] * cell), int(phase[1] * cell)
    rows, columns = -(-(h + oy) // cell), -(-(w + ox) // cell)
    padded = cv2.copyMakeBorder(
        image[region.window], oy, rows * cell - h - oy, ox, columns * cell - w - ox, cv2.BORDER_REPLICATE
    )
    small = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    if deviation > 0:
        small = cv2.GaussianBlur(small, (0, 0), deviation)
    large = cv2.resize(small, (columns * cell, rows * cell), interpolation=enlarge)
    return np.ascontiguousarray(np.asarray(large, np.uint8)[oy : oy + h, ox : ox + w])


def surroundings(image: U1, region: Region, covered: BoolArray) -> U1:
    """What may be behind a region, blurred from around it, without any pixel of ``covered`` (H, W)."""
    h, w = covered.shape
    y0, y1 = max(0, region.y0 - _MARGIN), min(h, region.y0 + region.mask.shape[0] + _MARGIN)
    x0, x1 = max(0, region.x0 - _MARGIN), min(w, region.x0 + region.mask.shape[1] + _MARGIN)
    filled = fill(image[y0:y1, x0:x1], ~covered[y0:y1, x0:x1])
    rows = slice(region.y0 - y0, region.y0 - y0 + region.mask.shape[0])
    return np.ascontiguousarray(filled[rows, region.x0 - x0 : region.x0 - x0 + region.mask.shape[1]])
