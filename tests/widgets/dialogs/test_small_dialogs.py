"""Welcome page, messages, shortcuts, missing networks, go to."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QProgressBar, QPushButton, QWidget

from widgets import theme
from widgets.dialogs.go_to import ask_for_frame, parse_place
from widgets.dialogs.line import ask_line
from widgets.dialogs.message import Paragraph, ask, show_message
from widgets.dialogs.missing_weights import MissingWeightsDialog
from widgets.dialogs.shortcuts import ShortcutsDialog
from widgets.dialogs.welcome import WelcomePage

TIMES = np.arange(100) / 25.0


@pytest.fixture(autouse=True)
def dressed(qapp) -> None:
    theme.apply(qapp, theme.DARK)


def button(widget: QWidget, text: str) -> QPushButton:
    return next(b for b in widget.findChildren(QPushButton) if b.text().startswith(text))


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def when_open(act) -> None:
    def later() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            QTimer.singleShot(10, later)
        else:
            act(dialog)

    QTimer.singleShot(0, later)


def test_the_welcome_page_opens_shows_the_demo_and_goes_on(qtbot):
    page = WelcomePage()
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    assert "None yet" in words(page)
    page.set_recent(
        [("ward-7", "/data/ward-7.understudy", "230 frames"), ("ot-3", "/data/ot-3.understudy", "")]
    )
    with qtbot.waitSignal(page.open_requested):
        button(page, "Open video").click()
    with qtbot.waitSignal(page.demo_requested):
        button(page, "Open the demo").click()
    recent = next(b for b in page.findChildren(QPushButton) if b.accessibleName().startswith("ot-3"))
    with qtbot.waitSignal(page.recent_requested) as went:
        recent.click()
    assert went.args == ["/data/ot-3.understudy"]


def test_long_words_get_the_height_they_need(qtbot):
    dialog = show_message(None, "The footage cannot be read. " * 20)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    with qtbot.waitExposed(dialog):
        dialog.show()
    text = dialog.findChild(Paragraph)
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()), timeout=2000)
    dialog.accept()


@pytest.mark.parametrize(("press", "answer"), [("Run again", True), ("Cancel", False)])
def test_a_question_is_answered_by_its_buttons(press: str, answer: bool):
    when_open(lambda dialog: button(dialog, press).click())
    assert ask(None, "Run again from the start?", "Results are replaced.", "Run again") is answer


def test_shortcuts_are_found_by_word_and_empty_groups_go(qtbot):
    dialog = ShortcutsDialog([("Play", "Play or pause", "Space"), ("View", "Fit the picture", "F")])
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.findChild(QLineEdit).setText("pause")
    assert "Play or pause" in words(dialog)
    assert "PLAY" in words(dialog)
    assert "Fit the picture" not in words(dialog)
    assert "VIEW" not in words(dialog)
    dialog.findChild(QLineEdit).clear()
    assert "VIEW" in words(dialog)


def test_missing_networks_are_fetched_on_request_only(qtbot):
    dialog = MissingWeightsDialog("blazepose-detector is not installed.")
    qtbot.addWidget(dialog)
    dialog.show()
    install = button(dialog, "Get them")
    with qtbot.waitSignal(dialog.install_requested):
        install.click()
    assert not install.isEnabled()
    dialog.set_progress("Getting blazepose-landmarks", 0.5)
    assert dialog.findChild(QProgressBar).value() == 500
    dialog.set_failed("No connection. Connect this machine, or install from a file.")
    assert install.isEnabled()
    assert install.text() == "Try again"
    assert "No connection" in words(dialog)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("1", 0),
        ("50", 49),
        ("9999", 99),
        ("-3", 0),
        ("2 s", 50),
        ("0:01", 25),
        ("0:01.5", 37),
        ("1:00:00", 99),
    ],
)
def test_frames_and_times_are_understood(text: str, frame: int):
    assert parse_place(text, TIMES) == pytest.approx(frame, abs=1 if ".5" in text else 0)


@pytest.mark.parametrize("text", ["", "soon", "1:x", "nan s", "s"])
def test_what_is_no_place_is_refused(text: str):
    assert parse_place(text, TIMES) is None


def test_go_to_asks_again_after_nonsense():
    def act(dialog) -> None:
        field = dialog.findChild(QLineEdit)
        assert field.text() == "11"
        field.setText("soon")
        button(dialog, "Go").click()
        assert dialog.isVisible()
        assert "no frame and no time" in words(dialog)
        field.setText("0:02")
        button(dialog, "Go").click()

    when_open(act)
    assert ask_for_frame(None, 10, TIMES) == 50


def test_go_to_can_be_left():
    when_open(lambda dialog: dialog.reject())
    assert ask_for_frame(None, 10, TIMES) is None


def test_a_line_is_asked_for_until_there_are_words(qtbot):
    said: list[str] = []
    dialog = ask_line(
        None, "Release", "Why may this stay visible?", "It goes into the report.", "Release", said.append
    )
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    go = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Release")
    line = dialog.findChild(QLineEdit)
    assert not go.isEnabled()
    qtbot.keyClicks(line, "   ")
    assert not go.isEnabled()
    qtbot.keyClicks(line, "a poster ")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert said == ["a poster"]
    assert not dialog.isVisible()
