"""What came out of an export: files, whether it is verified, what is still open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from widgets.dialogs.message import primary
from widgets.panels.paint import counted
from widgets.paragraph import Paragraph

_BESIDE_NAMES = 220
"""Logical pixels of a row of files that its name does not have."""


def size_text(n_bytes: int) -> str:
    """ "2.4 MB"."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{n_bytes} bytes"


def verdict(summary: Any) -> tuple[str, str, str]:
    """Role, heading and words about whether the video may be believed; empty where there is no video."""
    if "verified" not in summary or not any(o["kind"] == "video" for o in summary["outputs"]):
        return "", "", ""
    audit = summary.get("audit") or {}
    n_open = int(audit.get("open", 0))
    if summary["verified"]:
        released = int(audit.get("released", 0))
        more = f" {counted(released, 'finding')} released with a reason." if released else ""
        return (
            "accent", "Verified",
            f"Every frame of the finished file was searched for faces and people: nothing is open.{more}",
        )  # fmt: skip
    if n_open:
        where = ", ".join(c["name"] for c in summary.get("cameras", ()) if c["open"])
        return (
            "bad", f"Not verified: {counted(n_open, 'finding')} open" + (f", in {where}" if where else ""),
            "Somebody may be recognised. Cover each and export again, or release it with a reason. Until "
            "then the file is called “unverified”.",
        )  # fmt: skip
    why = str(summary.get("why_unverified") or "The finished file was not searched for faces and people.")
    return "warning", "Not verified", f"{why} The file is called “unverified”."


class ExportDone(QWidget):
    """Signals: back_wanted(), close_wanted(), review_wanted()."""

    back_wanted = Signal()
    close_wanted = Signal()
    review_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = ""
        self._report = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.result = Paragraph("", "name")
        self.more = Paragraph("", "secondary")
        self.leaks = Paragraph("", "warning")
        self._stamp = QFrame()
        self._stamp.setProperty("role", "card")
        stamp = QVBoxLayout(self._stamp)
        stamp.setContentsMargins(14, 11, 14, 12)
        stamp.setSpacing(3)
        self.stamp, self.stamp_words = Paragraph("", "name"), Paragraph("", "secondary")
        stamp.addWidget(self.stamp)
        stamp.addWidget(self.stamp_words)
        self._files = QGridLayout()
        self._files.setVerticalSpacing(5)
        self._files.setHorizontalSpacing(16)
        self._files.setColumnStretch(0, 1)
        self.spared = Paragraph("", "warning")
        for widget in (self.result, self.more, self._stamp, self.leaks, self.spared):
            column.addWidget(widget)
        column.addSpacing(4)
        column.addLayout(self._files)
        column.addSpacing(8)
        column.addStretch(1)
        row = QHBoxLayout()
        self.again = QPushButton("Back")
        self.again.clicked.connect(self.back_wanted)
        self.show_report = QPushButton("Open report")
        self.show_report.setToolTip("What was done, found, mended and released; for a reviewer")
        self.show_report.clicked.connect(lambda: _open(self._report))
        self.show_folder = QPushButton("Show folder")
        self.show_folder.clicked.connect(lambda: _open(self._folder))
        self.review = primary("Review findings")
        self.review.clicked.connect(self.review_wanted)
        self.close_button = primary("Close")
        self.close_button.clicked.connect(self.close_wanted)
        row.addWidget(self.again)
        row.addStretch(1)
        for button in (self.show_report, self.show_folder, self.close_button, self.review):
            row.addWidget(button)
        column.addLayout(row)

    def set_done(self, summary: Any) -> None:
        """What came out."""
        self._clear_files()
        self._folder, self._report = str(summary["folder"]), str(summary.get("report") or "")
        speed = f" · {summary['video_fps']:.0f} frames/s" if summary.get("video_fps") else ""
        self.result.setText(f"Exported in {summary['seconds']:.0f} s{speed}")
        self.more.setText(self._folder)
        for i, output in enumerate(summary["outputs"]):
            path = Path(output["path"])
            name = Paragraph(self._shortened(path.name))
            name.setToolTip(str(path))
            size = size_text(int(output["bytes"]))
            holds = Paragraph(f"{output['count']} {output['unit']} · {size}", "secondary")
            checked = Paragraph("✓", "accent")
            for column, widget in enumerate((name, holds, checked)):
                widget.setWordWrap(False)
                self._files.addWidget(widget, i, column)
        how = Paragraph("✓ read back after it was written", "secondary")
        how.setWordWrap(False)
        self._files.addWidget(how, len(summary["outputs"]), 0, 1, 3, Qt.AlignmentFlag.AlignRight)
        role, heading, words = verdict(summary)
        self._stamp.setVisible(bool(heading))
        self.stamp.setText(f"✓ {heading}" if role == "accent" else heading)
        self.stamp.setProperty("role", role or "name")
        self.stamp.style().polish(self.stamp)
        self.stamp_words.setText(words)
        uncovered = int(summary.get("uncovered", 0))
        lines = [f"Somebody may be seen in {counted(uncovered, 'frame')}."] if uncovered else []
        lines += [
            f"{c['name']} was not written. {c['error']}" for c in summary.get("cameras", ()) if c["error"]
        ]
        n_spared = int(summary.get("spared", 0))
        who = "1 person was" if n_spared == 1 else f"{n_spared} people were"
        self.spared.setText(f"{who} left visible on purpose; the report says why.")
        self.spared.setVisible(n_spared > 0)
        self.leaks.setText("\n".join(lines))
        self.leaks.setVisible(bool(lines))
        to_review = role == "bad"
        self.review.setVisible(to_review)
        self.close_button.setProperty("role", "" if to_review else "primary")
        self.close_button.style().polish(self.close_button)
        (self.review if to_review else self.close_button).setFocus()
        self.again.hide()
        self.show_report.setVisible(bool(self._report))
        self.show_folder.show()

    def set_failed(self, message: str) -> None:
        """Why not."""
        self._clear_files()
        self.result.setText("The export did not finish")
        self.more.setText(message)
        for widget in (self._stamp, self.leaks, self.spared, self.review, self.show_report, self.show_folder):
            widget.hide()
        self.close_button.setProperty("role", "")
        self.close_button.style().polish(self.close_button)
        self.again.show()
        self.again.setFocus()

    def _shortened(self, name: str) -> str:
        """A name that fits, its end kept: that says what the file is."""
        room = self.width() - _BESIDE_NAMES
        return self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, max(room, 200))

    def _clear_files(self) -> None:
        while self._files.count():
            item = self._files.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()


def _open(path: str) -> None:
    if path:
        QDesktopServices.openUrl(QUrl.fromLocalFile(path))
