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

from app.deidentify.plan import Method, PersonRule
from app.review.privacy import fill_label, method_text
from app.review.types import COVER_LABELS, COVER_WHY_NOT, FILL_LABELS, FILL_WHY_NOT, LOOK_LABELS
from widgets.dialogs.message import fit_height, primary
from widgets.paragraph import Paragraph

_SEEN = (
    "Whoever may be seen can be recognised in the export. Say why: the reason goes into the log of edits and "
    "into the report."
)


@dataclass(frozen=True, slots=True)
class CoverChoice:
    """What was chosen. ``method`` None: spared, with ``reason``; ``first``, ``last`` inclusive frames;
    ``like_everybody``: exceptions in these frames go, whatever ``method`` says."""

    person: int
    method: Method | None
    reason: str
    first: int
    last: int
    like_everybody: bool = False


class CoverPersonDialog(QDialog):
    """Signals: chosen(CoverChoice)."""

    chosen = Signal(object)

    def __init__(
        self, person: int, name: str, default: Method, spans: list[tuple[str, int, int]],
        parent: QWidget | None = None, *, rule: PersonRule | None = None, has_rules: bool = False,
    ) -> None:  # fmt: skip
        """Ask.

        Args:
            spans: words, first and last frame of what can be chosen; the first one is proposed.
            rule: the exception that holds now; has_rules: there are some, here or in other frames.
        """
        super().__init__(parent)
        self._person, self._spans, self._default = person, spans, default
        self._has_rules = has_rules or rule is not None
        self.setWindowTitle(f"Cover {name}")
        self.setFixedWidth(440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 16)
        column.setSpacing(10)
        column.addWidget(Paragraph(f"How {name} is covered", "name"))
        self.like_everybody = QRadioButton(f"Like everybody: {method_text(default, look=True)}")
        self.otherwise, self.seen = QRadioButton("Otherwise"), QRadioButton("Not at all: may be seen")
        self.like_everybody.setVisible(self._has_rules)
        self.otherwise.setChecked(True)
        self.cover, self.fill, self.look = _combo(COVER_LABELS), _combo(FILL_LABELS), _combo(LOOK_LABELS)
        method = (rule.method if rule is not None else None) or default
        for box, value in ((self.cover, method.cover), (self.fill, method.fill), (self.look, method.look)):
            box.setCurrentIndex(box.findData(value))
        self.why_not = Paragraph("", "secondary")
        grid = QGridLayout()
        grid.setContentsMargins(22, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        self._look_label = _quiet("Look")
        for i, (label, box) in enumerate(
            ((_quiet("What"), self.cover), (_quiet("With"), self.fill), (self._look_label, self.look))
        ):
            grid.addWidget(label, i, 0)
            grid.addWidget(box, i, 1)
        grid.addWidget(self.why_not, 3, 1)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, for example: has given consent")
        self.reason.setAccessibleName("Reason")
        self.reason.setMaxLength(500)
        if rule is not None and rule.method is None:
            self.seen.setChecked(True)
            self.reason.setText(rule.reason)
        self._warning = Paragraph(_SEEN, "secondary")
        reason = QVBoxLayout()
        reason.setContentsMargins(22, 0, 0, 0)
        reason.addWidget(self.reason)
        reason.addWidget(self._warning)
        column.addWidget(self.like_everybody)
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
        for choice in (self.like_everybody, self.otherwise, self.seen):
            how.addButton(choice)
            choice.toggled.connect(self._show_state)
        for box in (self.cover, self.fill, self.look):
            box.currentIndexChanged.connect(self._show_state)
        self.reason.textChanged.connect(self._show_state)
        self._show_state()

    def _method(self) -> Method:
        return Method(self.cover.currentData(), self.fill.currentData(), self.look.currentData())

    def _show_state(self) -> None:
        seen, otherwise, method = self.seen.isChecked(), self.otherwise.isChecked(), self._method()
        for widget in (self.cover, self.fill, self.look):
            widget.setEnabled(otherwise)
        self.fill.setItemText(self.fill.findData("mesh"), fill_label(method.cover, "mesh"))
        for part in (self.look, self._look_label):
            part.setVisible(method.fill == "mesh")
        why_not = FILL_WHY_NOT.get(method.fill, "") or COVER_WHY_NOT.get(method.cover, "")
        self.why_not.setText(why_not if otherwise else "")
        self.why_not.setVisible(otherwise and bool(why_not))
        self.reason.setEnabled(seen)
        self._warning.setVisible(seen)
        problem = ""
        if seen and not self.reason.text().strip():
            problem = "Say why this person may be seen"
        elif otherwise and not self._has_rules and _alike(method, self._default):
            problem = "That is how everybody is covered"
        self.apply_button.setEnabled(not problem)
        self.apply_button.setToolTip(problem)
        if seen and not self.reason.text():
            self.reason.setFocus()
        fit_height(self)

    def _apply(self) -> None:
        _, first, last = self._spans[self.when.checkedId()]
        method = None
        if not self.seen.isChecked():
            method = self._method()
        everybody = self.like_everybody.isChecked()
        self.chosen.emit(
            CoverChoice(self._person, method, self.reason.text().strip(), first, last, everybody)
        )
        self.accept()


def _alike(a: Method, b: Method) -> bool:
    """Whether both cover alike: how a mesh looks matters only for a mesh."""
    return (a.cover, a.fill) == (b.cover, b.fill) and (a.fill != "mesh" or a.look == b.look)


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
