"""The de-identified picture of a frame, as the export will make it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.errors import UnderstudyError
from app.export.frames import FrameCoverer
from app.export.plate import build_plate
from app.footage import Footage
from app.pipeline.events import Event
from app.pipeline.job import Control
from app.project.store import ProjectStore
from app.review.newest import NewestWins
from app.review.types import DeidSettings, FrameCallback
from backends.background import Plate
from backends.body import BodyModel


class Preview:
    """Covers single frames on a thread of its own; the newest request wins.

    The background plate is built when it is first needed and kept until the results change.
    """

    def __init__(
        self, store: ProjectStore, footage: Footage, body: BodyModel, changed: Callable[[], None]
    ) -> None:
        self._store = store
        self._footage = footage
        self._body = body
        self._changed = changed
        self._worker = NewestWins("de-identified preview")
        self._control = Control()
        self._lock = threading.Lock()
        self._plate: Plate | None = None
        self._building = False

    @property
    def plate(self) -> Plate | None:
        """The background, once it has been built."""
        return self._plate

    @property
    def building(self) -> bool:
        """True while the background is being built."""
        return self._building

    def forget_plate(self) -> None:
        """The results have changed: the background has to be built anew."""
        with self._lock:
            self._plate = None

    def request(self, index: int, settings: DeidSettings, callback: FrameCallback) -> None:
        """Cover frame ``index``; ``callback(index, rgb)`` runs on the worker thread."""
        self._worker.submit(lambda: self._cover(index, settings, callback))

    def close(self) -> None:
        """Stop."""
        self._control.stop()
        self._worker.close()

    def _cover(self, index: int, settings: DeidSettings, callback: FrameCallback) -> None:
        try:
            plate = self._need_plate() if settings.background == "plate" else None
            coverer = FrameCoverer(self._store, self._body, self._store.camera(), settings, plate)
            callback(index, coverer.cover(index, self._footage.frame(index)))
        except UnderstudyError:
            return  # stopped, or a frame that cannot be read: the window says so where it shows the frame

    def _need_plate(self) -> Plate:
        with self._lock:
            plate = self._plate
        if plate is None:
            self._building = True
            try:
                plate = build_plate(self._store, self._footage, self._control, _ignore)
            finally:
                self._building = False
            with self._lock:
                self._plate = plate
            self._changed()
        return plate


def _ignore(event: Event) -> None:
    """The preview shows its own state; the background's progress is told by ``building``."""
