"""The footage of a project is not where it was: ask for it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from widgets.dialogs.message import ask


def ask_for_footage(parent: QWidget | None, message: str, old_name: str) -> Path | None:
    """Let the person show where it lies now; None where they do not want to."""
    if not ask(parent, "The footage is missing.", message, "Choose the file…"):
        return None
    name, _ = QFileDialog.getOpenFileName(parent, f"Where is {old_name}?", str(Path.home()))
    return Path(name) if name else None
