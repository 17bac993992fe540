"""What a run notes for itself in the project: how far its last stage is, and whether it came to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.project.arrays import to_json
from app.project.store import NOTES, ProjectStore

_FINISHED = f"{NOTES}finished"
_SMOOTHED = f"{NOTES}smoothed:"
_FACES = f"{NOTES}faces"
_FOLLOWED = f"{NOTES}followed"
_BODY = f"{NOTES}body"
_VIEWS = f"{NOTES}views"
_DEPTH = "footage:depth"
"""It belongs to the footage: a new start does not forget it."""


def smoothed(store: ProjectStore, track: int) -> dict[str, str]:
    """What :func:`set_smoothed` has kept of a track; empty where nothing makes sense."""
    stored = store.setting(f"{_SMOOTHED}{track}")
    if not isinstance(stored, dict):
        return {}
    return {str(k): v for k, v in stored.items() if isinstance(v, str)}


def set_smoothed(store: ProjectStore, track: int, windows: Mapping[str, str]) -> None:
    """Remember which windows of a track are fitted as clips: first frame to fingerprint."""
    _note(store, f"{_SMOOTHED}{track}", dict(windows))


def finished(store: ProjectStore) -> bool:
    """True when the last run came to its end; a stopped one has frames, or motions, left to do."""
    return store.setting(_FINISHED) is True


def set_finished(store: ProjectStore, done: bool) -> None:
    """Note that a run has come to its end, or has begun."""
    _note(store, _FINISHED, done)


def _note(store: ProjectStore, name: str, value: Any) -> None:
    with store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, to_json(value)))


def faces(store: ProjectStore) -> list[Any]:
    """Rows of frame, box and score: faces of nobody who was found; see :mod:`app.pipeline.faces`."""
    stored = store.setting(_FACES)
    return stored if isinstance(stored, list) else []


def set_faces(store: ProjectStore, rows: list[list[float]]) -> None:
    """Keep what :func:`faces` tells."""
    _note(store, _FACES, rows)


def followed(store: ProjectStore) -> list[Any]:
    """Rows of track, origin, frame, dx, dy: see :class:`backends.tracking.following.Followed`."""
    stored = store.setting(_FOLLOWED)
    return stored if isinstance(stored, list) else []


def set_followed(store: ProjectStore, rows: list[list[float]]) -> None:
    """Keep what :func:`followed` tells."""
    _note(store, _FOLLOWED, rows)


def body_note(store: ProjectStore) -> Any:
    """What :func:`set_body_note` has kept; None where nothing was."""
    return store.setting(_BODY)


def set_body_note(store: ProjectStore, values: Mapping[str, str]) -> None:
    """Remember which body the run fits; see :mod:`app.pipeline.bodies`."""
    _note(store, _BODY, dict(values))


def from_views(store: ProjectStore) -> int:
    """From how many cameras together the bodies come; 0 where from this project's own alone."""
    stored = store.setting(_VIEWS)
    return stored if isinstance(stored, int) else 0


def set_from_views(store: ProjectStore, n: int) -> None:
    """Note that the bodies come from ``n`` cameras together."""
    _note(store, _VIEWS, n)


def depth_note(store: ProjectStore) -> Any:
    """What :func:`set_depth_note` has kept; None where nothing was."""
    return store.setting(_DEPTH)


def set_depth_note(store: ProjectStore, values: Mapping[str, Any]) -> None:
    """Remember which depth the runs read; see :mod:`app.pipeline.depth`."""
    _note(store, _DEPTH, dict(values))
