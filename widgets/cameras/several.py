"""Several cameras put together from the window: looks at what is added, starts the work, opens what came."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMainWindow

from app.errors import ModelError
from app.multiview.inspection import (
    CALIBRATION_SUFFIXES,
    VIDEO_SUFFIXES,
    FoundCamera,
    Inspection,
    default_output,
    gather,
    inspect,
    look_at,
    request_for,
)
from app.multiview.task import views_task
from app.multiview.types import ViewsRequest
from app.pipeline.engine import require_networks
from app.pipeline.events import (
    CancelledByUser,
    Event,
    Failed,
    Finished,
    Job,
    Listener,
    Progress,
    StagesPlanned,
    StageStarted,
    Warned,
)
from app.pipeline.job import Control, ThreadJob
from app.pipeline.process_job import ProcessJob
from widgets.cameras.dialog import CamerasDialog
from widgets.controller import Controller
from widgets.settings import Settings
from widgets.work import Work

CAMERA_SUFFIXES = VIDEO_SUFFIXES | CALIBRATION_SUFFIXES
"""Several such files dropped at once are several cameras."""


class SeveralCameras(QObject):
    """The dialog's other half.

    Signals: finished(path of the first project); failed(message); networks_missing(message); changed().
    """

    finished = Signal(object)
    failed = Signal(str)
    networks_missing = Signal(str)
    changed = Signal()

    def __init__(self, window: QMainWindow, controller: Controller, work: Work, settings: Settings) -> None:
        super().__init__(window)
        self._window, self._c, self._work, self._settings = window, controller, work, settings
        self._bridge = controller.bridge
        self.dialog: CamerasDialog | None = None
        self._sources: list[tuple[Path, str]] = []
        self._seen: dict[Path, FoundCamera] = {}
        self._calibration: Path | None = None
        self._chosen_output = False
        self._setting_output = False
        self._job: Job | None = None
        self._looking: list[Job] = []
        self._request: ViewsRequest | None = None
        self._warnings: list[str] = []
        self._first: Path | None = None

    @property
    def running(self) -> bool:
        """While cameras are being put together."""
        return self._job is not None

    # --- choosing -----------------------------------------------------------------------------

    def show(self, paths: Sequence[Path] = ()) -> CamerasDialog:
        """Open the dialog, with files where there are some; one that is open comes to the front."""
        dialog = self.dialog
        if dialog is None:
            dialog = self.dialog = CamerasDialog(self._window)
            dialog.folder = Path(self._settings.get("folder", str(Path.home())))
            dialog.added.connect(self.add)
            dialog.removed.connect(self._remove)
            dialog.calibration_chosen.connect(self._calibrate)
            dialog.output_changed.connect(self._output_changed)
            dialog.start_wanted.connect(self.start)
            dialog.stop_wanted.connect(self.cancel)
            dialog.look_wanted.connect(self._look_at_it)
            dialog.finished.connect(self._closed)
            self._refresh()
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
        if paths and not self.running:
            self.add(paths)
        return dialog

    def add(self, paths: Sequence[Path]) -> None:
        """Videos, folders, a calibration: whatever was dropped or chosen."""
        try:
            sources, names, calibration = gather(paths)
        except OSError as error:
            self.failed.emit(f"That folder cannot be read: {error.strerror}.")
            return
        known = {p.resolve() for p, _ in self._sources}
        fresh = [(p, n) for p, n in zip(sources, names) if p.resolve() not in known]
        self._sources += fresh
        self._calibration = calibration or self._calibration
        if paths:
            self._settings.set("folder", str(paths[0].parent))
        if self._sources and not self._chosen_output:
            self._propose(default_output([p for p, _ in self._sources]))
        for path, name in fresh:
            taken = self._bridge.to_window(partial(self._looked, path))
            self._looking.append(ThreadJob("look", partial(_look, path, name), taken))
        self._refresh()

    def _looked(self, path: Path, event: Event) -> None:
        self._looking = [job for job in self._looking if job.running]
        if isinstance(event, Finished):
            self._seen[path] = event.summary["camera"]
        elif isinstance(event, Failed):
            self._seen[path] = FoundCamera(path, path.stem, trouble=event.message)
        self._refresh()

    def _remove(self, path: Path) -> None:
        self._sources = [(p, n) for p, n in self._sources if p != path]
        self._seen.pop(path, None)
        self._refresh()

    def _calibrate(self, path: Path) -> None:
        self._calibration = path
        self._refresh()

    def _propose(self, folder: Path) -> None:
        if self.dialog is not None:
            self._setting_output = True
            self.dialog.set_output(folder)
            self._setting_output = False

    def _output_changed(self) -> None:
        self._chosen_output = self._chosen_output or not self._setting_output
        self._refresh()

    def _inspect(self) -> Inspection:
        seen = [self._seen[p] for p, _ in self._sources if p in self._seen]
        return inspect(seen, self._calibration, self.dialog.output if self.dialog is not None else None)

    def _refresh(self) -> None:
        if self.dialog is None or self.dialog.working:
            return
        found = self._inspect()
        waiting = [(p, n) for p, n in self._sources if p not in self._seen]
        self.dialog.set_cameras(found.cameras, waiting)
        self.dialog.set_inspection(found, waiting=bool(waiting))

    # --- working ------------------------------------------------------------------------------

    def start(self) -> None:
        """Put the cameras together, in a process of its own."""
        dialog, found = self.dialog, self._inspect()
        if dialog is None or dialog.output is None or not found.ready or self.running:
            return
        offsets = dialog.offsets([c.path for c in found.cameras])
        request = request_for(
            found, dialog.output, offsets, hands_face=self._work.hands_face, body=self._work.body,
            refine=dialog.refine.isChecked(),
        )  # fmt: skip
        try:
            require_networks(hands_face=request.hands_face)
        except ModelError as error:
            self.networks_missing.emit(str(error))
            return
        self._request, self._warnings, self._first = request, [], None
        dialog.begin()
        self._job = self._started(request, self._bridge.to_window(self._happened))
        self.changed.emit()

    def _started(self, request: ViewsRequest, listener: Listener) -> Job:
        return ProcessJob("several cameras", views_task, (request,), listener)

    def cancel(self) -> None:
        """Stop; what is finished is kept."""
        if self._job is not None:
            self._job.cancel()

    def _happened(self, event: Event) -> None:
        if self.dialog is None:
            return
        page = self.dialog.work_page
        if isinstance(event, StagesPlanned):
            page.set_stages(event.stages)
        elif isinstance(event, StageStarted):
            page.start_stage(event.stage, event.text)
        elif isinstance(event, Progress):
            page.set_progress(event.done, event.total, event.remaining_s, event.unit)
        elif isinstance(event, Warned):
            words = _in_the_window(event.text)
            self._warnings.append(words)
            page.warn(words)
        elif isinstance(event, Finished | Failed | CancelledByUser):
            self._ended(event)

    def _ended(self, event: Finished | Failed | CancelledByUser) -> None:
        self._job = None
        self.changed.emit()
        assert self.dialog is not None
        assert self._request is not None
        if isinstance(event, Failed):
            self.dialog.set_ended("The cameras could not be put together", event.message)
        elif isinstance(event, CancelledByUser):
            self.dialog.set_ended(
                "Stopped", "What was found is kept in the cameras' projects: start again to go on from there."
            )
        else:
            projects = [Path(p) for p in event.summary["projects"]]
            self._first = projects[0] if projects else None
            to_open = self._first is not None and self._c.session is not None
            self.dialog.set_done(event.summary, self._request.output, self._warnings, to_open=to_open)
            # Whoever looks at something else meanwhile goes on with it until they press the button.
            if self._first is not None and self._c.session is None:
                self.finished.emit(self._first)
                self._first = None

    def _look_at_it(self) -> None:
        if self._first is not None:
            if self._work.running:
                self.failed.emit("Something is running in the window. Wait for it to end, or stop it.")
                return
            self.finished.emit(self._first)
        if self.dialog is not None:
            self.dialog.accept()

    def _closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = None
        self._sources, self._seen, self._calibration = [], {}, None
        self._chosen_output = False

    def shut_down(self) -> None:
        """The window closes."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            job.wait(10.0)
        for looking in self._looking:
            looking.wait(5.0)


def _in_the_window(text: str) -> str:
    """Words that name options of the command line, with what they are called here."""
    for option, here in ((" (--refine-cameras)", " (go back, and tick it)"), (" (--offsets)", "")):
        text = text.replace(option, here)
    return text


def _look(path: Path, name: str, control: Control) -> dict[str, object]:
    return {"camera": look_at(path, name)}


__all__ = ["CAMERA_SUFFIXES", "SeveralCameras"]
