"""Where a batch keeps its projects while it works: a private folder that is removed, or one that was named.

A project holds what was found of patients. Without a folder that a person named, projects live in a folder
of the user's own that goes when the batch ends. If the batch is killed the folder stays until the next
batch: the one with the same output goes on from it, any other removes it first.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

from app.errors import ExportError
from app.export.atomic import plain_error
from app.project.database import sidecars

_LOCK = "lock"


def batches_folder() -> Path:
    """Where the folders of batches lie."""
    return platformdirs.user_cache_path("understudy") / "batches"


@contextmanager
def workplace(out: Path, projects: Path | None) -> Iterator[Path]:
    """The folder for projects of the batch that writes to ``out``.

    Args:
        projects: where a person wants them kept; None: nowhere.

    Raises:
        ExportError: another batch writes to the same folder now. StorageError: it cannot be made.
    """
    base = batches_folder()
    own = base / hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:24]
    try:
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_abandoned(base, own)
        own.mkdir(exist_ok=True, mode=0o700)
        lock = (own / _LOCK).open("ab")
    except OSError as error:
        raise plain_error(error, base) from error
    with lock:
        if not _locked(lock):
            raise ExportError("Another batch is writing to this folder now. Wait for it, or choose another.")
        try:
            yield projects or own
        finally:
            _unlock(lock)
            lock.close()
            shutil.rmtree(own, ignore_errors=True)


def _remove_abandoned(base: Path, own: Path) -> None:
    for folder in base.iterdir():
        if folder == own or not folder.is_dir():
            continue
        with contextlib.suppress(OSError), (folder / _LOCK).open("ab") as lock:
            if not _locked(lock):
                continue
            _unlock(lock)
        shutil.rmtree(folder, ignore_errors=True)


if sys.platform == "win32":
    import msvcrt

    def _locked(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _locked(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


def remove_project(path: Path) -> None:
    """A project with what SQLite keeps beside it."""
    for file in (path, *sidecars(path)):
        with contextlib.suppress(OSError):
            file.unlink()
