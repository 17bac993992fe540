"""Opening a project together with its footage, for commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import FootageError, MissingFootage, ProjectError
from app.footage import Footage
from app.project.store import ProjectStore
from app.review.opening import SUFFIX, create_project, open_project


def default_project(footage: Path) -> Path:
    """Beside the footage, or in the current folder where that cannot be written."""
    footage = footage.resolve()
    folder = footage.parent if os.access(footage.parent, os.W_OK) else Path.cwd()
    return folder / f"{footage.stem if footage.is_file() else footage.name}{SUFFIX}"


@contextmanager
def _closing(store: ProjectStore, footage: Footage) -> Iterator[tuple[ProjectStore, Footage]]:
    try:
        with footage:
            yield store, footage
    finally:
        store.close()


@contextmanager
def project_of(video: Path, path: Path) -> Iterator[tuple[ProjectStore, Footage]]:
    """The project at ``path`` of this footage, made now where there is none.

    Raises:
        FootageError: when the footage cannot be opened.
        ProjectError: when the project belongs to other footage, or cannot be made.
    """
    if path.exists():
        try:
            opened = open_project(path, footage=video)
        except MissingFootage as error:
            if not video.exists():
                raise FootageError(
                    f"There is no file {video.name} in that folder. Check the path."
                ) from error
            raise ProjectError(
                f"{path.name} belongs to other footage than {video.name}. "
                "Name another project with -o, or give the footage it was made from."
            ) from error
    else:
        opened = create_project(video, path)
    with _closing(*opened) as both:
        yield both


@contextmanager
def existing_project(path: Path, footage: Path | None = None) -> Iterator[tuple[ProjectStore, Footage]]:
    """A project and its footage; ``footage`` says where that lies now, if it was moved.

    Raises:
        ProjectError, FootageError: when either cannot be opened, or they do not belong together.
    """
    try:
        opened = open_project(path, footage=footage)
    except MissingFootage as error:
        raise FootageError(f"{error} On the command line: --footage FILE.") from error
    with _closing(*opened) as both:
        yield both
