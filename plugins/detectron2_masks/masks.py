"""Fills the contract of :class:`backends.deidentify.sources.PersonMasks` with Detectron2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from backends.errors import InputError
from backends.masks import CropMask
from plugins.crops import crops_of
from plugins.detectron2_masks.load import Opened, open_network

U1 = npt.NDArray[np.uint8]

PERSON = 0
"""COCO's first class in Detectron2's own numbering."""
SURE = 0.5
"""Mask2Mesh's; the configuration's own threshold holds too."""


def open_masks(config: Path, weights: Path) -> DetectronMasks:
    """A network of Detectron2 from the user's own files.

    Raises:
        WeightsError: see :func:`plugins.detectron2_masks.load.open_network`.
    """
    return DetectronMasks(open_network(config, weights))


class DetectronMasks:
    """Finds the pixels of people."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def masks(self, index: int, image: U1) -> Sequence[CropMask]:
        """One mask for each person in frame ``index``, (H, W, 3) uint8 RGB.

        Raises:
            InputError: the network gives other shapes than it should.
        """
        how = self._opened
        height, width = image.shape[:2]
        scale = min(how.short / min(height, width), how.long / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        # The predictor that Mask2Mesh called wants blue first and was given red: what it wants is told.
        ordered = image[..., ::-1] if how.bgr else image
        small = cv2.resize(np.ascontiguousarray(ordered), size, interpolation=cv2.INTER_LINEAR)
        tensor = torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1)).astype(np.float32))
        with torch.inference_mode():
            found = how.network([{"image": tensor, "height": height, "width": width}])[0]["instances"]
        people = (found.pred_classes == PERSON) & (found.scores >= SURE)
        masks = found.pred_masks[people].cpu().numpy().astype(np.bool_)
        if masks.ndim != 3 or masks.shape[1:] != (height, width):
            raise InputError(f"Detectron2 gave masks of {masks.shape} for a picture of {(height, width)}")
        return crops_of(masks)
