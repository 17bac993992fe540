"""The empty room behind the people: a median over time that knows where people were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backends.background.light import gains_to_one_light
from backends.background.median import masked_median
from backends.background.shade import complete_in_shade
from backends.background.steady import agreement
from backends.background.types import U1, BoolArray, Plate
from backends.errors import InputError

_BYTES = 400 << 20
"""Samples may take this much memory, whatever the picture's size."""


def most_samples(height: int, width: int, wanted: int) -> int:
    """How many of ``wanted`` pictures of this size may be held."""
    return min(wanted, max(5, _BYTES // max(height * width * 4, 1)))


class PlateBuilder:
    """Collects pictures of a fixed camera and makes the background from them.

    Memory is bounded: at most ``max_samples`` pictures are kept; where more are added, which ones stay is
    random but the same every time.
    """

    def __init__(self, height: int, width: int, *, max_samples: int = 48) -> None:
        self._limit = most_samples(height, width, max_samples)
        self._shape = (height, width)
        # The system hands out memory as it is written to, so a short clip does not pay for a long one.
        self._frames = np.empty((self._limit, height, width, 3), np.uint8)
        self._masks = np.empty((self._limit, height, width), np.bool_)
        self._added = 0
        self._random = np.random.default_rng(7)

    def add(self, frame: U1, person_mask: BoolArray) -> None:
        """One picture (H, W, 3) and where people are in it (H, W).

        Raises:
            InputError: another size.
        """
        if frame.shape != (*self._shape, 3) or person_mask.shape != self._shape:
            raise InputError(f"the plate is {self._shape}, the picture {frame.shape}")
        place = self._added
        self._added += 1
        if place >= self._limit:
            place = int(self._random.integers(0, self._added))
        if place < self._limit:
            self._frames[place], self._masks[place] = frame, person_mask

    def finish(self) -> Plate:
        """The background, filled where it was never seen.

        Raises:
            InputError: nothing was added.
        """
        plate = self.unfilled()
        return replace(plate, rgb=complete_in_shade(plate.rgb, plate.seen))

    def unfilled(self) -> Plate:
        """The background, black where it was never seen.

        Raises:
            InputError: nothing was added.
        """
        if not self._added:
            raise InputError("a background needs at least one picture")
        n = min(self._added, self._limit)
        frames, masks = self._frames[:n], self._masks[:n]
        gains = gains_to_one_light(frames, masks)
        rgb, seen = masked_median(frames, masks, gains)
        return Plate(rgb, seen, float(seen.mean()), agreement(frames, masks, gains, rgb))
