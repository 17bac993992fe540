"""The lanes: one strip of heat a person, with corrections and gaps, and the names beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.review.colormap import confidence_rgb
from app.review.types import Lane
from widgets import theme
from widgets.timeline.scale import Scale, column_max

LEFT, RIGHT = 226, 34
"""Logical pixels kept free beside the strips: names on the left, the scroll bar on the right."""
PITCH, LEAST_PITCH = 26, 17
"""Height of a lane with its gap: the usual, and the least before the lanes scroll."""
_DIAMOND = 5.0
_SAME_STRETCH = 2
_LEAST_DISTANCE = 8.0
"""Corrections closer than this many pixels share one diamond."""


class LaneArea(QWidget):
    """Names and heat strips, scrolled vertically by :meth:`set_offset`."""

    person_selected = Signal(int)
    scrolled = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lanes: Sequence[Lane] = ()
        self._scale = Scale.whole(1, 1.0)
        self._tolerance = 50.0
        self._selected: int | None = None
        self._pitch = PITCH
        self._offset = 0
        self._strips: list[QImage] = []
        self._gaps: list[list[tuple[float, float]]] = []
        self._pictures: list[npt.NDArray[np.uint8]] = []
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("People in the timeline")
        self.setToolTip("Click a name to select that person; up and down arrows go through them")
        theme.notifier().changed.connect(self.update)

    @property
    def pitch(self) -> int:
        """Height of a lane with its gap."""
        return self._pitch

    @property
    def content_height(self) -> int:
        """Height that all lanes would take."""
        return self._pitch * len(self._lanes)

    @property
    def strips(self) -> list[QImage]:
        """What is stretched into each lane: one row of pixels a person."""
        return self._strips

    @property
    def gaps(self) -> list[list[tuple[float, float]]]:
        """Per person, the stretches (logical pixels) where the track is interrupted."""
        return self._gaps

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """Show these people."""
        self._lanes = tuple(lanes)
        self._prepare()

    def set_scale(self, scale: Scale) -> None:
        """Show these frames."""
        self._scale = scale
        self._prepare()

    def set_tolerance(self, mm: float) -> None:
        """The expected error that is drawn near-white."""
        self._tolerance = mm
        self._prepare()

    def set_selected(self, person_id: int | None) -> None:
        """Mark one person's name."""
        self._selected = person_id
        self.update()

    def set_offset(self, pixels: int) -> None:
        """Scroll so many pixels down."""
        self._offset = pixels
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give every lane as much height as there is, within bounds."""
        self._fit()

    def _fit(self) -> None:
        count = max(len(self._lanes), 1)
        self._pitch = int(min(max(self.height() // count, LEAST_PITCH), PITCH))

    def _prepare(self) -> None:
        self._fit()
        self._strips, self._gaps, self._pictures = [], [], []
        for lane in self._lanes:
            mm = np.asarray(lane.mm, np.float32)[: self._scale.n_frames]
            if not len(mm):
                mm = np.full(1, np.nan, np.float32)
            columns = np.asarray(
                column_max(mm, Scale(len(mm), self._scale.width, self._scale.first, self._scale.last))
            )
            there = np.isfinite(columns)
            pixels = np.zeros((1, len(columns), 4), np.uint8)
            pixels[0, :, :3] = confidence_rgb(np.where(there, columns, 0.0), self._tolerance)
            pixels[0, :, 3] = np.where(there, 255, 0)
            image = QImage(pixels.data, len(columns), 1, pixels.strides[0], QImage.Format.Format_RGBA8888)
            self._pictures.append(pixels)
            self._strips.append(image)
            self._gaps.append(self._find_gaps(mm, there))
        self.update()

    def _find_gaps(
        self, mm: npt.NDArray[np.float32], there: npt.NDArray[np.bool_]
    ) -> list[tuple[float, float]]:
        known = np.flatnonzero(np.isfinite(mm))
        if not len(known):
            return []
        # A gap lies inside the track: before it begins and after it ends nobody is missing.
        begin, end = self._scale.edge(float(known[0])), self._scale.edge(float(known[-1] + 1))
        edges = np.flatnonzero(np.diff(np.concatenate(([True], there, [True])).astype(np.int8)))
        gaps = []
        for first, stop in zip(edges[::2], edges[1::2]):
            low, high = max(float(first), begin), min(float(stop), end)
            if high - low >= 1.0:
                gaps.append((low, high))
        return gaps

    def _row(self, index: int) -> QRectF:
        height = min(16.0, self._pitch - 4.0)
        top = index * self._pitch - self._offset + (self._pitch - height) / 2.0
        return QRectF(LEFT, top, max(self.width() - LEFT - RIGHT, 1), height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the names and strips that the exposed part touches."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = theme.current()
        exposed = QRectF(event.rect())
        for index, lane in enumerate(self._lanes):
            row = self._row(index)
            if row.bottom() < exposed.top() or row.top() > exposed.bottom():
                continue
            if exposed.left() < LEFT:
                self._paint_name(painter, row, lane)
            if exposed.right() >= LEFT:
                self._paint_strip(painter, row, index, exposed)
        if self.hasFocus() and self._lanes:
            painter.setPen(QPen(palette.accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(4.5, 0.5, LEFT - 14, self.height() - 1), 4, 4)

    def _paint_name(self, painter: QPainter, row: QRectF, lane: Lane) -> None:
        palette = theme.current()
        chosen = lane.person_id == self._selected
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.raised)
            painter.drawRoundedRect(QRectF(6, row.center().y() - 9, LEFT - 18, 18), 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.person_color(lane.color_index))
        painter.drawEllipse(QPointF(18.5, row.center().y()), 4.0, 4.0)
        painter.setFont(theme.base_font(12))
        painter.setPen(palette.text if chosen else palette.secondary)
        room = QRectF(29, row.center().y() - 9, LEFT - 46, 18)
        text = painter.fontMetrics().elidedText(lane.name, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _paint_strip(self, painter: QPainter, row: QRectF, index: int, exposed: QRectF) -> None:
        strip = self._strips[index]
        painter.save()
        clip = QPainterPath()
        clip.addRoundedRect(row, 3, 3)
        painter.setClipPath(clip, Qt.ClipOperation.IntersectClip)
        painter.drawImage(row, strip, QRectF(0, 0, strip.width(), 1))
        painter.restore()
        pen = QPen(theme.current().secondary, 1)
        pen.setDashPattern([3, 3])
        painter.setPen(pen)
        for low, high in self._gaps[index]:
            y = round(row.center().y()) + 0.5
            painter.drawLine(QPointF(LEFT + low, y), QPointF(LEFT + high, y))
        self._paint_carried(painter, row, self._lanes[index])
        self._paint_corrections(painter, row, self._lanes[index], exposed)

    def _paint_carried(self, painter: QPainter, row: QRectF, lane: Lane) -> None:
        """A white line along the foot of the strip where frames follow a correction."""
        frames = np.asarray(lane.carried_frames)
        low, high = np.searchsorted(frames, (self._scale.first, self._scale.last + 1))
        shown = frames[low:high]
        if not len(shown):
            return
        painter.setPen(QPen(QColor(12, 14, 18, 170), 1))
        painter.setBrush(QColor("#ffffff"))
        # Frames this near to each other are one stretch: a corrected one lies between them.
        for stretch in np.split(shown, np.flatnonzero(np.diff(shown) > _SAME_STRETCH) + 1):
            left = max(LEFT + self._scale.edge(float(stretch[0])), row.left())
            right = min(LEFT + self._scale.edge(float(stretch[-1] + 1)), row.right())
            painter.drawRect(QRectF(left, row.bottom() - 3.0, max(right - left, 2.0), 2.5))

    def _paint_corrections(self, painter: QPainter, row: QRectF, lane: Lane, exposed: QRectF) -> None:
        frames = np.asarray(lane.corrected_frames)
        low, high = np.searchsorted(frames, (self._scale.first - 1, self._scale.last + 1))
        painter.setPen(QPen(QColor(12, 14, 18, 170), 1))
        painter.setBrush(QColor("#ffffff"))
        last = -1e9
        radius = min(_DIAMOND, row.height() / 2.0 - 1.0)
        for frame in frames[low:high]:
            x = LEFT + self._scale.x(float(frame))
            if x - last < _LEAST_DISTANCE:
                continue
            last = x
            if exposed.left() - 8 <= x <= exposed.right() + 8 and row.left() - 1 <= x <= row.right() + 1:
                c = QPointF(x, row.center().y())
                corners = ((0.0, -radius - 1), (radius, 0.0), (0.0, radius + 1), (-radius, 0.0))
                painter.drawPolygon(QPolygonF([c + QPointF(dx, dy) for dx, dy in corners]))

    def person_at(self, y: float) -> int | None:
        """The person whose lane is at this height."""
        index = int((y + self._offset) // self._pitch)
        return self._lanes[index].person_id if 0 <= index < len(self._lanes) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the person whose name is pressed."""
        person = self.person_at(event.position().y())
        if event.button() == Qt.MouseButton.LeftButton and person is not None:
            self.person_selected.emit(person)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down go through the people."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._lanes:
            super().keyPressEvent(event)
            return
        ids = [lane.person_id for lane in self._lanes]
        at = ids.index(self._selected) + step if self._selected in ids else 0
        at = min(max(at, 0), len(ids) - 1)
        self.scrolled.emit(at)
        self.person_selected.emit(ids[at])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Over the names the wheel scrolls."""
        index = self._offset // self._pitch - (1 if event.angleDelta().y() > 0 else -1)
        self.scrolled.emit(max(index, 0))
        event.accept()
