"""Progress of long work in the terminal, and Ctrl-C that stops it cleanly."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from app.cli.console import duration, err, warn
from app.pipeline import events
from app.pipeline.job import Control

_STATES = {"kept": "finished before", "leaks": "done, but somebody may be seen"}
_PLAIN_EVERY_S = 10.0
"""Where there is no terminal, one line now and then instead of a bar that moves."""


class ProgressView:
    """A listener for the events of a run or an export; shows them on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._text = ""
        self._file = self._name = ""
        self._plain_at = time.monotonic()
        self._quiet = quiet
        self.warnings: list[str] = []

    def __enter__(self) -> ProgressView:
        if not self._quiet and err.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[speed]}"), console=err, transient=True,
            )  # fmt: skip
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: events.Event) -> None:
        """Show one event."""
        if isinstance(event, events.StageStarted):
            self._start(event)
        elif isinstance(event, events.Progress):
            self._advance(event)
        elif isinstance(event, events.Warned):
            text = f"{self._name}{event.text}"
            self.warnings.append(text)
            warn(text)
        elif isinstance(event, events.FileStarted):
            left = f", {duration(event.remaining_s)} left for all" if event.remaining_s is not None else ""
            self._name = f"{event.name}: "
            self._file = f"{event.name} ({event.index} of {event.total}{left}): "
        elif isinstance(event, events.FileEnded):
            self._file = self._name = ""
            self._tell_end(event)

    def _start(self, event: events.StageStarted) -> None:
        self._stage, self._text = event.stage, f"{self._file}{event.text}"
        self._plain_at = time.monotonic()
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(self._text, total=None, speed="")
        elif not self._quiet:
            err.print(self._text, markup=False)

    def _tell_end(self, event: events.FileEnded) -> None:
        if not self._quiet:
            state = str(event.result.get("state", ""))
            # What was found has been told in a note: here it is the state that counts.
            words = _STATES.get(state) or event.result.get("message") or state
            err.print(f"{event.index} of {event.total}  {event.name}: {words}", markup=False)

    def _advance(self, event: events.Progress) -> None:
        left = f"{duration(event.remaining_s)} left" if event.remaining_s is not None else ""
        speed = f"{event.rate:.1f} {event.unit}/s  {left}" if event.rate > 0 else ""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=event.done, total=event.total, speed=speed)
        elif not self._quiet and time.monotonic() - self._plain_at > _PLAIN_EVERY_S:
            self._plain_at = time.monotonic()
            err.print(f"{self._text}: {event.done} of {event.total}  {speed}")


class Interruptible:
    """A :class:`Control` that Ctrl-C stops; a second Ctrl-C ends the program at once."""

    def __init__(self) -> None:
        self._control = Control()
        self._before: Any = None

    def __enter__(self) -> Control:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._stop)
        return self._control

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._control.stopped:
            sys.exit(130)
        self._control.stop()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
