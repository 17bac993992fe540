"""A worker thread for which only the newest request counts."""

from __future__ import annotations

import threading
from collections.abc import Callable


class NewestWins:
    """Runs the newest task on a thread of its own; a task that waits is replaced, never queued."""

    def __init__(self, name: str) -> None:
        self._condition = threading.Condition()
        self._task: Callable[[], None] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], None]) -> None:
        """Run ``task`` as soon as the one under way has ended, unless a newer one comes first."""
        with self._condition:
            if self._closed:
                return
            self._task = task
            self._condition.notify()

    def close(self) -> None:
        """Drop what waits, let what runs end."""
        with self._condition:
            self._closed = True
            self._task = None
            self._condition.notify()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._condition:
                while self._task is None and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                task, self._task = self._task, None
            if task is not None:
                task()
