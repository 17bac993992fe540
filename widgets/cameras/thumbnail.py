"""A camera's small picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from widgets import theme

U1 = npt.NDArray[np.uint8]

_ROUND = 4.0
_SLIMMEST, _WIDEST = 0.8, 16 / 9
"""Shapes of small pictures: what stands higher, or lies longer, is cut a little."""


def as_image(rgb: U1) -> QImage:
    """(h, w, 3) RGB as a picture of Qt's that owns its pixels."""
    pixels = np.ascontiguousarray(rgb)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888).copy()


def shape_in(room: QRectF, image: QImage | None) -> QRectF:
    """The place of a small picture at the left of ``room``, as high as it, in the picture's own shape."""
    aspect = _WIDEST if image is None else image.width() / max(image.height(), 1)
    width = min(room.height() * min(max(aspect, _SLIMMEST), _WIDEST), room.width())
    return QRectF(room.left(), room.top(), width, room.height())


def filling(place: QRectF, width: int, height: int) -> QRectF:
    """The smallest box of that shape about the middle of ``place`` that leaves none of it empty."""
    scale = max(place.width() / max(width, 1), place.height() / max(height, 1))
    box = QRectF(0, 0, width * scale, height * scale)
    box.moveCenter(place.center())
    return box


def draw_thumbnail(painter: QPainter, place: QRectF, image: QImage | None, mark: str = "") -> QRectF:
    """The picture over all of ``place``, or ``mark`` where there is none; the box of the whole picture."""
    palette = theme.current()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    clip = QPainterPath()
    clip.addRoundedRect(place, _ROUND, _ROUND)
    painter.fillPath(clip, palette.canvas)
    painter.setClipPath(clip)
    box = place
    if image is not None:
        box = filling(place, image.width(), image.height())
        painter.drawImage(box, image)
    elif mark:
        quiet = QColor(palette.secondary)
        painter.setPen(quiet)
        painter.setFont(theme.base_font(18))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, mark)
    painter.restore()
    painter.setPen(QPen(palette.line, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), _ROUND, _ROUND)
    return box
