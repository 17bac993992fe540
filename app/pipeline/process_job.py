"""Long work in a process of its own.

In a thread the work and the window would take turns at Python's one lock, and the window would wait for
up to half a second at a time. A process also keeps what a hostile video may do to a decoder away from the
window: if it dies, everything that was stored is kept and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from app.errors import Cancelled
from app.pipeline.events import CancelledByUser, Event, Failed, Finished, Listener, Progress
from app.pipeline.job import Control, Flag, how_it_ended

Task = Callable[..., dict[str, Any]]
"""``task(control, listener, *arguments)``: importable by name, as the process is made anew."""

_TELL_S = 0.05
_PATIENCE_S = 4.0
_NICE = 5


class ProcessJob:
    """A handle on work in another process; tells the listener how it ended, exactly once.

    The listener is called on a thread of this process.
    """

    def __init__(
        self, name: str, task: Task, arguments: tuple[Any, ...], listener: Listener, *, polite: bool = True
    ) -> None:
        """``polite`` work lets the window of this program, and everything else, come first."""
        context = multiprocessing.get_context("spawn")
        self._stop, self._go = context.Event(), context.Event()
        self._go.set()
        self._events, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(task, arguments, theirs, self._stop, self._go, polite), name=name, daemon=True
        )
        self._process.start()
        theirs.close()
        self._listener = listener
        self._ended = threading.Event()
        self._cancelled_at: float | None = None
        self._told_end = False
        self._thread = threading.Thread(target=self._relay, name=f"{name} events", daemon=True)
        self._thread.start()

    def _relay(self) -> None:
        last: Event | None = None
        try:
            while not isinstance(last, Finished | Failed | CancelledByUser):
                if self._events.poll(0.2):
                    last = self._events.recv()
                    if not isinstance(last, Finished | Failed | CancelledByUser):
                        self._listener(last)
                elif self._cancelled_at is not None:
                    # It has not begun, or hangs in something that cannot be asked. What is stored is whole.
                    patience = _PATIENCE_S if last is not None else 0.0
                    if time.monotonic() - self._cancelled_at > patience:
                        self._process.kill()
                        last = CancelledByUser()
        except (EOFError, OSError):
            last = CancelledByUser() if self._stop.is_set() else Failed(
                "The work ended unexpectedly. Everything finished so far is kept; run again to go on."
            )  # fmt: skip
        self._told_end = True
        try:
            self._listener(last)
        finally:
            self._process.join(_PATIENCE_S)
            if self._process.is_alive():
                self._process.kill()
            self._events.close()
            self._ended.set()

    @property
    def running(self) -> bool:
        """True until the last event is delivered; the process may take a moment longer to go."""
        return not self._told_end

    @property
    def paused(self) -> bool:
        """True while held by :meth:`pause`."""
        return not self._go.is_set()

    def pause(self) -> None:
        """Hold at the next frame."""
        self._go.clear()

    def resume(self) -> None:
        """Go on."""
        self._go.set()

    def cancel(self) -> None:
        """Stop within a second; what is finished is kept."""
        self._cancelled_at = self._cancelled_at or time.monotonic()
        self._stop.set()
        self._go.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has ended; True if it did."""
        return self._ended.wait(timeout)


def _work(
    task: Task, arguments: tuple[Any, ...], events: Connection, stop: Flag, go: Flag, polite: bool
) -> None:
    """The other process."""
    # Ctrl-C in a terminal reaches both processes; the first one says whether and how to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if polite and hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(_NICE)  # whoever looks at the window comes first
    control = Control(stop, go)
    told = 0.0

    def tell(event: Event) -> None:
        nonlocal told
        if isinstance(event, Progress) and event.done < event.total:
            now = time.monotonic()
            if now - told < _TELL_S:
                return
            told = now
        try:
            events.send(event)
        except OSError as error:  # nobody listens any more: the window is gone
            control.stop()
            raise Cancelled("Stopped. Everything finished so far is kept.") from error

    started = time.monotonic()
    try:
        event: Event = Finished(task(control, tell, *arguments), time.monotonic() - started)
    except Exception as error:
        event = how_it_ended(error)
    with contextlib.suppress(OSError):
        events.send(event)


__all__ = ["ProcessJob", "Task"]
