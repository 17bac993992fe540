"""How a person's card is drawn and renamed in place."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.review.types import PersonRow
from widgets import theme
from widgets.panels.paint import counted, draw_card, draw_dot, draw_text, millimetres

PERSON_ROLE = Qt.ItemDataRole.UserRole + 1
CARD_HEIGHT = 76
_GAP = 6
_PICTURE = QSize(38, 52)


def details(row: PersonRow) -> tuple[str, str]:
    """The two quiet lines of a card."""
    first = [counted(row.n_frames, "frame")]
    if row.n_corrected:
        first.append(f"{row.n_corrected} corrected")
    if row.n_gaps:
        first.append(counted(row.n_gaps, "gap"))
    return " · ".join(first), f"{millimetres(row.mean_mm)} · {'hidden' if row.hidden else row.method}"


class CardDelegate(QStyledItemDelegate):
    """Thumbnail, colour dot and name, two quiet lines."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """All cards are alike."""
        return QSize(180, CARD_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one card."""
        row = index.data(PERSON_ROLE)
        if not isinstance(row, PersonRow):
            return
        palette = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(0, 0, 0, -_GAP)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        draw_card(painter, box, chosen=chosen, hovered=hovered, filled=False)
        if row.hidden:
            painter.setOpacity(0.65)
        _draw_thumbnail(painter, _thumbnail_box(box), row)
        left = box.left() + 17 + _PICTURE.width()
        right = box.right() - 6
        draw_dot(painter, left + 4.5, box.top() + 17, theme.person_color(row.color_index), 4.5)
        name = QRectF(left + 15, box.top() + 7, right - left - 15, 20)
        draw_text(painter, name, row.name, pixels=13, bold=True)
        for line, text in enumerate(details(row)):
            place = QRectF(left, box.top() + 28 + 17 * line, right - left, 16)
            draw_text(painter, place, text, pixels=11, color=palette.secondary)
        painter.restore()

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        """A line to type the new name into."""
        editor = QLineEdit(parent)
        editor.setMaxLength(60)
        editor.setAccessibleName("New name")
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Over the name."""
        left = option.rect.left() + 30 + _PICTURE.width()
        height = max(editor.sizeHint().height(), 24)
        editor.setGeometry(QRect(left, option.rect.top() + 5, option.rect.right() - left - 4, height))


def _thumbnail_box(box: QRectF) -> QRectF:
    return QRectF(box.left() + 9, box.top() + 9, _PICTURE.width(), _PICTURE.height())


def _draw_thumbnail(painter: QPainter, place: QRectF, row: PersonRow) -> None:
    """The picture, cut to the place's shape; a silhouette until it has been read."""
    palette = theme.current()
    clip = QPainterPath()
    clip.addRoundedRect(place, 4, 4)
    painter.fillPath(clip, palette.line)
    painter.save()
    painter.setClipPath(clip)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    if row.thumbnail is not None and row.thumbnail.size:
        pixels = np.ascontiguousarray(row.thumbnail)
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888)
        part = min(width / place.width(), height / place.height())
        taken = QRectF(0, 0, place.width() * part, place.height() * part)
        taken.moveCenter(QRectF(0, 0, width, height).center())
        painter.drawImage(place, image, taken)
    else:
        shape = QColor(palette.secondary)
        shape.setAlphaF(0.5)
        middle = place.center()
        draw_dot(painter, middle.x(), middle.y() - 10, shape, 7)
        painter.setBrush(shape)
        painter.drawRoundedRect(QRectF(middle.x() - 12, middle.y() + 1, 24, 40), 11, 11)
    painter.restore()
    painter.setPen(QPen(palette.line, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
