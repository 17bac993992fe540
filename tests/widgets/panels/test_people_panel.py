"""The people's cards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from app.review.types import PersonRow
from widgets import theme
from widgets.panels.people import PeoplePanel
from widgets.panels.people_cards import details


def row(person: int, **changes) -> PersonRow:
    base = PersonRow(
        person, f"Person {person}", person - 1, 230, 4, 1, 31.4, "body mesh", False, 18, 229, None
    )
    return replace(base, **changes)


@pytest.fixture
def panel(qtbot) -> PeoplePanel:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = PeoplePanel()
    qtbot.addWidget(widget)
    widget.resize(224, 400)
    picture = np.full((70, 40, 3), 120, np.uint8)
    widget.set_people([row(1, thumbnail=picture), row(2), row(3, hidden=True)])
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def texts(menu) -> list[str]:
    return [a.text() for a in menu.actions() if a.text()]


def action(menu, text: str):
    return next(a for a in menu.actions() if a.text() == text)


def test_cards_say_how_much_and_how_sure():
    assert details(row(1)) == ("230 frames · 4 corrected · 1 gap", "±31 mm · body mesh")
    assert details(row(1, n_frames=1, n_corrected=0, n_gaps=0))[0] == "1 frame"
    assert details(row(1, mean_mm=float("nan"), hidden=True))[1] == "– · hidden"


def test_the_heading_counts(panel: PeoplePanel):
    assert panel.heading.text() == "People · 3"
    panel.set_people([])
    assert panel.heading.text() == "People"
    assert panel.empty.isVisible()
    assert not panel.view.isVisible()


def test_a_click_selects_but_selecting_from_outside_is_silent(panel: PeoplePanel, qtbot):
    told: list[int] = []
    panel.selected.connect(told.append)
    panel.set_selected(3)
    assert told == []
    assert panel.current() == 3
    where = panel.view.visualRect(panel.model.index(1)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert told == [2]
    panel.set_selected(None)
    assert panel.current() is None
    assert told == [2]


def test_the_selection_stays_with_the_person_when_the_list_changes(panel: PeoplePanel):
    told: list[int] = []
    panel.set_selected(3)
    panel.selected.connect(told.append)
    panel.set_people([row(3), row(4)])
    assert panel.current() == 3
    panel.set_people([row(4)])
    assert panel.current() is None
    assert told == []


def test_a_name_is_changed_in_place(panel: PeoplePanel, qtbot):
    panel.set_selected(2)
    panel.rename_current()
    editor = panel.view.findChild(QLineEdit)
    assert editor.text() == "Person 2"
    editor.setText("  Surgeon ")
    with qtbot.waitSignal(panel.rename_requested) as asked:
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert asked.args == [2, "Surgeon"]


def test_an_empty_name_changes_nothing(panel: PeoplePanel, qtbot):
    panel.set_selected(2)
    panel.rename_current()
    editor = panel.view.findChild(QLineEdit)
    editor.setText("   ")
    with qtbot.assertNotEmitted(panel.rename_requested):
        qtbot.keyClick(editor, Qt.Key.Key_Return)


def test_new_numbers_do_not_interrupt_a_rename(panel: PeoplePanel):
    panel.set_selected(2)
    panel.rename_current()
    panel.set_people([row(1), row(2, n_corrected=9), row(3)])
    assert panel.view.findChild(QLineEdit) is not None


def test_the_delete_key_asks(panel: PeoplePanel, qtbot):
    panel.set_selected(1)
    with qtbot.waitSignal(panel.delete_requested) as asked:
        qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    assert asked.args == [1]


def test_the_menu_hides_shows_and_goes(panel: PeoplePanel, qtbot):
    menu = panel.menu_for(panel.model.rows[1])
    with qtbot.waitSignal(panel.hide_requested) as hidden:
        action(menu, "Hide").trigger()
    assert hidden.args == [2, True]
    with qtbot.waitSignal(panel.go_requested) as went:
        action(menu, "Go to the first frame").trigger()
    assert went.args == [18]
    assert "Show" in texts(panel.menu_for(panel.model.rows[2]))


def test_the_menu_merges_into_the_other_and_swaps(panel: PeoplePanel, qtbot):
    menu = panel.menu_for(panel.model.rows[1])
    with qtbot.waitSignal(panel.merge_requested) as merged:
        action(action(menu, "Same person as").menu(), "Person 1").trigger()
    assert merged.args == [1, 2]
    with qtbot.waitSignal(panel.swap_requested) as swapped:
        action(action(menu, "Swap from here with").menu(), "Person 3").trigger()
    assert swapped.args == [2, 3]


def test_one_alone_cannot_be_merged(panel: PeoplePanel):
    panel.set_people([row(1)])
    assert "Same person as" not in texts(panel.menu_for(panel.model.rows[0]))


def test_screen_readers_hear_the_whole_card(panel: PeoplePanel):
    text = panel.model.index(2).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Person 3" in text
    assert "hidden" in text
