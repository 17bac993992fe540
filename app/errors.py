"""The errors that a person may meet, one small hierarchy.

Every message says what happened, to which file or frame, and what to do. The
command line maps each class to an exit code; the window shows ``str(error)``
as it stands, so nothing in a message may be meant for programmers only.
"""

from __future__ import annotations

from pathlib import Path


class UnderstudyError(Exception):
    """Base of everything the program reports on purpose.

    Attributes:
        exit_code: what the command line ends with when this reaches the top.
    """

    exit_code = 1


class FootageError(UnderstudyError):
    """A video or picture cannot be opened, read or found."""

    exit_code = 3


class ProjectError(UnderstudyError):
    """A project file cannot be created, opened or written."""

    exit_code = 4


class ModelError(UnderstudyError):
    """Network weights or a body file are missing, damaged or unsafe to load."""

    exit_code = 5


class ExportError(UnderstudyError):
    """An export could not be written or did not pass its verification."""

    exit_code = 6


class StorageError(UnderstudyError):
    """The disk is full or a folder cannot be written."""

    exit_code = 7


class Cancelled(UnderstudyError):
    """The person asked to stop; everything finished so far is kept."""

    exit_code = 130


class MissingFootage(FootageError):
    """A project's footage is not where it was, or is another file now.

    Attributes:
        project: the project file.
        old_name: the footage's file name, to help a person find it.
    """

    def __init__(self, message: str, project: Path, old_name: str) -> None:
        super().__init__(message)
        self.project = project
        self.old_name = old_name
