"""Decoded frames kept in memory, and a thread that reads ahead."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from app.errors import FootageError
from app.footage.base import Footage, Image

FrameCallback = Callable[[int, Image], None]
ErrorCallback = Callable[[int, str], None]

DEFAULT_BYTES = 512 << 20

_AHEAD = 12
"""Frames read ahead in the direction of play."""

_LARGE_JUMP = 48
"""A request further away than this is a jump: reading ahead from there would be a guess."""


class FrameCache:
    """Frames by number, least recently used out first; the newest request is always served first."""

    def __init__(self, footage: Footage, byte_limit: int = DEFAULT_BYTES) -> None:
        self._footage = footage
        self._limit = byte_limit
        self._frames: OrderedDict[int, Image] = OrderedDict()
        self._bytes = 0
        self._condition = threading.Condition()
        self._request: tuple[int, FrameCallback, ErrorCallback | None] | None = None
        self._ahead: list[int] = []
        self._last: int | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
        self._thread.start()

    @property
    def n_bytes(self) -> int:
        """Bytes held by decoded frames."""
        return self._bytes

    def peek(self, index: int) -> Image | None:
        """The frame if it is in memory."""
        with self._condition:
            image = self._frames.get(index)
            if image is not None:
                self._frames.move_to_end(index)
            return image

    def get(self, index: int) -> Image:
        """The frame, decoded now where it is not in memory.

        Raises:
            FootageError: when it cannot be decoded.
        """
        image = self.peek(index)
        if image is None:
            image = self._footage.frame(index)
            self._keep(index, image)
        return image

    def request(self, index: int, callback: FrameCallback, on_error: ErrorCallback | None = None) -> None:
        """Ask for a frame; a request that is still waiting is dropped for this one.

        The callback runs on the cache's thread.
        """
        with self._condition:
            if not self._closed:
                self._request = (index, callback, on_error)
                self._condition.notify()

    def prefetch(self, index: int, direction: int) -> None:
        """Read ahead of ``index``: 1 forwards, -1 backwards, 0 not at all; large jumps read nothing ahead."""
        with self._condition:
            jumped = self._last is not None and abs(index - self._last) > _LARGE_JUMP
            self._last = index
            self._ahead = []
            if direction and not jumped:
                wanted = range(index + direction, index + direction * (_AHEAD + 1), direction)
                inside = [i for i in wanted if 0 <= i < self._footage.n_frames and i not in self._frames]
                # Going backwards the earliest comes first: one seek, then decoding forwards fills the rest.
                self._ahead = inside if direction > 0 else inside[::-1]
            self._condition.notify()

    def forget(self) -> None:
        """Drop all frames and what waits to be read."""
        with self._condition:
            self._request, self._ahead, self._last = None, [], None
            self._frames.clear()
            self._bytes = 0

    def close(self) -> None:
        """Stop the thread and forget all frames."""
        with self._condition:
            self._closed = True
            self._request = None
            self._ahead = []
            self._condition.notify()
        self._thread.join(timeout=5.0)
        self._frames.clear()
        self._bytes = 0

    def _keep(self, index: int, image: Image) -> None:
        with self._condition:
            if self._closed or index in self._frames:
                return
            self._frames[index] = image
            self._bytes += image.nbytes
            while self._bytes > self._limit and len(self._frames) > 1:
                _, dropped = self._frames.popitem(last=False)
                self._bytes -= dropped.nbytes

    def _run(self) -> None:
        while True:
            with self._condition:
                while not (self._closed or self._request or self._ahead):
                    self._condition.wait()
                if self._closed:
                    return
                request, self._request = self._request, None
                ahead = self._ahead.pop(0) if request is None else None
            if request is not None:
                index, callback, on_error = request
                try:
                    image = self.get(index)
                except FootageError as error:
                    if on_error is not None:
                        on_error(index, str(error))
                    continue
                callback(index, image)
            elif ahead is not None:
                try:
                    self.get(ahead)
                except FootageError:
                    with self._condition:
                        self._ahead = []  # the person will meet the error when they get there
