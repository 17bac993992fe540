"""Opening videos and projects from the window, and what may go wrong there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow

from app.demo import demo_folder, write_demo_clip
from app.errors import MissingFootage, UnderstudyError
from app.pipeline.events import CancelledByUser, Event, Failed, Finished, Progress
from app.pipeline.job import ThreadJob
from app.review.opening import SUFFIX
from app.review.session import Session
from widgets.controller import Controller
from widgets.dialogs.missing_footage import ask_for_footage
from widgets.dialogs.working import WorkingDialog
from widgets.settings import Settings

_VIDEOS = "*.mp4 *.mov *.mkv *.avi *.ts *.m2ts *.webm *.m4v *.mpg *.mpeg *.wmv"
_PICTURES = "*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp"
_FILTER = (
    f"Videos, pictures and projects ({_VIDEOS} {_PICTURES} *{SUFFIX});;"
    f"Projects (*{SUFFIX});;Videos ({_VIDEOS});;Pictures ({_PICTURES});;All files (*)"
)


class Files(QObject):
    """Opens things. ``failed`` carries what a person should read."""

    failed = Signal(str)

    def __init__(self, window: QMainWindow, controller: Controller, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._settings = settings

    def ask_open(self) -> None:
        """Let the person choose a file."""
        folder = self._settings.get("folder", str(Path.home()))
        name, _ = QFileDialog.getOpenFileName(self._window, "Open video or project", folder, _FILTER)
        if name:
            self._settings.set("folder", str(Path(name).parent))
            self.open_path(Path(name))

    def open_path(self, path: Path) -> None:
        """Open a project, or make one for footage; footage that has one already opens that."""
        try:
            if path.suffix == SUFFIX:
                self._open_project(path)
                return
            beside = path.with_suffix(SUFFIX) if path.is_file() else path.parent / f"{path.name}{SUFFIX}"
            if beside.is_file() and path.exists():
                self._open_project(beside, path)
            else:
                self._show(lambda: Session.create(path))
        except UnderstudyError as error:
            self.failed.emit(str(error))

    def _open_project(self, path: Path, footage: Path | None = None) -> None:
        try:
            self._show(lambda: Session.open_project(path, footage=footage))
        except MissingFootage as missing:
            if footage is not None:
                # The project beside this video is of another one: make a new one under another name.
                self._show(lambda: Session.create(footage))
                return
            found = ask_for_footage(self._window, str(missing), missing.old_name)
            if found is not None:
                self._open_project_at(path, found)

    def _open_project_at(self, path: Path, footage: Path) -> None:
        try:
            self._show(lambda: Session.open_project(path, footage=footage))
        except MissingFootage as missing:
            found = ask_for_footage(self._window, str(missing), missing.old_name)
            if found is not None:
                self._open_project_at(path, found)

    def _show(self, opening: Callable[[], Session]) -> None:
        # Long footage takes a moment: every frame's time is read once.
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            session = opening()
        finally:
            QApplication.restoreOverrideCursor()
        self._settings.add_recent(session.project_path)
        self._controller.open(session)

    def open_demo(self) -> None:
        """Open the demo's project; its footage is drawn first where it has never been."""
        try:
            clip = demo_folder() / "operating room.mp4"
        except UnderstudyError as error:
            self.failed.emit(str(error))
            return
        if clip.is_file():
            self.open_path(clip)
            return
        dialog = WorkingDialog("Drawing an operating room", self._window)
        bridge = self._controller.bridge

        def happened(event: Event) -> None:
            if isinstance(event, Progress):
                dialog.set_progress(event.done, event.total, event.remaining_s)
            elif isinstance(event, Finished | Failed | CancelledByUser):
                dialog.finish()
                if isinstance(event, Finished):
                    self.open_path(clip)
                elif isinstance(event, Failed):
                    self.failed.emit(event.message)

        listener = bridge.to_window(happened)
        self._demo = ThreadJob(
            "demo clip", lambda control: {"frames": write_demo_clip(clip, control, listener)}, listener
        )
        dialog.stopped.connect(self._demo.cancel)
        dialog.open()

    def close(self) -> None:
        """Back to the welcome page."""
        self._controller.close()

    def recent_rows(self) -> list[tuple[str, str, str]]:
        """(name, path, detail) of the projects opened last."""
        rows = []
        for path in self._settings.recent():
            when = datetime.fromtimestamp(path.stat().st_mtime).strftime("%d %b %Y, %H:%M")
            rows.append((path.stem, str(path), f"{when} · in {path.parent.name}"))
        return rows
