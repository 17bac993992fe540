"""All shortcuts on one page."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

Row = tuple[str, str, str]


class ShortcutsDialog(QDialog):
    """Groups of (label, keys), with a field to look for one."""

    def __init__(self, rows: list[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.resize(860, 640)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 18)
        layout.setSpacing(12)
        self._find = QLineEdit()
        self._find.setPlaceholderText("Look for a shortcut")
        self._find.setClearButtonEnabled(True)
        self._find.setAccessibleName("Look for a shortcut")
        self._find.textChanged.connect(self._filter)
        layout.addWidget(self._find)
        area = QScrollArea()
        area.setWidgetResizable(True)
        page = QWidget()
        columns = QHBoxLayout(page)
        columns.setSpacing(36)
        self._rows: list[tuple[str, QWidget, QWidget]] = []
        self._heads: list[tuple[QWidget, list[QWidget]]] = []
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(row[0], []).append(row)
        sides = [QVBoxLayout(), QVBoxLayout()]
        lengths = [0, 0]
        for name, members in groups.items():
            side = 0 if lengths[0] <= lengths[1] else 1
            lengths[side] += len(members) + 2
            sides[side].addLayout(self._group(name, members))
        for column in sides:
            column.addStretch(1)
            column.setSpacing(18)
            columns.addLayout(column, 1)
        area.setWidget(page)
        layout.addWidget(area, 1)

    def _group(self, name: str, rows: list[Row]) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(5)
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(0, 1)
        head = QLabel(name.upper())
        head.setProperty("role", "section")
        grid.addWidget(head, 0, 0, 1, 2)
        for i, (_, label, keys) in enumerate(rows, start=1):
            words, plate = QLabel(label), QLabel(keys)
            words.setWordWrap(True)
            plate.setProperty("role", "key")
            plate.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(words, i, 0)
            grid.addWidget(plate, i, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._rows.append((f"{name} {label} {keys}".lower(), words, plate))
        self._heads.append((head, [row[1] for row in self._rows[-len(rows) :]]))
        return grid

    def _filter(self, text: str) -> None:
        for words, label, plate in self._rows:
            shown = text.lower() in words
            label.setVisible(shown)
            plate.setVisible(shown)
        for head, members in self._heads:
            head.setVisible(any(not member.isHidden() for member in members))
