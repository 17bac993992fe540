"""One camera of a room, looked through beside the open project: small pictures, who is in them, bodies."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.errors import MissingFootage, UnderstudyError
from app.footage import Footage
from app.multiview.types import KNOWN_ONLY
from app.pipeline.bodies import project_body
from app.project.room import room_note, room_people
from app.project.store import ProjectStore
from app.review import opening
from app.review.scene import SceneBuilder, camera_view
from app.review.thumbnails import scaled_into
from app.review.types import CameraView, PersonScene
from backends.keypoints.types import Visibility

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

PEEK = (224, 126)
"""Small pictures are no larger than this (width, height): twice what is drawn, for fine screens."""


@dataclass(frozen=True, slots=True, eq=False)
class PeekPerson:
    """Somebody in a small picture: ``xy`` (23, 2) its pixels, ``there`` (23,); ``seen`` False where only the
    other cameras know of them."""

    person_id: int
    color_index: int
    xy: F4
    there: npt.NDArray[np.bool_]
    seen: bool


@dataclass(frozen=True, slots=True, eq=False)
class Peek:
    """A camera at one moment: ``rgb`` (h, w, 3), None where its frame cannot be read or it has none then."""

    frame: int
    rgb: U1 | None
    people: tuple[PeekPerson, ...]


class Eye:
    """A connection of its own to a camera's project. Safe to use from any thread.

    Attributes:
        trouble: a few words where the camera cannot be looked through, "" where it can; why: the whole of it.
    """

    def __init__(self, path: Path, room: str, name: str) -> None:
        self._path, self._room, self._name = path, room, name
        self._lock = threading.Lock()
        self._store: ProjectStore | None = None
        self._footage: Footage | None = None
        self._scenes: SceneBuilder | None = None
        self._people: dict[int, int] = {}
        self._opened = False
        self.camera: CameraView | None = None
        self.n_frames = 0
        self.trouble = ""
        self.why = ""

    def open(self) -> None:
        """Open it, once; a long recording takes a moment. Never raises."""
        with self._lock:
            if not self._opened:
                self._open()
                self._opened = True

    def _open(self) -> None:
        try:
            if not self._path.is_file():
                self._not("missing", f"{self._path.name} is not in this project's folder. Put it back there.")
                return
            store, self._footage = opening.open_project(self._path)
        except MissingFootage as error:
            self._not("footage missing", f"{error} To do so open {self._path.name} by itself.")
            return
        except UnderstudyError as error:
            self._not("cannot be opened", str(error))
            return
        note = room_note(store)
        if note is None or note.room != self._room or note.camera != self._name:
            store.close()
            self._footage.close()
            self._footage = None
            self._not("other recording", f"{self._path.name} is a project of other cameras.")
            return
        camera = store.camera()
        self._store, self.n_frames = store, self._footage.n_frames
        self._scenes = SceneBuilder(store, project_body(store), camera)
        self._people = room_people(store)
        self.camera = camera_view(camera) if camera.calibrated else None

    def _not(self, trouble: str, why: str) -> None:
        self.trouble, self.why = trouble, why

    @property
    def looked_up(self) -> bool:
        """Whether :meth:`open` has been here."""
        return self._opened

    @property
    def ready(self) -> bool:
        """Whether it has been opened and can be looked through."""
        return self._store is not None

    @property
    def store(self) -> ProjectStore | None:
        """The connection, for edits that come from another camera."""
        return self._store

    @property
    def footage_path(self) -> Path | None:
        """Where the footage lies; None where the camera cannot be looked through."""
        footage = self._footage
        return footage.path if footage is not None else None

    def has_open_findings(self) -> bool:
        """Whether something that a search of an export found waits for a person."""
        store = self._store
        return store is not None and bool(store.query("SELECT 1 FROM leaks WHERE state = 'open' LIMIT 1"))

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._opened = True
            store, footage, self._store, self._footage = self._store, self._footage, None, None
            if store is not None:
                store.close()
            if footage is not None:
                footage.close()

    def forget(self, tolerance_mm: float | None = None) -> None:
        """Something was edited."""
        with self._lock:
            if self._scenes is not None and self._store is not None:
                self._scenes.forget()
                self._people = room_people(self._store)
                if tolerance_mm is not None:
                    self._scenes.tolerance_mm = tolerance_mm

    def number_of(self, track: int) -> int | None:
        """The room's number of a track of this camera."""
        return self._people.get(track)

    def track_of(self, number: int) -> int | None:
        """This camera's track of somebody of the room."""
        return next((t for t, n in self._people.items() if n == number), None)

    def peek(self, frame: int) -> Peek:
        """The frame, small, and who is in it."""
        with self._lock:
            store, footage = self._store, self._footage
            if store is None or footage is None or not 0 <= frame < self.n_frames:
                return Peek(frame, None, ())
            try:
                image = footage.frame(frame)
            except UnderstudyError:
                return Peek(frame, None, ())
            small = scaled_into(image, PEEK)
            scale = small.shape[1] / image.shape[1]
            colors = {t.track_id: t.color_index for t in store.tracks() if not t.hidden}
            people = tuple(
                PeekPerson(
                    p.track_id, colors[p.track_id], (p.estimate.keypoints.xy + 0.5) * np.float32(scale),
                    p.estimate.keypoints.visibility != Visibility.ABSENT,
                    p.reviewed or p.estimate.score >= KNOWN_ONLY,
                )
                for p in store.people(frame)
                if p.track_id in colors
            )  # fmt: skip
            return Peek(frame, small, people)

    def people_beside(self, frame: int, known: set[int], seen_from: CameraView) -> list[PersonScene]:
        """Bodies of the room's people whose numbers are not in ``known``, in the axes of another camera.

        Of their keypoints nothing is right there: they are for the room only.
        """
        with self._lock:
            store, scenes, camera = self._store, self._scenes, self.camera
            if store is None or scenes is None or camera is None or not 0 <= frame < self.n_frames:
                return []
            found = []
            tracks = {t.track_id: t for t in store.tracks()}
            # Whoever has no number is known to their own camera only, and stays there.
            wanted = {t for t in tracks if self._people.get(t) not in known and t in self._people}
            scene = scenes.scene(frame, {t: tracks[t] for t in wanted}, processed=True)
            for person in scene.people:
                if person.vertices is None or person.normals is None:
                    continue
                number = self._people[person.person_id]
                turn = (seen_from.R @ camera.R.T).astype(np.float32)
                shift = (seen_from.t - turn @ camera.t).astype(np.float32)
                found.append(
                    replace(
                        person, person_id=-number, vertices=person.vertices @ turn.T + shift,
                        normals=person.normals @ turn.T,
                    )
                )  # fmt: skip
            return found
