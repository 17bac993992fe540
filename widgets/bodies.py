"""Which body the next run gives people: the free one, a licensed one that was added, or a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QFileDialog, QWidget

from app.errors import UnderstudyError
from app.models.bodies import FREE, body_choices, find_body
from widgets.commands import Commands
from widgets.controller import Controller
from widgets.settings import Settings
from widgets.work import Work

_FILE = "body_file"
_SETTING = "body"


class BodyTool(QObject):
    """The menu of bodies. Signals: failed(message)."""

    failed = Signal(str)

    def __init__(
        self, window: QWidget, controller: Controller, work: Work, commands: Commands, settings: Settings
    ) -> None:
        super().__init__(window)
        self._window, self._c, self._work = window, controller, work
        self._commands, self._settings = commands, settings
        self._group = QActionGroup(self)
        self._group.setExclusive(True)
        for choice in body_choices():
            action = commands[f"body_{choice.id}"]
            self._group.addAction(action)
            action.triggered.connect(lambda _=False, name=choice.id: self._choose(name))
        self._group.addAction(commands[_FILE])
        commands[_FILE].triggered.connect(self._ask_file)
        controller.opened.connect(lambda _session: self.refresh())
        work.body = settings.get(_SETTING, FREE)
        self.refresh()

    def refresh(self) -> None:
        """Grey out what has not been added; tick what the next run takes."""
        known = {choice.id: choice.ready for choice in body_choices()}
        for name, ready in known.items():
            action = self._commands[f"body_{name}"]
            action.setEnabled(ready)
            if not ready:
                action.setToolTip(f"Not added yet. Type: understudy models add {name} FILE")
        chosen = self._work.body
        usable = known.get(chosen, Path(chosen).is_file())
        if not usable:
            chosen = self._work.body = FREE
        self._commands[f"body_{chosen}" if chosen in known else _FILE].setChecked(True)
        own = f"{Path(chosen).name}…" if chosen not in known else "A file of your own…"
        self._commands[_FILE].setText(own)

    def _choose(self, name: str) -> None:
        self._work.body = name
        self._settings.set(_SETTING, name)
        self.refresh()
        session = self._c.session
        if session is not None and session.has_results:
            self._c.desk.status.show_message(
                f"This project's bodies are of the kind {session.body_name}. Run again from the start "
                "to change that."
            )

    def _ask_file(self) -> None:
        folder = self._settings.get("folder", str(Path.home()))
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Choose a body", folder, "Bodies (*.npz);;All files (*)"
        )
        try:
            if name:
                find_body(name)
                self._choose(name)
        except UnderstudyError as error:
            self.failed.emit(str(error))
        self.refresh()
