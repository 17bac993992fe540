"""The header plot: expected error of everybody over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGraphicsItem, QVBoxLayout, QWidget

from app.review.types import Lane
from widgets import theme
from widgets.timeline.scale import Scale, column_max

_HEADROOM = 2.15
"""The plot ends at so many tolerances; the colour map is saturated at two."""
_QUIET = ((3, 0.65), (6, 0.4), (12, 0.28))
_VERY_QUIET = 0.16
"""How strong the curves of those who are not selected are, up to so many people."""


class ErrorPlot(QWidget):
    """One curve a person, thinned to the worst of every pixel column, and a dashed line at the tolerance.

    The x axis is in logical pixels, so that it always agrees with lanes, ruler and cursor.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lanes: Sequence[Lane] = ()
        self._scale = Scale.whole(1, 1.0)
        self._tolerance = 50.0
        self._selected: int | None = None
        self._curves: list[pg.PlotCurveItem] = []
        self._empty_text = ""
        self._view = pg.PlotWidget(self, background=None)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        self._view.setAntialiasing(False)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        item = self._view.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        for side in ("left", "bottom", "top", "right"):
            item.hideAxis(side)
        item.layout.setContentsMargins(0, 0, 0, 0)
        box = item.getViewBox()
        box.setMouseEnabled(False, False)
        box.setDefaultPadding(0.0)
        box.disableAutoRange()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Expected error in millimetres, one curve a person")
        theme.notifier().changed.connect(self._dress)

    @property
    def curves(self) -> list[pg.PlotCurveItem]:
        """The curves, in the order of the lanes."""
        return self._curves

    def tolerance_y(self) -> float:
        """Where the tolerance lies, in logical pixels from the top."""
        return self.height() * (1.0 - 1.0 / _HEADROOM)

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """Show these people; their curves are drawn by :meth:`set_scale`."""
        item = self._view.getPlotItem()
        for curve in self._curves[len(lanes) :]:
            item.removeItem(curve)
        del self._curves[len(lanes) :]
        while len(self._curves) < len(lanes):
            curve = pg.PlotCurveItem(connect="finite", antialias=False, skipFiniteCheck=False)
            # Moving the cursor must blit what is there, not stroke every curve again.
            curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
            item.addItem(curve)
            self._curves.append(curve)
        self._lanes = tuple(lanes)
        self._fill()
        self._dress()

    def set_scale(self, scale: Scale) -> None:
        """Show these frames."""
        self._scale = scale
        self._fill()

    def set_tolerance(self, mm: float) -> None:
        """The expected error that is still tolerated; it also sets the height of the plot."""
        self._tolerance = mm
        self._fill()
        self.update()

    def set_selected(self, person_id: int | None) -> None:
        """Bring one person's curve forward."""
        self._selected = person_id
        self._dress()

    def _fill(self) -> None:
        top = self._tolerance * _HEADROOM
        self._view.getPlotItem().getViewBox().setRange(
            xRange=(0.0, self._scale.width), yRange=(0.0, top), padding=0.0
        )
        scale = self._scale
        for lane, curve in zip(self._lanes, self._curves):
            mm = np.asarray(lane.mm, np.float32)[: scale.n_frames]
            if not len(mm):
                curve.setData([], [])
                continue
            if scale.span <= scale.width:
                first = max(int(scale.first) - 1, 0)
                stop = min(int(scale.last) + 2, len(mm))
                x = scale.edge(0.5) + np.arange(first, stop) * scale.pixels_per_frame
                y = mm[first:stop]
            else:
                y = np.asarray(
                    column_max(mm, Scale(len(mm), scale.width, scale.first, scale.last)), np.float32
                )
                x = np.arange(len(y)) + 0.5
            curve.setData(x, np.minimum(y, top * 0.985))

    def set_empty_text(self, text: str) -> None:
        """What stands there while there is nobody."""
        if text != self._empty_text:
            self._empty_text = text
            self.update()

    def _dress(self) -> None:
        faint = next((alpha for most, alpha in _QUIET if len(self._lanes) <= most), _VERY_QUIET)
        for lane, curve in zip(self._lanes, self._curves):
            color = QColor(theme.person_color(lane.color_index))
            quiet = self._selected is not None and lane.person_id != self._selected
            color.setAlphaF(faint if quiet else 1.0)
            curve.setPen(pg.mkPen(color, width=1))
            curve.setZValue(0 if quiet else 1)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground and the line at the tolerance; the curves come on top."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.raised)
        painter.drawRoundedRect(self.rect(), 4, 4)
        if not self._lanes:
            painter.setFont(theme.base_font(12))
            painter.setPen(palette.secondary)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._empty_text)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        line = QColor(palette.secondary)
        line.setAlphaF(0.45)
        pen = QPen(line, 1)
        pen.setDashPattern([3, 4])
        painter.setPen(pen)
        y = round(self.tolerance_y())
        painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
