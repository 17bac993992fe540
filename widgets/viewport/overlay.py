"""What is drawn over the picture with Qt: skeletons, keypoints, chips, legend, divider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPen, QPolygonF

from app.review.colormap import BEYOND_RGB, confidence_rgb
from app.review.types import ABSENT, BY_PERSON, CARRIED, HAND_BONES, OCCLUDED, PersonScene, SceneModel
from widgets import theme

LEFT = QColor("#35c2b0")
RIGHT = QColor("#ffad4d")
MIDDLE = QColor("#f4f6f8")
RIM = QColor(12, 14, 18, 220)
BONE = QColor(255, 255, 255, 170)
FACE = QColor(255, 255, 255, 190)

Place = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]]

_RADIUS, _LEAST_RADIUS = 4.5, 2.0
_GROWN = 7.0
_LARGE = 240.0
"""Logical pixels of height from which a person's marks have their full size; smaller ones would be hidden."""
_CHIP_HEIGHT = 26.0
_LEGEND = (250.0, 52.0)


@dataclass(frozen=True, slots=True)
class Marker:
    """A keypoint on the screen."""

    person: int
    keypoint: int
    x: float
    y: float


def keypoint_color(side: str) -> QColor:
    """Left, right and middle told apart; the shape tells the sides apart as well."""
    return {"left": LEFT, "right": RIGHT}.get(side, MIDDLE)


def mark_scale(screen: npt.NDArray[np.float64]) -> float:
    """The share of their full size that marks have on a person at ``screen`` (K, 2) logical pixels."""
    if not len(screen):
        return 1.0
    return min(float(np.ptp(screen, axis=0).max()) / _LARGE, 1.0)


