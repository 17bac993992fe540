"""The glass over plot, lanes and ruler: takes the mouse, paints cursor and range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QRegion, QWheelEvent
from PySide6.QtWidgets import QWidget

from widgets import theme
from widgets.timeline.scale import Scale, number_text, time_text

SLACK = 40
"""Pixels that the glass reaches beyond the strips on both sides, so that marks at the ends are whole."""
_CHIP_WIDTH, _CHIP_HEIGHT = 76, 30


class TimelineGlass(QWidget):
    """Transparent and on top, so that moving the cursor repaints a few columns of pixels only."""

    seek = Signal(int)
    zoomed = Signal(float, float)
    panned = Signal(float)
    everything = Signal()
    hovered = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = Scale.whole(1, 1.0)
        self._times: npt.NDArray[np.float64] = np.zeros(0)
        self._frame = 0
        self._range: tuple[int, int] | None = None
        self._hover = -1
        self._sought = -1
        self._pressed = False
        self._line_bottom = 0
        self._ruler_top = 0
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setAccessibleName("Timeline")
        theme.notifier().changed.connect(self.update)

    def set_places(self, line_bottom: int, ruler_top: int) -> None:
        """Where the cursor line ends and where the frame number stands (pixels from the top)."""
        self._line_bottom, self._ruler_top = line_bottom, ruler_top
        self.update()

    def set_times(self, times: npt.NDArray[np.float64]) -> None:
        """(N,) seconds of every frame."""
        self._times = times
        self.update()

    def set_scale(self, scale: Scale) -> None:
        """Show these frames."""
        self._scale = scale
        self.update()

    def set_frame(self, frame: int) -> None:
        """Move the cursor; only its old and its new place are painted again."""
        if frame != self._frame:
            dirty = self.cursor_region(self._frame).united(self.cursor_region(frame))
            self._frame = frame
            self.update(dirty)

    def set_range(self, frames: tuple[int, int] | None) -> None:
        """Shade what lies outside the range."""
        self._range = frames
        self.update()

    def cursor_region(self, frame: int) -> QRegion:
        """What the cursor covers when it stands on a frame."""
        x = round(SLACK + self._scale.x(frame))
        line = QRect(x - 3, 0, 7, self._line_bottom)
        return QRegion(line).united(QRegion(self._chip(x).toAlignedRect().adjusted(-1, -1, 1, 1)))

    def _chip(self, x: float) -> QRectF:
        left = min(max(x - _CHIP_WIDTH / 2, 0.0), self.width() - _CHIP_WIDTH)
        return QRectF(left, self._ruler_top + 3.0, _CHIP_WIDTH, _CHIP_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint range, pointer and cursor."""
        palette = theme.current()
        painter = QPainter(self)
        self._paint_range(painter)
        if self._hover >= 0 and not self._pressed:
            faint = QColor(palette.text)
            faint.setAlphaF(0.25)
            x = round(SLACK + self._scale.x(self._hover))
            painter.fillRect(QRect(x, 0, 1, self._line_bottom), faint)
        inside = self._scale.first - 0.5 <= self._frame <= self._scale.last
        if self._scale.n_frames == 0 or not inside:
            return
        x = round(SLACK + self._scale.x(self._frame))
        halo = QColor(palette.canvas)
        halo.setAlphaF(0.55)
        painter.fillRect(QRect(x - 1, 0, 3, self._line_bottom), halo)
        painter.fillRect(QRect(x, 0, 1, self._line_bottom), palette.text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_chip(painter, x)

    def _paint_chip(self, painter: QPainter, x: int) -> None:
        palette = theme.current()
        chip = self._chip(x)
        painter.setPen(QPen(palette.line, 1))
        painter.setBrush(palette.raised)
        painter.drawRoundedRect(chip.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        font = theme.base_font(11)
        painter.setFont(font)
        how = Qt.AlignmentFlag.AlignHCenter
        if self._frame < len(self._times):
            painter.setPen(palette.secondary)
            painter.drawText(chip.translated(0, 15), how, time_text(self._times[self._frame]))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(palette.text)
        painter.drawText(chip.translated(0, 2), how, number_text(self._frame))

    def _paint_range(self, painter: QPainter) -> None:
        if self._range is None:
            return
        palette = theme.current()
        width = self._scale.width
        low = min(max(self._scale.edge(self._range[0]), 0.0), width)
        high = min(max(self._scale.edge(self._range[1] + 1), 0.0), width)
        shade = QColor(palette.panel)
        shade.setAlphaF(0.62)
        painter.fillRect(QRectF(SLACK, 0, low, self._line_bottom), shade)
        painter.fillRect(QRectF(SLACK + high, 0, width - high, self._line_bottom), shade)
        painter.setPen(QPen(palette.accent, 1))
        for edge, at in zip(self._range, (low, high)):
            if self._scale.first <= edge + (at == high) <= self._scale.last:
                x = round(SLACK + at)
                painter.drawLine(QPointF(x, 0), QPointF(x, self._line_bottom))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame that is pressed."""
        if event.button() == Qt.MouseButton.LeftButton and self._scale.n_frames:
            self._pressed = True
            self._sought = -1
            self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the cursor, or say what lies under the pointer."""
        if self._pressed:
            self._seek(event)
        elif self._scale.n_frames:
            self._set_hover(self._scale.frame(event.position().x() - SLACK))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show everything."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.everything.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the pointer."""
        self._set_hover(-1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer; with shift, or a sideways wheel, pan."""
        turn = event.angleDelta()
        # Some platforms turn shift + wheel into a sideways wheel by themselves.
        sideways = turn.x() if abs(turn.x()) > abs(turn.y()) else 0
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not sideways:
            sideways = turn.y()
        if sideways:
            self.panned.emit(-sideways / 120.0 * 0.1)
        elif turn.y():
            self.zoomed.emit(1.25 ** (turn.y() / 120.0), event.position().x() - SLACK)
        event.accept()

    def _seek(self, event: QMouseEvent) -> None:
        frame = self._scale.frame(event.position().x() - SLACK)
        if frame != self._sought:
            self._sought = frame
            self.seek.emit(frame)

    def _set_hover(self, frame: int) -> None:
        if frame == self._hover:
            return
        for place in (self._hover, frame):
            if place >= 0:
                x = round(SLACK + self._scale.x(place))
                self.update(QRect(x - 1, 0, 3, self._line_bottom))
        self._hover = frame
        self.hovered.emit(frame)
