"""A striped picture over the frame: which parts of the empty room nobody ever saw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]


class Stripes:
    """``rgba`` (H, W, 4) over frame ``frame``."""

    def __init__(self, frame: int, rgba: U1) -> None:
        self.frame = frame
        self._pixels = np.ascontiguousarray(rgba)
        height, width = rgba.shape[:2]
        self._image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        self.share = float((self._pixels[..., 3] > 0).mean())
        """Of the picture that is striped."""

    def draw(self, painter: QPainter, place: Callable[[npt.ArrayLike], F8]) -> None:
        """Draw; ``place`` turns picture pixels into screen positions."""
        width, height = self._image.width(), self._image.height()
        (x0, y0), (x1, y1) = place([[-0.5, -0.5], [width - 0.5, height - 0.5]])
        painter.drawImage(QRectF(QPointF(float(x0), float(y0)), QPointF(float(x1), float(y1))), self._image)
