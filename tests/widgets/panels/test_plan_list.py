"""The list of exceptions and regions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox
from pytestqt.qtbot import QtBot

from app.deidentify.plan import Method, PersonRule
from app.review.privacy import PlanRow
from widgets import theme
from widgets.dialogs.cover_person import CoverPersonDialog
from widgets.panels.plan_list import PlanList

ROWS = [
    PlanRow("rule", 3, "Person 1: may be seen", "all frames · has given consent", 0, True),
    PlanRow("region", 1, "Clock", "frames 3–9 · solid colour", 2),
]


@pytest.fixture
def plan(qtbot: QtBot) -> PlanList:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = PlanList()
    widget.resize(220, 300)
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.set_rows(ROWS, editable=True)
    return widget


def _rows(plan: PlanList) -> list[QAbstractButton]:
    shown = [plan._column.itemAt(i).widget() for i in range(plan._column.count())]
    QApplication.processEvents()
    return shown


def test_an_empty_list_says_what_it_is_for(plan: PlanList):
    assert not plan.empty.isVisible()
    plan.set_rows([], editable=True)
    assert plan.empty.isVisible()
    assert "name tag" in plan.empty.text()


def test_a_click_goes_there_and_the_cross_takes_it_back(plan: PlanList, qtbot: QtBot):
    first, second = _rows(plan)
    with qtbot.waitSignal(plan.chosen) as chosen:
        qtbot.mouseClick(second, Qt.MouseButton.LeftButton, pos=QPoint(30, 15))
    assert chosen.args == [ROWS[1]]
    with qtbot.waitSignal(plan.removed) as removed, qtbot.assertNotEmitted(plan.chosen):
        at = QPoint(first.width() - 10, first.height() // 2)
        qtbot.mouseClick(first, Qt.MouseButton.LeftButton, pos=at)
    assert removed.args == [ROWS[0]]


def _right_click(row: QAbstractButton) -> None:
    at = row.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, row.mapToGlobal(at))
    QApplication.sendEvent(row, event)


def test_the_right_button_offers_more_unless_the_project_is_read_only(plan: PlanList, qtbot: QtBot):
    with qtbot.waitSignal(plan.menu_wanted) as wanted:
        _right_click(_rows(plan)[1])
    assert wanted.args[0] == ROWS[1]
    plan.set_rows(ROWS, editable=False)
    with qtbot.assertNotEmitted(plan.menu_wanted):
        _right_click(_rows(plan)[1])


def test_delete_takes_a_row_back_unless_the_project_is_read_only(plan: PlanList, qtbot: QtBot):
    with qtbot.waitSignal(plan.removed) as removed:
        qtbot.keyClick(_rows(plan)[1], Qt.Key.Key_Delete)
    assert removed.args == [ROWS[1]]
    plan.set_rows(ROWS, editable=False)
    with qtbot.assertNotEmitted(plan.removed):
        qtbot.keyClick(_rows(plan)[1], Qt.Key.Key_Delete)
    assert not plan.add.isEnabled()


def test_whoever_may_be_seen_needs_a_reason(qtbot: QtBot):
    theme.apply(QApplication.instance(), theme.DARK)
    spans = [("In all frames", 0, 49), ("From here on", 20, 49)]
    dialog = CoverPersonDialog(2, "Person 2", Method("whole", "mesh"), spans)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.seen.setChecked(True)
    assert not dialog.apply_button.isEnabled()
    qtbot.keyClicks(dialog.reason, "has given consent")
    dialog.when.button(1).setChecked(True)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.apply_button.click()
    choice = chosen.args[0]
    assert (choice.method, choice.reason, choice.first, choice.last) == (None, "has given consent", 20, 49)


@pytest.fixture
def ask(qtbot: QtBot) -> Callable[..., CoverPersonDialog]:
    theme.apply(QApplication.instance(), theme.DARK)

    def made(rule: PersonRule | None = None) -> CoverPersonDialog:
        dialog = CoverPersonDialog(
            2, "Person 2", Method("whole", "mesh", "clothed"), [("In all frames", 0, 49)], rule=rule
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return made


def _choose(box: QComboBox, value: str) -> None:
    box.setCurrentIndex(box.findData(value))


def test_the_look_matters_only_for_a_mesh(ask: Callable[..., CoverPersonDialog], qtbot: QtBot):
    dialog = ask()
    assert dialog.look.isVisible()
    _choose(dialog.fill, "solid")
    assert not dialog.look.isVisible()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.apply_button.click()
    assert (chosen.args[0].method.cover, chosen.args[0].method.fill) == ("whole", "solid")


def test_an_exception_that_is_none_is_not_made(ask: Callable[..., CoverPersonDialog]):
    dialog = ask()
    assert not dialog.like_everybody.isVisible()
    assert not dialog.apply_button.isEnabled()
    assert dialog.apply_button.toolTip() == "That is how everybody is covered"
    _choose(dialog.look, "confidence")
    assert dialog.apply_button.isEnabled()


def test_what_protects_less_says_so(ask: Callable[..., CoverPersonDialog]):
    dialog = ask()
    assert not dialog.why_not.isVisible()
    _choose(dialog.fill, "blur")
    assert "recognised again" in dialog.why_not.text()
    _choose(dialog.fill, "solid")
    _choose(dialog.cover, "head")
    assert "build and clothes" in dialog.why_not.text()


def test_an_exception_is_shown_as_it_is_and_can_be_taken_back(
    ask: Callable[..., CoverPersonDialog], qtbot: QtBot
):
    spared = ask(PersonRule(4, 2, 0, 49, None, "has given consent"))
    assert spared.seen.isChecked()
    assert spared.reason.text() == "has given consent"
    dialog = ask(PersonRule(4, 2, 0, 49, Method("head", "pixels")))
    assert (dialog.cover.currentData(), dialog.fill.currentData()) == ("head", "pixels")
    dialog.like_everybody.setChecked(True)
    assert not dialog.fill.isEnabled()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.apply_button.click()
    assert chosen.args[0].like_everybody
