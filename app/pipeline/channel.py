"""A bounded queue between two stages that neither hangs nor outlives a cancelled run."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Generic, TypeVar

from app.pipeline.job import Control

T = TypeVar("T")

_POLL_S = 0.1


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Channel(Generic[T]):
    """Items in order from one producer to one consumer; an error travels with them."""

    def __init__(self, size: int, control: Control) -> None:
        self._queue: queue.Queue[T | _End] = queue.Queue(size)
        self._control = control
        self._closed = False

    def put(self, item: T) -> bool:
        """Hand over an item, waiting for room; False when nobody will take it any more."""
        return self._put(item)

    def finish(self, error: BaseException | None = None) -> None:
        """No more items; with ``error`` the consumer raises it after the last one."""
        self._put(_End(error))

    def abandon(self) -> None:
        """The consumer is gone: the producer shall stop."""
        self._closed = True

    def _put(self, item: T | _End) -> bool:
        while not (self._closed or self._control.stopped):
            try:
                self._queue.put(item, timeout=_POLL_S)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                item = self._queue.get(timeout=_POLL_S)
            except queue.Empty:
                self._control.check()
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
