"""Measures how long the window's thread was ever busy at a stretch."""

from __future__ import annotations

import json
import time
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

_BEAT_MS = 5


class Watch(QObject):
    """A heartbeat in the event loop; a beat that comes late was held up by a call on this thread.

    Where other programs take the processor a beat is late as well: ``busy_ms`` is what this thread itself
    worked between two beats.
    """

    def __init__(self, log: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log = log
        self._last = time.perf_counter()
        self._worked = time.thread_time()
        self.delays_ms: list[float] = []
        self.busy_ms: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin."""
        self.delays_ms.clear()
        self.busy_ms.clear()
        self._worked = time.thread_time()
        self._last = time.perf_counter()
        self._timer.start(_BEAT_MS)

    def stop(self) -> None:
        """End, and write the log where one is wanted."""
        self._timer.stop()
        if self._log is not None:
            found = {"beats": len(self.delays_ms)} | {
                name: [round(v, 1) for v in sorted(values)[-20:][::-1]]
                for name, values in (("longest_ms", self.delays_ms), ("busiest_ms", self.busy_ms))
            }
            self._log.write_text(json.dumps(found), encoding="utf-8")

    @property
    def longest_ms(self) -> float:
        """The longest stretch."""
        return max(self.delays_ms, default=0.0)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.delays_ms.append(max((now - self._last) * 1e3 - _BEAT_MS, 0.0))
        self._last = now
        worked = time.thread_time()
        self.busy_ms.append((worked - self._worked) * 1e3)
        self._worked = worked


def start_watch(log: Path) -> Watch:
    """A watch that runs now."""
    watch = Watch(log)
    watch.start()
    return watch
