"""Several cameras on their way: one stage a camera, how far it is, what is left of everything, a way out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from widgets.dialogs.progress_head import ProgressHead
from widgets.dialogs.stages import StageList, quiet_line
from widgets.paragraph import Paragraph
from widgets.statusbar import remaining_text


class CamerasWorking(QWidget):
    """Signals: stop_wanted()."""

    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._head, self._count = ProgressHead(), quiet_line()
        column.addWidget(self._head)
        column.addWidget(self._count)
        column.addSpacing(10)
        self.list = StageList()
        column.addWidget(self.list)
        self.warnings = Paragraph("", "warning")
        self.warnings.hide()
        column.addSpacing(6)
        column.addWidget(self.warnings)
        column.addStretch(1)
        column.addWidget(
            Paragraph(
                "What is found is kept in each camera's project. Stopped or cut off, the same start goes on "
                "from there.",
                "secondary",
            )
        )
        row = QHBoxLayout()
        row.addStretch(1)
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("What is finished is kept")
        self.stop.clicked.connect(self._stopping)
        row.addWidget(self.stop)
        column.addLayout(row)

    def begin(self) -> None:
        """It is about to start."""
        self.list.set_stages(())
        self._head.start("Starting…")
        self._count.setText("")
        self.stop.setEnabled(True)
        self.warnings.setText("")
        self.warnings.hide()

    def _stopping(self) -> None:
        self.stop.setEnabled(False)
        self._head.say("Stopping…")
        self._head.set_left("")
        self.stop_wanted.emit()

    def set_stages(self, stages: Sequence[tuple[str, str]]) -> None:
        """What is to come: names and texts."""
        self.list.set_stages(stages)

    def start_stage(self, name: str, text: str) -> None:
        """A stage begins, or a part of it."""
        if self.stop.isEnabled():
            self.list.start(name, text)
            self._head.say(text)
            self._head.set_share(0, 1)
            self._count.setText("")

    def set_progress(self, done: int, total: int, remaining_s: float | None, unit: str) -> None:
        """How far the part is; ``remaining_s`` of everything."""
        if not self.stop.isEnabled():
            return
        self._head.set_share(done, total)
        self._count.setText(f"{done:,} of {total:,} {unit}".replace(",", " "))
        left = remaining_text(remaining_s)
        if left:
            self._head.set_left(f"about {left}")

    def warn(self, text: str) -> None:
        """Something that a person should know."""
        before = self.warnings.text()
        self.warnings.setText(f"{before}\n{text}" if before else text)
        self.warnings.show()
