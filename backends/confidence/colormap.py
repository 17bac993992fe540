"""The colour of an expected error: blue is sure, near-white the tolerance, vermilion not to be believed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backends.confidence.types import DEFAULT_TOLERANCE_MM

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_ANCHORS = ("#265c9e", "#73a8d1", "#edebe0", "#f29e59", "#cc4714")
"""At 0, 0.5, 1, 1.5 and 2 times the tolerance."""

_STEPS = 512


def _to_oklab(rgb: F8) -> F8:
    """sRGB in [0, 1] to OKLab (B. Ottosson, A perceptual color space for image processing, 2020)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lms = linear @ _RGB_TO_LMS.T
    return np.asarray(np.cbrt(lms) @ _LMS_TO_LAB.T)


def _from_oklab(lab: F8) -> F8:
    linear = ((lab @ np.linalg.inv(_LMS_TO_LAB).T) ** 3) @ np.linalg.inv(_RGB_TO_LMS).T
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@lru_cache(maxsize=1)
def _table() -> U1:
    anchors = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in _ANCHORS])
    lab = _to_oklab(anchors)
    at = np.linspace(0.0, len(anchors) - 1.0, _STEPS)
    mixed = np.stack([np.interp(at, np.arange(len(anchors)), lab[:, c]) for c in range(3)], axis=1)
    return np.round(_from_oklab(mixed) * 255).astype(np.uint8)


def confidence_rgb(mm: npt.ArrayLike, tolerance_mm: float = DEFAULT_TOLERANCE_MM) -> U1:
    """(..., 3) uint8 RGB of expected errors in mm; values that are not numbers take the far end."""
    values = np.nan_to_num(np.asarray(mm, dtype=np.float32), nan=np.inf)
    scaled = np.clip(values / max(2.0 * tolerance_mm, 1e-6), 0.0, 1.0)
    colours: U1 = _table()[np.round(scaled * (_STEPS - 1)).astype(np.int32)]
    return colours
