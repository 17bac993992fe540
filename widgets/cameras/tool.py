"""Switches between the cameras of a room: the moment and the chosen person stay."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import UnderstudyError
from app.export.cameras import CameraExport
from app.review.eye import Peek
from app.review.room import Room
from app.review.session import Session
from app.review.types import Scene
from widgets.cameras.strip import CameraStrip
from widgets.commands import Commands
from widgets.controller import Controller
from widgets.work import Work

_PLAYING_MS = 400
"""While it plays the small pictures follow in steps: the large one comes first."""
_REST = 6.0
"""And after each step they rest for so many times as long as it took."""
_STILL_MS = 30
KEYS = 9
"""So many cameras have a key of their own."""


class CameraTool(QObject):
    """Keeps strip, viewport and the open project in step. Signals: failed(message); changed()."""

    failed = Signal(str)
    changed = Signal()

    def __init__(
        self, controller: Controller, work: Work, commands: Commands, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._c, self._work, self._commands = controller, work, commands
        self.room: Room | None = None
        self._told: set[str] = set()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._peek)
        d = controller.desk
        d.cameras.chosen.connect(self.show_camera)
        d.viewport.camera_chosen.connect(self._look_through)
        d.viewport.person_selected.connect(lambda _person: self._mark_person())
        d.people.selected.connect(lambda _person: self._mark_person())
        d.timeline.person_selected.connect(lambda _person: self._mark_person())
        controller.opened.connect(self._opened)
        controller.scene_shown.connect(lambda _frame: self._moved())
        controller.results_changed.connect(self._edited)
        controller.whole_room = self._whole
        work.export_done.connect(lambda _summary: self.room.audited() if self.room is not None else None)

    @property
    def strip(self) -> CameraStrip:
        """The strip over the picture."""
        return self._c.desk.cameras

    # --- the room -----------------------------------------------------------------------------

    def _opened(self, session: object) -> None:
        if not isinstance(session, Session):
            self._leave()
            return
        if self.room is None or not self.room.has(session):
            self._leave()
            self.room = Room.of(session, self._c.bridge.to_window(self._looked_up))
            if self.room is not None:
                self.room.fitted_together = partial(self._also, "Fitted to")
                self.room.covered_together = partial(self._also, "Also in")
        room = self.room
        if room is not None and len(self.strip.cells) != len(room.names):
            keys = [
                self._commands[f"camera_{i}"].shortcut().toString()
                for i in range(1, min(len(room.names), KEYS) + 1)
            ]
            self.strip.set_cameras(room.names, keys)
        self._show_current()
        self.changed.emit()
        self._soon.start(_STILL_MS)

    def _leave(self) -> None:
        self._soon.stop()
        room, self.room = self.room, None
        if room is not None:
            room.close()
        self._told.clear()
        self.strip.set_cameras((), ())
        self._c.desk.viewport.set_cameras([], -1)

    def _looked_up(self) -> None:
        """The others have been opened, or have not."""
        room = self.room
        if room is None or len(self.strip.cells) != len(room.names):
            return
        lost = []
        for cell, (trouble, why) in zip(self.strip.cells, room.troubles):
            cell.set_trouble(trouble, why)
            if trouble:
                lost.append(f"{cell.name} {trouble}")
        self._show_current()
        if lost and room.looked_up:
            self._c.desk.status.show_message(f"Other cameras of this room: {', '.join(lost)}.", lasting=True)
        if self._c.space == "room":
            self._c.show_scene()
        self.changed.emit()

    def _show_current(self) -> None:
        room = self.room
        if room is None:
            return
        self.strip.set_current(room.current)
        self._c.desk.viewport.set_cameras(room.views(), room.current)
        self._mark_person()

    def _mark_person(self) -> None:
        room = self.room
        if room is None:
            return
        for i, cell in enumerate(self.strip.cells):
            cell.set_person(
                self._c.person if i == room.current else room.person_in(i, self._c.person)
            )  # fmt: skip

    @property
    def name(self) -> str:
        """The camera that is looked through; "" where a project stands alone."""
        return self.room.names[self.room.current] if self.room is not None else ""

    def exports(self) -> tuple[CameraExport, ...]:
        """All cameras, for an export in one go; none where a project stands alone."""
        return self.room.exports() if self.room is not None else ()

    def show_findings(self) -> bool:
        """Look through a camera in which an audit's finding is open; False where there is none."""
        camera = self.room.first_with_findings() if self.room is not None else None
        return camera is not None and self.show_camera(camera)

    # --- following the picture ----------------------------------------------------------------

    def _moved(self) -> None:
        if self.room is not None and not self._soon.isActive():
            playing = max(_PLAYING_MS, round(1000 * _REST * self.room.look_s))
            self._soon.start(playing if self._c.playback.playing else _STILL_MS)
        self._mark_person()

    def _edited(self) -> None:
        if self.room is not None:
            self.room.forget()
            self._moved()

    def _also(self, what: str, names: Sequence[str]) -> None:
        """Said once the edit's own words have been, which come first."""
        also = f"{what} {', '.join(names)}; undo takes it back in all of them."
        QTimer.singleShot(0, lambda: self._c.desk.status.show_message(also))

    def _peek(self) -> None:
        if self.room is not None:
            self.room.peek(self._c.frame, self._c.bridge.to_window(partial(self._peeked, self.room)))

    def _peeked(self, room: Room, camera: int, peek: Peek) -> None:
        if room is self.room and camera < len(self.strip.cells):
            self.strip.cells[camera].set_peek(peek)

    def _whole(self, scene: Scene) -> Scene:
        session = self._c.session
        if self.room is None or session is None:
            return scene
        return self.room.whole(scene, session.camera)

    # --- switching ----------------------------------------------------------------------------

    def _look_through(self, camera: int) -> None:
        """A camera in the room was pressed: stand where it stands."""
        if self.show_camera(camera):
            self._c.set_space("camera")

    def show_camera(self, camera: int) -> bool:
        """Look through another camera at the same moment; False where that cannot be."""
        room, c = self.room, self._c
        if room is None or not 0 <= camera < len(room.names):
            return False
        if camera == room.current:
            return True
        status = c.desk.status
        if self._work.running:
            status.show_message("Something is running for this camera. Wait for it to end, or stop it.")
            return False
        if c.dragging:
            return False
        if not room.usable(camera):
            trouble, why = room.troubles[camera]
            status.show_message(
                why if trouble else "This camera is still being opened. Try again in a moment."
            )
            return False
        wanted = room.frame_in(camera, c.frame)
        person = room.person_in(camera, c.person)
        try:
            session = room.switch(camera)
        except UnderstudyError as error:
            self.failed.emit(str(error))
            return False
        c.switch(session, wanted, person)
        if c.frame != wanted:
            status.show_message(f"{room.names[camera]} has no frame at that moment; this is its nearest.")
        return True

    def step(self, by: int) -> None:
        """The next camera that can be looked through, or the one before."""
        room = self.room
        if room is None:
            return
        n = len(room.names)
        order = [(room.current + by * k) % n for k in range(1, n)]
        for camera in order:
            if room.usable(camera):
                self.show_camera(camera)
                return
