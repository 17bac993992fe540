"""The de-identified picture of a frame, as the export will make it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from app.errors import ModelError, UnderstudyError
from app.export.frames import FrameCoverer
from app.export.looks import Wardrobe
from app.export.plate import build_plate, room_of_frame
from app.footage import Footage
from app.pipeline.events import Event, Listener, Progress
from app.pipeline.job import Control
from app.project.store import ProjectStore
from app.review.never_seen import never_seen_overlay
from app.review.newest import NewestWins
from app.review.types import DeidSettings, FrameCallback
from backends.background import Plate, StillRoom
from backends.body import BodyModel

F8 = npt.NDArray[np.float64]
Learning = Callable[[float], None]
Failed = Callable[[str], None]


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
        self._wardrobe = Wardrobe(body)
        self._changed = changed
        self._worker = NewestWins("de-identified preview")
        self._marker = NewestWins("never seen")
        self._one_builds = threading.Lock()
        self._control = Control()
        self._lock = threading.Lock()
        self._plate: StillRoom | None = None
        self._building = False

    @property
    def plate(self) -> StillRoom | None:
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

    def wear(self, body: BodyModel) -> None:
        """The project's people have another body from now on."""
        self._body, self._wardrobe = body, Wardrobe(body)

    def request(
        self, index: int, settings: DeidSettings, callback: FrameCallback,
        learning: Learning = lambda _: None, up: F8 | None = None, failed: Failed = lambda _: None,
    ) -> None:  # fmt: skip
        """Cover frame ``index``; ``callback(index, rgb)`` runs on the worker thread.

        So does ``learning(share)``, where the empty room has to be learnt first: how much of that is done.
        ``up`` (3,) is against gravity, camera axes. ``failed(message)``: nothing can be covered as it
        should be.
        """
        self._worker.submit(lambda: self._cover(index, settings, callback, learning, up, failed))

    def request_never_seen(self, index: int, callback: FrameCallback) -> None:
        """What frame ``index`` of the empty room shows that nobody ever saw.

        ``callback(index, rgba)`` runs on the worker thread, see :mod:`app.review.never_seen`.
        """
        self._marker.submit(lambda: self._show_never_seen(index, callback))

    def close(self) -> None:
        """Stop."""
        self._control.stop()
        self._worker.close()
        self._marker.close()

    def _cover(
        self, index: int, settings: DeidSettings, callback: FrameCallback, learning: Learning, up: F8 | None,
        failed: Failed,
    ) -> None:  # fmt: skip
        try:
            plate = self._need_plate(_shares(learning))
            coverer = FrameCoverer(
                self._store,
                self._body,
                self._store.camera(),
                settings,
                plate,
                wardrobe=self._wardrobe,
                up=up,
            )
            room = self._room(plate, index) if coverer.plan.shows_room else None
            callback(index, coverer.cover(index, self._footage.frame(index), room))
        except ModelError as error:
            failed(str(error))
        except UnderstudyError:
            return  # stopped, or a frame that cannot be read: the window says so where it shows the frame

    def _show_never_seen(self, index: int, callback: FrameCallback) -> None:
        try:
            callback(index, never_seen_overlay(self._room(self._need_plate(_ignore), index)))
        except UnderstudyError:
            return  # as above

    def _room(self, plate: StillRoom, index: int) -> Plate:
        if plate.steady:
            return plate.at(index)
        return room_of_frame(self._store, self._footage, index, self._control)

    def _need_plate(self, listener: Listener) -> StillRoom:
        with self._one_builds:
            plate = self.plate
            if plate is not None:
                return plate
            self._building = True
            try:
                plate = build_plate(self._store, self._footage, self._control, listener)
            finally:
                self._building = False
            with self._lock:
                self._plate = plate
        self._changed()
        return plate


def _ignore(event: Event) -> None:
    """Who asks for what was never seen is not told how far the room is; ``building`` says that it is made."""


def _shares(learning: Learning) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, Progress):
            learning(event.done / max(event.total, 1))

    return listen
