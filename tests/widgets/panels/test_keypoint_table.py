"""The table of keypoints."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.review.types import (
    ABSENT,
    BY_PERSON,
    CARRIED,
    OCCLUDED,
    VISIBLE,
    CarryRange,
    PersonScene,
    SceneModel,
)
from widgets import theme
from widgets.panels.keypoints import ROW_HEIGHT, KeypointTable

LABELS = ("Nose", "Left wrist", "Right wrist", "Left hip", "Right hip")
MODEL = SceneModel(
    0, np.zeros((0, 3), np.int32), LABELS, LABELS, (), (0, 2, 1, 4, 3), ("",) * 5, np.zeros(0, np.int32), ()
)


def person(mm=(18.0, 8.0, 92.0, 24.0, np.nan)) -> PersonScene:
    visibility = np.array([VISIBLE, VISIBLE, OCCLUDED, VISIBLE, ABSENT], np.uint8)
    source = np.array([0, BY_PERSON, 0, 0, 0], np.uint8)
    xy, score = np.zeros((5, 2), np.float32), np.ones(5, np.float32)
    reasons = ("", "corrected by hand", "hidden by the body", "", "outside the picture")
    error = np.array(mm, np.float32)
    return PersonScene(
        1,
        "Person 1",
        0,
        xy,
        score,
        visibility,
        source,
        error,
        reasons,
        None,
        None,
        None,
        None,
        30.0,
        False,
        False,
    )


@pytest.fixture
def table(qtbot) -> KeypointTable:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = KeypointTable()
    qtbot.addWidget(widget)
    widget.resize(300, 300)
    widget.set_person(person(), MODEL, 50.0)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def at(row: int, x: int = 60) -> QPoint:
    return QPoint(x, row * ROW_HEIGHT + ROW_HEIGHT // 2)


def test_rows_say_state_and_error(table: KeypointTable):
    model = table.model
    assert [model.state(k) for k in range(5)] == ["visible", "corrected", "occluded", "visible", "not seen"]
    assert [model.error(k) for k in range(5)] == ["±18", "±8", "±92", "±24", "–"]


def test_a_row_explains_itself(table: KeypointTable):
    words = table.model.index(2).data(Qt.ItemDataRole.ToolTipRole)
    assert words == "Right wrist, occluded, expected error ±92 mm: hidden by the body"


def test_new_numbers_while_dragging_keep_the_rows(table: KeypointTable, qtbot):
    table.view.setCurrentIndex(table.model.index(2))
    with qtbot.assertNotEmitted(table.model.modelReset):
        table.set_person(person((1.0, 2.0, 3.0, 4.0, 5.0)), MODEL, 50.0)
    assert table.view.currentIndex().row() == 2
    assert table.model.error(2) == "±3"


def test_nobody_is_said(table: KeypointTable):
    table.set_person(None, MODEL, 50.0)
    assert table.empty.isVisible()
    assert table.model.rowCount() == 0
    table.set_person(person(), MODEL, 50.0)
    assert table.view.isVisible()


def test_the_pointer_tells_its_keypoint_and_leaving_tells_none(table: KeypointTable, qtbot):
    told: list[int] = []
    table.hovered.connect(told.append)
    qtbot.mouseMove(table.view.viewport(), at(1))
    qtbot.mouseMove(table.view.viewport(), at(3))
    assert told[-1] == 3
    table.set_hovered(2)
    table.set_hovered(None)
    assert told[-1] == 3


def test_a_press_selects(table: KeypointTable, qtbot):
    with qtbot.waitSignal(table.selected) as selected:
        qtbot.mouseClick(table.view.viewport(), Qt.MouseButton.LeftButton, pos=at(2))
    assert selected.args == [2]


def test_a_press_on_the_state_opens_the_menu_for_it(table: KeypointTable, qtbot):
    with qtbot.waitSignal(table.view.menu_requested) as asked:
        x = table.view.viewport().width() - 110
        qtbot.mouseClick(table.view.viewport(), Qt.MouseButton.LeftButton, pos=at(1, x))
    assert asked.args[0] == 1
    QApplication.activePopupWidget().close()


def test_space_opens_the_menu_too(table: KeypointTable, qtbot):
    table.view.setCurrentIndex(table.model.index(0))
    with qtbot.waitSignal(table.view.menu_requested):
        qtbot.keyClick(table.view, Qt.Key.Key_Space)
    QApplication.activePopupWidget().close()


def test_the_menu_ticks_what_is_and_asks_for_what_is_chosen(table: KeypointTable, qtbot):
    menu = table.menu_for(2)
    assert [a.text() for a in menu.actions() if a.isChecked()] == ["Occluded"]
    with qtbot.waitSignal(table.visibility_requested) as asked:
        menu.actions()[0].trigger()
    assert asked.args == [2, VISIBLE]


def test_it_paints_in_both_themes(table: KeypointTable):
    table.set_hovered(2)
    for palette in (theme.LIGHT, theme.DARK):
        theme.apply(QApplication.instance(), palette)
        assert not table.grab().isNull()


def test_a_carried_keypoint_says_so(table: KeypointTable):
    carried = person()
    carried.source[0] = CARRIED
    table.set_person(carried, MODEL, 50.0)
    assert table.model.state(0) == "carried"
    assert table.model.state(1) == "corrected"


def test_the_button_asks_to_carry_as_far_as_was_chosen(table: KeypointTable, qtbot):
    bar = table.carry
    assert bar.isVisible()
    with qtbot.waitSignal(bar.requested) as asked:
        qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    assert asked.args == [CarryRange(1.0, 1.0)]
    menu = bar.ahead.choices()
    chosen = [a.text() for a in menu.actions() if a.isChecked()]
    assert chosen == ["1 second"]
    next(a for a in menu.actions() if a.text() == "To the next correction").trigger()
    bar.back.set_seconds(0.0)
    assert bar.reach == CarryRange(0.0, None)
    assert "to fix" in bar.ahead.text()
    assert "next correction" in bar.ahead.accessibleName()
    table.set_person(None, MODEL, 50.0)
    assert not bar.isVisible()
