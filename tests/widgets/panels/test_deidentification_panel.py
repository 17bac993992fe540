"""How people are covered: the four rows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.review.types import DeidSettings
from widgets import theme
from widgets.panels.deidentification import DeidPanel


@pytest.fixture
def panel(qtbot) -> DeidPanel:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = DeidPanel()
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def test_it_shows_what_is_set_without_a_word(panel: DeidPanel, qtbot):
    with qtbot.assertNotEmitted(panel.changed):
        panel.set_settings(DeidSettings("head", "pixels", "original", True))
    rows = (panel.cover, panel.fill, panel.background, panel.audio)
    assert [r.shown for r in rows] == ["Head", "Pixels", "Original", "Kept"]


def test_choosing_from_a_menu_hands_out_new_settings(panel: DeidPanel, qtbot):
    menu = panel.fill.menu()
    assert [a.isChecked() for a in menu.actions()] == [True, False, False, False, False]
    with qtbot.waitSignal(panel.changed) as changed:
        menu.actions()[1].trigger()
    assert changed.args == [DeidSettings(fill="solid")]
    assert panel.fill.shown == "Solid colour"


def test_choosing_what_is_in_use_changes_nothing(panel: DeidPanel, qtbot):
    with qtbot.assertNotEmitted(panel.changed):
        panel.audio.chosen.emit(False)


def test_the_empty_room_says_how_much_of_it_was_seen(panel: DeidPanel):
    assert panel.background.shown == "Empty room"
    panel.set_plate_state("Plate, 96 % seen")
    assert panel.background.shown == "Plate, 96 % seen"
    panel.set_settings(DeidSettings(background="original"))
    assert panel.background.shown == "Original"


def test_rows_open_from_the_keyboard_and_have_names(panel: DeidPanel, qtbot):
    panel.cover.setFocus()
    assert panel.cover.focusPolicy() == Qt.FocusPolicy.StrongFocus
    assert panel.cover.accessibleName() == "Cover: Whole person"
    qtbot.keyClick(panel.cover, Qt.Key.Key_Space)
    opened = QApplication.activePopupWidget()
    assert opened is not None
    opened.close()


def test_a_choice_that_protects_less_says_why(panel: DeidPanel):
    assert not panel.why_not.isVisible()
    panel.set_settings(DeidSettings(fill="blur"))
    assert "recognised" in panel.why_not.text()
    panel.set_settings(DeidSettings(cover="head", fill="solid"))
    assert "Walk" in panel.why_not.text()


def test_the_look_is_asked_for_a_mesh_only(panel: DeidPanel):
    assert panel.look.isVisible()
    panel.set_settings(DeidSettings(fill="solid"))
    assert not panel.look.isVisible()
