"""What is being done and what is left of it, above a thin bar."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from widgets.dialogs.stages import quiet_line

_STEPS = 1000


class ProgressHead(QWidget):
    """The head of a page that shows long work."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._state, self._left = quiet_line(role="name"), quiet_line()
        self._left.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self._bar.setRange(0, _STEPS)
        self._bar.setAccessibleName("Progress")
        words = QHBoxLayout()
        words.addWidget(self._state, 1)
        words.addWidget(self._left)
        column.addLayout(words)
        column.addWidget(self._bar)

    def start(self, text: str) -> None:
        """Something begins: nothing of it is done, and nobody knows what is left."""
        self.say(text)
        self.set_left("")
        self.set_share(0, 1)

    def say(self, text: str) -> None:
        """What is being done."""
        self._state.setText(text)

    def set_left(self, text: str) -> None:
        """What is left."""
        self._left.setText(text)

    def set_share(self, done: int, total: int) -> None:
        """How much is done."""
        self._bar.setValue(round(_STEPS * done / max(total, 1)))
