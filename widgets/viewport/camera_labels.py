"""The names of the room's cameras beside where they stand; pressing one looks through it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from app.review.types import CameraView
from widgets import theme
from widgets.viewport import overlay
from widgets.viewport.projection import Orbit
from widgets.viewport.room import eye_of

Placed = Sequence[tuple[int, str, CameraView]]
"""Number, name and place of each camera."""

_ABOVE, _EDGE = 8.0, 44.0


def on_screen(orbit: Orbit, point: npt.ArrayLike, size: tuple[int, int]) -> tuple[float, float] | None:
    """Screen position (logical pixels) of a point of the room (metres); None behind who looks."""
    clip = np.append(np.asarray(point, np.float64), 1.0) @ orbit.matrix(size)
    if clip[3] <= 0.05:
        return None
    x, y = clip[:2] / clip[3]
    return float((x + 1) / 2 * size[0]), float((1 - y) / 2 * size[1])


class CameraLabels:
    """Paints the names, and knows which lies under a point."""

    def __init__(self) -> None:
        self.cameras: Placed = ()
        self.current = -1
        self.hovered: int | None = None
        self._boxes: dict[int, QRectF] = {}

    def paint(self, painter: QPainter, orbit: Orbit, size: tuple[int, int]) -> None:
        """Paint all that are on the screen."""
        self._boxes.clear()
        for number, name, view in self.cameras:
            at = on_screen(orbit, eye_of(view), size)
            if at is None or not (-40 < at[0] < size[0] + 40 and 0 < at[1] < size[1] + 40):
                continue
            role = "strong" if number == self.current else "name" if number == self.hovered else "plain"
            x = min(max(at[0], _EDGE), size[0] - _EDGE)
            box = overlay.draw_chip(painter, x, at[1] - _ABOVE, [(name, role)], middle=True)
            self._boxes[number] = box
            if number in (self.current, self.hovered):
                palette = theme.current()
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(palette.accent if number == self.current else palette.secondary, 1))
                painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)

    def at(self, x: float, y: float) -> int | None:
        """The camera whose name lies there."""
        return next((n for n, box in reversed(self._boxes.items()) if box.contains(x, y)), None)
