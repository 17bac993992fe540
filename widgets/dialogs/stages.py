"""Stages of long work, one under the other: to come, being done, done and in what time."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from widgets import theme

_MARK = 18
_LATER, _NOW, _DONE = range(3)


def taken_text(seconds: float) -> str:
    """ "under 1 s", "12 s", "3 min"."""
    if seconds < 1:
        return "under 1 s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def quiet_line(text: str = "", role: str = "secondary") -> QLabel:
    """Words on one line."""
    label = QLabel(text)
    label.setProperty("role", role)
    return label


class StageMark(QWidget):
    """A ring for what is to come, a filled one for what is being done, a tick for what is done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(_MARK, _MARK)
        self.state = _LATER
        theme.notifier().changed.connect(self.update)

    def set_state(self, state: int) -> None:
        """One of later, now, done."""
        self.state = state
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.state == _DONE:
            pen = QPen(palette.accent, 2)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            tick = QPainterPath()
            tick.moveTo(4, 9.5)
            tick.lineTo(7.5, 13)
            tick.lineTo(14, 5.5)
            painter.drawPath(tick)
        elif self.state == _NOW:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.accent)
            painter.drawEllipse(QRectF(5, 5, 8, 8))
        else:
            painter.setPen(QPen(palette.secondary, 1.2))
            painter.drawEllipse(QRectF(5.5, 5.5, 7, 7))


class StageList(QWidget):
    """A row a stage."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._rows: dict[str, tuple[StageMark, QLabel, QLabel]] = {}
        self._now = ""
        self._since = 0.0

    @property
    def stages(self) -> tuple[tuple[str, int], ...]:
        """Every stage's name and state: 0 later, 1 now, 2 done."""
        return tuple((name, mark.state) for name, (mark, _, _) in self._rows.items())

    def set_stages(self, stages: Sequence[tuple[str, str]]) -> None:
        """What is to come: names and texts."""
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._rows.clear()
        self._now = ""
        for name, text in stages:
            self._add(name, text)

    def _add(self, name: str, text: str) -> None:
        words, took = quiet_line(text), quiet_line()
        took.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = len(self._rows)
        parts = (StageMark(), words, took)
        for place, widget in enumerate(parts):
            self._grid.addWidget(widget, row, place)
        self._rows[name] = parts

    def start(self, name: str, text: str) -> None:
        """A stage begins, or goes on with other words; all before it are done."""
        now = time.monotonic()
        if name == self._now:
            return
        if self._now in self._rows:
            self._rows[self._now][2].setText(taken_text(now - self._since))
        if name not in self._rows:
            self._add(name, text)
        self._now, self._since = name, now
        state = _DONE
        for other, (mark, words, _) in self._rows.items():
            if other == name:
                state = _NOW
            mark.set_state(state)
            words.setProperty("role", "" if state == _NOW else "secondary")
            words.style().polish(words)
            if state == _NOW:
                state = _LATER
