"""What the audit saw in the exported file, and the two ways to settle it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from widgets import theme

_HEIGHT = 132


class _Picture(QWidget):
    """A picture that fits, on the ground behind pictures."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._image = QImage()
        self.setFixedHeight(_HEIGHT)
        self.setAccessibleName("What was found, cut out of the exported file")

    def set_jpeg(self, jpeg: bytes | None) -> None:
        """Show this; None where there is no picture."""
        self._image = QImage.fromData(jpeg) if jpeg is not None else QImage()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(200, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it in the middle."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(self.rect()), 5, 5)
        painter.fillPath(clip, palette.canvas)
        if self._image.isNull():
            painter.setPen(palette.secondary)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No picture was kept")
            return
        painter.setClipPath(clip)
        scale = min(self.width() / self._image.width(), self.height() / self._image.height(), 4.0)
        width, height = scale * self._image.width(), scale * self._image.height()
        painter.drawImage(
            QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height), self._image
        )


class LeakCard(QWidget):
    """Signals: cover_wanted(), release_wanted(), reopen_wanted()."""

    cover_wanted = Signal()
    release_wanted = Signal()
    reopen_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = _Picture(self)
        self._found_by = QLabel(self)
        self._found_by.setProperty("role", "secondary")
        self._found_by.setWordWrap(True)
        self.cover = QPushButton("Cover", self)
        self.cover.setProperty("role", "primary")
        self.cover.setToolTip("Cover this place through all its frames, and a little before and after (C)")
        self.release = QPushButton("Release…", self)
        self.release.setToolTip("It may stay visible; you say why, and the report repeats it (V)")
        self.reopen = QPushButton("Open again", self)
        self.reopen.setToolTip("Take the decision back")
        self.cover.clicked.connect(self.cover_wanted)
        self.release.clicked.connect(self.release_wanted)
        self.reopen.clicked.connect(self.reopen_wanted)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.cover, self.release, self.reopen):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(6)
        layout.addWidget(self._picture)
        layout.addWidget(self._found_by)
        layout.addLayout(row)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    def set_leak(self, jpeg: bytes | None, found_by: str, *, settled: bool, editable: bool) -> None:
        """Show a finding."""
        self._picture.set_jpeg(jpeg)
        self._found_by.setText(f"Seen in the exported file by: {found_by}")
        self.cover.setVisible(not settled)
        self.release.setVisible(not settled)
        self.reopen.setVisible(settled)
        for button in (self.cover, self.release, self.reopen):
            button.setEnabled(editable)
        self.show()
