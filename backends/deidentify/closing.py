"""Closing in time: what was a person a moment ago and is again a moment later is one in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backends.masks import BoolArray, CropMask, encode_mask


def between_masks(before: Sequence[CropMask], after: Sequence[CropMask]) -> CropMask | None:
    """Pixels that some mask ``before`` and some mask ``after`` hold, all of them moved to this picture."""
    every = [*before, *after]
    if not before or not after:
        return None
    x0, y0 = min(m.x0 for m in every), min(m.y0 for m in every)
    x1, y1 = max(m.x0 + m.width for m in every), max(m.y0 + m.height for m in every)
    both = _union(before, x0, y0, (y1 - y0, x1 - x0)) & _union(after, x0, y0, (y1 - y0, x1 - x0))
    rows, columns = np.flatnonzero(both.any(axis=1)), np.flatnonzero(both.any(axis=0))
    if not rows.size:
        return None
    crop = both[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return encode_mask(crop, x0 + int(columns[0]), y0 + int(rows[0]))


def _union(masks: Sequence[CropMask], x0: int, y0: int, shape: tuple[int, int]) -> BoolArray:
    canvas = np.zeros(shape, np.bool_)
    for m in masks:
        part = canvas[m.y0 - y0 : m.y0 - y0 + m.height, m.x0 - x0 : m.x0 - x0 + m.width]
        part |= m.decode()
    return canvas