def draw_person(
    painter: QPainter, model: SceneModel, person: PersonScene, screen: npt.NDArray[np.float64],
    *, strong: bool, hovered: int | None,
) -> None:  # fmt: skip
    """Skeleton and keypoints of one person; ``screen`` (23, 2) logical pixels."""
    shown = person.visibility != ABSENT
    share = mark_scale(screen[shown])
    radius = max((_RADIUS if strong else 3.5) * share, _LEAST_RADIUS)
    painter.setOpacity(1.0 if strong else 0.55)
    bone = max((1.6 if strong else 1.2) * share, 0.8)
    painter.setPen(QPen(BONE, bone, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for a, b in model.skeleton:
        if shown[a] and shown[b]:
            painter.drawLine(QPointF(*screen[a]), QPointF(*screen[b]))
    for k in np.flatnonzero(shown):
        if k != hovered:
            draw_keypoint(painter, model, person, int(k), screen[k], radius)
    painter.setOpacity(1.0)
    if hovered is not None and shown[hovered]:
        draw_keypoint(painter, model, person, hovered, screen[hovered], _GROWN)


def draw_details(painter: QPainter, person: PersonScene, place: Place, *, strong: bool) -> None:
    """Hands as fine lines in their side's colour, the face as fine points; ``place`` maps to the screen."""
    painter.setOpacity(0.9 if strong else 0.45)
    if person.face is not None:
        painter.setPen(QPen(FACE, 1.3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPoints(QPolygonF([QPointF(x, y) for x, y in place(person.face)]))
    for hand, color in ((person.left_hand, LEFT), (person.right_hand, RIGHT)):
        if hand is None:
            continue
        points = [QPointF(x, y) for x, y in place(hand)]
        for pen in (QPen(RIM, 2.6), QPen(color, 1.2)):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            for a, b in HAND_BONES:
                painter.drawLine(points[a], points[b])
        painter.setPen(QPen(color, 3.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPoints(QPolygonF(points))
    painter.setOpacity(1.0)


def draw_keypoint(
    painter: QPainter, model: SceneModel, person: PersonScene, k: int, at: npt.NDArray[np.float64], r: float
) -> None:
    """Left round, right square, by a person a diamond (small if carried); hollow where hidden from view."""
    side = model.sides[k]
    color = keypoint_color(side)
    hollow = person.visibility[k] == OCCLUDED
    x, y = float(at[0]), float(at[1])
    painter.setBrush(QBrush(QColor(12, 14, 18, 120)) if hollow else QBrush(color))
    fine = min(r / 3.5, 1.0)
    for pen in (QPen(RIM, 3.4 * fine), QPen(color, 1.7 * fine)) if hollow else (QPen(RIM, 1.6 * fine),):
        painter.setPen(pen)
        if person.source[k] in (BY_PERSON, CARRIED):
            d = r * (1.45 if person.source[k] == BY_PERSON else 1.1)
            painter.drawPolygon(
                QPolygonF([QPointF(x, y - d), QPointF(x + d, y), QPointF(x, y + d), QPointF(x - d, y)])
            )
        elif side == "right":
            e = r * 0.9
            painter.drawRoundedRect(QRectF(x - e, y - e, 2 * e, 2 * e), 1.5, 1.5)
        else:
            painter.drawEllipse(QPointF(x, y), r, r)


def draw_chip(
    painter: QPainter,
    x: float,
    bottom: float,
    parts: list[tuple[str, str]],
    *,
    right: bool = False,
    middle: bool = False,
) -> QRectF:
    """A dark plate with a few words; each part has a role: "name", "strong" or "plain".

    ``x`` is its left edge (with ``right`` or ``middle`` that instead), ``bottom`` its lower edge.
    """
    palette = theme.current()
    font, bold = theme.base_font(12), theme.base_font(12)
    bold.setWeight(QFont.Weight.DemiBold)
    width = 20.0
    for text, role in parts:
        width += QFontMetricsF(bold if role == "strong" else font).horizontalAdvance(text) + 7
    width -= 7
    left = x - width if right else x - width / 2 if middle else x
    rect = QRectF(left, bottom - _CHIP_HEIGHT, width, _CHIP_HEIGHT)
    _plate(painter, rect)
    at = left + 10
    for text, role in parts:
        used = bold if role == "strong" else font
        painter.setFont(used)
        painter.setPen(palette.secondary if role == "plain" else palette.text)
        advance = QFontMetricsF(used).horizontalAdvance(text)
        place = QRectF(at, rect.top(), advance + 2, rect.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
        at += advance + 7
    return rect


def _plate(painter: QPainter, rect: QRectF) -> None:
    color = QColor(theme.current().panel)
    color.setAlpha(232)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(rect, 5, 5)


@lru_cache(maxsize=8)
def _legend_stops(tolerance_mm: float) -> list[tuple[float, QColor]]:
    shares = np.linspace(0.0, 1.0, 17)
    colors = confidence_rgb(shares * 2 * tolerance_mm, tolerance_mm)
    return [(float(share), QColor(*(int(v) for v in rgb))) for share, rgb in zip(shares, colors)]


def draw_legend(
    painter: QPainter, right: float, bottom: float, tolerance_mm: float, limit_mm: float = float("inf")
) -> QRectF:
    """The meaning of the colours, in millimetres, grey beyond the limit; the place that it takes."""
    palette = theme.current()
    width, height = _LEGEND
    rect = QRectF(right - width, bottom - height, width, height)
    _plate(painter, rect)
    font = theme.base_font(12)
    painter.setFont(font)
    painter.setPen(palette.text)
    low, high = "0", f"{2 * tolerance_mm:.0f} mm"
    metrics = QFontMetricsF(font)
    top = QRectF(rect.left(), rect.top() + 6, width, 18)
    start = rect.left() + 12 + metrics.horizontalAdvance(low) + 8
    end = rect.right() - 12 - metrics.horizontalAdvance(high) - 8
    painter.drawText(top.adjusted(12, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, low)
    painter.drawText(
        top.adjusted(0, 0, -12, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, high
    )
    gradient = QLinearGradient(start, 0, end, 0)
    gradient.setStops(_legend_stops(tolerance_mm))
    if limit_mm < 2 * tolerance_mm:
        share, grey = limit_mm / (2 * tolerance_mm), QColor(*BEYOND_RGB)
        r, g, b = (int(v) for v in confidence_rgb(limit_mm, tolerance_mm))
        gradient.setStops([s for s in gradient.stops() if s[0] < share])
        gradient.setColorAt(share, QColor(r, g, b))
        gradient.setColorAt(min(share + 1e-3, 1.0), grey)
        gradient.setColorAt(1.0, grey)
    painter.setBrush(gradient)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(QRectF(start, top.center().y() - 4, end - start, 8), 3, 3)
    painter.setPen(palette.secondary)
    words = f"expected error · white = {tolerance_mm:.0f} mm"
    if np.isfinite(limit_mm):
        words = f"expected error · grey above {limit_mm:.0f} mm"
    painter.drawText(QRectF(rect.left(), rect.top() + 25, width, 20), Qt.AlignmentFlag.AlignCenter, words)
    return rect


def draw_divider(painter: QPainter, x: float, height: float) -> None:
    """Between the original and the de-identified half."""
    painter.setPen(QPen(QColor(255, 255, 255, 230), 1.5))
    painter.drawLine(QPointF(x, 0), QPointF(x, height))
    painter.setBrush(QColor(255, 255, 255, 240))
    painter.setPen(QPen(RIM, 1))
    middle = height / 2
    painter.drawRoundedRect(QRectF(x - 5, middle - 18, 10, 36), 5, 5)
    painter.setPen(QPen(QColor(60, 66, 76), 1))
    for dx in (-1.5, 1.5):
        painter.drawLine(QPointF(x + dx, middle - 7), QPointF(x + dx, middle + 7))
