"""Which depth sensor's recording the next run reads: none, a folder of pictures, or a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from app.errors import UnderstudyError
from app.review.session import Session
from widgets.commands import Commands
from widgets.controller import Controller
from widgets.dialogs.message import ask
from widgets.settings import Settings
from widgets.work import Work

_NONE, _FOLDER, _FILE = "depth_none", "depth_folder", "depth_file"
_ALL = (_NONE, _FOLDER, _FILE)
_FILES = (".mkv", ".avi", ".npz", ".npy")
_FILTER = "Depth (*.mkv *.avi *.npz *.npy *.png *.tif *.tiff);;All files (*)"


class DepthTool(QObject):
    """The menu of depth. Signals: failed(message)."""

    failed = Signal(str)

    def __init__(
        self, window: QWidget, controller: Controller, work: Work, commands: Commands, settings: Settings
    ) -> None:
        super().__init__(window)
        self._window, self._c, self._work = window, controller, work
        self._commands, self._settings = commands, settings
        self._words = {name: commands[name].text() for name in _ALL}
        self._group = QActionGroup(self)
        self._group.setExclusive(True)
        for name in _ALL:
            self._group.addAction(commands[name])
        commands[_NONE].triggered.connect(lambda: self._choose(None))
        commands[_FOLDER].triggered.connect(self._ask_folder)
        commands[_FILE].triggered.connect(self._ask_file)
        controller.opened.connect(self._opened)
        work.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Tick what runs read."""
        session = self._c.session
        free = session is not None and not session.read_only and not self._work.running
        name = session.depth.name if session is not None else ""
        chosen = _NONE if not name else _FILE if Path(name).suffix.lower() in _FILES else _FOLDER
        for each in _ALL:
            self._commands[each].setEnabled(free)
            self._commands[each].setText(f"{name}…" if name and each == chosen else self._words[each])
        self._commands[chosen].setChecked(True)

    def _opened(self, session: object) -> None:
        """Depth that lies beside new footage is taken without asking, and that is said."""
        if isinstance(session, Session) and not session.has_results and not session.read_only:
            beside = session.depth.beside()
            if beside is not None:
                try:
                    session.depth.use(beside)
                    self._say(f"Depth beside the footage: {session.depth.words}. The run uses it.")
                except UnderstudyError as error:
                    self._say(f"The depth beside the footage is left out. {error}")
        self.refresh()

    def _say(self, text: str) -> None:
        self._c.desk.status.show_message(text, lasting=True)

    def _ask_folder(self) -> None:
        folder = self._settings.get("folder", str(Path.home()))
        name = QFileDialog.getExistingDirectory(self._window, "Choose a folder of depth pictures", folder)
        self._choose(Path(name)) if name else self.refresh()

    def _ask_file(self) -> None:
        folder = self._settings.get("folder", str(Path.home()))
        name, _ = QFileDialog.getOpenFileName(self._window, "Choose depth", folder, _FILTER)
        self._choose(Path(name)) if name else self.refresh()

    def _choose(self, path: Path | None) -> None:
        session = self._c.session
        if session is None or (path is None and not session.depth.name):
            self.refresh()
            return
        anew = session.has_results
        if anew and not self._sure(path is not None):
            self.refresh()
            return
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            session.depth.use(path, restart=anew)
            words = session.depth.words
        except UnderstudyError as error:
            QApplication.restoreOverrideCursor()
            self.failed.emit(str(error))
        else:
            QApplication.restoreOverrideCursor()
            self._say(f"Depth: {words}. The run uses it." if words else "The run reads no depth.")
            if anew:
                self._work.run(restart=True)
        self.refresh()

    def _sure(self, wanted: bool) -> bool:
        how = "without depth" if wanted else "with depth"
        return ask(
            self._window, "Run again from the start?",
            f"The bodies of this project were fitted {how}. The results, and the corrections made in this "
            "project, are replaced. The log of edits stays.", "Run again",
        )  # fmt: skip
