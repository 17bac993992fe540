"""What lies under the lanes: coverage of the export, and frames and times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.review.types import COVERED, LEAK, PREDICTED, SPARED
from widgets import theme
from widgets.timeline.lanes import LEFT, RIGHT
from widgets.timeline.scale import Scale, column_max, number_text, ticks, time_text

_LEAST_LEAK = 3
"""Pixels: a leak of one frame in an hour must still be seen."""

_CURSOR_ROOM = 64.0
"""Half the cursor's label and half a label of the ruler, pixels."""


class CoverageLane(QWidget):
    """Where the export covers everybody, and where somebody shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._coverage: npt.NDArray[np.uint8] | None = None
        self._scale = Scale.whole(1, 1.0)
        self._pixels = np.zeros((1, 1, 4), np.uint8)
        self.setAccessibleName("Covered in the export")
        self.setToolTip(
            "Green: everybody is covered in the export. Pale: somebody is covered where they are guessed to "
            "be. Red: somebody may show. Amber: somebody may be seen on purpose. Empty: not run yet."
        )
        theme.notifier().changed.connect(self._prepare)

    def set_coverage(self, coverage: npt.NDArray[np.uint8] | None) -> None:
        """(N,) values of the coverage lane, or None before anything has run."""
        self._coverage = None if coverage is None else np.asarray(coverage, np.uint8)
        self._prepare()

    def set_scale(self, scale: Scale) -> None:
        """Show these frames."""
        self._scale = scale
        self._prepare()

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """(1, W, 4) RGBA: what is stretched into the lane."""
        return self._pixels

    def _prepare(self) -> None:
        count = max(round(self._scale.width), 1)
        self._pixels = np.zeros((1, count, 4), np.uint8)
        coverage = self._coverage
        if coverage is not None and len(coverage):
            palette = theme.current()
            scale = Scale(len(coverage), self._scale.width, self._scale.first, self._scale.last)
            # What is worst in a column wins: a leak, then frames that have not been run.
            leak = np.asarray(column_max(coverage == LEAK, scale), bool)
            spared = np.asarray(column_max(coverage == SPARED, scale), bool)
            guessed = np.asarray(column_max(coverage == PREDICTED, scale), bool)
            known = np.isin(coverage, (COVERED, SPARED, PREDICTED))
            covered = ~np.asarray(column_max(~known, scale), bool)
            ground = palette.accent.darker(125) if palette.is_dark else palette.accent
            self._pixels[0, covered] = _rgba(ground)
            self._pixels[0, covered & guessed] = _rgba(_mixed(ground, palette.raised))
            self._pixels[0, spared] = _rgba(palette.warning)
            wide = np.convolve(leak, np.ones(_LEAST_LEAK), "same") > 0
            self._pixels[0, wide] = _rgba(palette.bad)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the name and the lane."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if event.rect().left() < LEFT:
            painter.setFont(theme.base_font(12))
            painter.setPen(palette.secondary)
            room = QRectF(14, 0, LEFT - 24, self.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, "Covered in the export")
        row = QRectF(LEFT, self.height() / 2 - 4, max(self.width() - LEFT - RIGHT, 1), 8)
        clip = QPainterPath()
        clip.addRoundedRect(row, 3, 3)
        painter.fillPath(clip, palette.raised)
        painter.setClipPath(clip, Qt.ClipOperation.IntersectClip)
        pixels = self._pixels
        image = QImage(pixels.data, pixels.shape[1], 1, pixels.strides[0], QImage.Format.Format_RGBA8888)
        painter.drawImage(row, image, QRectF(0, 0, image.width(), 1))


def _rgba(color: QColor) -> tuple[int, int, int, int]:
    return color.red(), color.green(), color.blue(), color.alpha()


def _mixed(a: QColor, b: QColor) -> QColor:
    """Half of each."""
    return QColor((a.red() + b.red()) // 2, (a.green() + b.green()) // 2, (a.blue() + b.blue()) // 2)


class Ruler(QWidget):
    """Frame numbers, and their times under them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = Scale.whole(1, 1.0)
        self._times: npt.NDArray[np.float64] = np.zeros(0)
        self._cursor: float | None = None
        self.setAccessibleName("Frames and times")
        theme.notifier().changed.connect(self.update)

    def set_times(self, times: npt.NDArray[np.float64]) -> None:
        """(N,) seconds of every frame."""
        self._times = times
        self.update()

    def set_scale(self, scale: Scale) -> None:
        """Show these frames."""
        self._scale = scale
        self.update()

    def set_cursor(self, x: float | None) -> None:
        """Where the cursor's own label stands, pixels of the strip; what it would cut in half is left out."""
        if self._hidden_marks(x) != self._hidden_marks(self._cursor):
            self.update()
        self._cursor = x

    def _hidden_marks(self, x: float | None) -> frozenset[int]:
        if x is None:
            return frozenset()
        return frozenset(i for i, (at, _, _) in enumerate(self.marks()) if abs(at - x) < _CURSOR_ROOM)

    def marks(self) -> list[tuple[float, str, str]]:
        """Pixel, frame and time of every label."""
        if not len(self._times):
            return []
        frames = ticks(self._scale, 70.0)
        seconds = self._scale.span / max(len(self._times), 1) * float(self._times[-1] - self._times[0])
        decimals = 0 if seconds > 90 else (1 if seconds > 9 else 2)
        return [
            (self._scale.x(f), number_text(f), time_text(self._times[f], decimals))
            for f in frames
            if f < len(self._times)
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the labels that the exposed part touches."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setFont(theme.base_font(11))
        hidden = self._hidden_marks(self._cursor)
        for i, (x, frame, time) in enumerate(self.marks()):
            if i in hidden:
                continue
            at = LEFT + x
            if at < event.rect().left() - 40 or at > event.rect().right() + 40:
                continue
            painter.setPen(QPen(palette.line, 1))
            painter.drawLine(QPointF(round(at), 0), QPointF(round(at), 4))
            left = at - 36
            how = Qt.AlignmentFlag.AlignHCenter
            painter.setPen(palette.text)
            painter.drawText(QRectF(left, 5, 72, 13), how, frame)
            painter.setPen(palette.secondary)
            painter.drawText(QRectF(left, 18, 72, 13), how, time)
