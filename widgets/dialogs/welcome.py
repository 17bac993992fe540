"""The first page: open something, try the demo, go on with a recent project."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

_WIDTH = 560


class WelcomePage(QWidget):
    """Signals: open_requested, several_requested, demo_requested, recent_requested(path)."""

    open_requested = Signal()
    several_requested = Signal()
    demo_requested = Signal()
    recent_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        middle = QWidget()
        middle.setFixedWidth(_WIDTH)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        title = QLabel("Understudy")
        title.setProperty("role", "title")
        words = QLabel(
            "See bodies on the people in your footage, and how far each can be trusted. Put right what is "
            "wrong, and export a copy in which nobody can be recognised."
        )
        words.setWordWrap(True)
        words.setProperty("role", "secondary")
        words.setStyleSheet("font-size: 13px;")
        column.addWidget(title)
        column.addWidget(words)
        column.addSpacing(14)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._open = QPushButton("Open video or project…")
        self._open.setProperty("role", "primary")
        self._open.setToolTip("A video, a folder of pictures, one picture, or a project  (Ctrl+O)")
        self._open.clicked.connect(self.open_requested)
        demo = QPushButton("Open the demo")
        demo.setToolTip("A rendered operating room with four people; made on this machine the first time")
        demo.clicked.connect(self.demo_requested)
        several = QPushButton("Several cameras…")
        several.setToolTip("Videos of several calibrated cameras of one room, put together  (Ctrl+Shift+O)")
        several.clicked.connect(self.several_requested)
        for button in (self._open, several, demo):
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        hint = QLabel("or drop a file, or all cameras' files, anywhere")
        hint.setProperty("role", "secondary")
        column.addWidget(hint)
        column.addSpacing(26)
        self._head = QLabel("RECENT PROJECTS")
        self._head.setProperty("role", "section")
        column.addWidget(self._head)
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        column.addLayout(self._list)
        column.addSpacing(26)
        privacy = QLabel(
            "Nothing leaves this machine. Originals are only ever read. Every change is saved at once."
        )
        privacy.setProperty("role", "secondary")
        column.addWidget(privacy)
        row_of_page = QHBoxLayout()
        row_of_page.addStretch(1)
        row_of_page.addWidget(middle)
        row_of_page.addStretch(1)
        whole = QVBoxLayout(self)
        whole.addStretch(2)
        whole.addLayout(row_of_page)
        whole.addStretch(3)
        self.set_recent([])

    def set_recent(self, rows: list[tuple[str, str, str]]) -> None:
        """(name, path, detail) of the projects opened last."""
        while self._list.count():
            item = self._list.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if not rows:
            empty = QLabel("None yet. A project is made beside the video when you open one.")
            empty.setProperty("role", "secondary")
            self._list.addWidget(empty)
        for name, path, detail in rows:
            button = QPushButton()
            button.setProperty("role", "flat")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.setToolTip(path)
            button.setAccessibleName(f"{name}, {detail}")
            button.setFixedHeight(34)
            inner = QHBoxLayout(button)
            inner.setContentsMargins(8, 0, 8, 0)
            title, more = QLabel(name), QLabel(detail)
            title.setProperty("role", "name")
            more.setProperty("role", "secondary")
            for label in (title, more):
                label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            inner.addWidget(title)
            inner.addStretch(1)
            inner.addWidget(more)
            button.clicked.connect(lambda _=False, p=path: self.recent_requested.emit(p))
            self._list.addWidget(button)
