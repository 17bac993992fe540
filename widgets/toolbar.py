"""The bar at the top: project, what is shown, and the two buttons that matter."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from widgets import actions

HEIGHT = 44

_MODES = ("original", "meshes", "deidentified", "split")
_SPACES = ("camera", "room")


def tooltip(name: str) -> str:
    """An action's words with its first key."""
    spec = actions.spec(name)
    words = spec.tip or spec.label
    if not spec.keys:
        return words
    keys = QKeySequence(spec.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
    return f"{words}  ({keys})"


class Segments(QFrame):
    """A row of buttons of which one is down."""

    chosen = Signal(str)

    def __init__(self, names: tuple[str, ...], prefix: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "segments")
        self._buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        self.setFixedHeight(30)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(2)
        for name in names:
            button = QPushButton(actions.spec(prefix + name).label)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setToolTip(tooltip(prefix + name))
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, n=name: self.chosen.emit(n))
            group.addButton(button)
            layout.addWidget(button)
            self._buttons[name] = button

    def set_chosen(self, name: str) -> None:
        """Show which one is down."""
        self._buttons[name].setChecked(True)

    def set_enabled(self, name: str, enabled: bool) -> None:
        """One that makes no sense now is greyed out."""
        self._buttons[name].setEnabled(enabled)


class ToolBar(QWidget):
    """Signals: mode_chosen, space_chosen, run_clicked, export_clicked, opacity_changed (0..1)."""

    mode_chosen = Signal(str)
    space_chosen = Signal(str)
    run_clicked = Signal()
    export_clicked = Signal()
    opacity_changed = Signal(float)

    def __init__(self, menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        brand = QToolButton()
        brand.setText("Understudy")
        brand.setStyleSheet("font-weight: 600;")
        brand.setToolTip("Menu")
        brand.setAccessibleName("Menu")
        brand.setMenu(menu)
        brand.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._project = QLabel()
        self._project.setProperty("role", "secondary")
        self._project.setStyleSheet("font-size: 13px;")
        self._modes = Segments(_MODES, "view_")
        self._spaces = Segments(_SPACES, "space_")
        self._modes.chosen.connect(self.mode_chosen)
        self._spaces.chosen.connect(self.space_chosen)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setValue(100)
        self._opacity.setFixedWidth(84)
        self._opacity.setToolTip("How solid the bodies are drawn  ([ and ])")
        opacity = QLabel("Opacity")
        opacity.setProperty("role", "secondary")
        opacity.setBuddy(self._opacity)
        self._opacity.setAccessibleName("Opacity of the bodies")
        self._opacity.valueChanged.connect(lambda v: self.opacity_changed.emit(v / 100))
        self.run_button = QPushButton("Run")
        self.run_button.setToolTip(tooltip("run"))
        self.run_button.clicked.connect(self.run_clicked)
        self.export_button = QPushButton("Export…")
        self.export_button.setToolTip(tooltip("export"))
        self.export_button.clicked.connect(self.export_clicked)
        for button in (self.run_button, self.export_button):
            button.setCursor(Qt.CursorShape.PointingHandCursor)
        left, right = QWidget(), QWidget()
        for side in (left, right):
            side.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        left_row, right_row = QHBoxLayout(left), QHBoxLayout(right)
        for row in (left_row, right_row):
            row.setContentsMargins(0, 0, 0, 0)
        left_row.setSpacing(10)
        left_row.addWidget(brand)
        left_row.addWidget(self._project)
        left_row.addStretch(1)
        right_row.setSpacing(10)
        right_row.addWidget(opacity)
        right_row.addWidget(self._opacity)
        right_row.addStretch(1)
        right_row.addWidget(self.run_button)
        right_row.addWidget(self.export_button)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 12, 0)
        layout.setSpacing(14)
        layout.addWidget(left, 1)
        layout.addWidget(self._modes)
        layout.addWidget(self._spaces)
        layout.addWidget(right, 1)
        self.set_primary("run")

    def set_project(self, name: str, *, read_only: bool = False) -> None:
        """The project's name, or nothing."""
        self._project.setText(f"{name} · read only" if read_only and name else name)
        self._project.setToolTip(
            "This project was made by a newer version, or cannot be written. Nothing will be changed."
            if read_only
            else ""
        )

    def set_mode(self, mode: str) -> None:
        """What is shown."""
        self._modes.set_chosen(mode)

    def set_space(self, space: str) -> None:
        """From where."""
        self._spaces.set_chosen(space)
        for mode in _MODES:
            self._modes.set_enabled(mode, space == "camera" and self._ready)
        self._opacity.setEnabled(self._ready)

    _ready = False

    def set_ready(self, *, opened: bool, has_results: bool, running: str, complete: bool) -> None:
        """What can be done now; ``running`` is the kind of work that goes on, "" for none."""
        self._ready = opened
        for mode in _MODES:
            self._modes.set_enabled(mode, opened and (has_results or mode in ("original", "meshes")))
        for space in _SPACES:
            self._spaces.set_enabled(space, opened and (has_results or space == "camera"))
        self._opacity.setEnabled(opened)
        self.run_button.setEnabled(opened and not running and not complete)
        self.run_button.setToolTip(
            "Every frame is done. The menu has “Run again from the start”." if complete else tooltip("run")
        )
        self.run_button.setText("Running…" if running == "run" else "Run")
        self.export_button.setEnabled(opened and has_results and not running)
        self.set_primary("export" if complete and has_results else "run")

    def set_primary(self, which: str) -> None:
        """The one button in the accent colour."""
        for name, button in (("run", self.run_button), ("export", self.export_button)):
            role = "primary" if name == which else ""
            if button.property("role") != role:
                button.setProperty("role", role)
                button.style().unpolish(button)
                button.style().polish(button)

    @property
    def opacity(self) -> float:
        """In [0, 1]."""
        return self._opacity.value() / 100

    def set_opacity(self, value: float) -> None:
        """In [0, 1]."""
        self._opacity.setValue(round(value * 100))
