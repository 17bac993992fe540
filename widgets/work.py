"""Long work from the window: running, exporting, carrying along; its events on the status bar."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.errors import ModelError, UnderstudyError
from app.export.cameras import CameraExport
from app.pipeline.events import (
    CancelledByUser,
    ChunkStored,
    Event,
    Failed,
    Finished,
    FrameWritten,
    Job,
    Progress,
    StagesPlanned,
    StageStarted,
    Warned,
)
from app.review.types import CarryRange, ExportRequest, RunOptions
from widgets.controller import Controller

_TELL_S = 0.2
_STOPPED = {"carry": "Nothing moved.", "export": "Nothing is left half-written."}
"""What has become of work that was stopped."""


class Work(QObject):
    """One job at a time.

    Signals: changed() when work begins or ends; failed(message); networks_missing(message);
    warned(message); export_stages(pairs of name and text); export_stage(name, text);
    export_progress(done, total, remaining_s or None, text); export_frame(frame, (h, w, 3) as written);
    export_done(summary); export_failed(message).
    """

    changed = Signal()
    failed = Signal(str)
    warned = Signal(str)
    networks_missing = Signal(str)
    export_progress = Signal(object, object, object, object)
    export_stages = Signal(object)
    export_stage = Signal(str, str)
    export_frame = Signal(int, object)
    export_done = Signal(object)
    export_failed = Signal(str)

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._c = controller
        self._job: Job | None = None
        self.kind = ""
        self.hands_face = False
        self.body = "free"
        self._folder: Path | None = None
        """Where the last export went."""
        self._stage = ""
        self._told = 0.0
        controller.opened.connect(self._forget_folder)
        status = controller.desk.status
        status.pause_clicked.connect(self.toggle_pause)
        status.cancel_clicked.connect(self.cancel)

    @property
    def running(self) -> bool:
        """True while something runs."""
        return bool(self.kind)

    def run(self, *, restart: bool = False) -> None:
        """Find people and fit bodies."""
        session = self._c.session
        if session is None or self.running:
            return
        try:
            listener = self._c.bridge.to_window(self._happened)
            # Frames that are there keep the project's body; a project is of one.
            body = self.body if restart or not session.has_results else None
            options = RunOptions(restart=restart, hands_face=self.hands_face, body=body)
            self._job = session.run(listener, options)
        except ModelError as error:
            self.networks_missing.emit(str(error))
            return
        except UnderstudyError as error:
            self.failed.emit(str(error))
            return
        if restart:
            self._c.item = None
        self._begin("run", "Starting…")

    def export(self, request: ExportRequest, cameras: Sequence[CameraExport] = ()) -> None:
        """Write video and data, of all ``cameras`` of the room where some are given."""
        session = self._c.session
        if session is None or self.running:
            return
        try:
            self._job = session.export(request, self._c.bridge.to_window(self._happened), cameras)
        except UnderstudyError as error:
            self.export_failed.emit(str(error))
            return
        self._folder = request.folder
        self._begin("export", "Exporting…")

    def verify(self) -> bool:
        """Give the exported video its name where nothing that was found is open any more."""
        session = self._c.session
        if session is None or self.running:
            return False
        folder = self._folder or session.default_export_folder()
        if not session.may_verify(folder):
            return False
        try:
            self._job = session.finish_verification(folder, self._c.bridge.to_window(self._happened))
        except UnderstudyError as error:
            self.failed.emit(str(error))
            return False
        self._begin("verify", "Giving the verified video its name")
        return True

    def carry(self, reach: CarryRange) -> None:
        """Let the frames around follow what the chosen person's keypoints were corrected to."""
        session, person = self._c.session, self._c.person
        if session is None or person is None or self._c.dragging:
            return
        if self.running:
            self._c.desk.status.show_message("Something is running already: wait for it to end, or stop it.")
            return
        try:
            listener = self._c.bridge.to_window(self._happened)
            self._job = session.carry(self._c.frame, person, reach, listener)
        except UnderstudyError as error:
            self._c.desk.status.show_message(str(error))
            return
        self._begin("carry", "Carrying the correction along")

    def _keep_carried(self) -> None:
        """What the thread came to becomes an edit, here on the window's own."""
        assert self._c.session is not None
        try:
            label = self._c.session.keep_carried()
        except UnderstudyError as error:
            self._c.desk.status.show_message(str(error))
            return
        self._c.show_scene()
        self._c.show_results_soon()
        self._c.cover_again()
        if label is not None:
            self._c.desk.status.show_message(f"{label.text}: done. Undo takes it back.")

    def _forget_folder(self) -> None:
        self._folder = None

    def _begin(self, kind: str, text: str) -> None:
        self.kind, self._stage = kind, text
        self._c.desk.status.set_stage(text)
        self.changed.emit()

    def toggle_pause(self) -> None:
        """Hold, or go on."""
        if self._job is None:
            return
        if self._job.paused:
            self._job.resume()
        else:
            self._job.pause()
        self._c.desk.status.set_paused(self._job.paused)

    def cancel(self) -> None:
        """Stop; what is finished is kept."""
        if self._job is not None:
            self._job.cancel()

    def _happened(self, event: Event) -> None:
        status = self._c.desk.status
        if self._c.session is None:
            return
        if isinstance(event, StageStarted):
            self._stage = event.text
            paused = self._job is not None and self._job.paused
            status.set_stage(event.text)
            status.set_paused(paused)
            if self.kind == "export":
                self.export_stage.emit(event.stage, event.text)
        elif isinstance(event, StagesPlanned):
            self.export_stages.emit(event.stages)
        elif isinstance(event, FrameWritten):
            self.export_frame.emit(event.frame, event.rgb)
        elif isinstance(event, Progress):
            self._show_progress(event)
        elif isinstance(event, ChunkStored):
            self._c.session.refresh(event.first, event.last)
            self._c.show_results_soon()
        elif isinstance(event, Warned):
            self.warned.emit(event.text)
        elif isinstance(event, Finished | Failed | CancelledByUser):
            self._ended(event)

    def _show_progress(self, event: Progress) -> None:
        # Each new text lays the bar out again: five times a second is as often as anybody can read.
        now = time.monotonic()
        if now - self._told < _TELL_S and event.done < event.total:
            return
        self._told = now
        self._c.desk.status.set_progress(event.done, event.total, event.rate, event.remaining_s, event.unit)
        if self.kind == "export":
            self.export_progress.emit(event.done, event.total, event.remaining_s, self._stage)

    def _ended(self, event: Finished | Failed | CancelledByUser) -> None:
        kind, self.kind, self._job = self.kind, "", None
        status = self._c.desk.status
        status.set_idle()
        assert self._c.session is not None
        if kind == "run":
            self._c.session.refresh()
            self._c.show_results()
            self._c.cover_again()
        if isinstance(event, Finished):
            if kind == "export":
                self._c.session.audited()
                self._c.show_results()
                self.export_done.emit(event.summary)
            elif kind == "carry":
                self._keep_carried()
            elif kind == "verify":
                name = Path(event.summary["path"]).name
                status.show_message(f"Verified: the video is called {name} now.", lasting=True)
            else:
                people = event.summary.get("people", 0)
                word = "person" if people == 1 else "people"
                status.show_message(f"Done: {people} {word} in {event.elapsed_s:.0f} s", lasting=True)
        elif isinstance(event, Failed):
            (self.export_failed if kind == "export" else self.failed).emit(event.message)
        else:
            kept = _STOPPED.get(kind, "Everything finished so far is kept.")
            status.show_message(f"Stopped. {kept}")
            if kind == "export":
                self.export_failed.emit(f"You stopped it. {kept}")
        self.changed.emit()
