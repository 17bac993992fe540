"""The people of the footage as cards: name, how much of them there is, how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QMenu,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.review.types import PersonRow
from widgets import theme
from widgets.panels.paint import MARGIN, hint_label, section_label
from widgets.panels.people_cards import CARD_HEIGHT, PERSON_ROLE, CardDelegate, details

_AT_LEAST = 2
"""Cards that are seen however little room there is: below them there is more to see."""

AnyIndex = QModelIndex | QPersistentModelIndex


class _PeopleModel(QAbstractListModel):
    rename_requested = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[PersonRow] = []

    def set_rows(self, rows: Sequence[PersonRow]) -> None:
        """Keep what is there where only the contents changed, so that a rename in place goes on."""
        old = [r.person_id for r in self.rows]
        if old == [r.person_id for r in rows]:
            self.rows = list(rows)
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.name
        if role == PERSON_ROLE:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join((row.name, *details(row)))
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"Frames {row.first_frame + 1}–{row.last_frame + 1}\nDouble click or F2 renames"
        return None

    def setData(self, index: AnyIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        row = self.rows[index.row()]
        if name and name != row.name:
            self.rename_requested.emit(row.person_id, name)
        return False

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable


class _CardView(QListView):
    deleted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.state() != QAbstractItemView.State.EditingState:
            self.deleted.emit()
            return
        super().keyPressEvent(event)


class PeoplePanel(QWidget):
    """Cards of all people; every wish goes out as a signal."""

    selected = Signal(int)
    rename_requested = Signal(int, str)
    delete_requested = Signal(int)
    hide_requested = Signal(int, bool)
    merge_requested = Signal(int, int)
    swap_requested = Signal(int, int)
    go_requested = Signal(int)
    cover_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = False
        self.heading = section_label("People", self)
        self.empty = hint_label("", self)
        self.model = _PeopleModel(self)
        self.view = _CardView(self)
        self.view.setModel(self.model)
        self.view.setItemDelegate(CardDelegate(self.view))
        self.view.setMouseTracking(True)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.setAccessibleName("People")
        self.view.setMinimumHeight(CARD_HEIGHT)  # more once there are more people
        self.view.deleted.connect(self._delete_current)
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        self.model.rename_requested.connect(self.rename_requested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 14, MARGIN, 4)
        layout.setSpacing(9)
        layout.addWidget(self.heading)
        layout.addWidget(self.empty)
        layout.addWidget(self.view, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        theme.notifier().changed.connect(self.view.viewport().update)
        self.set_people([])

    def sizeHint(self) -> QSize:
        """As high as all cards, so that what follows comes right below."""
        cards = max(len(self.model.rows), 1) * CARD_HEIGHT + 2
        return QSize(224, cards + self.heading.sizeHint().height() + 30)

    def set_people(self, rows: Sequence[PersonRow]) -> None:
        """Show these people; the selection stays with the same person."""
        kept = self.current()
        self._quiet = True
        self.model.set_rows(rows)
        self._quiet = False
        self.heading.setText(f"People · {len(rows)}" if rows else "People")
        self.empty.setVisible(not rows)
        self.view.setVisible(bool(rows))
        self.view.setMinimumHeight(min(max(len(rows), 1), _AT_LEAST) * CARD_HEIGHT)
        self.set_selected(kept)
        self.updateGeometry()

    def set_empty_text(self, text: str) -> None:
        """What stands there while there is nobody."""
        self.empty.setText(text)

    def current(self) -> int | None:
        """The selected person."""
        index = self.view.currentIndex()
        return self.model.rows[index.row()].person_id if index.isValid() else None

    def name_of(self, person_id: int | None) -> str:
        """A person's name; "" for nobody."""
        return next((row.name for row in self.model.rows if row.person_id == person_id), "")

    def set_selected(self, person_id: int | None) -> None:
        """Select from outside; no signal."""
        if person_id == self.current():
            return
        self._quiet = True
        ids = [row.person_id for row in self.model.rows]
        selection = self.view.selectionModel()
        if person_id in ids:
            index = self.model.index(ids.index(person_id))
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.view.scrollTo(index)
        else:
            selection.clear()
        self._quiet = False

    def rename_current(self) -> None:
        """Open the selected card's name for typing."""
        if self.view.currentIndex().isValid():
            self.view.edit(self.view.currentIndex())

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and not self._quiet:
            self.selected.emit(self.model.rows[current.row()].person_id)

    def _delete_current(self) -> None:
        person = self.current()
        if person is not None:
            self.delete_requested.emit(person)

    def _open_menu(self, where: QPoint) -> None:
        index = self.view.indexAt(where)
        if index.isValid():
            menu = self.menu_for(self.model.rows[index.row()])
            menu.popup(self.view.viewport().mapToGlobal(where))

    def menu_for(self, row: PersonRow) -> QMenu:
        """The menu of one card."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        person = row.person_id
        menu.addAction("Rename", "F2", self.rename_current)
        shown = "Show" if row.hidden else "Hide"
        menu.addAction(shown, lambda: self.hide_requested.emit(person, not row.hidden))
        menu.addAction("Cover otherwise…", lambda: self.cover_requested.emit(person))
        menu.addSeparator()
        menu.addAction("Go to the first frame", lambda: self.go_requested.emit(row.first_frame))
        menu.addAction("Go to the last frame", lambda: self.go_requested.emit(row.last_frame))
        others = [r for r in self.model.rows if r.person_id != person]
        if others:
            menu.addSeparator()
            merge, swap = menu.addMenu("Same person as"), menu.addMenu("Swap from here with")
            for other in others:
                text, wanted = other.name.replace("&", "&&"), other.person_id
                merge.addAction(text, partial(self.merge_requested.emit, wanted, person))
                swap.addAction(text, partial(self.swap_requested.emit, person, wanted))
        menu.addSeparator()
        menu.addAction("Delete", "Del", lambda: self.delete_requested.emit(person))
        return menu
