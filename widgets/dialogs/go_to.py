"""Go to a frame number or a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from widgets.dialogs.message import button_row, primary


def parse_place(text: str, times: npt.NDArray[np.float64]) -> int | None:
    """Frame index for "120" (the 120th frame), "1:05", "0:03.5" or "2.5 s"; None where it says nothing.

    Values beyond the ends give the first or last frame.
    """
    words = text.strip().lower().removesuffix("s").strip()
    try:
        if ":" in words:
            seconds = 0.0
            for part in words.split(":"):
                seconds = seconds * 60 + float(part)
        elif text.strip().lower().endswith("s"):
            seconds = float(words)
        else:
            return min(max(int(words) - 1, 0), len(times) - 1)
    except ValueError:
        return None
    if not np.isfinite(seconds):
        return None
    return int(np.argmin(np.abs(times - seconds)))


def ask_for_frame(parent: QWidget | None, frame: int, times: npt.NDArray[np.float64]) -> int | None:
    """Ask; None where the person changed their mind."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Go to")
    dialog.setFixedWidth(340)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(20, 18, 20, 14)
    layout.setSpacing(8)
    label = QLabel(f"Frame (1 to {len(times)}), or time such as 1:05 or 2.5 s")
    label.setProperty("role", "secondary")
    field = QLineEdit(str(frame + 1))
    field.selectAll()
    field.setAccessibleName("Frame or time")
    hint = QLabel()
    hint.setProperty("role", "warning")
    layout.addWidget(label)
    layout.addWidget(field)
    layout.addWidget(hint)
    cancel, go = QPushButton("Cancel"), primary("Go")
    cancel.clicked.connect(dialog.reject)
    button_row(dialog, cancel, go)

    def accept() -> None:
        if parse_place(field.text(), times) is None:
            hint.setText("That is no frame and no time.")
        else:
            dialog.accept()

    go.clicked.connect(accept)
    answer = dialog.exec() == QDialog.DialogCode.Accepted
    place = parse_place(field.text(), times) if answer else None
    dialog.deleteLater()
    return place
