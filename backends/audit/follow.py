"""Follows a head by its look, from a picture to the next, for as long as it surely is the same.

The look is compared by normalised correlation with how the head looked not long before, so that one that
turns slowly is followed, and with how it looked where it was known, so that following does not glide over to
whatever comes to lie before the head.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_SAME = 0.75
"""Correlation with one of the last looks from which on it is the same head."""

_STILL = 0.3
"""The same with how it looked where it was known: heads that nod or turn fall to 0.4, other things to 0.2."""

_RENEW = 0.9
"""Below this the look is learnt anew."""

_LOOKS = 3
"""Looks that are remembered beside the first."""

_REACH = 0.5
"""How far a head gets from one picture to the next beyond where it was going, in its own sizes."""

_SIDE = 32.0
"""Larger heads are looked at in blocks of so many pixels that they have at most this many."""

_LEAST_SIDE = 5
_FLAT = 4.0
"""Grey levels (standard deviation) below which there is nothing to be recognised."""


class HeadTrail:
    """One head from the picture in which it is known, onwards or backwards.

    Args:
        grey: (H, W) uint8 the picture in which the head is known.
        box: (4,) x0 y0 x1 y1 of the head in it, pixels.
    """

    def __init__(self, grey: U1, box: F4) -> None:
        self.box: F4 = np.asarray(box, np.float32)
        side = max(float((self.box[2:] - self.box[:2]).max()), 1.0)
        self._block = max(1, int(np.ceil(side / _SIDE)))
        self._half = max(1, round(0.5 * side / self._block))
        self._pace: F8 = np.zeros(2)
        self._looks: list[U1] = []
        self.lost = 2 * self._half + 1 < _LEAST_SIDE
        look = None if self.lost else self._look_at(grey, self._middle())
        if look is None or float(look.std()) < _FLAT:
            self.lost = True
        else:
            self._looks = [look]

    def step(self, grey: U1) -> F4 | None:
        """(4,) where the head is in the next picture; None once it is lost, and from then on."""
        if self.lost:
            return None
        self.lost = True
        expected = self._middle() + self._pace
        area, corner = self._cut(grey, expected, self._half + max(2, round(2 * _REACH * self._half)))
        if min(area.shape) < 2 * self._half + 3:
            return None  # it leaves the picture
        matches = [cv2.matchTemplate(area, look, cv2.TM_CCOEFF_NORMED) for look in self._looks]
        likeness = np.maximum.reduce(matches)
        y, x = np.unravel_index(int(np.nan_to_num(likeness, nan=-1.0).argmax()), likeness.shape)
        best = float(likeness[y, x])
        first = float(matches[0][max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max())
        if not (best >= _SAME and first >= _STILL):
            return None
        self.lost = False
        middle = (np.array([x + self._half, y + self._half], np.float64) + corner + 0.5) * self._block - 0.5
        moved = middle - self._middle()
        self._pace = 0.5 * self._pace + 0.5 * moved
        self.box = (self.box + np.concatenate([moved, moved])).astype(np.float32)
        if best < _RENEW:
            look = area[y : y + 2 * self._half + 1, x : x + 2 * self._half + 1].copy()
            self._looks = [self._looks[0], *self._looks[1:][-(_LOOKS - 1) :], look]
        return self.box

    def _middle(self) -> F8:
        middle: F8 = self.box.astype(np.float64).reshape(2, 2).mean(axis=0)
        return middle

    def _look_at(self, grey: U1, middle: F8) -> U1 | None:
        look, _ = self._cut(grey, middle, self._half)
        side = 2 * self._half + 1
        return look if look.shape == (side, side) else None

    def _cut(self, grey: U1, middle: F8, reach: int) -> tuple[U1, F8]:
        """What lies within ``reach`` blocks of a place, as far as the picture goes, a pixel a block; and the
        first block's place.

        Blocks are always cut alike, so that a head that rests looks as it did.
        """
        block = self._block
        height, width = (n // block for n in grey.shape)
        x, y = (int((float(v) + 0.5) // block) for v in middle)
        x0, y0 = max(0, x - reach), max(0, y - reach)
        x1, y1 = min(width, x + reach + 1), min(height, y + reach + 1)
        corner = np.array([x0, y0], np.float64)
        if x1 <= x0 or y1 <= y0:
            return np.zeros((0, 0), np.uint8), corner
        part = grey[y0 * block : y1 * block, x0 * block : x1 * block]
        if block > 1:
            part = np.asarray(cv2.resize(part, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA), np.uint8)
        return part, corner
