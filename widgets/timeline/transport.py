"""The transport: back, play, forward, speed; and the chips that set a range."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from widgets import theme

BACK, PLAY, PAUSE, FORWARD = "back", "play", "pause", "forward"


class TransportButton(QToolButton):
    """A button with a drawn sign, in the colour of the theme in use."""

    def __init__(self, sign: str, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = sign
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setFixedSize(QSize(28, 26))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.notifier().changed.connect(self.update)

    @property
    def sign(self) -> str:
        """What is drawn."""
        return self._sign

    def set_sign(self, sign: str, name: str) -> None:
        """Draw another sign."""
        self._sign = sign
        self.setAccessibleName(name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button as the style has it, then the sign."""
        super().paintEvent(event)
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.text if self.isEnabled() else palette.secondary)
        middle = QPointF(self.width() / 2, self.height() / 2)
        if self._sign == PAUSE:
            painter.drawRoundedRect(QRectF(middle.x() - 5, middle.y() - 5.5, 3.5, 11), 1, 1)
            painter.drawRoundedRect(QRectF(middle.x() + 1.5, middle.y() - 5.5, 3.5, 11), 1, 1)
        elif self._sign == PLAY:
            painter.drawPolygon(_triangle(middle + QPointF(0.5, 0), 5.0, 6.0))
        else:
            way = 1.0 if self._sign == FORWARD else -1.0
            for shift in (-5.5, 5.5):
                painter.drawPolygon(_triangle(middle + QPointF(shift, 0), 5.0 * way, 5.5))


def _triangle(middle: QPointF, half_width: float, half_height: float) -> QPolygonF:
    return QPolygonF(
        [
            middle + QPointF(-half_width, -half_height),
            middle + QPointF(half_width, 0),
            middle + QPointF(-half_width, half_height),
        ]
    )


class Transport(QWidget):
    """Back, play or pause, forward, and the speed."""

    play_toggled = Signal()
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.back = TransportButton(BACK, "One frame back", "One frame back  (Left)", self)
        self.play = TransportButton(PLAY, "Play", "Play or pause  (Space)", self)
        self.forward = TransportButton(FORWARD, "One frame forward", "One frame forward  (Right)", self)
        self.speed = QLabel("1×", self)
        self.speed.setToolTip("Speed of playing  (J, K, L)")
        for button in (self.back, self.forward):
            button.setAutoRepeat(True)
            button.setAutoRepeatDelay(300)
            button.setAutoRepeatInterval(40)
        self.back.clicked.connect(lambda: self.step_requested.emit(-1))
        self.forward.clicked.connect(lambda: self.step_requested.emit(1))
        self.play.clicked.connect(self.play_toggled.emit)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(11, 0, 8, 0)
        layout.setSpacing(1)
        for widget in (self.back, self.play, self.forward):
            layout.addWidget(widget)
        layout.addSpacing(8)
        layout.addWidget(self.speed)
        layout.addStretch(1)

    def set_playing(self, playing: bool, speed: float) -> None:
        """Show what the button will do, and how fast it goes."""
        self.play.set_sign(PAUSE if playing else PLAY, "Pause" if playing else "Play")
        self.speed.setText(f"{speed:g}×".replace("-", "−"))


class RangeBar(QWidget):
    """The chips I and O, and what range is chosen."""

    in_requested = Signal()
    out_requested = Signal()
    clear_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._in = KeyButton("I", "The range begins at this frame", self)
        self._out = KeyButton("O", "The range ends at this frame", self)
        self.text = QLabel("range", self)
        self.text.setProperty("role", "secondary")
        self.clear = QToolButton(self)
        self.clear.setText("Clear")
        self.clear.setToolTip("Forget the range")
        self.clear.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clear.hide()
        dash = QLabel("–", self)
        dash.setProperty("role", "secondary")
        self._in.clicked.connect(self.in_requested.emit)
        self._out.clicked.connect(self.out_requested.emit)
        self.clear.clicked.connect(self.clear_requested.emit)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(7)
        layout.addStretch(1)
        for widget in (self._in, dash, self._out, self.text, self.clear):
            layout.addWidget(widget)

    def set_range(self, frames: tuple[int, int] | None) -> None:
        """Name the range."""
        self.clear.setVisible(frames is not None)
        if frames is None:
            self.text.setText("range")
            return
        count = frames[1] - frames[0] + 1
        self.text.setText(f"frames {frames[0] + 1}–{frames[1] + 1} · {count} long")


class KeyButton(QToolButton):
    """A small button that looks like the key that does the same."""

    def __init__(self, key: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self.setToolTip(f"{tip}  ({key})")
        self.setAccessibleName(tip)
        self.setFixedSize(QSize(20, 20))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.notifier().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a key cap."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(palette.accent if self.hasFocus() else palette.line, 1))
        painter.setBrush(palette.raised if self.underMouse() else palette.window)
        painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), 4, 4)
        painter.setFont(theme.base_font(11))
        painter.setPen(palette.text if self.underMouse() else palette.secondary)
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, self._key)
