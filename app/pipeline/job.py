"""Long work on a thread of its own that can be paused and cancelled."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, Protocol

from app.errors import Cancelled, UnderstudyError
from app.pipeline.events import CancelledByUser, Failed, Finished, Listener
from backends.errors import BackendError


class Flag(Protocol):
    """A threading or multiprocessing event."""

    def set(self) -> None:
        """Raise it."""

    def clear(self) -> None:
        """Lower it."""

    def is_set(self) -> bool:
        """Whether it is raised."""

    def wait(self, timeout: float | None = None) -> bool:
        """Until it is raised."""


class Control:
    """What the work looks at between two frames: shall it hold, shall it stop?"""

    def __init__(self, stop: Flag | None = None, go: Flag | None = None) -> None:
        """The flags may be shared with another process; by default they belong to this one."""
        self._stop: Flag = stop if stop is not None else threading.Event()
        self._go: Flag = go if go is not None else threading.Event()
        if go is None:
            self._go.set()

    @property
    def stopped(self) -> bool:
        """True once somebody asked to stop."""
        return self._stop.is_set()

    @property
    def held(self) -> bool:
        """True while paused."""
        return not self._go.is_set()

    def stop(self) -> None:
        """Ask the work to stop."""
        self._stop.set()
        self._go.set()

    def hold(self) -> None:
        """Ask the work to wait."""
        self._go.clear()

    def release(self) -> None:
        """Let the work go on."""
        self._go.set()

    def check(self) -> bool:
        """Wait while paused; True if the work was held.

        Raises:
            Cancelled: when somebody asked to stop.
        """
        was_held = self.held
        self._go.wait()
        if self._stop.is_set():
            raise Cancelled("Stopped. Everything finished so far is kept.")
        return was_held


def how_it_ended(error: Exception) -> Failed | CancelledByUser:
    """What to tell of an error that ended the work."""
    if isinstance(error, Cancelled):
        return CancelledByUser()
    if isinstance(error, UnderstudyError | BackendError):
        return Failed(str(error))
    if isinstance(error, MemoryError):
        return Failed("This machine ran out of memory. Close other programs and run again to go on.")
    if os.environ.get("UNDERSTUDY_DEBUG"):
        traceback.print_exception(error)
    # The class tells an engineer where to look; the text could hold a patient's file name.
    return Failed(f"Something unexpected went wrong ({type(error).__name__}). Run again to go on.")


class ThreadJob:
    """Runs ``work(control)`` on a thread and tells the listener how it ended, exactly once."""

    def __init__(self, name: str, work: Callable[[Control], dict[str, Any]], listener: Listener) -> None:
        self.control = Control()
        self._work = work
        self._listener = listener
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        start = time.monotonic()
        try:
            summary = self._work(self.control)
            event: Finished | Failed | CancelledByUser = Finished(summary, time.monotonic() - start)
        except Exception as error:
            event = how_it_ended(error)
        try:
            self._listener(event)
        finally:
            self._ended.set()

    @property
    def running(self) -> bool:
        """True until the last event was delivered."""
        return not self._ended.is_set()

    @property
    def paused(self) -> bool:
        """True while held by :meth:`pause`."""
        return self.control.held

    def pause(self) -> None:
        """Hold at the next frame."""
        self.control.hold()

    def resume(self) -> None:
        """Go on."""
        self.control.release()

    def cancel(self) -> None:
        """Stop within a second; what is finished is kept."""
        self.control.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has ended; True if it did."""
        ended = self._ended.wait(timeout)
        if ended:
            self._thread.join(timeout)
        return ended
