"""The list behind the review queue: what is shown of it, and how a card is drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.review.types import ReviewItem
from widgets import theme
from widgets.panels.paint import draw_card, draw_text

ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
MORE_ROLE = Qt.ItemDataRole.UserRole + 2
CARD_HEIGHT = 54
_GAP = 6
_SEVERE = 2
_MORE_PIXELS = 11
_WHOSE = re.compile(r"^(left and right|left|right|head|body|face)\s+(arms?|legs?|hands?|feet|foot)?\s*", re.I)

AnyIndex = QModelIndex | QPersistentModelIndex


def reasons_of(item: ReviewItem) -> tuple[str, ...]:
    """What kinds of thing it is: the named reasons behind it, or what its title says."""
    return item.reasons or (kind_of(item.title),)


def kind_of(title: str) -> str:
    """What kind of thing it is, whatever the side, the part and the count ("Not to be believed")."""
    words = re.sub(r"\s*\b\d+\b", " some", title)
    rest = _WHOSE.sub("", words)
    return rest[:1].upper() + rest[1:] if rest else words


class ReviewModel(QAbstractListModel):
    """The items that the filters let through, in the order in which they were given.

    Of open items that are alike only the first is shown, unless they were unfolded or are filtered for;
    ``more`` says for how many others it stands.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.items: list[ReviewItem] = []
        self.shown: list[ReviewItem] = []
        self.reason: str | None = None
        self.with_done = False
        self.more: dict[str, int] = {}
        self._unfolded: set[str] = set()

    def set_items(self, items: Sequence[ReviewItem]) -> bool:
        """Take other items; False where nothing that is shown has changed."""
        self.items = list(items)
        return self._filter()

    def set_filter(self, reason: str | None, with_done: bool) -> bool:
        """Show one kind (None: all), and with or without what is done."""
        self.reason, self.with_done = reason, with_done
        return self._filter()

    def reasons(self) -> Counter[str]:
        """How many open items there are of every kind."""
        open_items = (item for item in self.items if not item.done or self.with_done)
        return Counter(reason for item in open_items for reason in reasons_of(item))

    @property
    def n_open(self) -> int:
        """How many items wait."""
        return sum(not item.done for item in self.items)

    def row_of(self, item_id: str | None) -> int:
        """Where an item is shown, or -1."""
        return next((row for row, item in enumerate(self.shown) if item.item_id == item_id), -1)

    def toggle(self, row: int) -> bool:
        """Show the others like the one in this row, or fold them again; False where there are none."""
        group = self.shown[row].group
        if not self.more.get(self.shown[row].item_id) and group not in self._unfolded:
            return False
        self._unfolded ^= {group}
        return self._filter()

    def unfolded(self, row: int) -> bool:
        """Whether all that are like the one in this row are shown."""
        return self.shown[row].group in self._unfolded

    def alike(self, row: int) -> list[ReviewItem]:
        """The open items like the one in this row, itself the first."""
        item = self.shown[row]
        others = [i for i in self.items if i.group == item.group != "" and not i.done and i is not item]
        return [item, *others]

    def _filter(self) -> bool:
        let_in = [
            item
            for item in self.items
            if (self.with_done or not item.done) and (self.reason is None or self.reason in reasons_of(item))
        ]
        alike: dict[str, list[ReviewItem]] = {}
        for item in let_in:
            if item.group and not item.done:
                alike.setdefault(item.group, []).append(item)
        more = {group[0].item_id: len(group) - 1 for group in alike.values() if len(group) > 1}
        shown: list[ReviewItem] = []
        for item in let_in:
            group = alike.get(item.group, []) if not item.done else []
            if self.reason is not None or not group:
                shown.append(item)
            elif item is group[0]:  # the others follow their first, or wait behind it
                shown += group if item.group in self._unfolded else group[:1]
        if shown == self.shown and more == self.more:
            return False
        self.beginResetModel()
        self.shown, self.more = shown, more
        self.endResetModel()
        return True

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """How many are shown."""
        return 0 if parent is not None and parent.isValid() else len(self.shown)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Title, item, and words for screen readers and tool tips."""
        if not index.isValid() or index.row() >= len(self.shown):
            return None
        item = self.shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.title
        if role == ITEM_ROLE:
            return item
        if role == Qt.ItemDataRole.AccessibleTextRole:
            weight = "serious" if item.severity >= _SEVERE else "doubtful"
            words = item.sentence or item.title
            end = ", done" if item.done else f", {alike}" if (alike := self._alike_words(item)) else ""
            return f"{words}, {weight}, {item.detail}{end}"
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = (item.title, item.sentence, item.detail, self._alike_words(item))
            return "\n".join(line for line in lines if line)
        if role == MORE_ROLE:
            return self.more.get(item.item_id, 0) if self.reason is None else 0
        return None

    def _alike_words(self, item: ReviewItem) -> str:
        """``3 more like this``."""
        more = self.more.get(item.item_id, 0)
        return f"{more} more like this" if more and self.reason is None else ""


def more_rect(card: QRectF, text: str) -> QRectF:
    """Where a card says that it stands for others, right of its title; ``card`` is the item's whole place."""
    width = QFontMetricsF(theme.base_font(_MORE_PIXELS)).horizontalAdvance(text) + 14
    return QRectF(card.right() - 8 - width, card.top() + 6, width, 18)


def more_text(more: int, unfolded: bool) -> str:
    """What stands there."""
    return f"+{more} {'▴' if unfolded else '▾'}"


class ReviewDelegate(QStyledItemDelegate):
    """A bar that says how bad it is, what it is, and where."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """All cards are alike."""
        return QSize(200, CARD_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Paint one card."""
        item = index.data(ITEM_ROLE)
        if not isinstance(item, ReviewItem):
            return
        palette = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(0, 0, 0, -_GAP)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        draw_card(painter, box, chosen=chosen, hovered=hovered, filled=True)
        color = palette.bad if item.severity >= _SEVERE else palette.warning
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.line if item.done else color)
        painter.drawRoundedRect(QRectF(box.left() + 7, box.top() + 8, 4, box.height() - 16), 1.5, 1.5)
        left, width = box.left() + 19, box.width() - 26
        title = palette.secondary if item.done else palette.text
        model, more = index.model(), index.data(MORE_ROLE)
        room = width
        if more and isinstance(model, ReviewModel):
            text = more_text(more, model.unfolded(index.row()))
            place = more_rect(QRectF(option.rect), text)
            painter.setBrush(palette.line)
            painter.drawRoundedRect(place, 9, 9)
            inner = place.adjusted(7, 0, -7, 0)
            draw_text(painter, inner, text, pixels=_MORE_PIXELS, color=palette.text)
            room = place.left() - 6 - left
        draw_text(painter, QRectF(left, box.top() + 6, room, 18), item.title, pixels=13, color=title)
        detail = f"done · {item.detail}" if item.done else item.detail
        place = QRectF(left, box.top() + 25, width, 16)
        draw_text(painter, place, detail, pixels=11, color=palette.secondary)
        painter.restore()
