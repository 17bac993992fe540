"""The tool behind "Occlusion sensitivity": starts the work, lays the map over the frame, takes it away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QFileDialog

from app.confidence.occlusion import Occlusion
from app.confidence.occlusion_sheet import occlusion_sheet
from app.confidence.task import RESULT, start_occlusion
from app.errors import UnderstudyError
from app.pipeline.events import CancelledByUser, Event, Failed, Finished, Job, Progress
from app.review.types import PersonScene
from widgets.controller import Controller
from widgets.panels.sensitivity import SensitivityCard
from widgets.viewport.heat_map import HeatMap

U1 = npt.NDArray[np.uint8]

_MARGIN = 12
_BELOW_CHIP = 52


class OcclusionTool(QObject):
    """One analysis at a time, of the person chosen in the frame shown.

    Signals: failed(message).
    """

    failed = Signal(str)

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._c = controller
        self._viewport = controller.desk.viewport
        self.card = SensitivityCard(self._viewport)
        self.card.hide()
        self._job: Job | None = None
        self._run = 0
        self._frame = -1
        self._middle = 0.0
        self.result: Occlusion | None = None
        self.card.stopped.connect(self.cancel)
        self.card.closed.connect(self.close)
        self.card.chosen.connect(self._choose)
        self.card.save_wanted.connect(self._ask_save)
        controller.opened.connect(lambda _session: self.close())
        self._viewport.installEventFilter(self)

    @property
    def running(self) -> bool:
        """True while the occluder slides."""
        return self._job is not None

    def start(self) -> None:
        """Analyse the chosen person in this frame."""
        c, session = self._c, self._c.session
        if session is None:
            return
        self.close()
        c.playback.stop()
        people = session.scene(c.frame).people
        person = next((p for p in people if p.person_id == c.person), None)
        if person is None:
            self.failed.emit("The chosen person is not in this frame. Choose a person who is.")
            return
        self._run += 1
        run, self._frame = self._run, c.frame
        self._middle = float(np.nanmean(person.xy[:, 0]))
        self.card.begin(f"{person.name} · frame {c.frame + 1}")
        self._place()
        self.card.show()
        self.card.raise_()

        def arrived(frame: int, image: U1) -> None:
            if run == self._run and self.card.isVisible():
                self._begin(image, person, run)

        def unreadable(frame: int, message: str) -> None:
            if run == self._run:
                self.card.set_failed(message)

        window = c.bridge.to_window
        session.request_frame(c.frame, window(arrived), on_error=window(unreadable))

    def _begin(self, image: U1, person: PersonScene, run: int) -> None:
        session = self._c.session
        if session is None:
            return
        listener = self._c.bridge.to_window(lambda event: self._happened(event, run))
        try:
            self._job = start_occlusion(image, person, session.camera, listener)
        except UnderstudyError as error:
            self.card.set_failed(str(error))

    def cancel(self) -> None:
        """Stop; nothing is kept."""
        if self._job is not None:
            self._job.cancel()
        else:
            self.close()

    def close(self) -> None:
        """Take card and map away, and stop the work."""
        self._run += 1
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self.result = None
        self.card.hide()
        self._viewport.set_heat(None)

    def _happened(self, event: Event, run: int) -> None:
        if run != self._run:
            return
        if isinstance(event, Progress):
            self.card.set_progress(event.done, event.total)
        elif isinstance(event, Finished):
            self._job = None
            self.result = event.summary[RESULT]
            if self._c.mode != "original":
                self._c.set_mode("original")
            self.card.set_result(self.result)
            self._place()
        elif isinstance(event, Failed):
            self._job = None
            self.card.set_failed(event.message)
        elif isinstance(event, CancelledByUser):
            self._job = None
            self.close()

    def _choose(self, name: str, joint: int) -> None:
        if self.result is not None:
            self._viewport.set_heat(HeatMap(self.result, name, joint if joint >= 0 else None, self._frame))
            self._place()

    def _ask_save(self) -> None:
        if self.result is None:
            return
        name = self.card.choice[0]
        chosen, _ = QFileDialog.getSaveFileName(
            self._viewport, "Save figure", f"sensitivity_{name}.png", "Pictures (*.png *.jpg)"
        )
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Write the figure with the 14 panels of the estimator that is chosen."""
        if self.result is None:
            return
        if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            path = path.with_name(path.name + ".png")
        try:
            occlusion_sheet(self.result, self.card.choice[0], self.card.who.text()).save(path)
        except UnderstudyError as error:
            self.failed.emit(str(error))
            return
        self._c.desk.status.show_message(f"Written: {path.name}")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The card stays in its corner."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        """In the corner that is farther from the person."""
        self.card.adjustSize()
        view = self._viewport.canvas.view
        if self._middle > view.picture[0] / 2:
            self.card.move(_MARGIN, _BELOW_CHIP)
        else:
            self.card.move(max(self._viewport.width() - self.card.width() - _MARGIN, 0), _MARGIN)
