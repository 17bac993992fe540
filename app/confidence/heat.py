"""A map of errors over a picture, in the colours of confidence."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from backends.confidence import DEFAULT_TOLERANCE_MM, confidence_rgb

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TOLERANCE: Final = {"mesh": DEFAULT_TOLERANCE_MM, "keypoints": 11.2}
"""What is still right: millimetres for the mesh; a tenth of half a crop of 224, in pixels, for keypoints."""
UNIT: Final = {"mesh": "mm", "keypoints": "px"}
SCALE: Final = {"mesh": 1e3, "keypoints": 1.0}
"""From what estimates are measured in (metres, pixels) to what is shown."""

_LOST: Final = np.array([96, 96, 104], np.float32)
_HATCH: Final = 9


def heat_field(values: npt.ArrayLike, places: I8, width: int, height: int) -> F4:
    """(height, width) float32: values (ny, nx) laid at the middles of their places (ny, nx, 4), bilinear
    between them and constant beyond; NaN where the nearest place has no value."""
    grid = np.asarray(values, np.float64)
    middle_x = places[0, :, [0, 2]].mean(axis=0) - 0.5
    middle_y = places[:, 0, [1, 3]].mean(axis=1) - 0.5
    columns = np.interp(np.arange(width), middle_x, np.arange(len(middle_x))).astype(np.float32)
    rows = np.interp(np.arange(height), middle_y, np.arange(len(middle_y))).astype(np.float32)
    at = np.meshgrid(columns, rows)
    known = np.isfinite(grid)

    def spread(layer: F8) -> F4:
        border = cv2.BORDER_REPLICATE
        return np.asarray(cv2.remap(layer.astype(np.float32), *at, cv2.INTER_LINEAR, borderMode=border))

    weight = spread(known.astype(np.float64))
    total = spread(np.where(known, grid, 0.0))
    return np.where(weight > 0.5, total / np.maximum(weight, 1e-6), np.nan).astype(np.float32)


def heat_over(
    image: U1, field: F4, tolerance: float, *, opacity: float = 0.62, nobody: Bools | None = None
) -> U1:
    """The picture in grey with the field over it; where the field knows nothing only the picture.

    Args:
        field: (H, W) in the unit of ``tolerance``, which is the middle of the colours.
        nobody: (H, W) where nobody was found any more: hatched, as no error can be named there.
    """
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.float32)
    colour = confidence_rgb(field, tolerance).astype(np.float32)
    share = np.where(np.isfinite(field), opacity, 0.0)[..., None]
    mixed = grey * (1.0 - share) + colour * share
    if nobody is not None and nobody.any():
        y, x = np.indices(nobody.shape)
        lines = nobody & ((x + y) % _HATCH < 3)
        mixed = np.where(nobody[..., None], 0.5 * grey + 0.5 * _LOST, mixed)
        mixed = np.where(lines[..., None], np.float32(232.0), mixed)
    return np.asarray(np.round(mixed), np.uint8)


def heat_rgba(field: F4, tolerance: float) -> U1:
    """(H, W, 4) uint8 straight RGBA to be laid over a frame: the more error, the more solid."""
    known = np.isfinite(field)
    share = np.clip(np.where(known, field, 0.0) / max(2.0 * tolerance, 1e-6), 0.0, 1.0)
    alpha = np.where(known, 0.18 + 0.62 * np.sqrt(share), 0.0)
    rgba = np.empty((*field.shape, 4), np.uint8)
    rgba[..., :3] = confidence_rgb(field, tolerance)
    rgba[..., 3] = np.round(255 * alpha)
    return rgba
