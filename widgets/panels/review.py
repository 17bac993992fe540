"""The review queue: what is most worth a look, one press away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.review.types import LEAK_ITEM, ReviewItem
from widgets import theme
from widgets.panels.leak_card import LeakCard
from widgets.panels.paint import MARGIN, hint_label, section_label
from widgets.panels.review_cards import (
    CARD_HEIGHT,
    MORE_ROLE,
    ReviewDelegate,
    ReviewModel,
    more_rect,
    more_text,
)

_HINTS = (("Tab", "next"), ("Enter", "accept"))
_LEAK_HINTS = (("Tab", "next"), ("C", "cover"), ("V", "release"))
_ALL_DONE = "All looked at. Nothing is left to review."
_FILTERED = "Nothing of this kind is left."


class _CardList(QListView):
    accept_pressed = Signal()
    fold_pressed = Signal(int)
    unfold = Signal(int, bool)
    pressing = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        more = index.data(MORE_ROLE) if index.isValid() else 0
        if more and event.button() is Qt.MouseButton.LeftButton:
            model = self.model()
            text = more_text(more, isinstance(model, ReviewModel) and model.unfolded(index.row()))
            if more_rect(QRectF(self.visualRect(index)), text).contains(event.position()):
                self.fold_pressed.emit(index.row())
                return
        self.pressing = True
        super().mousePressEvent(event)
        self.pressing = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accept_pressed.emit()
            return
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.currentIndex().isValid():
            self.unfold.emit(self.currentIndex().row(), event.key() == Qt.Key.Key_Right)
            return
        super().keyPressEvent(event)


class ReviewPanel(QWidget):
    """Cards of what waits, the worst first; quick also with thousands."""

    activated = Signal(str)
    accepted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = False
        self._current: str | None = None
        self._last_row = 0
        self._nothing = ""
        self.heading = section_label("To review", self)
        self.filter_button = QToolButton(self)
        self.filter_button.setText("All ▾")
        self.filter_button.setToolTip("Show one kind only, or what is done")
        self.filter_button.setAccessibleName("Filter what to review")
        self.filter_button.setProperty("role", "secondary")
        self.filter_button.clicked.connect(self._open_filter)
        self.empty = hint_label("", self)
        self.model = ReviewModel(self)
        self.view = _CardList(self)
        self.view.setModel(self.model)
        self.view.setItemDelegate(ReviewDelegate(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.setTabKeyNavigation(False)
        self.view.setAccessibleName("To review")
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.accept_pressed.connect(self.accept_current)
        self.view.fold_pressed.connect(self.toggle_alike)
        self.view.unfold.connect(self._unfold)
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        # A press on the card that is chosen already goes there again.
        self.view.clicked.connect(self._clicked)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.heading, 1)
        head.addWidget(self.filter_button)
        head.addStrut(self.filter_button.sizeHint().height())  # the heading stays where it is without it
        self.hints, self.leak_hints = _hints(self, _HINTS), _hints(self, _LEAK_HINTS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 8, MARGIN, 8)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.empty)
        layout.addWidget(self.view, 1)
        self.leak = LeakCard(self)
        layout.addWidget(self.leak)
        layout.addWidget(self.hints)
        layout.addWidget(self.leak_hints)
        layout.addStretch(0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        theme.notifier().changed.connect(self.view.viewport().update)
        self._show()

    def sizeHint(self) -> QSize:
        """Room for three cards."""
        return QSize(300, 3 * CARD_HEIGHT + 80)

    def minimumSizeHint(self) -> QSize:
        """Room for one card."""
        return QSize(200, CARD_HEIGHT + 76)

    def set_items(self, items: Sequence[ReviewItem]) -> None:
        """Show these; what is current stays so while it is there."""
        self._update(lambda: self.model.set_items(items))

    def set_empty_text(self, text: str) -> None:
        """What stands there while there is nothing to review."""
        self._nothing = text
        self._show()

    def set_current(self, item_id: str | None) -> None:
        """Mark one from outside; no signal."""
        self._current = item_id
        self._mark()

    def current(self) -> str | None:
        """The item that is marked."""
        return self._current if self.model.row_of(self._current) >= 0 else None

    def next_item(self) -> None:
        """Go to the next; after the last comes the first."""
        self._step(1)

    def previous_item(self) -> None:
        """Go to the one before."""
        self._step(-1)

    def accept_current(self) -> None:
        """Say that what is marked is right as it is."""
        item_id = self.current()
        if item_id is not None:
            self.accepted.emit(item_id)

    def toggle_alike(self, row: int) -> None:
        """Show the others like the one in this row, or fold them again."""
        self._update(lambda: self.model.toggle(row))

    def accept_alike(self, row: int) -> None:
        """Say that all that are like the one in this row are right as they are."""
        for item in self.model.alike(row):
            self.accepted.emit(item.item_id)

    def _unfold(self, row: int, wanted: bool) -> None:
        if self.model.unfolded(row) != wanted:
            self.toggle_alike(row)

    def set_filter(self, reason: str | None, *, with_done: bool = False) -> None:
        """Show one kind only (None: all), with or without what is done."""
        self._update(lambda: self.model.set_filter(reason, with_done))

    def filter_menu(self) -> QMenu:
        """All kinds with their counts, and what is done."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        reasons = self.model.reasons()
        done = self.model.with_done
        every = menu.addAction(
            f"All · {self.model.n_open if not done else len(self.model.items)}",
            lambda: self.set_filter(None, with_done=done),
        )
        every.setCheckable(True)
        every.setChecked(self.model.reason is None)
        menu.addSeparator()
        for reason, count in reasons.most_common():
            action = menu.addAction(f"{reason} · {count}", partial(self.set_filter, reason, with_done=done))
            action.setCheckable(True)
            action.setChecked(reason == self.model.reason)
        menu.addSeparator()
        shown = menu.addAction("Show what is done")
        shown.setCheckable(True)
        shown.setChecked(done)
        shown.triggered.connect(lambda: self.set_filter(self.model.reason, with_done=not done))
        return menu

    def _update(self, change: Callable[[], bool]) -> None:
        self._quiet = True
        changed = change()
        self._quiet = False
        self._show()
        if changed:
            self._mark()

    def _show(self) -> None:
        total, waiting = len(self.model.items), self.model.n_open
        self.heading.setText(f"To review · {waiting} of {total}" if total else "To review")
        reason = self.model.reason
        self.filter_button.setText(f"{reason or 'All'} ▾")
        self.filter_button.setVisible(total > 0)
        shown = bool(self.model.shown)
        if not shown:
            filtered = reason is not None and waiting
            self.empty.setText(_FILTERED if filtered else _ALL_DONE if total else self._nothing)
        self.empty.setVisible(not shown)
        self.view.setVisible(shown)
        self._show_hints()

    def _show_hints(self) -> None:
        """Which keys settle what is marked."""
        row = self.model.row_of(self._current)
        found = row >= 0 and self.model.shown[row].kind == LEAK_ITEM
        shown = bool(self.model.shown)
        self.hints.setVisible(shown and not found)
        self.leak_hints.setVisible(shown and found)

    def _mark(self) -> None:
        row = self.model.row_of(self._current)
        self._quiet = True
        selection = self.view.selectionModel()
        if row < 0:
            selection.clear()
        else:
            self._last_row = row
            index = self.model.index(row)
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.view.scrollTo(index)
        self._quiet = False
        self._show_hints()

    def _step(self, step: int) -> None:
        count = len(self.model.shown)
        if not count:
            return
        row = self.model.row_of(self._current)
        if row >= 0:
            row = (row + step) % count
        elif self._current is not None:
            # What was current has gone; what took its place is next.
            row = min(self._last_row, count - 1) if step > 0 else (self._last_row - 1) % count
        else:
            row = 0 if step > 0 else count - 1
        self._activate(row)

    def _activate(self, row: int) -> None:
        item_id = self.model.shown[row].item_id
        self.set_current(item_id)
        self.activated.emit(item_id)

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        # Presses are told by clicked; this is for the arrow keys.
        if current.isValid() and not self._quiet and not self.view.pressing:
            self._activate(current.row())

    def _clicked(self, index: QModelIndex) -> None:
        self._activate(index.row())

    def _open_filter(self) -> None:
        menu = self.filter_menu()
        button = self.filter_button
        menu.popup(button.mapToGlobal(QPoint(button.width() - menu.sizeHint().width(), button.height())))

    def _open_menu(self, where: QPoint) -> None:
        index = self.view.indexAt(where)
        if not index.isValid():
            return
        item = self.model.shown[index.row()]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Go there", lambda: self.activated.emit(item.item_id))
        if not item.done and item.kind != LEAK_ITEM:  # a finding is covered or released, see its card
            menu.addAction("Accept", lambda: self.accepted.emit(item.item_id))
            alike = len(self.model.alike(index.row()))
            if alike > 1:
                menu.addAction(f"Accept all {alike} like this", lambda: self.accept_alike(index.row()))
        if index.data(MORE_ROLE):
            more = index.data(MORE_ROLE)
            words = "Fold them again" if self.model.unfolded(index.row()) else f"Show {more} more like this"
            menu.addAction(words, lambda: self.toggle_alike(index.row()))
        menu.popup(self.view.viewport().mapToGlobal(where))


def _hints(parent: QWidget, keys: tuple[tuple[str, str], ...]) -> QWidget:
    row = QWidget(parent)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(1, 0, 0, 0)
    layout.setSpacing(6)
    for key, what in keys:
        cap, text = QLabel(key, row), QLabel(what, row)
        cap.setProperty("role", "key")
        text.setProperty("role", "secondary")
        layout.addWidget(cap)
        layout.addWidget(text)
        layout.addSpacing(6)
    layout.addStretch(1)
    return row
