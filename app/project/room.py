"""What a project remembers of its siblings: which cameras filmed the same room, and who is who in it.

Each camera has a project of its own. They lie in one folder and know each other by file name and by the
room's own random number, so that a project that is merely called alike is not taken for a sibling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from app.project.arrays import to_json
from app.project.store import NOTES, ProjectStore

_ROOM = "room"
_PEOPLE = f"{NOTES}room_people"
"""A run's own note: whoever runs a project again from its own camera alone numbers people anew."""
_MOST = 64


@dataclass(frozen=True, slots=True)
class RoomCamera:
    """One camera: its project's file name, and its frame at moment 0."""

    name: str
    project: str
    offset: int


@dataclass(frozen=True, slots=True)
class RoomNote:
    """``room`` names the recording, ``camera`` whose project this is; ``cameras`` are all, this one too."""

    room: str
    camera: str
    cameras: tuple[RoomCamera, ...]

    @property
    def index(self) -> int:
        """Which of ``cameras`` this project is of."""
        return next(i for i, c in enumerate(self.cameras) if c.name == self.camera)


def room_note(store: ProjectStore) -> RoomNote | None:
    """The cameras of this project's room; None where it stands alone, or what is kept makes no sense."""
    stored = store.setting(_ROOM)
    if not isinstance(stored, dict) or not isinstance(stored.get("cameras"), list):
        return None
    cameras = tuple(c for c in map(_camera, stored["cameras"][:_MOST]) if c is not None)
    room, mine = stored.get("id"), stored.get("camera")
    if not isinstance(room, str) or not isinstance(mine, str) or all(c.name != mine for c in cameras):
        return None
    return RoomNote(room, mine, cameras)


def _camera(said: Any) -> RoomCamera | None:
    if not isinstance(said, dict):
        return None
    name, project, offset = said.get("name"), said.get("project"), said.get("offset")
    if not (isinstance(name, str) and isinstance(project, str) and isinstance(offset, int)):
        return None
    # The file says it, and it may be anybody's file: a name in this folder and nothing else.
    plain = PurePosixPath(project).name == project == PureWindowsPath(project).name
    return RoomCamera(name, project, offset) if plain and project not in ("", ".", "..") else None


def set_room_note(store: ProjectStore, note: RoomNote) -> None:
    """Remember the cameras."""
    cameras = [{"name": c.name, "project": c.project, "offset": c.offset} for c in note.cameras]
    _keep(store, _ROOM, {"id": note.room, "camera": note.camera, "cameras": cameras})


def room_people(store: ProjectStore) -> dict[int, int]:
    """The room's number of each track of this camera; only those whom several cameras know together."""
    stored = store.setting(_PEOPLE)
    if not isinstance(stored, dict):
        return {}
    return {int(k): v for k, v in stored.items() if str(k).isdecimal() and isinstance(v, int)}


def set_room_people(store: ProjectStore, numbers: Mapping[int, int]) -> None:
    """Keep what :func:`room_people` tells."""
    _keep(store, _PEOPLE, {str(track): number for track, number in numbers.items()})


def _keep(store: ProjectStore, name: str, value: Any) -> None:
    with store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, to_json(value)))
