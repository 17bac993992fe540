"""The heat map of a person's occlusion sensitivity, laid over the frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.confidence.heat import TOLERANCE, heat_field, heat_rgba
from app.confidence.occlusion import Occlusion

F8 = npt.NDArray[np.float64]
Place = Callable[[npt.ArrayLike], F8]

_RIM, _LIGHT = QColor(12, 14, 18, 230), QColor(255, 255, 255, 240)


class HeatMap:
    """One estimator's errors for one joint, or their mean, over the place in the frame where they arose.

    Attributes:
        frame: the only one that the map belongs to.
    """

    def __init__(self, result: Occlusion, name: str, joint: int | None, frame: int) -> None:
        self.frame = frame
        size = result.image.shape[0]
        field = heat_field(result.shown(name, joint), result.map.places, size, size)
        self._pixels = np.ascontiguousarray(heat_rgba(field, TOLERANCE[name]))
        self._image = QImage(self._pixels.data, size, size, 4 * size, QImage.Format.Format_RGBA8888)
        self._corners = _to_picture(result.to_crop, [[-0.5, -0.5], [size - 0.5, size - 0.5]])
        self._worst: F8 | None = None
        self._joint: F8 | None = None
        if joint is None and np.isfinite(result.shown(name)).any():
            x0, y0, x1, y1 = result.map.places[result.map.worst(name)]
            self._worst = _to_picture(result.to_crop, [[x0 - 0.5, y0 - 0.5], [x1 - 0.5, y1 - 0.5]])
        if joint is not None and np.isfinite(result.joints_xy[joint]).all():
            self._joint = _to_picture(result.to_crop, result.joints_xy[joint][None])

    @property
    def middle(self) -> float:
        """The column of the picture about which the map lies, pixels."""
        return float(self._corners[:, 0].mean())

    def draw(self, painter: QPainter, place: Place, picture: tuple[int, int]) -> None:
        """Draw; ``place`` turns picture pixels into screen positions, ``picture`` is its width and height."""
        painter.save()
        width, height = picture
        painter.setClipRect(_rect(place([[-0.5, -0.5], [width - 0.5, height - 0.5]])))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = _rect(place(self._corners))
        painter.drawImage(box, self._image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(255, 255, 255, 120), 1, Qt.PenStyle.DashLine))
        painter.drawRect(box)
        for pen in (QPen(_RIM, 4), QPen(_LIGHT, 2)):
            painter.setPen(pen)
            if self._worst is not None:
                painter.drawRect(_rect(place(self._worst)))
            if self._joint is not None:
                x, y = place(self._joint)[0]
                painter.drawEllipse(QPointF(float(x), float(y)), 8, 8)
        painter.restore()


def _to_picture(to_crop: F8, points: npt.ArrayLike) -> F8:
    back = np.linalg.inv(to_crop[:, :2])
    return np.asarray((np.asarray(points, np.float64) - to_crop[:, 2]) @ back.T, np.float64)


def _rect(corners: F8) -> QRectF:
    (x0, y0), (x1, y1) = corners
    return QRectF(QPointF(float(x0), float(y0)), QPointF(float(x1), float(y1)))
