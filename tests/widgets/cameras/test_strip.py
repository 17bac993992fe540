"""The strip of cameras."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.review.eye import Peek, PeekPerson
from widgets import theme
from widgets.cameras.strip import CameraStrip


def person(number: int, x: float, *, seen: bool = True) -> PeekPerson:
    xy = np.full((23, 2), np.nan, np.float32)
    there = np.zeros(23, bool)
    for k, (dx, y) in {5: (8, 20), 6: (-8, 20), 11: (6, 55), 12: (-6, 55), 15: (6, 85), 13: (6, 70)}.items():
        xy[k], there[k] = (x + dx, y), True
    return PeekPerson(number, number - 1, xy, there, seen)


@pytest.fixture
def strip(qtbot: QtBot) -> CameraStrip:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = CameraStrip()
    qtbot.addWidget(widget)
    widget.set_cameras(("cam01", "cam02", "door"), ("Alt+1", "Alt+2"))
    widget.resize(900, widget.height())
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def test_a_click_and_a_key_choose_a_camera(strip: CameraStrip, qtbot: QtBot) -> None:
    strip.set_current(0)
    assert [c.current for c in strip.cells] == [True, False, False]
    with qtbot.waitSignal(strip.chosen) as told:
        QTest.mouseClick(strip.cells[1], Qt.MouseButton.LeftButton)
    assert told.args == [1]
    strip.cells[2].setFocus()
    with qtbot.waitSignal(strip.chosen) as told:
        QTest.keyClick(strip.cells[2], Qt.Key.Key_Space)
    assert told.args == [2]
    assert "Alt+2" in strip.cells[1].toolTip()
    assert "looked through" in strip.cells[0].accessibleName()


def test_what_cannot_be_opened_says_so_and_cannot_be_pressed(strip: CameraStrip, qtbot: QtBot) -> None:
    strip.cells[1].set_trouble("missing", "cam02.understudy is not in this project's folder.")
    strip.grab()
    with qtbot.assertNotEmitted(strip.chosen, wait=50):
        QTest.mouseClick(strip.cells[1], Qt.MouseButton.LeftButton)
    assert strip.cells[1].toolTip() == "cam02.understudy is not in this project's folder."
    assert strip.cells[1].accessibleName() == "cam02, missing"
    strip.cells[1].set_trouble("", "")
    with qtbot.waitSignal(strip.chosen):
        QTest.mouseClick(strip.cells[1], Qt.MouseButton.LeftButton)


def _count(image: QImage, color: QColor) -> int:
    near = 0
    for x in range(image.width()):
        for y in range(image.height()):
            c = image.pixelColor(x, y)
            apart = abs(c.red() - color.red()) + abs(c.green() - color.green()) + abs(c.blue() - color.blue())
            near += apart < 30
    return near


def test_people_are_drawn_in_their_colours_and_as_dots(strip: CameraStrip) -> None:
    cell = strip.cells[0]
    rgb = np.full((100, 160, 3), 40, np.uint8)
    cell.set_peek(Peek(3, rgb, (person(1, 50), person(2, 110))))
    both = cell.grab().toImage()
    assert _count(both, theme.person_color(0)) > 20
    assert _count(both, theme.person_color(1)) > 20
    cell.set_peek(Peek(3, rgb, (person(1, 50), person(2, 110, seen=False))))
    hidden = cell.grab().toImage()
    assert _count(hidden, theme.person_color(1)) < _count(both, theme.person_color(1)), "hollow and dotted"
    cell.set_peek(Peek(3, None, ()))
    cell.grab()
    assert _count(cell.grab().toImage(), theme.person_color(0)) == 0


def test_the_chosen_person_stands_out(strip: CameraStrip) -> None:
    cell = strip.cells[0]
    cell.set_peek(Peek(3, np.full((100, 160, 3), 40, np.uint8), (person(1, 50), person(2, 110))))
    before = _count(cell.grab().toImage(), theme.person_color(1))
    cell.set_person(2)
    assert _count(cell.grab().toImage(), theme.person_color(1)) > before


def test_no_cameras_no_strip(strip: CameraStrip) -> None:
    strip.set_cameras((), ())
    assert not strip.isVisible()
    assert strip.cells == []
