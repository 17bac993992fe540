"""Fine points and lines of hands and face over the picture."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from app.review.types import PersonScene
from widgets.viewport import overlay


def _person(**details: np.ndarray) -> PersonScene:
    n = 23
    return PersonScene(
        1, "Person 1", 0, np.zeros((n, 2), np.float32), np.ones(n, np.float32), np.zeros(n, np.uint8),
        np.zeros(n, np.uint8), np.zeros(n, np.float32), ("",) * n, None, None, None, None, 10.0, False, False,
        **details,
    )  # fmt: skip


def _painted(person: PersonScene) -> np.ndarray:
    image = QImage(200, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    overlay.draw_details(painter, person, lambda xy: 2.0 * np.asarray(xy, np.float64), strong=True)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(200, image.bytesPerLine() // 4, 4)
    return pixels[:, :200, :3].copy()


def test_each_is_drawn_where_it_is(qtbot: QtBot) -> None:
    hand = np.stack([np.linspace(10, 40, 21), np.linspace(20, 30, 21)], axis=1).astype(np.float32)
    face = (np.array([80.0, 60.0]) + np.random.default_rng(0).uniform(-9, 9, (468, 2))).astype(np.float32)
    left, right = _painted(_person(left_hand=hand)), _painted(_person(right_hand=hand))
    assert left[:, :100].any()
    assert not left[:, 100:].any()
    assert (left != right).any(), "the sides have colours of their own"
    rows, columns = np.nonzero(_painted(_person(face=face)).any(axis=2))
    assert np.abs([rows.mean() - 120, columns.mean() - 160]).max() < 2
    assert not _painted(_person()).any()
