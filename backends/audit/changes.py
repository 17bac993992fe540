"""Where a picture has to be searched again: where it shows what no search has seen.

A network's verdict about a place holds for as long as the place looks the same. So a block of pixels is
settled where (a) it and all blocks around it look as they did together at one of the last searches of the
whole picture, or (b) it has not changed since it was searched last, and was never covered in between. All
else is searched at once, in the very frame. (a) spares the background that comes to light behind somebody
who walks; that it must be *together* and at *one* time keeps a face from being settled in halves.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backends.audit.blocks import BLOCK, block_means, grid_shape

U1 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

NOISE = 5
"""Grey levels by which the mean of a block wanders when nothing happens: coding at crf 18 makes 1 to 3."""

KEPT = 8
"""Searches of the whole picture that are remembered."""

_AROUND = 5
"""Blocks a side that have to look right together: 40 pixels."""

_SPECK = 3
"""Changed blocks among nine below which nothing has happened: a face of 24 pixels changes at least four."""

_MARGIN = 4
"""Blocks around what changed that are searched with it, at least."""

_JOIN = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the picture, pixels, the right and lower border excluded.

    ``inner``: what has changed itself, with a block around it (x0, y0, x1, y1); None for all of it.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    inner: tuple[int, int, int, int] | None = None

    @property
    def area(self) -> int:
        """Pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    @property
    def core(self) -> Place:
        """What has changed itself."""
        return self if self.inner is None else Place(*self.inner)

    def within(self, other: Place) -> Place:
        """The same place in the coordinates of another."""
        return Place(self.x0 - other.x0, self.y0 - other.y0, self.x1 - other.x0, self.y1 - other.y0)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.x0 <= x < self.x1 and self.y0 <= y < self.y1


class ChangeMemory:
    """Remembers what was searched. One video, frame after frame."""

    def __init__(self, height: int, width: int) -> None:
        self._size = (height, width)
        shape = grid_shape(height, width)
        self._views: deque[tuple[int, U1, Bools]] = deque(maxlen=KEPT)
        self._frame = -1
        self._reference = np.zeros((*shape, 3), np.uint8)
        self._valid = np.zeros(shape, np.bool_)
        self._now = np.zeros((*shape, 3), np.uint8)
        self._open = np.ones(shape, np.bool_)

    def look(self, image: U1, replaced: Bools | None) -> Bools:
        """(h, w) blocks of the next frame that have to be searched.

        Args:
            image: (H, W, 3) uint8.
            replaced: (h, w) blocks that show a cover and nothing else; None where nobody knows.
        """
        self._frame += 1
        self._now = block_means(image)
        self._open = np.ones(self._valid.shape, np.bool_) if replaced is None else ~replaced
        self._valid &= self._open
        settled = self._valid & _alike(self._now, self._reference)
        for _, view, was_open in self._views:
            same = ~self._open | (was_open & _alike(self._now, view))
            settled |= _all_around(same)
        unsettled = self._open & ~settled
        few = cv2.boxFilter(unsettled.astype(np.uint8), -1, (3, 3), normalize=False)
        due: Bools = unsettled & (np.asarray(few) >= _SPECK)
        return due

    @property
    def now(self) -> tuple[U1, Bools]:
        """The frame in blocks: (h, w, 3) means, and (h, w) which show no cover."""
        return self._now, self._open

    def searched(self, blocks: Bools) -> None:
        """These blocks of the frame (with a margin around them) have been searched."""
        self._reference[blocks] = self._now[blocks]
        self._valid |= blocks & self._open

    def searched_whole(self) -> None:
        """The whole frame has been searched."""
        self.searched(self._open)
        self._views.append((self._frame, self._now, self._open))

    def alike(self, rows: slice, columns: slice) -> list[int]:
        """Frames (of those that were searched as a whole, counted from 0) in which these blocks were open and
        looked as they do now."""
        now, shown = self._now[rows, columns], self._open[rows, columns]
        if not shown.all():
            return []
        return [
            frame for frame, view, was_open in self._views
            if was_open[rows, columns].all() and _alike(now, view[rows, columns]).all()
        ]  # fmt: skip

    def places(self, blocks: Bools) -> list[Place]:
        """Few rectangles with a margin that hold all blocks."""
        size = 2 * _JOIN + 1
        near = cv2.dilate(blocks.astype(np.uint8), np.ones((size, size), np.uint8))
        n, _, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
        found = []
        for x, y, w, h, _ in stats[1:n]:
            x, y, w, h = int(x) + _JOIN, int(y) + _JOIN, int(w) - 2 * _JOIN, int(h) - 2 * _JOIN
            pad_x, pad_y = max(_MARGIN, w // 4), max(_MARGIN, h // 4)
            found.append(Place(*self._grown(x, y, w, h, pad_x, pad_y), self._grown(x, y, w, h, 1, 1)))
        return _merged(found)

    def _grown(self, x: int, y: int, w: int, h: int, by_x: int, by_y: int) -> tuple[int, int, int, int]:
        """Corners in pixels of blocks grown to each side, within the picture."""
        height, width = self._size
        return (
            max(0, (x - by_x) * BLOCK), max(0, (y - by_y) * BLOCK),
            min(width, (x + w + by_x) * BLOCK), min(height, (y + h + by_y) * BLOCK),
        )  # fmt: skip


def _corners(place: Place) -> tuple[int, int, int, int]:
    return place.x0, place.y0, place.x1, place.y1


def _united(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _alike(a: U1, b: U1) -> Bools:
    """(h, w) which blocks look the same but for noise."""
    channels = cv2.split(cv2.absdiff(a, b))
    worst = cv2.max(cv2.max(channels[0], channels[1]), channels[2])
    return np.asarray(worst) <= NOISE


def _all_around(blocks: Bools) -> Bools:
    """Blocks all of whose neighbours are set too; beyond the border there is nothing to contradict."""
    kernel = np.ones((_AROUND, _AROUND), np.uint8)
    return np.asarray(cv2.erode(blocks.astype(np.uint8), kernel)) > 0


def _merged(places: list[Place]) -> list[Place]:
    """Rectangles united where that costs less than searching both."""
    result = list(places)
    again = True
    while again:
        again = False
        for i in range(len(result)):
            for j in range(i + 1, len(result)):
                a, b = result[i], result[j]
                inner = _united(_corners(a.core), _corners(b.core))
                both = Place(*_united(_corners(a), _corners(b)), inner)
                if both.area <= a.area + b.area:
                    result[i] = both
                    del result[j]
                    again = True
                    break
            if again:
                break
    return result
