"""Fills the contract of :class:`backends.deidentify.sources.PersonMasks` with a network of Transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from backends.errors import InputError
from backends.masks import CropMask
from plugins.crops import crops_of
from plugins.transformers_masks.load import Opened, Preparation, open_network

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

SURE = 0.3
"""A query counts as a person from here. Masks only ever add to what is covered, so that a cover too many
costs less than a person missed."""
_MULTIPLE = 32


def open_masks(folder: Path) -> TransformersMasks:
    """The segmentation in a folder of the user's own.

    Raises:
        WeightsError: see :func:`plugins.transformers_masks.load.open_network`.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TransformersMasks(open_network(folder), device=device)


class TransformersMasks:
    """Finds the pixels of people: one class and one mask for each query of the network.

    Source: Cheng et al., Masked-attention mask transformer, CVPR 2022 (how queries are read).
    """

    def __init__(self, opened: Opened, *, device: str = "cpu") -> None:
        self._network = opened.network.to(device)
        self._preparation = opened.preparation
        self._people = list(opened.people)
        self._device = device

    def masks(self, index: int, image: U1) -> Sequence[CropMask]:
        """One mask for each person in frame ``index``, (H, W, 3) uint8 RGB.

        Raises:
            InputError: the network gives other shapes than its kind should.
        """
        height, width = image.shape[:2]
        picture, (h, w) = prepared(image, self._preparation)
        with torch.inference_mode():
            told = self._network(pixel_values=torch.from_numpy(picture)[None].to(self._device))
        classes, shapes = _read(told)
        if max(self._people) >= classes.shape[1] - 1:
            raise InputError(f"the segmentation tells {classes.shape[1] - 1} classes, fewer than it names")
        sure = classes.softmax(dim=-1)[:, self._people].sum(dim=-1)
        chosen = shapes[sure >= SURE]
        if len(chosen) == 0:
            return []
        padded_h, padded_w = picture.shape[1:]
        full = torch.nn.functional.interpolate(chosen[None], (padded_h, padded_w), mode="bilinear")[0]
        pixels = torch.nn.functional.interpolate(full[None, :, :h, :w], (height, width), mode="bilinear")[0]
        return crops_of((pixels > 0).cpu().numpy())


def prepared(image: U1, how: Preparation) -> tuple[F4, tuple[int, int]]:
    """(3, H', W') as the network wants it, with zeros below and at the right to multiples of 32, and the
    (height, width) of the picture in it."""
    height, width = image.shape[:2]
    scale = min(how.short / min(height, width), how.long / max(height, width))
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    mean, std = np.array(how.mean, np.float32), np.array(how.std, np.float32)
    values = (np.asarray(small, np.float32) / 255 - mean) / std
    padded = np.zeros((3, h + -h % _MULTIPLE, w + -w % _MULTIPLE), np.float32)
    padded[:, :h, :w] = values.transpose(2, 0, 1)
    return padded, (h, w)


def _read(told: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (Q, C + 1), the last for nothing, and shapes (Q, h, w), people above zero."""
    classes = told.get("class_queries_logits", told.get("logits"))
    shapes = told.get("masks_queries_logits", told.get("pred_masks"))
    if classes is None or shapes is None or classes.ndim != 3 or shapes.ndim != 4:
        raise InputError("the segmentation gives no classes and masks of queries")
    if classes.shape[:2] != shapes.shape[:2]:
        raise InputError(f"the segmentation gives {classes.shape[1]} classes and {shapes.shape[1]} masks")
    return classes[0].float(), shapes[0].float()
