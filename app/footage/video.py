"""Video files."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from app.errors import FootageError
from app.footage.base import Footage, Image, Kind, check_size
from app.footage.decoder import Decoder, open_container, video_stream
from app.footage.frame_table import FrameTable, read_frame_table

_TAIL_FRAMES = 300
"""How far before the end a last keyframe may lie for the tail to be tried when opening."""

_KEPT = 32
_tried: OrderedDict[tuple[str, int, int], int] = OrderedDict()
"""Frames that can be decoded of files, by path, size and time of change: the same file is opened several
times, and to decode its tail can take as long as all else. Never stored."""


class VideoFootage(Footage):
    """A video, read frame-exactly through its table of time stamps.

    Args:
        complete: it is known that its last frames can be decoded: they are not tried.
    """

    def __init__(self, path: Path, *, complete: bool = False) -> None:
        self.path = path
        self.kind: Kind = "video"
        with open_container(path) as container:
            stream = video_stream(container, path.name)
            width, height = stream.codec_context.width, stream.codec_context.height
            check_size(path.name, width, height)
            self.has_audio = bool(container.streams.audio)
            self.time_base = stream.time_base or Fraction(1, 1000)
            self._table = read_frame_table(container, stream, path.name)
        self._lock = threading.Lock()
        self._decoder = Decoder(path, self._table)
        self._closed = False
        if not complete:
            self._drop_missing_tail()
        self.pts = self._table.pts
        first = self.frame(0)
        self.height, self.width = first.shape[:2]
        self.fps = self._average_rate()

    def _average_rate(self) -> float:
        if self.n_frames < 2:
            return 25.0
        seconds = float((self.pts[-1] - self.pts[0]) * self.time_base)
        return (self.n_frames - 1) / seconds if seconds > 0 else 25.0

    def _drop_missing_tail(self) -> None:
        """A recording that was cut off often announces a last frame or two that cannot be decoded."""
        table, n = self._table, self._decodable()
        if n < len(table.pts):
            self._table = FrameTable(table.pts[:n].copy(), table.key_pts, table.key_dts)
            self._decoder.close()
            self._decoder = Decoder(self.path, self._table)

    def _decodable(self) -> int:
        """How many frames there are without the last ones that cannot be decoded."""
        state = self.path.stat()
        key = (str(self.path.resolve()), state.st_size, state.st_mtime_ns)
        if key in _tried:
            return _tried[key]
        n = len(self._table.pts)
        start = int(np.searchsorted(self._table.pts, int(self._table.key_pts[-1])))
        if n - start > _TAIL_FRAMES or n < 2:
            start = max(n - 2, 0)
        last = n - 1
        while last > start:
            try:
                self._decoder.read(last)
                break
            except FootageError:
                last -= 1
        _tried[key] = last + 1
        while len(_tried) > _KEPT:
            _tried.popitem(last=False)
        return last + 1

    def frame(self, index: int) -> Image:
        """See :meth:`Footage.frame`."""
        self._check_index(index)
        with self._lock:
            if self._closed:
                raise FootageError("The footage is closed.")
            return self._decoder.read(index)

    def iter_frames(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Image]]:
        """See :meth:`Footage.iter_frames`."""
        decoder = Decoder(self.path, self._table)
        try:
            for index in range(start, self.n_frames if stop is None else min(stop, self.n_frames)):
                yield index, decoder.read(index)
        finally:
            decoder.close()

    def close(self) -> None:
        """See :meth:`Footage.close`."""
        with self._lock:
            self._closed = True
            self._decoder.close()
