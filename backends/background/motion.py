"""How the picture of a still room moves when the camera does: one homography, and what departs from it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backends.background.filling import spread
from backends.background.types import F4, U1, BoolArray

F8 = npt.NDArray[np.float64]

_WIDTH = 640
"""Motion is measured in pictures of about this width."""
_CORNERS = 400
_APART = 10
_QUALITY = 0.008
_LEAST = 12
"""Fewer points that move together tell of no camera: a cut, or nothing to hold on to."""
_NEAR = 2.0
"""Pixels (of the measured picture) by which a point may miss the homography."""
_LOCAL = 9.0
"""Points that miss it by less than this tell how near things move before far ones."""
_BACK = 0.7
"""A point must come back to within so many pixels when followed there and back."""
_CELL = 20
"""Departures are kept in cells of so many pixels (of the measured picture)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What is kept of a picture to measure motion.

    Attributes:
        grey: (h, w) uint8, small; corners: (N, 2) float32 in it, none on people; scale: small / full.
        colors: (N, 3) float32 about each corner.
    """

    grey: U1
    corners: F4
    colors: F4
    scale: float
    soft: U1

    @staticmethod
    def of(rgb: U1, hidden: BoolArray) -> Sight:
        """Look at a picture (H, W, 3), away from where people are (H, W)."""
        h, w = hidden.shape
        scale = min(1.0, _WIDTH / w)
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        free = (~hidden).astype(np.uint8)
        free = cv2.erode(np.asarray(cv2.resize(free, size, interpolation=cv2.INTER_NEAREST)), np.ones((7, 7)))
        found = cv2.goodFeaturesToTrack(grey, _CORNERS, _QUALITY, _APART, mask=free)
        corners = np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2).astype(np.float32)
        soft = np.asarray(cv2.blur(small, (5, 5)), np.uint8)
        return Sight(grey, corners, _colors(soft, corners), scale, soft)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """From one picture to another.

    Attributes:
        H: (3, 3) takes pixels (full size) of the first to the second.
        departs: (rows, columns, 2) by how many pixels (full size) places of the **second** picture are
            beside where ``H`` puts them.
        gain: (3,) light of the second against the first.
        scale: small / full.
    """

    H: F8
    departs: F4
    gain: F4
    scale: float

    @property
    def cell(self) -> float:
        """Width of a cell of ``departs``, pixels (full size)."""
        return _CELL / self.scale


def _colors(soft: U1, points: F4) -> F4:
    if not len(points):
        return np.zeros((0, 3), np.float32)
    at = np.clip(np.round(points).astype(int), 0, np.array(soft.shape[1::-1]) - 1)
    return np.asarray(soft[at[:, 1], at[:, 0]], np.float32)


def step(a: Sight, b: Sight) -> F8 | None:
    """(3, 3) the homography (full-size pixels) from one picture to the next; None where there is none."""
    found = _follow(a, b, None)
    if found is None:
        return None
    H, _, _ = found
    return _full(H, a.scale)


def motion(a: Sight, b: Sight, about: F8) -> Motion | None:
    """From ``a`` to ``b``, not its neighbour, of which ``about`` (3, 3, full size) is known already."""
    found = _follow(a, b, _small(about, a.scale))
    if found is None:
        return None
    H, where, to = found
    start = a.corners[where]
    beside = to - _moved(start, H)
    near = np.hypot(*beside.T) < _LOCAL
    h, w = b.grey.shape
    rows, columns = -(-h // _CELL), -(-w // _CELL)
    sums, count = np.zeros((rows, columns, 2), np.float32), np.zeros((rows, columns), np.float32)
    at = np.clip((to[near] // _CELL).astype(int), 0, (columns - 1, rows - 1))
    np.add.at(sums, (at[:, 1], at[:, 0]), beside[near])
    np.add.at(count, (at[:, 1], at[:, 0]), 1)
    known = count > 0
    departs = np.zeros_like(sums)
    if known.any():
        means = (sums / np.maximum(count, 1)[..., None]).astype(np.float32)
        departs = np.asarray(cv2.GaussianBlur(spread(means, known), (3, 3), 0), np.float32)
    colors, before = _colors(b.soft, to), a.colors[where]
    fair = (np.minimum(colors, before).min(axis=1) > 8) & (np.maximum(colors, before).max(axis=1) < 247)
    gain = np.ones(3, np.float32)
    if int(fair.sum()) >= _LEAST:
        gain = np.clip(np.median(colors[fair] / before[fair], axis=0), 0.5, 2.0).astype(np.float32)
    return Motion(_full(H, a.scale), (departs / a.scale).astype(np.float32), gain, a.scale)


def _follow(a: Sight, b: Sight, about: F8 | None) -> tuple[F8, npt.NDArray[np.bool_], F4] | None:
    """The homography in small pixels, which corners of ``a`` were followed, and where to."""
    if len(a.corners) < _LEAST or a.grey.shape != b.grey.shape:
        return None
    start = a.corners[:, None]
    guess = start.copy() if about is None else _moved(a.corners, about)[:, None]
    levels = 3 if about is None else 2
    to, there = _tracked(a.grey, b.grey, start, guess, levels)
    back, here = _tracked(b.grey, a.grey, to, start, levels)
    good = (there.ravel() > 0) & (here.ravel() > 0) & (np.hypot(*(back - start)[:, 0].T) < _BACK)
    h, w = b.grey.shape
    to = to[:, 0]
    good &= (to >= 0).all(axis=1) & (to < (w, h)).all(axis=1)
    if int(good.sum()) < _LEAST:
        return None
    H, inside = cv2.findHomography(a.corners[good], to[good], cv2.RANSAC, _NEAR, maxIters=300)
    if H is None or not np.isfinite(H).all() or int(inside.sum()) < max(_LEAST, 0.3 * good.sum()):
        return None
    return H, good, np.asarray(to[good], np.float32)


def _tracked(a: U1, b: U1, start: F4, guess: F4, levels: int) -> tuple[F4, U1]:
    """(N, 1, 2) where points of ``a`` are in ``b`` and (N, 1) which were found, by Lucas and Kanade."""
    to, found, _ = cv2.calcOpticalFlowPyrLK(
        a, b, start, guess.copy(), winSize=(15, 15), maxLevel=levels, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.02),
    )  # fmt: skip
    return np.asarray(to, np.float32), np.asarray(found, np.uint8)


def _moved(points: F4, H: F8) -> F4:
    moved: F4 = cv2.perspectiveTransform(points[:, None].astype(np.float64), H)[:, 0].astype(np.float32)
    return moved


def _resized(H: F8, scale: float) -> F8:
    """The same homography between pictures ``scale`` times as large; pixel centres are whole numbers."""
    shift = 0.5 * scale - 0.5
    S = np.array([[scale, 0, shift], [0, scale, shift], [0, 0, 1.0]])
    resized: F8 = S @ H @ np.linalg.inv(S)
    return resized


def _full(H: F8, scale: float) -> F8:
    return _resized(H, 1 / scale)


def _small(H: F8, scale: float) -> F8:
    return _resized(H, scale)
