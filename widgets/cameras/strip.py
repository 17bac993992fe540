"""The strip of cameras over the picture: the same moment in each, who is in it, a click to go there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from app.review.eye import Peek, PeekPerson
from widgets import theme
from widgets.cameras.thumbnail import as_image, draw_thumbnail, shape_in
from widgets.panels.paint import draw_dot, draw_text

HEIGHT = 76
_WIDEST, _NARROWEST = 204, 108
_PAD = 6.0
_PICTURE_SHARE = 0.54
_DOT_STEP, _DOT_ROWS = 15.0, 2
_BONES = (
    (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14),
    (14, 16),
)  # fmt: skip
"""Arms, trunk and legs: what can be told at this size."""


class CameraCell(QAbstractButton):
    """One camera."""

    def __init__(self, name: str, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.key = name, key
        self.current = False
        self.trouble = ""
        self.person: int | None = None
        self._peek: Peek | None = None
        self._image: QImage | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(_NARROWEST)
        self.setMaximumWidth(_WIDEST)
        self.setFixedHeight(HEIGHT - 8)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._words()
        theme.notifier().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """As wide as there is room for."""
        return QSize(_WIDEST, HEIGHT - 8)

    @property
    def peek(self) -> Peek | None:
        """What is shown."""
        return self._peek

    def set_current(self, current: bool) -> None:
        """Whether this one is looked through."""
        self.current = current
        self._words()
        self.update()

    def set_trouble(self, words: str, why: str) -> None:
        """Why it cannot be looked through: in a few words, and whole."""
        self.trouble = words
        self.setEnabled(not words)
        self._words(why)
        self.update()

    def _words(self, why: str = "") -> None:
        if self.trouble:
            self.setToolTip(why)
            self.setAccessibleName(f"{self.name}, {self.trouble}")
            return
        keys = f"  ({self.key})" if self.key else ""
        self.setToolTip(f"{'You look through' if self.current else 'Look through'} {self.name}{keys}")
        self.setAccessibleName(f"{self.name}, looked through" if self.current else self.name)

    def set_peek(self, peek: Peek) -> None:
        """The camera at this moment."""
        self._peek = peek
        self._image = as_image(peek.rgb) if peek.rgb is not None else None
        self.update()

    def set_person(self, person: int | None) -> None:
        """Who is chosen, by this camera's number."""
        if person != self.person:
            self.person = person
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        hovered = self.underMouse() and self.isEnabled()
        outline = palette.accent if self.current else palette.secondary
        painter.setPen(QPen(outline, 1) if self.current or self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(palette.raised if self.current or hovered else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 6, 6)
        tall = box.height() - 2 * _PAD
        # Where there is no picture the words need the room.
        room = QRectF(_PAD, _PAD, box.width() * _PICTURE_SHARE if self._image is not None else tall, tall)
        place = shape_in(room, self._image)
        if self.trouble:
            painter.setOpacity(0.6)
        mark = "?" if self.trouble else "–" if self._peek is not None else ""
        shown = draw_thumbnail(painter, place, self._image, mark)
        if self._image is not None and self._peek is not None:
            self._draw_people(painter, place, shown)
        left = place.right() + 9
        right = box.right() - 8
        draw_text(
            painter, QRectF(left, 9, right - left, 18), self.name, pixels=13, bold=True,
            color=palette.text if not self.trouble else palette.secondary,
        )  # fmt: skip
        painter.setOpacity(1.0)
        second = QRectF(left, 30, right - left, 16)
        if self.trouble:
            draw_text(painter, second, self.trouble, pixels=11, color=palette.warning)
        elif self._peek is not None and self._peek.rgb is None:
            draw_text(painter, second, "no frame here", pixels=11, color=palette.secondary)
        elif self._peek is not None and not self._peek.people:
            draw_text(painter, second, "nobody", pixels=11, color=palette.secondary)
        elif self._peek is not None:
            self._draw_dots(painter, second)
        painter.end()

    def _draw_people(self, painter: QPainter, place: QRectF, shown: QRectF) -> None:
        """Stick figures in people's colours; the chosen one stands out."""
        assert self._image is not None
        scale = shown.width() / max(self._image.width(), 1)
        painter.save()
        painter.setClipRect(place)
        assert self._peek is not None
        for person in sorted(self._peek.people, key=lambda p: p.person_id == self.person):
            chosen = person.person_id == self.person
            points = [
                QPointF(shown.left() + float(x) * scale, shown.top() + float(y) * scale) for x, y in person.xy
            ]
            color = theme.person_color(person.color_index)
            if chosen:
                self._draw_bones(painter, person, points, QColor(0, 0, 0, 150), 3.6, dashed=False)
            self._draw_bones(painter, person, points, color, 1.9 if chosen else 1.2, dashed=not person.seen)
        painter.restore()

    @staticmethod
    def _draw_bones(
        painter: QPainter, person: PeekPerson, points: Sequence[QPointF], color: QColor, width: float,
        *, dashed: bool,
    ) -> None:  # fmt: skip
        pen = QPen(color, width, Qt.PenStyle.DotLine if dashed else Qt.PenStyle.SolidLine)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        for a, b in _BONES:
            if person.there[a] and person.there[b]:
                painter.drawLine(points[a], points[b])

    def _draw_dots(self, painter: QPainter, line: QRectF) -> None:
        """A dot for everybody in the picture: hollow where only the other cameras know of them."""
        assert self._peek is not None
        people = sorted(self._peek.people, key=lambda p: p.color_index)
        a_row = max(1, int(line.width() // _DOT_STEP))
        shown = people if len(people) <= _DOT_ROWS * a_row else people[: _DOT_ROWS * a_row - 1]
        places = [
            QPointF(line.left() + 6 + _DOT_STEP * (i % a_row), line.center().y() + _DOT_STEP * (i // a_row))
            for i in range(len(shown) + 1)
        ]
        for at, person in zip(places, shown):
            color = theme.person_color(person.color_index)
            if person.person_id == self.person:
                painter.setPen(QPen(theme.current().text, 1.2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(at, 6.2, 6.2)
            if person.seen:
                draw_dot(painter, at.x(), at.y(), color, 4.0)
            else:
                painter.setPen(QPen(color, 1.4))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(at, 3.4, 3.4)
        if len(shown) < len(people):
            x, y = places[-1].x(), places[-1].y()
            rest = QRectF(x - 6, y - 8, line.right() - x + 8, 16)
            draw_text(
                painter, rest, f"+{len(people) - len(shown)}", pixels=11, color=theme.current().secondary
            )


class CameraStrip(QWidget):
    """Signals: chosen(number of the camera, from 0)."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Cameras")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(6, 4, 6, 4)
        self._row.setSpacing(4)
        self.cells: list[CameraCell] = []
        self.hide()

    def set_cameras(self, names: Sequence[str], keys: Sequence[str]) -> None:
        """Another room; none hides the strip."""
        while self._row.count():
            item = self._row.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.cells = []
        for i, name in enumerate(names):
            key = (
                QKeySequence(keys[i]).toString(QKeySequence.SequenceFormat.NativeText)
                if i < len(keys)
                else ""
            )
            cell = CameraCell(name, key)
            cell.clicked.connect(lambda _=False, n=i: self.chosen.emit(n))
            self._row.addWidget(cell, 1)
            self.cells.append(cell)
        self._row.addStretch(0)
        self.setVisible(bool(names))

    def set_current(self, camera: int) -> None:
        """Which one is looked through."""
        for i, cell in enumerate(self.cells):
            cell.set_current(i == camera)
