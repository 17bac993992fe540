"""A plot as SVG text: axes with round ticks, lines, bars, dots. Colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]


def round_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within ``low`` .. ``high``."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low]
    raw = span / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def plain_number(value: float) -> str:
    """As short as it stays exact enough for a tick."""
    return f"{value:.10g}"


class Plot:
    """A drawing area with axes; everything is added in data coordinates.

    Args:
        x, y: (low, high) of the data shown. left, bottom: room for ticks and titles, pixels.
    """

    def __init__(
        self, width: int, height: int, x: tuple[float, float], y: tuple[float, float], *,
        left: int = 46, bottom: int = 40, top: int = 10, right: int = 14,
    ) -> None:  # fmt: skip
        self.width, self.height = width, height
        self._x, self._y = x, y
        self._left, self._right = left, width - right
        self._top, self._bottom = top, height - bottom
        self._parts: list[str] = []

    def px(self, x: float) -> float:
        """The pixel of a value along x."""
        low, high = self._x
        return self._left + (x - low) / (high - low) * (self._right - self._left)

    def py(self, y: float) -> float:
        """The pixel of a value along y."""
        low, high = self._y
        return self._bottom - (y - low) / (high - low) * (self._bottom - self._top)

    def axes(
        self, x_title: str, y_title: str, *, x_ticks: Sequence[float] | None = None,
        y_ticks: Sequence[float] | None = None, x_labels: Sequence[str] | None = None,
    ) -> Plot:  # fmt: skip
        """Grid lines, tick labels and titles."""
        xs = round_ticks(*self._x) if x_ticks is None else list(x_ticks)
        labels = [plain_number(v) for v in xs] if x_labels is None else list(x_labels)
        for v in round_ticks(*self._y, about=4) if y_ticks is None else y_ticks:
            y = self.py(v)
            self._parts.append(
                f'<line class="grid" x1="{self._left}" x2="{self._right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            self._text(self._left - 7, y + 4, plain_number(v), "tick", "end")
        for v, label in zip(xs, labels):
            self._text(self.px(v), self._bottom + 17, label, "tick", "middle")
        self._parts.append(
            f'<line class="axis" x1="{self._left}" x2="{self._right}" '
            f'y1="{self._bottom}" y2="{self._bottom}"/>'
        )
        self._text((self._left + self._right) / 2, self.height - 5, x_title, "title", "middle")
        middle = (self._top + self._bottom) / 2
        self._parts.append(
            f'<text class="title" text-anchor="middle" transform="translate(12 {middle:.1f}) rotate(-90)">'
            f"{escape(y_title)}</text>"
        )
        return self

    def line(self, x: npt.ArrayLike, y: npt.ArrayLike, style: str) -> Plot:
        """A line, broken where ``y`` is NaN; a single point between gaps is a dot."""
        pieces: list[list[str]] = [[]]
        for a, b in zip(np.asarray(x, np.float64), np.asarray(y, np.float64)):
            if math.isfinite(b):
                pieces[-1].append(f"{self.px(a):.1f},{self.py(b):.1f}")
            elif pieces[-1]:
                pieces.append([])
        for piece in pieces:
            if len(piece) == 1:
                cx, cy = piece[0].split(",")
                self._parts.append(f'<circle class="dot {style}" cx="{cx}" cy="{cy}" r="1.5"/>')
            elif piece:
                self._parts.append(f'<polyline class="line {style}" points="{" ".join(piece)}"/>')
        return self

    def band(self, x: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, style: str) -> Plot:
        """A filled band between two lines."""
        xs, a, b = (np.asarray(v, np.float64) for v in (x, low, high))
        points = [(self.px(p), self.py(q)) for p, q in zip(xs, b)]
        points += [(self.px(p), self.py(q)) for p, q in zip(xs[::-1], a[::-1])]
        shape = " ".join(f"{p:.1f},{q:.1f}" for p, q in points)
        self._parts.append(f'<polygon class="band {style}" points="{shape}"/>')
        return self

    def bars(self, edges: F8, heights: F8, fills: Iterable[str], hints: Iterable[str]) -> Plot:
        """Upright bars between ``edges`` (n + 1,), each with its colour and a hint for the pointer."""
        for k, (fill, hint) in enumerate(zip(fills, hints)):
            x0, x1 = self.px(edges[k]) + 0.5, self.px(edges[k + 1]) - 0.5
            y = self.py(heights[k])
            self._parts.append(
                f'<rect x="{x0:.1f}" y="{y:.1f}" width="{max(x1 - x0, 0.5):.1f}" '
                f'height="{max(self._bottom - y, 0):.1f}" fill="{fill}"><title>{escape(hint)}</title></rect>'
            )
        return self

    def dots(self, x: F8, y: F8, radius: F8, style: str) -> Plot:
        """Dots of given radii in pixels."""
        for a, b, r in zip(x, y, radius):
            self._parts.append(
                f'<circle class="dot {style}" cx="{self.px(a):.1f}" cy="{self.py(b):.1f}" r="{r:.1f}"/>'
            )
        return self

    def upright(self, x: float, style: str, label: str = "") -> Plot:
        """A vertical line with a label at its top."""
        at = self.px(x)
        self._parts.append(
            f'<line class="mark {style}" x1="{at:.1f}" x2="{at:.1f}" y1="{self._top}" y2="{self._bottom}"/>'
        )
        if label:
            near_end = at > self._right - 90
            self._text(
                at + (-5 if near_end else 5), self._top + 9, label, "note", "end" if near_end else "start"
            )
        return self

    def level(self, y: float, style: str, label: str = "") -> Plot:
        """A horizontal line with a label at its right end."""
        at = self.py(y)
        self._parts.append(
            f'<line class="mark {style}" x1="{self._left}" x2="{self._right}" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        if label:
            self._text(self._right, at - 5, label, "note", "end")
        return self

    def _text(self, x: float, y: float, text: str, style: str, anchor: str) -> None:
        self._parts.append(
            f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def svg(self, label: str) -> str:
        """The whole drawing; ``label`` for people who do not see it."""
        return svg_of(self.width, self.height, self._parts, label)


def svg_of(width: int, height: int, parts: Iterable[str], label: str) -> str:
    """An SVG element that scales with its place."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
