"""Making a project from footage, and opening one whose footage may have moved."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from app.errors import MissingFootage, ProjectError
from app.footage import Footage, open_footage
from app.project.records import FootageRecord
from app.project.store import ProjectStore
from backends.camera import assumed_camera

SUFFIX = ".understudy"


def default_project_path(footage: Path) -> Path:
    """Beside the footage where that can be written, else in the documents; never an existing file."""
    folder = footage.parent
    if not os.access(folder, os.W_OK):
        folder = Path(platformdirs.user_documents_dir()) / "Understudy"
        folder.mkdir(parents=True, exist_ok=True)
    stem = footage.stem if footage.is_file() else footage.name
    path = folder / f"{stem}{SUFFIX}"
    number = 2
    while path.exists():
        path = folder / f"{stem} {number}{SUFFIX}"
        number += 1
    return path


def create_project(footage_path: Path, project: Path | None = None) -> tuple[ProjectStore, Footage]:
    """A new project for the footage.

    Raises:
        FootageError: the footage cannot be opened.
        ProjectError, StorageError: the project cannot be written.
    """
    footage = open_footage(footage_path.resolve())
    try:
        target = project or default_project_path(footage.path)
        record = FootageRecord(
            path=footage.path, sha256="", kind=footage.kind, width=footage.width, height=footage.height,
            n_frames=footage.n_frames, fps=footage.fps, time_base=footage.time_base, pts=footage.pts,
            has_audio=footage.has_audio,
        )  # fmt: skip
        store = ProjectStore.create(target, record, assumed_camera(footage.width, footage.height))
    except BaseException:
        footage.close()
        raise
    return store, footage


def open_project(path: Path, *, footage: Path | None = None) -> tuple[ProjectStore, Footage]:
    """An existing project with its footage.

    Args:
        footage: where the footage lies now, when it has moved; it must be the same footage.

    Raises:
        ProjectError: no project, damaged, or of no use.
        MissingFootage: the footage is not where the project says, or is another one.
    """
    if not path.is_file():
        raise ProjectError(f"There is no project {path.name} in that folder. Check the path.")
    store = ProjectStore.open(path)
    try:
        return store, _footage_of(store, path, footage)
    except BaseException:
        store.close()
        raise


def _footage_of(store: ProjectStore, path: Path, moved: Path | None) -> Footage:
    record = store.footage()
    # A project that travels with its footage finds it beside itself.
    beside = path.resolve().parent / record.path.name
    candidates = [moved] if moved is not None else [record.path, beside]
    place = next((c for c in candidates if c is not None and c.exists()), None)
    if place is None:
        raise MissingFootage(
            f"The footage of this project, {record.path.name}, is not where it was. "
            "Show the program where it lies now.",
            path,
            record.path.name,
        )
    footage = open_footage(place.resolve())
    same = footage.n_frames == record.n_frames and (footage.pts == record.pts).all()
    same = same and (footage.width, footage.height) == (record.width, record.height)
    if same and place != record.path and record.sha256:
        same = footage.sha256() == record.sha256
    if not same:
        footage.close()
        raise MissingFootage(
            f"{place.name} is not the footage that this project was made from. Show the right file: "
            f"{record.path.name}, {record.n_frames} frames, {record.width} x {record.height}.",
            path,
            record.path.name,
        )
    if place != record.path and not store.read_only:
        store.move_footage(footage.path)
    return footage
