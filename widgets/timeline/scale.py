"""Which frame lies at which pixel: zoom, pan, ticks and time labels, without any widget."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_NICE = (1, 2, 5)
SHORTEST_VIEW = 12.0
"""Frames that are shown at the deepest zoom."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Frames ``first`` .. ``last`` (frame ``i`` fills ``[i, i + 1)``) over ``width`` logical pixels."""

    n_frames: int
    width: float
    first: float
    last: float

    @staticmethod
    def whole(n_frames: int, width: float) -> Scale:
        """A scale that shows everything."""
        return Scale(n_frames, max(width, 1.0), 0.0, float(max(n_frames, 1)))

    @property
    def span(self) -> float:
        """Frames on show."""
        return self.last - self.first

    @property
    def pixels_per_frame(self) -> float:
        """Width of one frame in logical pixels."""
        return self.width / self.span

    @property
    def shows_everything(self) -> bool:
        """True when nothing is zoomed away."""
        return self.first <= 0.0 and self.last >= max(self.n_frames, 1)

    def x(self, frame: float) -> float:
        """Pixel of the middle of a frame."""
        return self.edge(frame + 0.5)

    def edge(self, position: float) -> float:
        """Pixel of a place on the frame axis; ``edge(i)`` is where frame i begins."""
        return (position - self.first) * self.width / self.span

    def position(self, x: float) -> float:
        """Place on the frame axis under a pixel."""
        return self.first + x * self.span / self.width

    def frame(self, x: float) -> int:
        """The frame under a pixel, kept inside the footage."""
        return int(min(max(math.floor(self.position(x)), 0), max(self.n_frames - 1, 0)))

    def resized(self, width: float) -> Scale:
        """The same frames over another width."""
        return Scale(self.n_frames, max(width, 1.0), self.first, self.last)

    def zoomed(self, factor: float, about_x: float) -> Scale:
        """Zoom in (``factor`` > 1) or out; what is under ``about_x`` stays under it."""
        everything = float(max(self.n_frames, 1))
        span = min(max(self.span / factor, min(SHORTEST_VIEW, everything)), everything)
        kept = self.position(about_x)
        return self._between(kept - about_x / self.width * span, span)

    def panned(self, frames: float) -> Scale:
        """Move by so many frames, as far as there are any."""
        return self._between(self.first + frames, self.span)

    def revealing(self, frame: int) -> Scale:
        """Move, only if needed, so that a frame is on show with a little room beside it."""
        margin = min(self.span * 0.08, 40.0)
        if frame < self.first:
            return self._between(frame - margin, self.span)
        if frame + 1 > self.last:
            return self._between(frame + 1 + margin - self.span, self.span)
        return self

    def _between(self, first: float, span: float) -> Scale:
        everything = float(max(self.n_frames, 1))
        first = min(max(first, 0.0), everything - span)
        return Scale(self.n_frames, self.width, first, first + span)

    def columns(self) -> tuple[npt.NDArray[np.intp], int]:
        """First frame of every pixel column, and where the last column ends (exclusive)."""
        count = max(round(self.width), 1)
        edges = self.first + np.arange(count + 1) * (self.span / count)
        # The tiny step forgives rounding: a column that begins at 9.9999999 begins at frame 10.
        starts = np.floor(edges[:-1] + 1e-6).astype(np.intp)
        stop = min(max(math.ceil(edges[-1] - 1e-6), 1), max(self.n_frames, 1))
        return np.clip(starts, 0, stop - 1), stop


def column_max(values: npt.NDArray[np.generic], scale: Scale) -> npt.NDArray[np.generic]:
    """(W,) largest value of each pixel column of ``values`` (N,); NaN only where all of it is NaN."""
    starts, stop = scale.columns()
    return np.fmax.reduceat(values[:stop], starts)


def nice_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is not under ``least``."""
    power = 1
    while True:
        for digit in _NICE:
            if digit * power >= least:
                return digit * power
        power *= 10


def ticks(scale: Scale, spacing: float) -> list[int]:
    """Frames to label: the first, and those whose numbers are round, at least ``spacing`` pixels apart."""
    step = nice_step(spacing / scale.pixels_per_frame)
    begin = math.ceil((max(scale.first, 0.0) + 1) / step) * step - 1
    marks = list(range(begin, min(math.ceil(scale.last), scale.n_frames), step))
    if step > 2 and scale.first <= 0.0 and scale.n_frames:
        marks.insert(0, 0)
    return marks


def number_text(frame: int) -> str:
    """The number of a frame as people count, from 1."""
    return f"{frame + 1:,}".replace(",", "\u2009")


def time_text(seconds: float, decimals: int = 3) -> str:
    """``75.5`` as ``01:15.500``; hours only where there are any."""
    units = 10**decimals
    whole = max(round(seconds * units), 0)
    rest, fraction = divmod(whole, units)
    minutes, second = divmod(rest, 60)
    hours, minute = divmod(minutes, 60)
    head = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute:02d}:{second:02d}"
    return f"{head}.{fraction:0{decimals}d}" if decimals else head
