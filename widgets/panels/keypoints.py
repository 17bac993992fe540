"""The keypoints of the selected person in the frame on show: state and expected error."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.review.colormap import confidence_rgb
from app.review.types import ABSENT, BY_PERSON, CARRIED, OCCLUDED, VISIBLE, PersonScene, SceneModel
from widgets import theme
from widgets.panels.carry import CarryBar
from widgets.panels.paint import MARGIN, draw_text, hint_label, section_label

ROW_HEIGHT = 23
_STATE_WIDTH, _ERROR_WIDTH, _BOUND_WIDTH = 62, 40, 40
_STATES = {VISIBLE: "visible", OCCLUDED: "occluded", ABSENT: "not seen"}
_MENU = ((VISIBLE, "Visible"), (OCCLUDED, "Occluded"), (ABSENT, "Not in the picture"))
_NOBODY = "Nobody is selected."

AnyIndex = QModelIndex | QPersistentModelIndex


class KeypointModel(QAbstractListModel):
    """One row a keypoint."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.labels: tuple[str, ...] = ()
        self.person: PersonScene | None = None
        self.colors = np.zeros((0, 3), np.uint8)

    def set_person(self, person: PersonScene | None, model: SceneModel, tolerance_mm: float) -> None:
        """Show this person; while the rows stay the same only their contents are told to have changed."""
        labels = model.keypoint_labels if person is not None else ()
        rebuilt = labels != self.labels
        if rebuilt:
            self.beginResetModel()
        self.labels, self.person = labels, person
        if person is not None:
            self.colors = confidence_rgb(person.keypoint_mm, tolerance_mm)
        if rebuilt:
            self.endResetModel()
        elif labels:
            self.dataChanged.emit(self.index(0), self.index(len(labels) - 1))

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """How many keypoints there are."""
        return 0 if parent is not None and parent.isValid() else len(self.labels)

    def state(self, row: int) -> str:
        """What a row says of its keypoint."""
        if self.person is None:
            return ""
        seen = int(self.person.visibility[row])
        if self.person.source[row] == BY_PERSON and seen != ABSENT:
            return "corrected"
        if self.person.source[row] == CARRIED and seen != ABSENT:
            return "carried"
        return _STATES.get(seen, "")

    def error(self, row: int) -> str:
        """The expected error as it is written."""
        if self.person is None:
            return ""
        mm = float(self.person.keypoint_mm[row])
        return f"±{mm:.0f}" if np.isfinite(mm) else "–"

    def bound(self, row: int) -> str:
        """The error that nine of ten stay under, as it is written; "" where it is not known."""
        if self.person is None or self.person.keypoint_bound_mm is None:
            return ""
        mm = float(self.person.keypoint_bound_mm[row])
        return f"{mm:.0f}" if np.isfinite(mm) else ""

    def words(self, row: int) -> str:
        """All of a row in one sentence."""
        if self.person is None:
            return ""
        reason = self.person.reasons[row]
        text = f"{self.labels[row]}, {self.state(row)}, expected error {self.error(row)} mm"
        if self.bound(row):
            text += f", nine of ten within {self.bound(row)} mm"
        return f"{text}: {reason}" if reason else text

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, and words for screen readers and tool tips."""
        row = index.row()
        if not index.isValid() or row >= len(self.labels):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.labels[row]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.words(row)
        return None


class _RowDelegate(QStyledItemDelegate):
    def __init__(self, view: KeypointList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(180, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        model = index.model()
        row = index.row()
        if not isinstance(model, KeypointModel) or model.person is None:
            return
        palette = theme.current()
        painter.save()
        painter.setPen(QPen(palette.line, 1))
        box = QRectF(option.rect)
        painter.drawLine(QPointF(box.left(), box.top()), QPointF(box.right(), box.top()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        lit = row == self._view.hovered_row
        if chosen or lit:
            painter.setPen(QPen(palette.accent, 1) if chosen and self._view.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(palette.raised)
            painter.drawRoundedRect(box.adjusted(0.5, 1.5, -0.5, -0.5), 3, 3)
        seen = int(model.person.visibility[row])
        _draw_mark(painter, box.left() + 8, box.center().y() + 0.5, QColor(*map(int, model.colors[row])),
                   seen, model.state(row), lit)  # fmt: skip
        quiet = palette.secondary
        right = box.right() - 3
        end = right - _ERROR_WIDTH - _BOUND_WIDTH - _STATE_WIDTH
        name = QRectF(box.left() + 18, box.top() + 1, end - box.left() - 20, box.height() - 1)
        draw_text(painter, name, model.labels[row], color=quiet if seen == ABSENT else palette.text)
        state = QRectF(end, name.top(), _STATE_WIDTH, name.height())
        draw_text(painter, state, model.state(row), color=quiet, right=True)
        error = QRectF(end + _STATE_WIDTH, name.top(), _ERROR_WIDTH, name.height())
        text = "–" if seen == ABSENT else model.error(row)
        draw_text(painter, error, text, right=True, color=quiet if seen == ABSENT else palette.text)
        if seen != ABSENT:
            bound = QRectF(right - _BOUND_WIDTH, name.top(), _BOUND_WIDTH, name.height())
            draw_text(painter, bound, model.bound(row), right=True, color=quiet)
        painter.restore()


def _draw_mark(
    painter: QPainter, x: float, y: float, color: QColor, seen: int, state: str, lit: bool
) -> None:
    """The same signs as on the picture: a diamond is corrected, a small one carried, a ring occluded."""
    radius = 5.0 if lit else 4.2
    diamond = {"corrected": radius + 1.0, "carried": radius}.get(state)
    hollow = seen != VISIBLE and diamond is None
    if seen == ABSENT:
        color = QColor(theme.current().secondary)
    # Near-white on white needs a rim.
    rim = QColor(theme.current().text)
    rim.setAlphaF(0.4)
    painter.setPen(QPen(rim, 1))
    painter.setBrush(color)
    middle = QPointF(x, y)
    if diamond is not None:
        r = diamond
        painter.drawPolygon(QPolygonF([middle + QPointF(*d) for d in ((0, -r), (r, 0), (0, r), (-r, 0))]))
    elif seen == ABSENT:
        painter.setPen(QPen(color, 1.6))
        painter.drawLine(middle - QPointF(3, 0), middle + QPointF(3, 0))
    else:
        painter.drawEllipse(middle, radius, radius)
        if hollow:
            painter.setBrush(theme.current().panel)
            painter.drawEllipse(middle, radius - 2.0, radius - 2.0)


class KeypointList(QListView):
    """The rows; tells which one the pointer is on."""

    hovered = Signal(int)
    menu_requested = Signal(int, QPoint)
    pressed_row = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.hovered_row = -1
        self.setItemDelegate(_RowDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Keypoints")

    def set_hovered(self, row: int) -> None:
        """Light up a row; nothing scrolls, since somebody may be dragging."""
        if row != self.hovered_row:
            self.hovered_row = row
            self.viewport().update()

    def _point(self, row: int) -> None:
        if row != self.hovered_row:
            self.set_hovered(row)
            self.hovered.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell what the pointer is on."""
        self._point(self.indexAt(event.position().toPoint()).row())
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is on nothing."""
        self._point(-1)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select; on the state, or with the other button, open the menu."""
        super().mousePressEvent(event)
        where = event.position().toPoint()
        row = self.indexAt(where).row()
        if row < 0:
            return
        self.pressed_row.emit(row)
        end = self.viewport().width() - 3 - _ERROR_WIDTH - _BOUND_WIDTH
        on_state = end - _STATE_WIDTH <= where.x() <= end
        if on_state or event.button() == Qt.MouseButton.RightButton:
            self.menu_requested.emit(row, self.viewport().mapToGlobal(where))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space, and the menu key, open the menu."""
        index = self.currentIndex()
        if index.isValid() and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Menu):
            width = _ERROR_WIDTH + _BOUND_WIDTH + _STATE_WIDTH
            corner = self.visualRect(index).bottomRight() - QPoint(width, 0)
            self.menu_requested.emit(index.row(), self.viewport().mapToGlobal(corner))
            return
        super().keyPressEvent(event)


class KeypointTable(QWidget):
    """Name, state and expected error of every keypoint."""

    hovered = Signal(int)
    selected = Signal(int)
    visibility_requested = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = section_label("Keypoints", self)
        unit, most = QLabel("mm", self), QLabel("9 of 10", self)
        unit.setToolTip("Expected error in millimetres")
        most.setToolTip("Millimetres that nine of ten such errors stay under")
        for label in (unit, most):
            label.setProperty("role", "secondary")
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
        most.setFixedWidth(_BOUND_WIDTH + 12)
        self.unit, self.most = unit, most
        self.empty = hint_label(_NOBODY, self)
        self.model = KeypointModel(self)
        self.view = KeypointList(self)
        self.view.setModel(self.model)
        self.view.hovered.connect(self.hovered)
        self.view.pressed_row.connect(self.selected)
        self.view.menu_requested.connect(self._open_menu)
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        self.carry = CarryBar(self)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 4, 0)
        head.addWidget(self.heading, 1)
        head.addWidget(unit)
        head.addWidget(most)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 12, MARGIN, 4)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.empty)
        layout.addWidget(self.view, 1)
        layout.addStretch(0)
        layout.addWidget(self.carry)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        theme.notifier().changed.connect(self.view.viewport().update)
        self._show()

    def sizeHint(self) -> QSize:
        """Room for all of the body."""
        return QSize(300, 23 * ROW_HEIGHT + 46)

    def minimumSizeHint(self) -> QSize:
        """Room for some rows; the rest scrolls."""
        return QSize(200, 4 * ROW_HEIGHT + 46)

    def set_person(
        self, person: PersonScene | None, model: SceneModel, tolerance_mm: float, *, absent: str = ""
    ) -> None:
        """Show a person's keypoints in the frame on show; None where there is nobody.

        ``absent`` names the selected person who is not in the frame.
        """
        if person is None:
            self.empty.setText(f"{absent} is not in this frame." if absent else _NOBODY)
        self.model.set_person(person, model, tolerance_mm)
        self._show()

    def set_hovered(self, keypoint: int | None) -> None:
        """Light up what the pointer is on in the picture; no signal."""
        self.view.set_hovered(-1 if keypoint is None else keypoint)

    def menu_for(self, keypoint: int) -> QMenu:
        """What a keypoint may be said to be."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        person = self.model.person
        for value, text in _MENU:
            action = menu.addAction(text, partial(self.visibility_requested.emit, keypoint, value))
            action.setCheckable(True)
            action.setChecked(person is not None and int(person.visibility[keypoint]) == value)
        return menu

    def _open_menu(self, keypoint: int, where: QPoint) -> None:
        self.menu_for(keypoint).popup(where)

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        # Presses are told by the list itself; this is for the arrow keys.
        if current.isValid() and self.view.hasFocus():
            self.hovered.emit(current.row())

    def _show(self) -> None:
        there = self.model.person is not None
        self.empty.setVisible(not there)
        self.view.setVisible(there)
        self.unit.setVisible(there)
        self.most.setVisible(there)
        self.carry.setVisible(there)
