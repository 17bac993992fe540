"""Plain messages: what happened, and one question with two answers."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from widgets.paragraph import Paragraph

WIDTH = 440


def plain_dialog(parent: QWidget | None, title: str, text: str, detail: str = "") -> QDialog:
    """A dialog with a heading and a paragraph; buttons come below."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setFixedWidth(WIDTH)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(22, 20, 22, 16)
    layout.setSpacing(10)
    words = [Paragraph(text, "name" if detail else "")]
    if detail:
        words.append(Paragraph(detail, "secondary"))
    for paragraph in words:
        paragraph.setMinimumWidth(WIDTH - 44)  # a narrower one would be higher, and the dialog with it
        layout.addWidget(paragraph)
    layout.addStretch(1)
    layout.addSpacing(8)
    return dialog


def fit_height(dialog: QDialog) -> None:
    """Make it as high as what is in it, soon: its words have to be wrapped first.

    Qt would reckon with the words as they wrap at the width that they ask for, not at the dialog's.
    """

    def fit() -> None:
        layout = dialog.layout()
        if layout is not None:
            layout.activate()
            dialog.resize(dialog.width(), layout.totalHeightForWidth(dialog.width()))

    for wait in (0, 20):  # paragraphs take their height when they are laid out
        QTimer.singleShot(wait, dialog, fit)


def button_row(dialog: QDialog, *buttons: QPushButton) -> QHBoxLayout:
    """Buttons at the lower right."""
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    layout = dialog.layout()
    assert isinstance(layout, QVBoxLayout)
    layout.addLayout(row)
    return row


def primary(text: str) -> QPushButton:
    """The button in the accent colour."""
    button = QPushButton(text)
    button.setProperty("role", "primary")
    button.setDefault(True)
    return button


def show_message(parent: QWidget | None, text: str, title: str = "Understudy") -> QDialog:
    """Say something; the person closes it."""
    dialog = plain_dialog(parent, title, text)
    close = primary("Close")
    close.clicked.connect(dialog.accept)
    button_row(dialog, close)
    dialog.open()
    return dialog


def ask(parent: QWidget | None, question: str, detail: str, yes: str) -> bool:
    """Ask before something that cannot be taken back; True where the person says so."""
    dialog = plain_dialog(parent, "Understudy", question, detail)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    cancel, go = QPushButton("Cancel"), primary(yes)
    cancel.clicked.connect(dialog.reject)
    go.clicked.connect(dialog.accept)
    button_row(dialog, cancel, go)
    go.setFocus()
    answer = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return answer
