"""One line of words that somebody is asked for: a name, a reason."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton, QVBoxLayout, QWidget

from widgets.dialogs.message import button_row, plain_dialog, primary


def ask_line(
    parent: QWidget | None, title: str, question: str, detail: str, done: str, then: Callable[[str], object],
    *, text: str = "", hint: str = "", longest: int = 60,
) -> QDialog:  # fmt: skip
    """Ask for a line; ``then`` gets it once the button ``done`` is pressed, which waits for words.

    Args:
        text: what stands there at first, marked to be typed over; hint: what stands there in grey.
    """
    dialog = plain_dialog(parent, title, question, detail)
    line = QLineEdit(text)
    line.setPlaceholderText(hint)
    line.setMaxLength(longest)
    line.setAccessibleName(question)
    line.selectAll()
    layout = dialog.layout()
    assert isinstance(layout, QVBoxLayout)
    layout.insertWidget(layout.count() - 2, line)  # above the room that the buttons stand below
    cancel, go = QPushButton("Cancel"), primary(done)
    cancel.setAutoDefault(False)
    cancel.clicked.connect(dialog.reject)

    def show_state() -> None:
        go.setEnabled(bool(line.text().strip()))

    def finish() -> None:
        dialog.accept()
        then(line.text().strip())

    line.textChanged.connect(show_state)
    go.clicked.connect(finish)
    button_row(dialog, cancel, go)
    show_state()
    line.setFocus()
    dialog.open()
    return dialog
