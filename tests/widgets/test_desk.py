"""The words of empty panels, and words that wrap."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.panels.paint import hint_label
from widgets.panels.people import PeoplePanel
from widgets.paragraph import Paragraph


@pytest.mark.parametrize("width", [120, 224])
def test_words_that_wrap_get_the_height_they_need_where_there_is_little(qtbot: QtBot, width: int) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    hint = hint_label("A clock, a monitor, a name tag? Cover a region, for everybody and all the time.", page)
    rest = QWidget()
    rest.setMinimumHeight(100)
    column.addWidget(hint)
    column.addWidget(rest)
    page.resize(width, 130)
    with qtbot.waitExposed(page):
        page.show()
    assert isinstance(hint, Paragraph)
    assert hint.height() >= hint.heightForWidth(hint.width()) > 2 * hint.fontMetrics().height()


def test_an_empty_list_of_people_says_what_it_is_told(qtbot: QtBot) -> None:
    panel = PeoplePanel()
    qtbot.addWidget(panel)
    panel.set_empty_text("Nobody was found in this footage.")
    panel.show()
    assert panel.empty.isVisible()
    assert panel.empty.text() == "Nobody was found in this footage."
    assert panel.name_of(7) == ""
