"""One line under the keypoints: carry what was corrected to the frames around, and how far."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from app.review.types import CarryRange

REACHES: tuple[tuple[float | None, str, str], ...] = (
    (0.0, "none", "None"), (0.5, "½ s", "½ second"), (1.0, "1 s", "1 second"), (2.0, "2 s", "2 seconds"),
    (5.0, "5 s", "5 seconds"), (None, "to fix", "To the next correction"),
)  # fmt: skip
"""Seconds (None: up to the next correction), on the button, in the menu."""

TIP = "The frames around follow what you corrected in this one; what you fixed stays"


class ReachButton(QPushButton):
    """How far on one side; ``chosen`` when a person picks another one."""

    chosen = Signal()

    def __init__(self, where: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._where = where
        self.seconds: float | None = 1.0
        self.setProperty("role", "flat")
        self.setStyleSheet("padding: 2px 6px; font-size: 12px;")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)
        self._show()

    def set_seconds(self, seconds: float | None) -> None:
        """Choose a reach."""
        self.seconds = seconds
        self._show()
        self.chosen.emit()

    def choices(self) -> QMenu:
        """What can be chosen."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        for seconds, _, text in REACHES:
            action = menu.addAction(text, partial(self.set_seconds, seconds))
            action.setCheckable(True)
            action.setChecked(seconds == self.seconds)
            group.addAction(action)
        return menu

    def _open(self) -> None:
        menu = self.choices()
        menu.popup(self.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _show(self) -> None:
        short, long = next((s, t) for value, s, t in REACHES if value == self.seconds)
        self.setText(f"{short} {self._where}")
        self.setToolTip(f"How far {self._where}: {long.lower()}")
        self.setAccessibleName(f"Carry {self._where}: {long.lower()}")


class CarryBar(QWidget):
    """A button and the two reaches. ``requested`` carries a :class:`CarryRange`."""

    requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton("Carry along", self)
        self.button.setToolTip(TIP)
        self.button.setStyleSheet("padding: 3px 10px; font-size: 12px;")
        self.button.clicked.connect(lambda: self.requested.emit(self.reach))
        self.back, self.ahead = ReachButton("back", self), ReachButton("ahead", self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(2)
        layout.addWidget(self.button)
        layout.addStretch(1)
        layout.addWidget(self.back)
        layout.addWidget(self.ahead)

    @property
    def reach(self) -> CarryRange:
        """What is chosen."""
        return CarryRange(self.back.seconds, self.ahead.seconds)
