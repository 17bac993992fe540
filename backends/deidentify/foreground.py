"""What is in a picture and not in the empty room: people, whether anybody has found them or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.background import Light, Plate
from backends.deidentify.pieces import pieces

U1 = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
Array = Any

_HALF = 2
"""Differences are looked for in pictures of half the size."""
_LEAST, _MOST = 14.0, 40.0
"""Levels by which a pixel has to differ: above the noise of this picture, within these bounds."""
_NOISES = 6.0
_AT_EDGES = 0.5
"""So much of the room's contrast about a pixel is no difference: pictures may be off by half a pixel."""
_CLOSE = 2
"""Of the small picture, in steps of two pixels."""
_RIM = 2
_SHADOW_DARKEST, _SHADOW_TINT = 0.5, 0.12
"""A shadow takes at most half of the light, and of every colour about as much."""
_SPECK = 0.02
"""Of the picture's height: what is smaller across is noise, leaves, a blinking lamp; no head that shows
anybody."""


@numba.njit(cache=True, nogil=True)
def _difference(a: Array, b: Array, out: Array) -> None:
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            most = np.int32(0)
            for c in range(3):
                most = max(most, abs(np.int32(a[y, x, c]) - np.int32(b[y, x, c])))
            out[y, x] = most


@numba.njit(cache=True, nogil=True)
def _beyond(difference: Array, allowed: Array, threshold: float, out: Array) -> None:
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = difference[y, x] > threshold + allowed[y, x]


@numba.njit(cache=True, nogil=True)
def _shaded(a: Array, b: Array, darkest: float, tint: float, out: Array) -> None:
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            low, high = 9.0, 0.0
            for c in range(3):
                share = (a[y, x, c] + 1.0) / (b[y, x, c] + 1.0)
                low, high = min(low, share), max(high, share)
            if low > darkest and high < 1.0 and high - low < tint:
                out[y, x] = 0


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """A picture against its room, in half the size, (h, w) uint8 0 or 1.

    Attributes:
        different: what is not as in the room, gaps closed.
        certain: of that what no shadow explains.
        unknown: (h, w) bool, where what the room is filled with says nothing; None: nowhere.
    """

    different: U1
    certain: U1
    unknown: BoolArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Attributes:
    strange: (H, W) bool, most likely somebody, with a rim.
    alike: (H, W) uint8, 1 where the picture looks like the room, as it is.
    """

    strange: BoolArray
    alike: U1


class Foreground:
    """Compares pictures with the empty room of a fixed camera."""

    def __init__(self, plate: Plate) -> None:
        height, width = plate.rgb.shape[:2]
        self._size = (max(1, width // _HALF), max(1, height // _HALF))
        self._room = np.asarray(cv2.resize(plate.rgb, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        soft = cv2.GaussianBlur(self._room, (3, 3), 0)
        square = np.ones((3, 3), np.uint8)
        contrast = cv2.subtract(cv2.dilate(soft, square), cv2.erode(soft, square))
        self._allowed = (_AT_EDGES * np.asarray(contrast).max(axis=2)).astype(np.float32)
        self._unseen = ~plate.seen if not plate.seen.all() else None
        self._unknown: BoolArray | None = None
        if plate.doubted is not None:
            small = cv2.resize(plate.doubted.view(np.uint8), self._size, interpolation=cv2.INTER_NEAREST)
            self._unknown = np.asarray(small) > 0

    def of(self, frame: U1, light: Light) -> Found:
        """What differs from the room, and what of the room nobody has ever seen.

        Where the room was never seen somebody stood in every picture that was looked at: what is there now
        is most likely somebody again.

        Args:
            frame: (H, W, 3) uint8; light: of the frame against the room.
        """
        height, width = frame.shape[:2]
        different, _, _ = self._different(frame, light)
        h = len(different)
        alike = different == 0
        # Without what is smaller than a disc of so many pixels across.
        whole = pieces(_closed(different), 0.785 * max(3.0, _SPECK * h) ** 2)
        whole = np.asarray(cv2.dilate(whole, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)), np.uint8)
        found: BoolArray = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_NEAREST)) > 0
        same = np.asarray(cv2.resize(alike.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST))
        if self._unseen is not None:
            found |= self._unseen
            same[self._unseen] = 0
        return Found(found, same)

    def differences(self, frame: U1, light: Light) -> Differences:
        """What differs from the room, and what of that is no shadow.

        What of the room was never seen is compared with what it was filled with. Where the room was seen and
        doubted the filling says nothing: clothes of the colour of a tree are enough for a doubt.

        Args:
            frame: (H, W, 3) uint8; light: of the frame against the room.
        """
        different, a, b = self._different(frame, light)
        certain = different.copy()
        _shaded(a, b, _SHADOW_DARKEST, _SHADOW_TINT, certain)
        return Differences(_closed(different), _closed(certain), self._unknown)

    def _different(self, frame: U1, light: Light) -> tuple[U1, U1, U1]:
        """(h, w) uint8 where picture and room differ, and both (h, w, 3), small and soft."""
        w, h = self._size
        room = replace(light, size=(h, w)).on(self._room, (slice(0, h), slice(0, w)))
        a = cv2.GaussianBlur(cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA), (3, 3), 0)
        b = cv2.GaussianBlur(room, (3, 3), 0)
        difference, different = np.empty((2, h, w), np.uint8)
        _difference(a, b, difference)
        noise = float(np.median(difference[::3, ::3]))
        _beyond(difference, self._allowed, float(np.clip(_NOISES * noise, _LEAST, _MOST)), different)
        return different, np.asarray(a), np.asarray(b)


def _closed(mask: U1) -> U1:
    """Gaps between pieces filled: somebody's shirt may have the wall's colour."""
    h, w = mask.shape
    coarse = cv2.resize(mask, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_NEAREST)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _CLOSE + 1, 2 * _CLOSE + 1))
    coarse = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, disc)
    return np.maximum(mask, np.asarray(cv2.resize(coarse, (w, h), interpolation=cv2.INTER_NEAREST), np.uint8))
