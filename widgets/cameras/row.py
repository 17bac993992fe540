"""One camera in the dialog: its picture, what it is, whether it fits."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QImage, QIntValidator, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.multiview.inspection import FoundCamera
from widgets import theme
from widgets.cameras.thumbnail import as_image, draw_thumbnail, shape_in
from widgets.panels.paint import counted
from widgets.paragraph import Paragraph

_PICTURE = (80, 56)
_MOST_FRAMES = 10_000_000


def facts(camera: FoundCamera) -> str:
    """ "1920 × 1080 · 1 000 frames · 25 frames/s"."""
    if not camera.n_frames:
        return ""
    words = [f"{camera.width} × {camera.height}", counted(camera.n_frames, "frame")]
    if camera.fps:
        words.append(f"{camera.fps:.4g} frames/s")
    return " · ".join(words)


class _Picture(QWidget):
    """The first frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(*_PICTURE)
        self.image: QImage | None = None
        self.mark = "…"
        theme.notifier().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it."""
        painter = QPainter(self)
        place = shape_in(QRectF(self.rect()), self.image)
        place.moveCenter(QRectF(self.rect()).center())
        draw_thumbnail(painter, place, self.image, self.mark)
        painter.end()


class CameraRow(QWidget):
    """Signals: removed()."""

    removed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = _Picture()
        self.name = QLabel(name)
        self.name.setProperty("role", "name")
        self.facts = QLabel("Looking at it…")
        self.facts.setProperty("role", "secondary")
        self.word = Paragraph("", "bad")
        self.word.hide()
        self.calibrated = QLabel("")
        self.calibrated.setProperty("role", "accent")
        self.start = QLineEdit("1")
        self._valid = QIntValidator(1, _MOST_FRAMES, self.start)
        self.start.setValidator(self._valid)
        self.start.setFixedWidth(58)
        self.start.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.start.setToolTip("The frame that shows the moment at which all begin, where clocks differ")
        self.start.setAccessibleName(f"{name} starts at frame")
        remove = QPushButton("×")
        remove.setProperty("role", "flat")
        remove.setFixedSize(26, 26)
        remove.setAutoDefault(False)
        remove.setToolTip("Take this camera away; the file stays")
        remove.setAccessibleName(f"Take {name} away")
        remove.setCursor(Qt.CursorShape.PointingHandCursor)
        remove.clicked.connect(self.removed)
        self.remove_button = remove
        starts = QLabel("Starts at frame")
        starts.setProperty("role", "secondary")
        starts.setBuddy(self.start)
        head = QHBoxLayout()
        head.setSpacing(10)
        for widget in (self.name, self.calibrated):
            head.addWidget(widget)
        head.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 4, 4, 4)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(1)
        grid.setColumnMinimumWidth(0, _PICTURE[0] + 6)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.picture, 0, 0, 4, 1, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(head, 0, 1)
        grid.addWidget(self.facts, 1, 1)
        for column, part in enumerate((starts, self.start, remove), start=2):
            grid.addWidget(part, 0, column, 2, 1)
        grid.addWidget(self.word, 2, 1, 1, 4)
        grid.setRowStretch(3, 1)

    @property
    def offset(self) -> int:
        """The frame of moment 0, counted from 0."""
        text = self.start.text()
        return max(int(text) if text.isdecimal() else 1, 1) - 1

    def set_camera(self, camera: FoundCamera) -> None:
        """What was recognised."""
        self.name.setText(camera.name)
        if self.picture.image is None and camera.thumbnail is not None:
            self.picture.image = as_image(camera.thumbnail)
        self.picture.mark = "!" if camera.trouble else "…"
        self.picture.update()
        self.facts.setText(facts(camera))
        self.facts.setVisible(bool(camera.n_frames))
        # Where the names are alike nothing new is said by repeating it.
        ok = bool(camera.calibrated) and not camera.trouble
        self.calibrated.setText(f"✓ calibrated as {camera.calibrated}" if ok else "")
        words = camera.trouble or camera.doubt
        self.word.setText(words)
        self.word.setVisible(bool(words))
        self.word.setProperty("role", "bad" if camera.trouble else "warning")
        self.word.style().polish(self.word)
        if camera.n_frames:
            self._valid.setTop(camera.n_frames)
