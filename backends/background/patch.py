"""What is put where people are in one picture of a moving camera."""

from __future__ import annotations

import cv2
import numpy as np

from backends.background.filling import spread
from backends.background.motion import F8, Motion
from backends.background.relief import SHRUNK
from backends.background.steady import largest
from backends.background.take import looks_alike, take
from backends.background.types import F4, U1, BoolArray, MaskedFrame

_VIEWS = 3
"""So many pictures agree on one pixel, where so many show it."""
_ALIKE = 28
"""Levels by which a second opinion on a pixel may differ from the first."""
_SAME, _BY_CHANCE = 20, 6
"""Levels by which what is put in somebody's place has to differ from them, where they may be seen there
without having been found; and where not."""
_THEM = 0.5
"""They may be where so much of them looks the same."""
SMALLER = 8
_WORTH = 3
"""A picture that shows less of what is wanted is not asked, small pixels."""
_WHOLE, _HALF = 250, 127
_INNER, _OUTER = 2, 9
"""Pixels beyond people, from and to which what is put there is compared with what is seen there."""
_STEP = 40
"""Levels by which both may differ and be the same thing in another light."""
_COARSE = 4
"""Differences in light are led inwards in pixels so many times as large."""
_ANY = 1e9


def small_mask(mask: BoolArray) -> U1:
    """A mask (H, W) an eighth as large: 255 where all of a pixel is set."""
    h, w = mask.shape
    size = (max(w // SMALLER, 1), max(h // SMALLER, 1))
    return np.asarray(cv2.resize(mask.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA))


class Layer:
    """Colours that other pictures give for a window of one picture.

    Args:
        watch: take nothing that may be somebody who was not found there.

    Attributes:
        total: (h, w, 3) sums; count: (h, w) of how many pictures.
    """

    def __init__(self, frame: MaskedFrame, window: tuple[slice, slice], *, watch: bool = False) -> None:
        self._own, self._at = frame.rgb[window], (window[0].start, window[1].start)
        self._person = np.zeros(self._own.shape[:2], np.int32)
        self._people = 1
        if watch and frame.surely is not None:
            surely = np.ascontiguousarray(frame.surely[window]).view(np.uint8)
            self._people, self._person = cv2.connectedComponents(surely)
        self.total: F4 = np.zeros((*self._own.shape[:2], 3), np.float32)
        self.count: F4 = np.zeros(self._own.shape[:2], np.float32)

    @property
    def mean(self) -> F4:
        """(h, w, 3) colours, 0 where there are none."""
        return np.asarray(self.total / np.maximum(self.count, 1)[..., None], np.float32)

    def add(
        self, rgb: U1, hidden: BoolArray, moved: Motion, wanted: BoolArray, *, most: int = 1,
        alike: float = _ANY,
    ) -> int:  # fmt: skip
        """Another picture's pixels where ``wanted`` (h, w); how many had nothing before."""
        A, e = moved.P[:, :3], moved.P[:, 3]
        back = np.linalg.inv(A)
        lifts, relief, step = np.zeros(3), np.zeros((1, 1), np.float32), 1.0
        if moved.relief is not None:
            lifts, relief, step = back @ e, moved.relief.g, SHRUNK / moved.scale
        where = (rgb, hidden, back, lifts, relief, step, moved.departs, moved.cell, moved.gain)
        same = np.zeros(self._people)
        if self._people > 1:
            looks_alike(*where, self._own, self._person, _SAME, *self._at, same)
            same = np.where(same > _THEM, _SAME, _BY_CHANCE).astype(np.float64)
        found = take(
            *where, wanted, self._own, self._person, same, *self._at, most, alike, self.total, self.count
        )
        return int(found)


class Patch:
    """Gathers what other pictures show of what is hidden in ``frame``."""

    def __init__(self, frame: MaskedFrame) -> None:
        self._frame = frame
        hidden = frame.hidden
        rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
        h, w = hidden.shape
        self.window = (
            slice(max(int(rows[0]) - _OUTER, 0), min(int(rows[-1]) + 1 + _OUTER, h)),
            slice(max(int(columns[0]) - _OUTER, 0), min(int(columns[-1]) + 1 + _OUTER, w)),
        )
        self.hidden = hidden[self.window]
        self._wanted = self.hidden | rim(self.hidden)
        self._layer = Layer(frame, self.window, watch=True)
        self._views = 0
        self._small: U1 | None = None

    @property
    def done(self) -> bool:
        """Nothing is missing and several pictures have had their say."""
        return self._views >= _VIEWS and bool((self._layer.count[self.hidden] > 0).all())

    def gains(self, free: U1, about: F8) -> bool:
        """Whether another picture shows something of what is wanted, by a small picture of where it is free.

        Args:
            free: (h, w) 255 where it is; about: (3, 3) how it moves to this one, pixels.
        """
        h, w = self._frame.hidden.shape
        down = np.diag([free.shape[1] / w, free.shape[0] / h, 1.0])
        moved = cv2.warpPerspective(free, down @ about @ np.linalg.inv(down), free.shape[::-1])
        return int(((np.asarray(moved) > _WHOLE) & (self._wanted_small() > _HALF)).sum()) >= _WORTH

    def _wanted_small(self) -> U1:
        if self._small is None:
            wanted = np.zeros(self._frame.hidden.shape, np.bool_)
            wanted[self.window] = self.hidden & (self._layer.count < self._most)
            self._small = small_mask(wanted)
        return self._small

    @property
    def _most(self) -> int:
        return _VIEWS if self._views < _VIEWS else 1

    def add(self, rgb: U1, hidden: BoolArray, moved: Motion) -> None:
        """Another picture's pixels, where they are missing or confirm what is there."""
        shown = self._layer.add(rgb, hidden, moved, self._wanted, most=self._most, alike=_ALIKE)
        self._views += shown > 0
        self._small = None

    def colors(self) -> tuple[F4, BoolArray]:
        """(h, w, 3) the window without people, and (h, w) where that is known."""
        known = self._layer.count > 0
        own = self._frame.rgb[self.window].astype(np.float32)
        inside = self.hidden & known
        met = met_at_rim(self._layer.mean, known, own, self.hidden)
        return np.where(inside[..., None], met, own), ~self.hidden | known


def rim(inside: BoolArray) -> BoolArray:
    """(h, w) a ring about ``inside``, not touching it."""
    mask = inside.view(np.uint8)
    wide, near = (cv2.dilate(mask, np.ones((2 * n + 1, 2 * n + 1), np.uint8)) for n in (_OUTER, _INNER))
    return np.asarray((np.asarray(wide) > 0) & (np.asarray(near) == 0), np.bool_)


def met_at_rim(values: F4, have: BoolArray, picture: F4, inside: BoolArray) -> F4:
    """``values`` (h, w, 3) in such a light that ``inside`` they go on from the ``picture`` around.

    What differs on the ring is led inwards as a membrane would be (Perez et al., Poisson image editing,
    2003), so no step in light is left at the rim.

    Args:
        have: (h, w) where values are.
    """
    ring = rim(inside) & have
    differs = picture - values
    ring &= largest(np.abs(differs)) < _STEP
    if not ring.any():
        return values
    h, w = inside.shape
    size = (max(w // _COARSE, 1), max(h // _COARSE, 1))
    weight = np.asarray(cv2.resize(ring.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    sums = np.asarray(
        cv2.resize(differs * ring[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    ).reshape(size[1], size[0], 3)
    # Neighbours on the ring have a say: what differs in a single place is an edge, not light.
    weight = np.asarray(cv2.GaussianBlur(weight.reshape(size[1], size[0]), (0, 0), 2.0), np.float32)
    sums = np.asarray(cv2.GaussianBlur(sums, (0, 0), 2.0), np.float32)
    known = weight > 0.05
    if not known.any():
        return values
    light = spread((sums / np.maximum(weight, 1e-6)[..., None]).astype(np.float32), known)
    return values + np.asarray(cv2.resize(light, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
