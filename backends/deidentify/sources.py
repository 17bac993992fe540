"""Further masks of people, from whatever segmentation is installed: Detectron2, Transformers or another.

None of them is part of the program. A plug-in names a factory under the entry point
``understudy.person_masks``; what it makes fills :class:`PersonMasks`. Its masks only ever add to what is
covered: those that lie on somebody who was found are theirs, the others are people of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from backends.masks import CropMask

GROUP = "understudy.person_masks"
_INSIDE = 0.5
"""So much of a mask lies in the box of whom it belongs to."""
_AIR = 0.1


@runtime_checkable
class PersonMasks(Protocol):
    """Finds the pixels of people."""

    def masks(self, index: int, image: npt.NDArray[np.uint8]) -> Sequence[CropMask]:
        """One mask for each person in frame ``index``, (H, W, 3) uint8 RGB, in any order."""
        ...


def owners(masks: Sequence[CropMask], boxes: Sequence[npt.NDArray[np.float32]]) -> list[int | None]:
    """Whose each mask is: the place of the box (4,) that holds most of it, or None where none holds half.

    A box counts with a tenth of its size around it.
    """
    found: list[int | None] = []
    for mask in masks:
        shares = [_share(mask, box) for box in boxes]
        best = int(np.argmax(shares)) if shares else -1
        found.append(best if best >= 0 and shares[best] >= _INSIDE else None)
    return found


def box_of(mask: CropMask) -> npt.NDArray[np.float32]:
    """(4,) x0 y0 x1 y1 of a mask's crop."""
    return np.array([mask.x0, mask.y0, mask.x0 + mask.width, mask.y0 + mask.height], np.float32)


def _share(mask: CropMask, box: npt.NDArray[np.float32]) -> float:
    pixels = mask.decode()
    air = _AIR * float((box[2:] - box[:2]).max())
    x0, y0 = (max(int(v - air) - o, 0) for v, o in zip(box[:2], (mask.x0, mask.y0)))
    x1, y1 = (max(int(np.ceil(v + air)) + 1 - o, 0) for v, o in zip(box[2:], (mask.x0, mask.y0)))
    return float(pixels[y0:y1, x0:x1].sum()) / max(int(pixels.sum()), 1)
