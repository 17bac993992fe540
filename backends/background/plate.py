"""The empty room behind the people: a median over time that knows where people were."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.errors import InputError

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Array = Any

_BYTES = 400 << 20
"""Samples may take this much memory, whatever the picture's size."""

_STEADY = 0.6
_ALIKE = 24.0
"""Levels by which one pixel of a steady background may differ: noise, leaves, a shadow passing."""
_EDGE = 30.0
_ENOUGH_EDGES = 50
_JUDGES = 16
"""So many pictures say whether the plate is a background of theirs."""

_SIXTEENTHS = 16
_STRIDE = 6
"""Gains are measured on every n-th pixel along both axes."""


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """The background of a fixed camera.

    Attributes:
        rgb: (H, W, 3) uint8; seen: (H, W) where the background was ever seen (else it was filled in).
        seen_fraction: share of the picture that was seen.
        agreement: share of the background's edges that a typical picture has here too, in [0, 1]:
            above 0.9 from a fixed camera, about 0.3 from one in somebody's hand.
    """

    rgb: U1
    seen: BoolArray
    seen_fraction: float
    agreement: float = 1.0

    @property
    def steady(self) -> bool:
        """False where the camera moved: then this is no background of any picture."""
        return self.agreement >= _STEADY


class PlateBuilder:
    """Collects pictures of a fixed camera and makes the background from them.

    Memory is bounded: at most ``max_samples`` pictures are kept; where more are added, which ones stay is
    random but the same every time.
    """

    def __init__(self, height: int, width: int, *, max_samples: int = 48) -> None:
        limit = max(5, _BYTES // max(height * width * 4, 1))
        self._limit = min(max_samples, limit)
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
        """The background.

        Raises:
            InputError: nothing was added.
        """
        if not self._added:
            raise InputError("a background needs at least one picture")
        n = min(self._added, self._limit)
        frames, masks = self._frames[:n], self._masks[:n]
        gains = _gains(frames, masks)
        bytes_in_light = np.arange(256) * gains[..., None].astype(np.float64) * _SIXTEENTHS
        table = np.clip(np.round(bytes_in_light), 0, 65535).astype(np.uint16)
        height, width = self._shape
        rgb = np.zeros((height, width, 3), np.uint8)
        seen = np.zeros((height, width), np.bool_)
        middle = height // 2
        with ThreadPoolExecutor(2) as pool:
            halves = [
                pool.submit(_masked_median, frames, masks, table, first, last, rgb, seen)
                for first, last in [(0, middle), (middle, height)]
            ]
            for half in halves:
                half.result()
        return Plate(fill(rgb, seen), seen, float(seen.mean()), _agreement(frames, masks, gains, rgb))


def _gains(frames: U1, masks: BoolArray) -> F4:
    """(N, 3) factors that bring each picture to the light of the middle one, from pixels without people."""
    small = frames[:, ::_STRIDE, ::_STRIDE].astype(np.float32)
    hidden = masks[:, ::_STRIDE, ::_STRIDE]
    counted = np.where(hidden[..., None], np.nan, small)
    with np.errstate(all="ignore"):
        level = np.array([np.nanmean(c[~h], axis=0) if (~h).any() else np.full(3, np.nan)
                          for c, h in zip(small, hidden)])  # fmt: skip
    usable = np.isfinite(level).all(axis=1)
    if not usable.any():
        return np.ones((len(frames), 3), np.float32)
    reference = counted[int(np.flatnonzero(usable)[np.argsort(level[usable].sum(axis=1))[usable.sum() // 2]])]
    gains = np.ones((len(frames), 3), np.float32)
    for i in np.flatnonzero(usable):
        both = np.isfinite(reference[..., 0]) & np.isfinite(counted[i, ..., 0])
        a, b = reference[both], counted[i][both]
        fair = (a > 8).all(axis=1) & (b > 8).all(axis=1) & (a < 247).all(axis=1) & (b < 247).all(axis=1)
        if int(fair.sum()) >= 200:
            gains[i] = np.clip(np.median(a[fair] / b[fair], axis=0), 0.5, 2.0)
    return gains


def _agreement(frames: U1, masks: BoolArray, gains: F4, rgb: U1) -> float:
    """Median over pictures of the share of the background's edges within ``_ALIKE`` levels of the plate.

    Edges only: a plain wall looks alike however the camera moves.
    """
    plate = rgb[::_STRIDE].astype(np.float32)
    plate_steps = _steps(plate)
    shares = []
    every = max(1, len(frames) // _JUDGES)
    for frame, mask, gain in zip(frames[::every], masks[::every], gains[::every]):
        rows = frame[::_STRIDE] * gain
        edges = ~mask[::_STRIDE] & (np.maximum(plate_steps, _steps(rows)) > _EDGE)
        if int(edges.sum()) >= _ENOUGH_EDGES:
            shares.append(float((_largest(np.abs(rows - plate))[edges] < _ALIKE).mean()))
    return float(np.median(shares)) if shares else 1.0


def _steps(rows: F4) -> F4:
    """(h, w) how much each pixel differs from its left neighbour, in the channel that differs most."""
    steps = np.zeros(rows.shape[:2], np.float32)
    steps[:, 1:] = _largest(np.abs(rows[:, 1:] - rows[:, :-1]))
    return steps


def _largest(values: F4) -> F4:
    """Largest of the three channels; many times faster than ``max(axis=2)``."""
    return np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])


@numba.njit(cache=True, nogil=True)
def _middle(values: Array, count: int) -> float:
    """Median of ``values[:count]``, uint16, by halving the range: plain loops that the compiler widens."""
    low, high = 65535, 0
    for k in range(count):
        low, high = min(low, values[k]), max(high, values[k])
    rank = (count - 1) // 2
    while low < high:
        half = (low + high) // 2
        limit, below = np.uint16(half), np.int32(0)
        for k in range(count):
            below += np.int32(values[k] <= limit)
        if below > rank:
            high = half
        else:
            low = half + 1
    if count % 2 == 1:
        return float(low)
    reached, upper = 0, 65535
    for k in range(count):
        reached += values[k] <= low
        if values[k] > low:
            upper = min(upper, values[k])
    return float(low) if reached > count // 2 else 0.5 * (low + upper)


@numba.njit(cache=True, nogil=True)
def _masked_median(
    frames: Array, masks: Array, table: Array, first: int, last: int, rgb: Array, seen: Array
) -> None:
    """Fill rows ``first`` .. ``last`` - 1 of ``rgb`` and ``seen``.

    Args:
        table: (N, 3, 256) uint16, each picture's byte in the light of the plate, in 1/16 levels.
    """
    n, _, width, _ = frames.shape
    values = np.empty((3 * width, n), np.uint16)
    counts = np.zeros(width, np.int64)
    for y in range(first, last):
        counts[:] = 0
        for i in range(n):
            for x in range(width):
                if not masks[i, y, x]:
                    k = counts[x]
                    for c in range(3):
                        values[3 * x + c, k] = table[i, c, frames[i, y, x, c]]
                    counts[x] = k + 1
        for x in range(width):
            if counts[x] > 0:
                seen[y, x] = True
                for c in range(3):
                    level = _middle(values[3 * x + c], counts[x]) / _SIXTEENTHS
                    rgb[y, x, c] = min(int(level + 0.5), 255)


def fill(rgb: U1, known: BoolArray) -> U1:
    """Unknown pixels from their surroundings: averages from ever farther away (push and pull).

    Gortler et al., The Lumigraph, 1996, section 4.3.
    """
    if known.all():
        return rgb
    if not known.any():
        return np.full_like(rgb, 96)
    levels = [(rgb.astype(np.float32) * known[..., None], known.astype(np.float32))]
    while min(levels[-1][1].shape) > 1 and not (levels[-1][1] > 0).all():
        color, weight = levels[-1]
        size = (max(1, (weight.shape[1] + 1) // 2), max(1, (weight.shape[0] + 1) // 2))
        w = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA))
        c = np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_AREA))
        # Sums of weighted colour stay weighted: dividing gives the mean of what is known.
        share = np.minimum(w * 4.0, 1.0) / np.maximum(w, 1e-6)
        levels.append((c * share[..., None], w * share))
    color, weight = levels[-1]
    result = color / np.maximum(weight, 1e-6)[..., None]
    for color, weight in levels[-2::-1]:
        size = (weight.shape[1], weight.shape[0])
        coarse = np.asarray(cv2.resize(result, size, interpolation=cv2.INTER_LINEAR))
        result = color + coarse.reshape(color.shape) * (1.0 - weight)[..., None]
    filled = np.clip(result + 0.5, 0, 255).astype(np.uint8)
    return np.where(known[..., None], rgb, filled)
