"""The empty room, built while the bodies of a run are still being smoothed.

The last stages of a run do not fill all cores; and from the moment on at which it is settled who is where,
they move bodies only, of which the room knows nothing.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from app.errors import Cancelled, UnderstudyError
from app.export.plate import build_plate
from app.footage import open_footage
from app.pipeline.events import Event, Listener, StageStarted
from app.pipeline.job import Control
from app.project.store import ProjectStore
from backends.background import StillRoom

_POLL_S = 0.1


class RoomAhead:
    """To be used as a context around a run and the export that follows it.

    Args:
        project, video: the files. They are opened a second time, for a thread of its own.
        control: of the run and the export.
    """

    def __init__(self, project: Path, video: Path, control: Control) -> None:
        self._project, self._video = project, video
        self._control = _Child(control)
        self._thread: threading.Thread | None = None
        self._room: StillRoom | None = None

    def __enter__(self) -> RoomAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control.stop()
        if self._thread is not None:
            self._thread.join()

    def begin(self) -> None:
        """It is settled who is where: see ``settled`` of :func:`app.pipeline.run.run_pipeline`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._build, name="room ahead", daemon=True)
            self._thread.start()

    def room(self, listener: Listener) -> StillRoom | None:
        """Wait for the room. None where it was not begun, or failed: then the export builds it and meets the
        fault itself.

        Raises:
            Cancelled: asked to stop.
        """
        if self._thread is None:
            return None
        if self._thread.is_alive():
            listener(StageStarted("plate", "Building the empty room"))
        while self._thread.is_alive():
            self._control.check()
            self._thread.join(_POLL_S)
        self._control.check()
        return self._room

    def _build(self) -> None:
        try:
            store = ProjectStore.open(self._project)
            try:
                with open_footage(self._video) as footage:
                    self._room = build_plate(store, footage, self._control, _ignore)
            finally:
                store.close()
        except (UnderstudyError, OSError):
            self._room = None


class _Child(Control):
    """Stops alone, and with its parent."""

    def __init__(self, parent: Control) -> None:
        super().__init__()
        self._parent = parent

    def check(self) -> bool:
        if self.stopped:
            raise Cancelled("Stopped. Everything finished so far is kept.")
        return self._parent.check()


def _ignore(event: Event) -> None:
    """Nobody listens."""
