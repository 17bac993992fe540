"""An export on its way: the stages with ticks, how far it is, and the last frame that was written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from widgets import theme
from widgets.dialogs.progress_head import ProgressHead
from widgets.dialogs.stages import StageList, quiet_line
from widgets.paragraph import Paragraph
from widgets.statusbar import remaining_text

U1 = npt.NDArray[np.uint8]


class LastFrame(QWidget):
    """The last frame that was written, or words where there is none yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixels: U1 | None = None
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.sizeHint().height())
        theme.notifier().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """As wide as the sheet, 16 to 9."""
        return QSize(512, 288)

    @property
    def pixels(self) -> U1 | None:
        """(h, w, 3) what is shown."""
        return self._pixels

    def set_picture(self, rgb: U1 | None, words: str = "") -> None:
        """Show ``rgb`` (h, w, 3); without any, ``words``."""
        self._pixels = None if rgb is None else np.ascontiguousarray(rgb)
        self._words = words
        self.setAccessibleName("The last frame that was written, de-identified" if rgb is not None else words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture as large as it fits."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        room = QRectF(self.rect())
        frame = QPainterPath()
        frame.addRoundedRect(room, 6, 6)
        painter.setClipPath(frame)
        painter.fillRect(self.rect(), palette.canvas)
        if self._pixels is None:
            painter.setPen(palette.secondary)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, self._words)
            return
        height, width = self._pixels.shape[:2]
        image = QImage(self._pixels.data, width, height, self._pixels.strides[0], QImage.Format.Format_RGB888)
        scale = min(room.width() / width, room.height() / height)
        target = QRectF(0, 0, width * scale, height * scale)
        target.moveCenter(room.center())
        painter.drawImage(target, image)


class ExportWorking(QWidget):
    """Signals: stop_wanted()."""

    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.picture = LastFrame()
        self.caption = quiet_line()
        self._head = ProgressHead()
        column.addWidget(self.picture)
        column.addWidget(self.caption)
        column.addSpacing(4)
        column.addWidget(self._head)
        column.addSpacing(6)
        self._list = StageList()
        column.addWidget(self._list)
        column.addStretch(1)
        column.addSpacing(6)
        column.addWidget(
            Paragraph("Files get their names only when they are whole and have been read back.", "secondary")
        )
        row = QHBoxLayout()
        row.addStretch(1)
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Nothing half-written stays")
        self.stop.clicked.connect(self.stop_wanted)
        row.addWidget(self.stop)
        column.addLayout(row)

    @property
    def stages(self) -> tuple[tuple[str, int], ...]:
        """Every stage's name and state: 0 later, 1 now, 2 done."""
        return self._list.stages

    def begin(self, *, video: bool) -> None:
        """An export is about to start; ``video``: frames will be written, and shown."""
        self.set_stages(())
        self.picture.setVisible(video)
        self.caption.setVisible(video)
        self.picture.set_picture(None, "The first frames appear here, de-identified")
        self.caption.setText("")
        self._head.start("Starting…")

    def set_stages(self, stages: Sequence[tuple[str, str]]) -> None:
        """What is to come: names and texts."""
        self._list.set_stages(stages)

    def start_stage(self, name: str, text: str) -> None:
        """A stage begins; all before it are done."""
        self._list.start(name, text)
        self._head.start(text)

    def set_progress(self, done: int, total: int, remaining_s: float | None, text: str) -> None:
        """How far the stage is."""
        left = remaining_text(remaining_s)
        self._head.say(text)
        self._head.set_left(f"{done} of {total}" + (f" · {left}" if left else ""))
        self._head.set_share(done, total)

    def show_frame(self, frame: int, rgb: U1) -> None:
        """Frame ``frame`` as it has just been written, (h, w, 3)."""
        self.picture.set_picture(rgb)
        self.caption.setText(f"Frame {frame + 1} as it was written")
