"""Something takes a while and there is nothing else to do: how far it is, and a way out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from widgets.dialogs.message import button_row
from widgets.statusbar import remaining_text


class WorkingDialog(QDialog):
    """``stopped`` when the person does not want to wait."""

    stopped = Signal()

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Understudy")
        self.setFixedWidth(380)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 14)
        layout.setSpacing(10)
        title = QLabel(text)
        title.setProperty("role", "name")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self._bar.setRange(0, 1000)
        self._left = QLabel("")
        self._left.setProperty("role", "secondary")
        for widget in (title, self._bar, self._left):
            layout.addWidget(widget)
        stop = QPushButton("Stop")
        stop.clicked.connect(self.reject)
        button_row(self, stop)
        self._done = False

    def set_progress(self, done: int, total: int, remaining_s: float | None) -> None:
        """How far it is."""
        self._bar.setValue(round(1000 * done / max(total, 1)))
        left = remaining_text(remaining_s)
        self._left.setText(f"{done} of {total} frames" + (f" · {left}" if left else ""))

    def finish(self) -> None:
        """It has ended."""
        self._done = True
        self.accept()

    def reject(self) -> None:
        """Escape and the button stop the work."""
        if not self._done:
            self.stopped.emit()
        super().reject()
