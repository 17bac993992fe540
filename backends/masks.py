"""Person masks as run lengths over a crop (COCO's uncompressed run lengths, column-major)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.errors import InputError

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CropMask:
    """A binary mask that is zero outside a box.

    Attributes:
        x0, y0: top-left pixel of the crop in the full picture; may not be negative.
        width, height: size of the crop in pixels.
        counts: (R,) uint32 run lengths, column-major, beginning with a run of zeros.
    """

    x0: int
    y0: int
    width: int
    height: int
    counts: npt.NDArray[np.uint32]

    def decode(self) -> BoolArray:
        """The crop as (height, width) booleans.

        Raises:
            InputError: where the run lengths do not add up to the crop's size.
        """
        if int(self.counts.sum(dtype=np.int64)) != self.width * self.height:
            raise InputError("mask is damaged: its run lengths do not fill its box")
        values = np.zeros(len(self.counts), dtype=np.bool_)
        values[1::2] = True
        return np.repeat(values, self.counts).reshape(self.width, self.height).T

    def paint(self, target: BoolArray) -> None:
        """Set the mask's pixels in ``target``, an (H, W) boolean picture, in place (clipped)."""
        h, w = target.shape
        x1, y1 = min(w, self.x0 + self.width), min(h, self.y0 + self.height)
        if x1 > self.x0 and y1 > self.y0:
            target[self.y0 : y1, self.x0 : x1] |= self.decode()[: y1 - self.y0, : x1 - self.x0]


def encode_mask(crop: BoolArray, x0: int, y0: int) -> CropMask:
    """Run lengths of ``crop`` (h, w) booleans whose top-left pixel is (x0, y0) of the picture."""
    flat = np.ascontiguousarray(crop.T).reshape(-1)
    change = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], change, [flat.size]])
    counts = np.diff(edges).astype(np.uint32)
    if flat.size and flat[0]:
        counts = np.concatenate([np.zeros(1, np.uint32), counts])
    return CropMask(x0, y0, crop.shape[1], crop.shape[0], counts)
