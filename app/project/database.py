"""Opening the project's SQLite file, and its errors in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from app.errors import ProjectError, StorageError, UnderstudyError
from app.project.schema import APPLICATION_ID, MIGRATIONS, VERSION

SUFFIX = ".understudy"


class NewerProject(ProjectError):
    """The file was written by a newer version of the program."""


def translate(error: sqlite3.Error, path: Path) -> UnderstudyError:
    """What a person should read instead of SQLite's message."""
    text = str(error).lower()
    if "full" in text:
        return StorageError(
            f"The disk that holds {path.name} is full. Everything up to the last saved step is kept. "
            "Free some space and go on."
        )
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return StorageError(f"{path.name} cannot be written where it lies. Choose a folder you may write to.")
    if "locked" in text or "busy" in text:
        return ProjectError(f"{path.name} is in use by another program. Close that one and try again.")
    if "disk i/o" in text:
        return StorageError(f"The disk that holds {path.name} reports an error. Check it and try again.")
    if "append-only" in text:
        return ProjectError("The log of edits cannot be changed.")
    return ProjectError(f"{path.name} is damaged ({error}). Restore it from a copy.")


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error


def _uri(path: Path, mode: str, *, immutable: bool = False) -> str:
    return f"file:{quote(str(path.resolve()))}?mode={mode}" + ("&immutable=1" if immutable else "")


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=15.0, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def create_database(path: Path) -> sqlite3.Connection:
    """A new, empty project file.

    Raises:
        ProjectError, StorageError: when it exists or cannot be written.
    """
    if path.exists():
        raise ProjectError(f"{path.name} exists already. Open it, or choose another name.")
    with plain_errors(path):
        connection = _connect(_uri(path, "rwc"))
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            _migrate(connection)
            _prepare(connection, durable=True)
        except sqlite3.Error:
            connection.close()
            for leftover in (path, *sidecars(path)):
                leftover.unlink(missing_ok=True)
            raise
    return connection


def sidecars(path: Path) -> tuple[Path, Path]:
    """SQLite's own files beside the project while it is open."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to this program's version, all or nothing, also where somebody else is about to."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        for script in MIGRATIONS[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        if version < VERSION:
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _prepare(connection: sqlite3.Connection, *, durable: bool) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    # A person's edit must survive a power cut; a chunk that the worker loses is only computed again.
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    connection.execute("PRAGMA trusted_schema=OFF")


def check_identity(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of an opened file.

    Raises:
        ProjectError: when it is not a project.
        sqlite3.OperationalError: when it cannot be opened where it lies.
    """
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise ProjectError(f"{path.name} is not an Understudy project.") from error
    if application != APPLICATION_ID or version < 1:
        raise ProjectError(f"{path.name} is not an Understudy project.")
    return version


def open_database(path: Path, *, durable: bool = True) -> tuple[sqlite3.Connection, bool]:
    """An existing project file; older ones are migrated.

    Returns:
        The connection, and True where it is read-only (written by a newer version, or not writable).

    Raises:
        ProjectError: when it does not exist, is damaged or is something else.
    """
    if not path.is_file():
        raise ProjectError(f"There is no project {path.name} in that folder. Check the path.")
    try:
        connection = _connect(_uri(path, "rw"))
        version = check_identity(connection, path)
        if version > VERSION:
            connection.close()
            return _open_read_only(path), True
        if version < VERSION:
            _migrate(connection)
        # Fails here, not at the first edit, where the file or its folder is read-only.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if any(word in str(error).lower() for word in ("readonly", "read-only", "unable to open")):
            return _open_read_only(path), True
        raise translate(error, path) from error
    except sqlite3.Error as error:
        raise translate(error, path) from error
    with plain_errors(path):
        _prepare(connection, durable=durable)
    return connection, False


def _open_read_only(path: Path) -> sqlite3.Connection:
    # In a folder that cannot be written SQLite cannot make its shared-memory file; as nobody else can
    # write there either, the file may be taken as immutable.
    for immutable in (False, True):
        try:
            connection = _connect(_uri(path, "ro", immutable=immutable))
            check_identity(connection, path)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except (sqlite3.Error, UnderstudyError) as error:
            last = error
            continue
        return connection
    if isinstance(last, UnderstudyError):
        raise last
    raise ProjectError(f"{path.name} cannot be read. Check that you may read the file.") from last
