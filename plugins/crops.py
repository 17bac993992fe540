"""What segmentations find, as the program keeps masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.masks import CropMask, encode_mask


def crops_of(masks: npt.NDArray[np.bool_]) -> list[CropMask]:
    """Each of (N, H, W) cut out where it is; empty ones are left out."""
    found = []
    for mask in masks:
        ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(ys):
            crop = mask[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
            found.append(encode_mask(crop, int(xs[0]), int(ys[0])))
    return found
