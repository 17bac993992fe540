"""Small things that the lists of the side panels draw alike."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from widgets import theme
from widgets.paragraph import Paragraph

MARGIN = 12
"""Logical pixels between a panel's edge and what is in it."""


def section_label(text: str, parent: QWidget) -> QLabel:
    """The head of a section: small capitals."""
    label = QLabel(text, parent)
    label.setFont(theme.section_font())
    label.setProperty("role", "section")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return label


def hint_label(text: str, parent: QWidget) -> QLabel:
    """Quiet words in place of a list that is empty."""
    return Paragraph(text, "secondary", parent)


def draw_card(painter: QPainter, box: QRectF, *, chosen: bool, hovered: bool, filled: bool) -> None:
    """The ground of a card, with the accent about the chosen one."""
    palette = theme.current()
    painter.setPen(QPen(palette.accent, 1) if chosen else Qt.PenStyle.NoPen)
    painter.setBrush(palette.raised if chosen or hovered or filled else Qt.BrushStyle.NoBrush)
    if hovered and filled and not chosen:
        painter.setPen(QPen(palette.line, 1))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


def draw_dot(painter: QPainter, x: float, y: float, color: QColor, radius: float = 4.0) -> None:
    """A filled circle."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(QPointF(x, y), radius, radius)


def draw_text(
    painter: QPainter,
    box: QRectF,
    text: str,
    *,
    pixels: int = 12,
    color: QColor | None = None,
    bold: bool = False,
    right: bool = False,
) -> None:
    """One line of text, cut with an ellipsis where it does not fit."""
    font = theme.base_font(pixels)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(color if color is not None else theme.current().text)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    cut = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()) + 1)
    painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, cut)


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}".replace(",", " ")


def millimetres(value: float) -> str:
    """``±31 mm``, or a dash where nothing is known."""
    return f"±{value:.0f} mm" if value == value else "–"
