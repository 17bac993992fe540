"""The line at the bottom: what runs, how far it is, and that nothing leaves the machine."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

HEIGHT = 26
_MESSAGE_MS = 6000


def remaining_text(seconds: float | None) -> str:
    """ "3 s left", "4 min left", "1 h 20 min left"."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min left"


class StatusBar(QWidget):
    """Signals: pause_clicked, cancel_clicked."""

    pause_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._stage, self._detail = self._label(), self._label()
        self._message = self._label()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(180, 4)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName("Progress")
        self._pause, self._cancel = self._button("Pause"), self._button("Stop")
        self._pause.clicked.connect(self.pause_clicked)
        self._cancel.clicked.connect(self.cancel_clicked)
        self._cancel.setToolTip("Stop; what is finished is kept")
        self._device, self._saved, self._network = self._label(), self._label(), self._label("accent")
        self._network.setText("No network")
        self._network.setToolTip("This program never uses the network while it runs")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 0, 14, 0)
        layout.setSpacing(14)
        for widget in (self._stage, self._bar, self._detail, self._pause, self._cancel, self._message):
            layout.addWidget(widget)
        layout.addStretch(1)
        for widget in (self._device, self._saved, self._network):
            layout.addWidget(widget)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(lambda: self._message.setText(""))
        self.set_idle()

    @staticmethod
    def _label(role: str = "secondary") -> QLabel:
        label = QLabel()
        label.setProperty("role", role)
        label.setStyleSheet("font-size: 12px;")
        return label

    @staticmethod
    def _button(text: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("role", "flat")
        button.setStyleSheet("padding: 0 6px; font-size: 12px;")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        return button

    def set_idle(self) -> None:
        """Nothing runs."""
        for widget in (self._stage, self._bar, self._detail, self._pause, self._cancel):
            widget.hide()

    def set_stage(self, text: str) -> None:
        """Something begins."""
        self._stage.setText(text)
        self._bar.setValue(0)
        self._detail.setText("")
        self._message.setText("")
        for widget in (self._stage, self._bar, self._detail, self._pause, self._cancel):
            widget.show()
        self.set_paused(False)

    def set_progress(
        self, done: int, total: int, rate: float, remaining: float | None, unit: str = "frames"
    ) -> None:
        """How far it is."""
        self._bar.setValue(round(1000 * done / max(total, 1)))
        parts = [f"{done:,} of {total:,} {unit}"]
        if rate > 0:
            parts.append(f"{rate:.0f} {unit}/s" if rate >= 3 else f"{rate:.1f} {unit}/s")
        if remaining is not None:
            parts.append(remaining_text(remaining))
        self._detail.setText(" · ".join(parts))

    def set_paused(self, paused: bool) -> None:
        """Held, or going on."""
        self._pause.setText("Go on" if paused else "Pause")
        self._pause.setToolTip("Go on with the work" if paused else "Hold the work at the next frame")

    def show_message(self, text: str, *, lasting: bool = False) -> None:
        """A few words that go away by themselves."""
        self._message.setText(text)
        self._timer.stop()
        if not lasting:
            self._timer.start(_MESSAGE_MS)

    def set_device(self, text: str) -> None:
        """Which processor."""
        self._device.setText(text)

    def set_saved(self, text: str) -> None:
        """ "Saved" or nothing."""
        self._saved.setText(text)
        self._saved.setToolTip("Every edit is written to the project at once" if text else "")
