"""Files that appear under their name only when they are whole and checked."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.errors import ExportError, StorageError

PART = ".part"


def plain_error(error: OSError, folder: Path) -> StorageError | ExportError:
    """The system's error in words that say what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError("The disk is full. Free some space, or choose another folder, and export again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(f"The folder {folder.name} cannot be written. Choose another folder.")
    return ExportError(f"The export cannot be written to {folder.name}: {error.strerror or error}.")


@dataclass
class Naming:
    """A file that is being written: ``part`` is where, ``target`` what it will be called."""

    part: Path
    target: Path


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A temporary path beside ``target``; renamed to it when the block ends well, removed when not.

    What is written should be read back and checked inside the block. The target may be a folder.

    Raises:
        StorageError, ExportError: from the file system, in plain words.
    """
    with named_late(target) as naming:
        yield naming.part


@contextmanager
def named_late(target: Path) -> Iterator[Naming]:
    """The same, where the name depends on what the check says: set ``target`` inside the block."""
    naming = Naming(target.with_name(f".{target.stem}{PART}{target.suffix}"), target)
    part = naming.part
    try:
        _remove(part)
        yield naming
        if part.is_file():
            # Its content reaches the disk before its name does, or a power failure leaves an empty file.
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        if naming.target.is_dir() and part.is_dir():
            _remove(naming.target)
        part.replace(naming.target)
    except OSError as error:
        _clean_up(part)
        raise plain_error(error, target.parent) from error
    except BaseException:
        _clean_up(part)
        raise


def make_folder(folder: Path) -> None:
    """Make the folder where there is none, and see that it can be written before long work begins.

    Raises:
        StorageError, ExportError: it cannot, in plain words.
    """
    probe = folder / f".understudy{PART}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise plain_error(error, folder if folder.is_dir() else folder.parent) from error


@contextmanager
def unless_left_empty(folder: Path) -> Iterator[None]:
    """A folder that is made inside the block goes again where the block fails and has left nothing in it."""
    is_new = not folder.exists()
    try:
        yield
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):  # it is not there, or something is in it
                folder.rmdir()
        raise


def _clean_up(path: Path) -> None:
    with contextlib.suppress(OSError):  # what went wrong first is what has to be told
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
