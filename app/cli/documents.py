"""Opening a project together with its footage, for commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import FootageError, ProjectError
from app.footage import Footage, open_footage
from app.project.database import SUFFIX
from app.project.records import FootageRecord
from app.project.store import ProjectStore
from backends.camera import assumed_camera


def default_project(footage: Path) -> Path:
    """Beside the footage, or in the current folder where that cannot be written."""
    footage = footage.resolve()
    folder = footage.parent if os.access(footage.parent, os.W_OK) else Path.cwd()
    return folder / f"{footage.stem if footage.is_file() else footage.name}{SUFFIX}"


def record(footage: Footage, check: Callable[[], None] | None = None) -> FootageRecord:
    """What a project remembers of its footage."""
    return FootageRecord(
        path=footage.path.resolve(), sha256=footage.sha256(check), kind=footage.kind, width=footage.width,
        height=footage.height, n_frames=footage.n_frames, fps=footage.fps, time_base=footage.time_base,
        pts=footage.pts, has_audio=footage.has_audio,
    )  # fmt: skip


@contextmanager
def project_for(
    footage: Footage, path: Path, check: Callable[[], None] | None = None
) -> Iterator[ProjectStore]:
    """The project at ``path`` of this footage, made now where there is none.

    Raises:
        ProjectError: when the project belongs to other footage, or may not be written.
    """
    if path.exists():
        store = ProjectStore.open(path)
        known = store.footage()
        if known.sha256 and known.sha256 != footage.sha256(check):
            store.close()
            raise ProjectError(
                f"{path.name} belongs to other footage than {footage.path.name}. "
                "Name another project with -o, or give the footage it was made from."
            )
    else:
        store = ProjectStore.create(
            path, record(footage, check), assumed_camera(footage.width, footage.height)
        )
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_document(path: Path, footage: Path | None = None) -> Iterator[tuple[ProjectStore, Footage]]:
    """A project and its footage.

    Args:
        footage: where the footage lies now, where it was moved; its hash is checked.

    Raises:
        ProjectError, FootageError: when either cannot be opened, or they do not belong together.
    """
    store = ProjectStore.open(path)
    try:
        known = store.footage()
        place = footage or known.path
        if not place.exists():
            raise FootageError(
                f"The footage of {path.name} ({known.path.name}) is not where it was. "
                "Say where it lies with --footage."
            )
        with open_footage(place) as opened:
            if footage is not None and known.sha256 and opened.sha256() != known.sha256:
                raise FootageError(f"{footage.name} is not the footage that {path.name} was made from.")
            yield store, opened
    finally:
        store.close()
