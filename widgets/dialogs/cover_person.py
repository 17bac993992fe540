"""How one person is covered: like everybody, otherwise, or not at all, and in which frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.deidentify.plan import Method
from app.review.types import COVER_LABELS, FILL_LABELS, LOOK_LABELS
from widgets.dialogs.message import primary
from widgets.paragraph import Paragraph

_SEEN = (
    "Whoever may be seen can be recognised in the export. Say why: the reason goes into the log of edits and "
    "into the report."
)


@dataclass(frozen=True, slots=True)
class CoverChoice:
    """What was chosen. ``method`` None: spared, with ``reason``; ``first``, ``last`` inclusive frames."""

    person: int
    method: Method | None
    reason: str
    first: int
    last: int


class CoverPersonDialog(QDialog):
    """Signals: chosen(CoverChoice)."""

    chosen = Signal(object)

    def __init__(
        self, person: int, name: str, default: Method, spans: list[tuple[str, int, int]],
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        """``spans``: words, first and last frame of what can be chosen; the first one is proposed."""
        super().__init__(parent)
        self._person, self._spans = person, spans
        self.setWindowTitle(f"Cover {name}")
        self.setFixedWidth(440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 16)
        column.setSpacing(10)
        column.addWidget(Paragraph(f"How {name} is covered", "name"))
        self.otherwise, self.seen = QRadioButton("Covered otherwise"), QRadioButton("May be seen")
        self.otherwise.setChecked(True)
        self.cover, self.fill, self.look = _combo(COVER_LABELS), _combo(FILL_LABELS), _combo(LOOK_LABELS)
        for box, value in ((self.cover, default.cover), (self.fill, default.fill), (self.look, default.look)):
            box.setCurrentIndex(box.findData(value))
        grid = QGridLayout()
        grid.setContentsMargins(22, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        self._look_label = _quiet("Look")
        for i, (label, box) in enumerate(
            ((_quiet("What"), self.cover), (_quiet("With"), self.fill), (self._look_label, self.look))
        ):
            grid.addWidget(label, i, 0)
            grid.addWidget(box, i, 1)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, for example: has given consent")
        self.reason.setAccessibleName("Reason")
        self.reason.setMaxLength(500)
        self._warning = Paragraph(_SEEN, "secondary")
        reason = QVBoxLayout()
        reason.setContentsMargins(22, 0, 0, 0)
        reason.addWidget(self.reason)
        reason.addWidget(self._warning)
        column.addWidget(self.otherwise)
        column.addLayout(grid)
        column.addWidget(self.seen)
        column.addLayout(reason)
        column.addSpacing(6)
        when = Paragraph("WHEN", "section")
        column.addWidget(when)
        self.when = QButtonGroup(self)
        for i, (words, _, _) in enumerate(spans):
            button = QRadioButton(words)
            button.setChecked(i == 0)
            self.when.addButton(button, i)
            column.addWidget(button)
        column.addStretch(1)
        column.addSpacing(8)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(self.reject)
        self.apply_button = primary("Apply")
        self.apply_button.clicked.connect(self._apply)
        buttons.addWidget(cancel)
        buttons.addWidget(self.apply_button)
        column.addLayout(buttons)
        how = QButtonGroup(self)
        how.addButton(self.otherwise)
        how.addButton(self.seen)
        self.seen.toggled.connect(self._show_state)
        self.fill.currentIndexChanged.connect(self._show_state)
        self.reason.textChanged.connect(self._show_state)
        self._show_state()

    def _show_state(self) -> None:
        seen = self.seen.isChecked()
        for widget in (self.cover, self.fill):
            widget.setEnabled(not seen)
        self.look.setEnabled(not seen and self.fill.currentData() == "mesh")
        self._look_label.setEnabled(self.look.isEnabled())
        self.reason.setEnabled(seen)
        ready = not seen or bool(self.reason.text().strip())
        self.apply_button.setEnabled(ready)
        self.apply_button.setToolTip("" if ready else "Say why this person may be seen")
        if seen and not self.reason.text():
            self.reason.setFocus()

    def _apply(self) -> None:
        _, first, last = self._spans[self.when.checkedId()]
        method = None
        if not self.seen.isChecked():
            method = Method(self.cover.currentData(), self.fill.currentData(), self.look.currentData())
        self.chosen.emit(CoverChoice(self._person, method, self.reason.text().strip(), first, last))
        self.accept()


def _combo(labels: Mapping[Any, str]) -> QComboBox:
    box = QComboBox()
    for value, text in labels.items():
        box.addItem(text, value)
    return box


def _quiet(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "secondary")
    label.setMinimumWidth(52)
    return label
