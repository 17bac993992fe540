"""Which tiles the detector looks at now: each in turn, those where something moves unexplained first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.detection.tiles import Tile, make_tiles

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_SMALL = 160
"""Pixels of the longer side of the picture in which movement is looked for."""

_CHANGE = 22
"""Grey levels; less is noise and compression."""

_MOVING = 0.01
"""Share of a tile that has to move to count in full."""

_HURRY = 3.0
"""How many times sooner a tile comes to its turn when something moves in it."""

_URGENT = 0.5

_CUT = 45.0
"""Mean change of grey level over the whole picture that only another shot makes."""


class TileSchedule:
    """Hands out tiles so that every tile gets its turn and movement that nobody explains goes first."""

    def __init__(self, width: int, height: int, scales: tuple[float, ...]) -> None:
        self.tiles = make_tiles(width, height, scales)
        self._size = (width, height)
        n = self._stride = max(1, max(width, height) // _SMALL)
        # Corners (4, N) y0 y1 x0 x1 of the tiles in the small picture, and their areas there.
        tall, wide = -(-height // n), -(-width // n)
        self._corners = np.array([
            [min(max(v / n, 0), most) for v, most in zip((t.y0, t.y0 + t.side, t.x0, t.x0 + t.side),
                                                         (tall, tall, wide, wide))]
            for t in self.tiles
        ]).astype(np.int64).T  # fmt: skip
        self._areas = np.array([max((t.side / n) ** 2, 1.0) for t in self.tiles])
        self._age = np.full(len(self.tiles), np.inf)
        self._moving = np.zeros(len(self.tiles))
        self._last: U1 | None = None

    def watch(self, image: U1, explained: Iterable[npt.NDArray[np.floating[Any]]]) -> bool:
        """Take note of the next picture (H, W, 3).

        Args:
            explained: (4,) boxes of people who are known; movement in them calls for no detector.

        Returns:
            Whether this is another shot than the last picture; then every tile is due.
        """
        n = self._stride
        small = np.ascontiguousarray(image[::n, ::n, 1])
        last, self._last = self._last, small
        self._age += 1.0
        if last is None or last.shape != small.shape:
            return False
        change = np.abs(small.astype(np.int16) - last)
        if float(change.mean()) > _CUT:
            self._age[:] = np.inf
            return True
        moving = change > _CHANGE
        for box in explained:
            x0, y0, x1, y1 = (max(0, int(v)) // n for v in box)
            moving[max(0, y0 - 1) : y1 + 2, max(0, x0 - 1) : x1 + 2] = False
        total = np.zeros((moving.shape[0] + 1, moving.shape[1] + 1))
        total[1:, 1:] = moving.cumsum(axis=0).cumsum(axis=1)
        y0, y1, x0, x1 = self._corners
        share = (total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]) / self._areas
        # Remembered for a while: a tile whose turn does not come at once stays due.
        self._moving = np.maximum(np.minimum(share / _MOVING, 1.0), 0.8 * self._moving)
        return False

    @property
    def is_urgent(self) -> bool:
        """Whether something moves that nobody explains, or a tile was never looked at."""
        return bool((self._moving > _URGENT).any() or np.isinf(self._age).any())

    def choose(self, count: int) -> list[Tile]:
        """The ``count`` tiles that are most due; all that were never looked at, however many."""
        never = np.flatnonzero(np.isinf(self._age))
        if never.size:
            chosen = never
        else:
            due = self._age * (1.0 + _HURRY * self._moving)
            chosen = np.argsort(-due, kind="stable")[:count]
        self._age[chosen] = 0.0
        self._moving[chosen] = 0.0
        return [self.tiles[int(i)] for i in chosen]

    def state(self) -> dict[str, Any]:
        """Plain values and arrays from which :meth:`restore` goes on exactly."""
        return {
            "size": list(self._size),
            "age": self._age.copy(),
            "moving": self._moving.copy(),
            "last": None if self._last is None else self._last.copy(),
        }

    @staticmethod
    def restore(state: Mapping[str, Any], scales: tuple[float, ...]) -> TileSchedule:
        """Inverse of :meth:`state`."""
        width, height = (int(v) for v in state["size"])
        schedule = TileSchedule(width, height, scales)
        schedule._age = np.array(state["age"], dtype=np.float64)
        schedule._moving = np.array(state["moving"], dtype=np.float64)
        schedule._last = None if state["last"] is None else np.array(state["last"], dtype=np.uint8)
        return schedule
