"""What came of several cameras: how well they agree, what to look at; or why it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from widgets.dialogs.message import primary
from widgets.dialogs.stages import taken_text
from widgets.panels.paint import counted
from widgets.paragraph import Paragraph

_DOUBTFUL_PX = 8.0
_LEGEND = (
    "Seen and not seen count people in every frame; those whom one camera does not see are known from the "
    "others. The last column is how far bodies lie from what the camera sees, in the median."
)


def _cell(text: str, role: str = "", *, right: bool = False) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return label


class CamerasDone(QWidget):
    """Signals: close_wanted(); back_wanted()."""

    close_wanted = Signal()
    back_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.result, self.more = Paragraph("", "name"), Paragraph("", "secondary")
        self.warnings = Paragraph("", "warning")
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 6, 0, 0)
        self._grid.setHorizontalSpacing(22)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(0, 1)
        self.legend = Paragraph(_LEGEND, "secondary")
        for widget in (self.result, self.more, self._table, self.legend, self.warnings):
            column.addWidget(widget)
        column.addStretch(1)
        row = QHBoxLayout()
        self.back = QPushButton("Back")
        self.back.clicked.connect(self.back_wanted)
        self.show_folder = QPushButton("Show folder")
        self.show_folder.setToolTip("Bodies and points as files, and a project for each camera")
        self.show_folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder)))
        self.close_button = primary("Look at it")
        self.close_button.clicked.connect(self.close_wanted)
        row.addWidget(self.back)
        row.addStretch(1)
        row.addWidget(self.show_folder)
        row.addWidget(self.close_button)
        column.addLayout(row)

    def set_done(self, summary: dict[str, Any], folder: str, warnings: Sequence[str]) -> None:
        """It came to its end."""
        self._folder = folder
        people, cameras = int(summary["people"]), summary["cameras"]
        found = counted(people, "person", "people") if people else "Nobody"
        self.result.setText(f"{found} in {counted(len(cameras), 'camera')}, {taken_text(summary['seconds'])}")
        self.more.setText(folder)
        self._clear()
        heads = ("CAMERA", "SEEN", "NOT SEEN", "AWAY FROM KEYPOINTS")
        for column, head in enumerate(heads):
            self._grid.addWidget(_cell(head, "section", right=column > 0), 0, column)
        refined = {row["name"]: row for row in summary.get("refined", ())}
        for i, row in enumerate([*cameras, {"name": "All", **summary["all"]}], start=1):
            px = row["median_px"]
            name = str(row["name"])
            if name in refined:
                moved = refined[name]
                name += f"  (turned {moved['turned_deg']:.1f}°, moved {moved['moved_mm']:.0f} mm)"
            away = "" if px is None else f"{px:.1f} px"
            role = "warning" if px is not None and px > _DOUBTFUL_PX else ""
            cells = (
                (name, "" if i <= len(cameras) else "secondary"),
                (_count(row.get("people_seen")), "secondary"),
                (_count(row.get("people_not_seen")), "secondary"), (away, role),
            )  # fmt: skip
            for column, (text, part) in enumerate(cells):
                self._grid.addWidget(_cell(text, part, right=column > 0), i, column)
        self._table.show()
        self.warnings.setText("\n".join(warnings))
        self.warnings.setVisible(bool(warnings))
        self.legend.show()
        self.back.setVisible(bool(warnings))
        self.show_folder.show()
        self.close_button.show()
        self.close_button.setFocus()

    def set_ended(self, heading: str, message: str) -> None:
        """It was stopped, or it failed."""
        self._clear()
        self.result.setText(heading)
        self.more.setText(message)
        for widget in (self._table, self.legend, self.warnings, self.show_folder, self.close_button):
            widget.hide()
        self.back.show()
        self.back.setFocus()

    def _clear(self) -> None:
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()


def _count(n: int | None) -> str:
    return "" if n is None else f"{n:,}".replace(",", " ")
