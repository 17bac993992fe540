"""Who is covered otherwise, who may be seen, and which regions are covered as well."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.review.privacy import PlanRow
from widgets import theme
from widgets.panels.paint import draw_text, hint_label, section_label

_ROW = 38
_CROSS = 22
_SHOWN = 4
"""Rows before the list scrolls."""
_EMPTY = "Nobody is covered otherwise. A clock, a monitor, a name tag? Cover a region."


class _Row(QAbstractButton):
    """Two lines; a cross at the right takes it away."""

    removed = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, row: PlanRow, *, editable: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.row = row
        self._editable = editable
        self._over_cross = False
        self.setText(row.title)
        undo = "; × takes it back; right button: more" if editable else ""
        self.setToolTip(f"{row.title}\n{row.detail}\nClick goes there{undo}")
        self.setAccessibleName(f"{row.title}, {row.detail}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Two lines."""
        return QSize(160, _ROW)

    def _cross(self) -> QRectF:
        return QRectF(self.width() - _CROSS, (self.height() - _CROSS) / 2, _CROSS, _CROSS)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The cross lights up under the pointer."""
        self._over_cross = self._editable and self._cross().contains(event.position())
        self.update()
        super().mouseMoveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with it."""
        if self._editable:
            self.menu_wanted.emit(event.globalPos())

    def leaveEvent(self, event: QEvent) -> None:
        """Qt's hook."""
        self._over_cross = False
        super().leaveEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Qt's hook."""
        self.update()
        super().enterEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on the cross takes it away."""
        if self._editable and self._cross().contains(event.position()) and self.isDown():
            self.setDown(False)
            self.removed.emit()
            return
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete does the same."""
        if self._editable and event.key() == Qt.Key.Key_Delete:
            self.removed.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a bar, two lines and the cross."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 1.5, -0.5, -1.5)
        painter.setPen(QPen(palette.accent, 1) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(palette.raised if self.underMouse() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 4, 4)
        bar = palette.warning if self.row.spared else palette.accent
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(bar)
        painter.drawRoundedRect(QRectF(3, 7, 3, self.height() - 14), 1.5, 1.5)
        has_cross = self._editable and (self.underMouse() or self.hasFocus())
        width = self.width() - 14 - (_CROSS if has_cross else 0)
        draw_text(painter, QRectF(12, 3, width, 17), self.row.title)
        draw_text(painter, QRectF(12, 19, width, 15), self.row.detail, pixels=11, color=palette.secondary)
        if has_cross:
            c = self._cross().center()
            painter.setPen(QPen(palette.text if self._over_cross else palette.secondary, 1.4))
            for sign in (1, -1):
                painter.drawLine(
                    QPoint(round(c.x() - 4), round(c.y() - 4 * sign)),
                    QPoint(round(c.x() + 4), round(c.y() + 4 * sign)),
                )


class PlanList(QWidget):
    """Signals: chosen(PlanRow), removed(PlanRow), menu_wanted(PlanRow, QPoint), region_wanted()."""

    chosen = Signal(object)
    removed = Signal(object)
    menu_wanted = Signal(object, QPoint)
    region_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[PlanRow] = []
        self._editable = True
        self.heading = section_label("Exceptions", self)
        self.add = QToolButton(self)
        self.add.setText("+ Region")
        self.add.setProperty("role", "secondary")
        self.add.setToolTip("Cover a region: a clock, a monitor, a name tag, a tattoo (G)")
        self.add.clicked.connect(self.region_wanted)
        self.empty = hint_label(_EMPTY, self)
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._body)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.heading, 1)
        head.addWidget(self.add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.empty)
        layout.addWidget(self._scroll)
        theme.notifier().changed.connect(self._body.update)
        self._show()

    def set_rows(self, rows: Sequence[PlanRow], *, editable: bool) -> None:
        """Show these."""
        if list(rows) == self.rows and editable == self._editable:
            return
        self.rows, self._editable = list(rows), editable
        self._show()

    def _show(self) -> None:
        while self._column.count():
            item = self._column.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for row in self.rows:
            button = _Row(row, editable=self._editable, parent=self._body)
            button.clicked.connect(lambda _=False, r=row: self.chosen.emit(r))
            button.removed.connect(lambda r=row: self.removed.emit(r))
            button.menu_wanted.connect(lambda at, r=row: self.menu_wanted.emit(r, at))
            self._column.addWidget(button)
        n = len(self.rows)
        self.heading.setText(f"Exceptions · {n}" if n else "Exceptions")
        self.add.setEnabled(self._editable)
        self.empty.setVisible(not n)
        self._scroll.setVisible(n > 0)
        self._scroll.setFixedHeight(min(n, _SHOWN) * _ROW + 2)
