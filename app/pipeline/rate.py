"""How fast the work goes and how long it will still take."""

from __future__ import annotations

import time
from collections import deque

_WINDOW_S = 6.0
_ENOUGH_S = 1.0
"""A guess from less is worse than none."""


class RateMeter:
    """Frames per second over the last seconds, and the remaining time from it.

    The first item does not count: networks are loaded and kernels compiled before it is done.
    """

    def __init__(self, total: int, done: int = 0) -> None:
        self.total = total
        self.done = done
        self._marks: deque[tuple[float, int]] = deque()

    def advance(self, n: int = 1) -> None:
        """Count ``n`` more frames as done."""
        self.done += n
        now = time.monotonic()
        self._marks.append((now, self.done))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW_S:
            self._marks.popleft()

    def hold(self) -> None:
        """Forget the past after a pause, which says nothing about the speed."""
        self._marks = deque([(time.monotonic(), self.done)])

    @property
    def rate(self) -> float:
        """Frames per second; 0 while unknown."""
        if not self._marks:
            return 0.0
        (t0, n0), (t1, n1) = self._marks[0], self._marks[-1]
        return (n1 - n0) / (t1 - t0) if t1 - t0 >= _ENOUGH_S else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds to go: 0 once all is done, None while the speed is unknown."""
        if self.done >= self.total > 0:
            return 0.0
        return (self.total - self.done) / self.rate if self.rate > 0 else None
