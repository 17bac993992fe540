"""Two small plots of the confidence panel: how errors are spread, and whether their promise was kept."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.review.colormap import confidence_rgb
from app.review.trust import Histogram, Measured
from widgets import theme
from widgets.panels.paint import draw_text

_TEXT = 14
_GAP = 1.0


class HistogramPlot(QWidget):
    """One bar every ten millimetres, in the colours of the bodies; dashed where the tolerance lies."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._histogram: Histogram | None = None
        self._tolerance, self._limit = 50.0, float("inf")
        self.setFixedHeight(92)

    def set_histogram(self, histogram: Histogram | None, tolerance_mm: float, limit_mm: float) -> None:
        """Show these; bars beyond ``limit_mm`` are grey."""
        self._histogram, self._tolerance, self._limit = histogram, tolerance_mm, limit_mm
        if histogram is not None:
            self.setAccessibleName(
                f"Expected errors: {100 * histogram.within:.0f} % within {tolerance_mm:.0f} mm,"
                f" median {histogram.middle:.0f} mm"
            )
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's hook."""
        return QSize(240, 92)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's hook."""
        h = self._histogram
        if h is None:
            return
        palette = theme.current()
        painter = QPainter(self)
        width, height = float(self.width()), float(self.height()) - _TEXT
        step = width / len(h.counts)
        most = max(int(h.counts.max()), 1)
        painter.setPen(Qt.PenStyle.NoPen)
        for i, count in enumerate(h.counts):
            middle = float(h.edges[i] + h.edges[i + 1]) / 2
            r, g, b = (int(v) for v in confidence_rgb(middle, self._tolerance))
            painter.setBrush(QColor(r, g, b) if middle <= self._limit else QColor(palette.secondary))
            tall = (height - 4) * count / most
            painter.drawRect(QRectF(i * step, height - tall, step - _GAP, tall))
        painter.setPen(QPen(palette.line, 1))
        painter.drawLine(QPointF(0, height), QPointF(width, height))
        at = width * self._tolerance / float(h.edges[-1])
        pen = QPen(palette.text, 1, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(QPointF(at, 0), QPointF(at, height))
        for mm in (0, 50, 100):
            box = QRectF(width * mm / float(h.edges[-1]), height + 1, 40, _TEXT)
            draw_text(painter, box, f"{mm}", pixels=11, color=palette.secondary)
        end = QRectF(width - 110, height + 1, 110, _TEXT)
        words = f"{h.edges[-2]:.0f} mm and more"
        draw_text(painter, end, words, pixels=11, color=palette.secondary, right=True)
        painter.end()


class CalibrationPlot(QWidget):
    """What was promised against what came true; on the diagonal every promise was kept."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._measured: Measured | None = None
        self.setFixedHeight(132)

    def set_measured(self, measured: Measured | None) -> None:
        """Show these."""
        self._measured = measured
        if measured is not None:
            self.setAccessibleName(
                f"Calibration on {measured.scenes} drawn scenes, calibration error {measured.ece:.3f}"
            )
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's hook."""
        return QSize(240, 132)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's hook."""
        m = self._measured
        if m is None:
            return
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, bottom = 38.0, float(self.height()) - _TEXT - 2
        box = QRectF(left, 4, float(self.width()) - left - 6, bottom - 4)
        painter.setPen(QPen(palette.line, 1))
        for share in (0.0, 0.5, 1.0):
            y = box.bottom() - share * box.height()
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
            words = QRectF(0, y - 7, left - 6, 14)
            draw_text(painter, words, f"{share:.0%}", pixels=11, color=palette.secondary, right=True)
        dashed = QPen(palette.secondary, 1, Qt.PenStyle.DashLine)
        painter.setPen(dashed)
        painter.drawLine(box.bottomLeft(), box.topRight())
        points = [
            QPointF(box.left() + float(p) * box.width(), box.bottom() - float(o) * box.height())
            for p, o in zip(m.predicted, m.observed)
            if np.isfinite(p) and np.isfinite(o)
        ]
        painter.setPen(QPen(palette.accent, 1.6))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.accent)
        for point in points:
            painter.drawEllipse(point, 2.4, 2.4)
        below = QRectF(box.left(), bottom + 2, box.width(), _TEXT)
        draw_text(
            painter, below, f"promised within {m.tolerance_mm:.0f} mm, and found so", pixels=11,
            color=palette.secondary,
        )  # fmt: skip
        painter.end()
