"""Free regions over the picture: drawn, moved and bent by hand; and where the audit found somebody."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from app.review.privacy import LeakMark, RegionOutline
from widgets import theme

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
Place = Callable[[npt.ArrayLike], F8]
Unplace = Callable[[float, float], tuple[float, float]]

_CORNER_REACH = 9.0
_EDGE_REACH = 6.0
_CLICK = 5.0
_HANDLE = 4.0
_SHADOW = QColor(12, 14, 18, 190)

DRAWING_HINT = "Drag a rectangle, or click corners and press Enter · Esc ends"


class RegionLayer:
    """What is known and being done about regions; the glass asks it first.

    All places that come and go in methods are logical screen pixels; what is handed out is pixels of the
    picture.
    """

    def __init__(self, place: Place, unplace: Unplace) -> None:
        self._place, self._unplace = place, unplace
        self.outlines: Sequence[RegionOutline] = ()
        self.leaks: Sequence[LeakMark] = ()
        self.selected: int | None = None
        self.editable = True
        self.drawing = False
        self._corners: list[tuple[float, float]] = []
        """Pixels of the picture."""
        self._press: tuple[float, float] | None = None
        self._here = (0.0, 0.0)
        self._taken: tuple[int, int] | None = None
        """Which region, and which corner of it; -1 for all of it."""
        self._moved: F8 | None = None

    # --- drawing a new one --------------------------------------------------------------------

    def begin(self) -> None:
        """From now on the mouse draws."""
        self.drawing, self._corners, self._press = True, [], None

    def end(self) -> bool:
        """Draw no more; False where nothing was being drawn."""
        was = self.drawing
        self.drawing, self._corners, self._press = False, [], None
        return was

    def close_polygon(self) -> F4 | None:
        """Enter: the corners so far are the region; None where they are too few."""
        points = np.array(self._corners, np.float32).reshape(-1, 2)
        if not self.drawing or len(points) < 3:
            return None
        self.end()
        return points

    def drop_corner(self) -> bool:
        """Backspace: the newest corner goes."""
        if self.drawing and self._corners:
            self._corners.pop()
            return True
        return False

    # --- the mouse ----------------------------------------------------------------------------

    def press(self, x: float, y: float) -> bool:
        """The left button goes down; True where it is for a region."""
        self._press = self._here = (x, y)
        if self.drawing:
            return True
        hit = self._hit(x, y)
        self.selected = hit[0] if hit is not None else None
        if hit is None:
            self._press = None
            return False
        self._taken = hit if self.editable else None
        return True

    def move(self, x: float, y: float) -> bool:
        """The mouse moves; True where the picture has to be painted anew."""
        self._here = (x, y)
        if self.drawing:
            return True
        if self._taken is None or self._press is None:
            return False
        dx, dy = x - self._press[0], y - self._press[1]
        outline = self._outline(self._taken[0])
        if outline is None or (self._moved is None and np.hypot(dx, dy) < _CLICK):
            return False
        screen = self._place(outline.points)
        corner = self._taken[1]
        if corner < 0:
            screen = screen + np.array([dx, dy])
        else:
            screen[corner] += np.array([dx, dy])
        self._moved = screen
        return True

    def release(self, x: float, y: float) -> tuple[str, int, F4] | None:
        """The button goes up: ("drawn", 0, points) or ("placed", region, points), or nothing yet."""
        press, self._press = self._press, None
        if self.drawing:
            return self._drawn(press, x, y)
        taken, moved, self._taken, self._moved = self._taken, self._moved, None, None
        if taken is None or moved is None:
            return None
        points = np.array([self._unplace(*p) for p in moved], np.float32)
        return "placed", taken[0], points

    def _drawn(self, press: tuple[float, float] | None, x: float, y: float) -> tuple[str, int, F4] | None:
        if press is None:
            return None
        if np.hypot(x - press[0], y - press[1]) < _CLICK:
            if len(self._corners) >= 3 and self._near(self._corners[0], x, y):
                points = self.close_polygon()
                return None if points is None else ("drawn", 0, points)
            self._corners.append(self._unplace(x, y))
            return None
        if self._corners:
            return None  # a polygon has been begun: a drag is a slip of the hand
        (x0, y0), (x1, y1) = self._unplace(*press), self._unplace(x, y)
        self.end()
        return "drawn", 0, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)

    def _near(self, corner: tuple[float, float], x: float, y: float) -> bool:
        at = self._place(np.array(corner))
        return bool(np.hypot(at[0] - x, at[1] - y) <= _CORNER_REACH)

    def cancel(self) -> bool:
        """Escape: put back what is being moved, else draw no more; False where there was neither."""
        if self._taken is not None and self._moved is not None:
            self._taken = self._moved = None
            return True
        return self.end()

    @property
    def busy(self) -> bool:
        """True while one is drawn or moved."""
        return self.drawing or self._taken is not None

    def region_at(self, x: float, y: float) -> int | None:
        """The region under the pointer, by its outline or, where it is chosen, by its inside."""
        hit = self._hit(x, y)
        return hit[0] if hit is not None else None

    def cursor(self, x: float, y: float) -> Qt.CursorShape | None:
        """What the pointer looks like here; None where regions have no say."""
        if self.drawing:
            return Qt.CursorShape.CrossCursor
        hit = self._hit(x, y)
        if hit is None or not self.editable:
            return None
        return Qt.CursorShape.SizeAllCursor if hit[1] < 0 else Qt.CursorShape.PointingHandCursor

    def _outline(self, region: int) -> RegionOutline | None:
        return next((o for o in self.outlines if o.region_id == region), None)

    def _hit(self, x: float, y: float) -> tuple[int, int] | None:
        ordered = sorted(self.outlines, key=lambda o: o.region_id != self.selected)
        at = np.array([x, y])
        for outline in ordered:
            screen = self._place(outline.points)
            away = np.hypot(*(screen - at).T)
            if away.min() <= _CORNER_REACH:
                return outline.region_id, int(away.argmin())
        for outline in ordered:
            screen = self._place(outline.points)
            inside = _polygon(screen).containsPoint(QPointF(x, y), Qt.FillRule.OddEvenFill)
            if _edge_distance(screen, at) <= _EDGE_REACH or (inside and outline.region_id == self.selected):
                return outline.region_id, -1
        return None

    # --- painting -----------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        """Outlines, the chosen one with handles; what is being drawn; what the audit found."""
        palette = theme.current()
        for outline in self.outlines:
            chosen = outline.region_id == self.selected
            screen = self._place(outline.points)
            if self._taken is not None and self._taken[0] == outline.region_id and self._moved is not None:
                screen = self._moved
            style = Qt.PenStyle.SolidLine if outline.key else Qt.PenStyle.DashLine
            self._paint_polygon(painter, screen, palette.accent, 2.0 if chosen else 1.4, style)
            if chosen:
                self._paint_handles(painter, screen, palette.accent)
                _tag(painter, screen, outline.label, palette.accent, palette.on_accent)
        for leak in self.leaks:
            x0, y0, x1, y1 = (float(v) for v in leak.box)
            screen = self._place(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))
            self._paint_polygon(painter, screen, palette.bad, 2.0, Qt.PenStyle.SolidLine)
            ink = palette.window if palette.is_dark else QColor("#ffffff")
            _tag(painter, screen, leak.label, palette.bad, ink)
        if self.drawing:
            self._paint_drawing(painter, palette.accent)

    def _paint_drawing(self, painter: QPainter, color: QColor) -> None:
        if self._corners:
            screen = self._place(np.array(self._corners))
            every = np.vstack([screen, [self._here]])
            self._paint_polygon(painter, every, color, 1.6, Qt.PenStyle.SolidLine)
            self._paint_handles(painter, screen, color)
        elif self._press is not None:
            box = QRectF(QPointF(*self._press), QPointF(*self._here)).normalized()
            corners = (box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft())
            points = np.array([[p.x(), p.y()] for p in corners])
            self._paint_polygon(painter, points, color, 1.6, Qt.PenStyle.SolidLine)

    @staticmethod
    def _paint_polygon(
        painter: QPainter, screen: F8, color: QColor, width: float, style: Qt.PenStyle
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_SHADOW, width + 1.8))
        painter.drawPolygon(_polygon(screen))
        fill = QColor(color)
        fill.setAlpha(34)
        painter.setBrush(fill)
        painter.setPen(QPen(color, width, style))
        painter.drawPolygon(_polygon(screen))

    @staticmethod
    def _paint_handles(painter: QPainter, screen: F8, color: QColor) -> None:
        painter.setPen(QPen(_SHADOW, 1.4))
        painter.setBrush(color)
        for x, y in screen:
            painter.drawRect(QRectF(x - _HANDLE, y - _HANDLE, 2 * _HANDLE, 2 * _HANDLE))


def _polygon(screen: F8) -> QPolygonF:
    return QPolygonF([QPointF(float(x), float(y)) for x, y in screen])


def _edge_distance(screen: F8, at: F8) -> float:
    """Pixels from a point to the nearest edge of a closed polygon."""
    ends = np.roll(screen, -1, axis=0)
    along = ends - screen
    share = ((at - screen) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9)
    foot = screen + np.clip(share, 0, 1)[:, None] * along
    return float(np.hypot(*(foot - at).T).min())


def _tag(painter: QPainter, screen: F8, text: str, ground: QColor, ink: QColor) -> None:
    """The name, on a plate over the upper edge."""
    font = theme.base_font(11)
    width = QFontMetricsF(font).horizontalAdvance(text) + 12
    x, y = float(screen[:, 0].min()), float(screen[:, 1].min())
    box = QRectF(x, y - 20 if y > 22 else y + 3, width, 17)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 3, 3)
    painter.setFont(font)
    painter.setPen(ink)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
