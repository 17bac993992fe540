"""Playing: which frame should be on the screen now."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

_SPEEDS = (1.0, 2.0, 4.0, 8.0)
_SLOWEST_MS = 15


class Playback(QObject):
    """Asks for frames at the footage's pace and leaves out those that come too late."""

    changed = Signal(bool, float)

    def __init__(self, go_to: Callable[[int, int], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._go_to = go_to
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._n_frames = 0
        self._fps = 25.0
        self._direction = 1
        self._speed = 1.0
        self._started = 0.0
        self._first = 0
        self._frame = 0
        self._waiting = False

    @property
    def playing(self) -> bool:
        """True while it plays."""
        return self._timer.isActive()

    def set_footage(self, n_frames: int, fps: float) -> None:
        """Another footage."""
        self.stop()
        self._n_frames, self._fps = n_frames, max(fps, 0.5)

    def moved_to(self, frame: int) -> None:
        """Somebody has gone to a frame; play goes on from there."""
        if frame != self._frame:
            self._frame = self._first = frame
            self._started = time.monotonic()

    def shown(self) -> None:
        """The frame that was asked for is on the screen."""
        self._waiting = False

    def toggle(self) -> None:
        """Play forwards, or stop."""
        if self.playing:
            self.stop()
        else:
            self.play(1)

    def play(self, direction: int) -> None:
        """Play; the same direction again doubles the speed."""
        if self._n_frames < 2:
            return
        if self.playing and direction == self._direction:
            at = _SPEEDS.index(self._speed)
            self._speed = _SPEEDS[min(at + 1, len(_SPEEDS) - 1)]
        else:
            self._speed = 1.0
        self._direction = direction
        if direction > 0 and self._frame >= self._n_frames - 1:
            self._frame = 0
        elif direction < 0 and self._frame <= 0:
            self._frame = self._n_frames - 1
        self._first, self._started = self._frame, time.monotonic()
        self._waiting = False
        self._timer.start(max(_SLOWEST_MS, round(1000 / (self._fps * min(self._speed, 2.0)))))
        self.changed.emit(True, self._speed * direction)

    def stop(self) -> None:
        """Stop."""
        if self.playing:
            self._timer.stop()
            self._speed = 1.0
            self.changed.emit(False, 1.0)

    def _tick(self) -> None:
        if self._waiting:
            return  # the last one has not arrived: asking for more would only make it later
        passed = (time.monotonic() - self._started) * self._fps * self._speed
        frame = self._first + self._direction * round(passed)
        if frame == self._frame:
            return
        end = self._n_frames - 1 if self._direction > 0 else 0
        at_end = frame >= end if self._direction > 0 else frame <= end
        self._frame = end if at_end else frame
        self._waiting = True
        self._go_to(self._frame, self._direction)
        if at_end:
            self.stop()
