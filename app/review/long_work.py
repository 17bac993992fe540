"""What a session does beside the window: running, exporting, carrying along. One at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.audit.finish import finish_verification
from app.errors import ProjectError
from app.export.cameras import CameraExport
from app.pipeline.engine import require_networks
from app.pipeline.events import Job, Listener
from app.pipeline.job import Control, ThreadJob
from app.pipeline.process_job import ProcessJob
from app.pipeline.tasks import export_cameras_task, export_task, run_task
from app.project.edits import Edit, Prepared
from app.review.carry import Carried, carry, find_span, store_carried
from app.review.editing import Editor
from app.review.types import CarryRange, DeidSettings, ExportRequest, RunOptions
from backends.background import Plate, StillRoom

READ_ONLY = "This project is open for reading only. Save a copy to work on it."
_PATIENCE_S = 10.0


class LongWork:
    """Starts jobs on one project and stops them at its end."""

    def __init__(self, editor: Editor, footage: Path, fps: float, n_frames: int) -> None:
        self._editor = editor
        self._store = editor.store
        self._footage = footage
        self._fps = fps
        self._n_frames = n_frames
        self._jobs: list[Job] = []
        self._carried: tuple[Carried, Prepared] | None = None

    def close(self) -> None:
        """Stop everything."""
        for job in self._jobs:
            job.cancel()
        for job in self._jobs:
            job.wait(_PATIENCE_S)

    def run(self, options: RunOptions, listener: Listener) -> Job:
        """See :meth:`app.review.session.Session.run`."""
        require_networks(hands_face=options.hands_face)
        self._alone()
        arguments = (self._store.path, self._footage, options)
        return self._kept(ProcessJob("run", run_task, arguments, listener))

    def export(
        self, request: ExportRequest, deid: DeidSettings, plate: Plate | StillRoom | None, listener: Listener,
        cameras: Sequence[CameraExport] = (),
    ) -> Job:  # fmt: skip
        """See :meth:`app.review.session.Session.export`."""
        self._alone()
        if cameras:
            all_of_them = (tuple(cameras), request, deid)
            return self._kept(ProcessJob("export", export_cameras_task, all_of_them, listener))
        arguments = (self._store.path, self._footage, request, deid, plate)
        return self._kept(ProcessJob("export", export_task, arguments, listener))

    def verify(self, folder: Path, listener: Listener) -> Job:
        """See :meth:`app.review.session.Session.finish_verification`."""
        self._alone()
        return self._kept(ThreadJob("verify", lambda _: finish_verification(self._store, folder), listener))

    def carry(self, frame: int, track: int, reach: CarryRange, listener: Listener) -> Job:
        """See :meth:`app.review.session.Session.carry`."""
        self._alone()
        self._carried = None
        span = find_span(self._store, track, frame, reach, self._fps, self._n_frames)

        def work(control: Control) -> dict[str, Any]:
            carried = carry(self._store, self._editor.stage, span, frame, self._fps, control, listener)
            self._carried = carried, self._editor.prepare_people(carried.people, control.check)
            return {"first": span.first, "last": span.last, "frames": len(carried.people)}

        return self._kept(ThreadJob("carry", work, listener))

    def keep_carried(self) -> Edit | None:
        """Store what the last :meth:`carry` came to; None where there is nothing.

        Raises:
            ProjectError: the frames have been edited since.
        """
        carried, self._carried = self._carried, None
        return store_carried(self._editor, *carried) if carried is not None else None

    def _alone(self) -> None:
        self._jobs = [j for j in self._jobs if j.running]
        if self._jobs:
            raise ProjectError("Something is running already. Wait for it to end or cancel it first.")

    def _kept(self, job: Job) -> Job:
        self._jobs.append(job)
        return job
