"""The card over the picture that shows how far a hidden patch breaks one person."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.confidence.heat import TOLERANCE, UNIT
from app.confidence.occlusion import ESTIMATORS, JOINTS, Occlusion
from app.confidence.occlusion_sheet import plain_name
from app.review.colormap import confidence_rgb
from widgets import theme
from widgets.panels.paint import section_label

_WIDTH = 268
_NAMES = {"mesh": "Body mesh", "keypoints": "Keypoints"}


class _Legend(QWidget):
    """The meaning of the colours, with the unit."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._tolerance, self._unit = TOLERANCE["mesh"], UNIT["mesh"]
        self.setFixedHeight(40)

    def set_scale(self, tolerance: float, unit: str) -> None:
        """The middle of the colours."""
        self._tolerance, self._unit = tolerance, unit
        self.setAccessibleName(f"Blue no error, white {tolerance:.0f} {unit}, orange more")
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's hook."""
        return QSize(_WIDTH, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's hook."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gradient = QLinearGradient(0, 0, self.width(), 0)
        for share in np.linspace(0.0, 1.0, 17):
            r, g, b = (int(v) for v in confidence_rgb(share * 2 * self._tolerance, self._tolerance))
            gradient.setColorAt(float(share), QColor(r, g, b))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        painter.drawRoundedRect(QRectF(0, 4, self.width(), 8), 3, 3)
        painter.setPen(theme.current().secondary)
        painter.setFont(theme.base_font(12))
        row = QRectF(0, 16, self.width(), 20)
        for words, side in (
            ("0", Qt.AlignmentFlag.AlignLeft), (f"{self._tolerance:.0f}", Qt.AlignmentFlag.AlignHCenter),
            (f"≥ {2 * self._tolerance:.0f} {self._unit}", Qt.AlignmentFlag.AlignRight),
        ):  # fmt: skip
            painter.drawText(row, side | Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()


class SensitivityCard(QFrame):
    """Progress while the occluder slides, then what to look at.

    Signals: stopped(); closed(); chosen(estimator, joint index or -1 for the mean); save_wanted().
    """

    stopped = Signal()
    closed = Signal()
    chosen = Signal(str, int)
    save_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName("Occlusion sensitivity")
        self._result: Occlusion | None = None
        head = QHBoxLayout()
        head.addWidget(section_label("Occlusion sensitivity", self), 1)
        self.close_button = QToolButton(self)
        self.close_button.setText("✕")
        self.close_button.setToolTip("Take the heat map away")
        self.close_button.setAccessibleName("Close occlusion sensitivity")
        self.close_button.clicked.connect(self.closed)
        head.addWidget(self.close_button)
        self.who = QLabel(self)
        self.who.setProperty("role", "name")
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.words = QLabel(self)
        self.words.setProperty("role", "secondary")
        self.words.setWordWrap(True)
        self.estimator = QComboBox(self)
        self.estimator.setAccessibleName("Whose error")
        self.joint = QComboBox(self)
        self.joint.setAccessibleName("Which joint")
        self.joint.addItems(["Mean of all joints", *(plain_name(j) for j in JOINTS)])
        self.legend = _Legend(self)
        self.stop_button = QPushButton("Stop", self)
        self.stop_button.clicked.connect(self.stopped)
        self.save_button = QPushButton("Save figure…", self)
        self.save_button.clicked.connect(self.save_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        column.addLayout(head)
        for widget in (
            self.who, self.bar, self.estimator, self.joint, self.words, self.legend, self.stop_button,
            self.save_button,
        ):  # fmt: skip
            column.addWidget(widget)
        self.estimator.currentIndexChanged.connect(self._choose)
        self.joint.currentIndexChanged.connect(self._choose)
        self._show_state(running=False)

    def begin(self, who: str) -> None:
        """The occluder begins to slide over somebody."""
        self._result = None
        self.who.setText(who)
        self.words.setText("Looking at the person…")
        self.bar.setRange(0, 0)
        self._show_state(running=True)

    def set_progress(self, done: int, total: int) -> None:
        """How many places are done."""
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        self.words.setText(f"{done} of {total} places")

    def set_result(self, result: Occlusion) -> None:
        """It is done."""
        self._result = result
        self.estimator.blockSignals(True)
        self.estimator.clear()
        for name in ESTIMATORS:
            if name in result.map.errors:
                self.estimator.addItem(_NAMES[name], name)
        self.estimator.blockSignals(False)
        self._show_state(running=False)
        self._choose()

    def set_failed(self, message: str) -> None:
        """It could not be done, or was stopped."""
        self._result = None
        self._show_state(running=False)
        self.words.setText(message)
        self.adjustSize()

    @property
    def choice(self) -> tuple[str, int | None]:
        """The estimator, and the joint or None for the mean."""
        at = self.joint.currentIndex() - 1
        return str(self.estimator.currentData()), at if at >= 0 else None

    def _choose(self) -> None:
        if self._result is None:
            return
        name, joint = self.choice
        self.legend.set_scale(TOLERANCE[name], UNIT[name])
        values = self._result.shown(name, joint)
        known = values[np.isfinite(values)]
        lost = int(self._result.map.lost.sum())
        said = [
            f"{known.mean():.0f} {UNIT[name]} in the mean, {known.max():.0f} {UNIT[name]} at the worst place."
            if len(known)
            else "This joint was not found."
        ]
        if lost:
            said.append(f"Nobody was found at {lost} of {values.size} places.")
        self.words.setText(" ".join(said))
        self.adjustSize()
        self.chosen.emit(name, -1 if joint is None else joint)

    def _show_state(self, *, running: bool) -> None:
        done = self._result is not None
        working: tuple[QWidget, ...] = (self.bar, self.stop_button)
        choosing: tuple[QWidget, ...] = (self.estimator, self.joint, self.legend, self.save_button)
        for widgets, shown in ((working, running), (choosing, done)):
            for widget in widgets:
                widget.setVisible(shown)
        self.adjustSize()
