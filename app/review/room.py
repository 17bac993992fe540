"""The cameras of one room beside each other: one of them is open, the others are looked through."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from app.deidentify.editing import RULE
from app.export.cameras import CameraExport
from app.project.room import RoomNote
from app.review.eye import Eye, Peek
from app.review.newest import NewestWins
from app.review.session import Session
from app.review.together import SHARED, OtherCamera
from app.review.types import CameraView, Scene


class Room:
    """All cameras of the open project's room. Belongs to the thread that made it, but for the callbacks.

    Args:
        session: the camera that is open. changed: called from a worker whenever a camera has been looked up.
    """

    def __init__(self, session: Session, note: RoomNote, changed: Callable[[], None]) -> None:
        self.note = note
        self.current = note.index
        folder = session.project_path.parent
        paths = [folder / c.project for c in note.cameras]
        paths[self.current] = session.project_path  # it may have been renamed
        self._paths = paths
        self._eyes = [Eye(p, note.room, c.name) for p, c in zip(paths, note.cameras)]
        self._sessions: dict[int, Session] = {self.current: session}
        self._changed = changed
        self._closed = False
        self.look_s = 0.0
        """How long it took to look through all cameras, the last time."""
        self._worker = NewestWins("cameras")
        self._stale: set[int] = set()
        self.fitted_together: Callable[[Sequence[str]], None] = lambda names: None
        """Told of the other cameras whose bodies a correction has changed."""
        self.covered_together: Callable[[Sequence[str]], None] = lambda names: None
        """Told of the other cameras in which somebody is covered in another way from now on."""
        self._share(self.current, session)
        self._wanted: tuple[list[int], Callable[[int, Peek], None]] | None = None
        self._worker.submit(self._look)

    @staticmethod
    def of(session: Session, changed: Callable[[], None]) -> Room | None:
        """The room of a project; None where it stands alone."""
        note = session.room_note
        return Room(session, note, changed) if note is not None and len(note.cameras) > 1 else None

    def _look(self) -> None:
        """Look through every camera at the moment that is wanted; the first time opens them one by one."""
        begun, since = self._wanted, time.monotonic()
        for i, eye in enumerate(self._eyes):
            if self._closed or (begun is not self._wanted and self.looked_up):
                return  # a newer moment waits
            if not eye.looked_up:
                eye.open()
                self._changed()
            wanted = self._wanted
            if wanted is not None and eye.ready:
                frames, callback = wanted
                callback(i, eye.peek(frames[i]))
        self.look_s = time.monotonic() - since

    def close(self) -> None:
        """Close all that is open but the current session, which has an owner."""
        self._closed = True
        self._worker.close()
        for i, session in self._sessions.items():
            if i != self.current:
                session.close()
        self._sessions.clear()
        for eye in self._eyes:
            eye.close()

    # --- the cameras --------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """What the cameras are called."""
        return tuple(c.name for c in self.note.cameras)

    @property
    def troubles(self) -> tuple[tuple[str, str], ...]:
        """A few words and the whole for each camera that cannot be opened; "" where it can."""
        return tuple((e.trouble, e.why) for e in self._eyes)

    @property
    def looked_up(self) -> bool:
        """Whether it is known of every camera if it can be opened."""
        return all(e.looked_up for e in self._eyes)

    def usable(self, camera: int) -> bool:
        """Whether a camera can be switched to."""
        return 0 <= camera < len(self._eyes) and self._eyes[camera].ready

    def views(self) -> list[tuple[int, str, CameraView]]:
        """Number, name and place of every calibrated camera."""
        pairs = zip(range(len(self._eyes)), self.names, self._eyes)
        return [(i, name, eye.camera) for i, name, eye in pairs if eye.camera is not None]

    def has(self, session: Session) -> bool:
        """Whether a session is one of this room's."""
        return any(s is session for s in self._sessions.values())

    def switch(self, camera: int) -> Session:
        """Open a camera's project, or take it up again; it is the current one from now on.

        Raises:
            ProjectError, MissingFootage, FootageError: it cannot be opened.
        """
        session = self._sessions.get(camera)
        if session is None:
            session = Session.open_project(self._paths[camera])
            self._sessions[camera] = session
            self._share(camera, session)
        elif camera in self._stale:
            session.catch_up()
        self._stale.discard(camera)
        before = self._sessions.get(self.current)
        if before is not None and before is not session:
            before.rest()
        session.set_tolerance(before.tolerance_mm if before is not None else session.tolerance_mm)
        self.current = camera
        return session

    def frame_in(self, camera: int, frame: int) -> int:
        """The frame of another camera at the moment of ``frame`` of the current one; may lie outside."""
        return self._between(self.current, camera, frame)

    def _between(self, here: int, there: int, frame: int) -> int:
        cameras = self.note.cameras
        return frame - cameras[here].offset + cameras[there].offset

    def person_in(self, camera: int, person: int | None) -> int | None:
        """Another camera's number of the current one's person; None where it knows nobody of that number."""
        if person is None:
            return None
        number = self._eyes[self.current].number_of(person)
        return None if number is None else self._eyes[camera].track_of(number)

    def person_of_body(self, person: int) -> int | None:
        """The current camera's number of a body that :meth:`whole` added."""
        return self._eyes[self.current].track_of(-person)

    def exports(self) -> tuple[CameraExport, ...]:
        """Every camera that can be opened, as an export takes it."""
        each = zip(self.names, self._paths, self._eyes)
        return tuple(
            CameraExport(name, path, eye.footage_path, self.frame_in(i, 0))
            for i, (name, path, eye) in enumerate(each)
            if eye.footage_path is not None
        )

    def audited(self) -> None:
        """An export of all cameras has ended: what its searches found is in the projects."""
        for session in self._sessions.values():
            session.audited()

    def first_with_findings(self) -> int | None:
        """A camera in which something that a search found is open."""
        return next((i for i, e in enumerate(self._eyes) if e.ready and e.has_open_findings()), None)

    # --- edits of all cameras -----------------------------------------------------------------

    def _share(self, camera: int, session: Session) -> None:
        session.share(self.names[camera], partial(self._others, camera), self._edited)

    def _others(self, camera: int, frame: int, track: int) -> list[OtherCamera]:
        number = self._eyes[camera].number_of(track)
        return [
            OtherCamera(
                self.names[i], eye.store, self._between(camera, i, frame),
                None if number is None else eye.track_of(number),
            )
            for i, eye in enumerate(self._eyes)
            if i != camera and eye.store is not None
        ]  # fmt: skip

    def _edited(self, names: Sequence[str], kind: str) -> None:
        self._stale |= {i for i, name in enumerate(self.names) if name in names and i in self._sessions}
        if names and kind in SHARED:
            self.fitted_together(names)
        elif names and kind == RULE:
            self.covered_together(names)

    # --- looking through them -----------------------------------------------------------------

    def forget(self) -> None:
        """Something was edited."""
        session = self._sessions.get(self.current)
        for eye in self._eyes:
            eye.forget(session.tolerance_mm if session is not None else None)

    def peek(self, frame: int, callback: Callable[[int, Peek], None]) -> None:
        """Every camera at the moment of ``frame`` of the current one, from a worker; the newest wins."""
        self._wanted = [self.frame_in(i, frame) for i in range(len(self._eyes))], callback
        self._worker.submit(self._look)

    def whole(self, scene: Scene, camera: CameraView) -> Scene:
        """The scene with the bodies that the current camera does not show, everybody once: for the room."""
        mine = self._eyes[self.current]
        known = {n for p in scene.people if (n := mine.number_of(p.person_id)) is not None}
        people = list(scene.people)
        for i, eye in enumerate(self._eyes):
            if i != self.current and eye.ready:
                more = eye.people_beside(self.frame_in(i, scene.frame), known, camera)
                known |= {-p.person_id for p in more}
                people += more
        return replace(scene, people=tuple(people))
