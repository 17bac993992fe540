"""People who came into the empty room because nobody saw them in a few pictures.

Somebody stands still, is followed in forty pictures of fifty and lost in ten: of those ten the room is made,
and shows them. What a pixel looked like where it surely was a person tells: if the room looks the same there,
it is the person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.background import Plate, complete

U1 = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
Array = Any

_OFTEN = 0.25
"""In this share of the pictures a pixel has to be somebody to say what somebody looks like there."""
_ALIKE = 20
"""Levels in every channel; the light of a room changes by less."""
_MOSTLY, _AROUND = 0.6, 0.12
"""So much of what was somebody has to look the same, within this share of the picture's height."""
_SEEDS = 0.3
"""So much of a piece has to be like that for all of it to go."""
_JOIN = 7
_SPECK = 0.012
_RIM = 0.02
"""Shares of the picture's height: smaller pieces show nobody, larger ones are widened by so much."""


@numba.njit(cache=True, nogil=True)
def _add(total: Array, count: Array, frame: Array, mask: Array) -> None:
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                count[y, x] += 1
                for c in range(3):
                    total[y, x, c] += frame[y, x, c]


@numba.njit(cache=True, nogil=True)
def _same(total: Array, count: Array, least: int, room: Array, alike: int, out: Array) -> None:
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            n = count[y, x]
            if n < least:
                continue
            same = True
            for c in range(3):
                mean = total[y, x, c] / n
                same = same and abs(mean - room[y, x, c]) < alike
            out[y, x] = 1 if same else 0


class LeftIn:
    """Collects what people look like in the pictures that a room is made of."""

    def __init__(self, height: int, width: int) -> None:
        self._total = np.zeros((height, width, 3), np.uint32)
        self._count = np.zeros((height, width), np.uint16)
        self._pictures = 0

    def add(self, frame: U1, people: BoolArray) -> None:
        """One picture (H, W, 3) and which pixels surely are people (H, W), not grown."""
        _add(self._total, self._count, frame, people)
        self._pictures += 1

    def found(self, plate: Plate) -> BoolArray:
        """(H, W) where the room shows somebody."""
        height, width = self._count.shape
        same = np.zeros((height, width), np.uint8)
        least = max(2, round(_OFTEN * self._pictures))
        _same(self._total, self._count, least, plate.rgb, _ALIKE, same)
        asked = ((self._count >= least) & plate.seen).view(np.uint8)
        same &= asked
        # A brown shirt before a brown tree is alike here and there; somebody who stayed is alike all over.
        side = 2 * max(1, round(_AROUND * height / 2)) + 1
        alike, all_of = (
            cv2.boxFilter(m, cv2.CV_32F, (side, side), borderType=cv2.BORDER_CONSTANT) for m in (same, asked)
        )
        seeds = (same > 0) & (alike > _MOSTLY * all_of)
        same = np.asarray(cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
        # A head a little apart from the shoulders belongs to them.
        joined = cv2.dilate(same, np.ones((_JOIN, _JOIN), np.uint8))
        n, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        speck = _SPECK * height
        kept = stats[:, cv2.CC_STAT_AREA] >= speck * speck
        kept &= np.bincount(labels[seeds], minlength=n) >= _SEEDS * stats[:, cv2.CC_STAT_AREA]
        kept[0] = False
        return grown(kept[labels] & (same > 0), height)


def grown(people: BoolArray, height: int) -> BoolArray:
    """People (H, W) with a rim in which they may be, too, in a picture of ``height`` rows."""
    reach = max(2, round(_RIM * height))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(people.view(np.uint8), disc), np.bool_)


def without(plate: Plate, people: BoolArray) -> Plate:
    """The room with ``people`` (H, W) filled in as if it had never been seen there."""
    if not people.any():
        return plate
    seen = plate.seen & ~people
    return replace(
        plate, rgb=complete(plate.rgb, seen), seen=seen, seen_fraction=float(seen.mean())
    )  # fmt: skip
