"""The store of installed networks: one folder each, every file checked against the catalogue."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.errors import ModelError
from app.models.catalogue import Entry, OwnFile, load_catalogue
from app.models.fetch import download, extract

Progress = Callable[[str], None]


def default_root() -> Path:
    """Where networks are kept: $UNDERSTUDY_MODELS, or the user's data folder."""
    override = os.environ.get("UNDERSTUDY_MODELS")
    return Path(override) if override else platformdirs.user_data_path("understudy") / "models"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """State of one entry: "installed", "missing" or "damaged"."""

    entry: Entry
    state: str
    path: Path


class ModelStore:
    """Finds, installs and checks networks."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()
        self._entries = load_catalogue()

    def entries(self) -> list[Entry]:
        """The catalogue."""
        return list(self._entries.values())

    def entry(self, model_id: str) -> Entry:
        """One line of the catalogue.

        Raises:
            ModelError: for an unknown id.
        """
        try:
            return self._entries[model_id]
        except KeyError:
            known = ", ".join(self._entries)
            raise ModelError(f"There is no model '{model_id}'. The catalogue holds: {known}.") from None

    def _file(self, entry: Entry) -> Path:
        return self.root / entry.id / entry.file

    def has(self, model_id: str) -> bool:
        """True where the file is there (see :meth:`verify` for whether it is whole)."""
        return self._file(self.entry(model_id)).is_file()

    def path(self, model_id: str) -> Path:
        """The installed file.

        Raises:
            ModelError: when it is missing; the message says what to type.
        """
        entry = self.entry(model_id)
        path = self._file(entry)
        if path.is_file():
            return path
        verb = f"add {model_id} FILE" if isinstance(entry.source, OwnFile) else f"install {model_id}"
        raise ModelError(f"The network {model_id} is not installed. Type: understudy models {verb}")

    def sha256(self, model_id: str) -> str:
        """The hash of the installed file, computed anew."""
        return file_sha256(self.path(model_id))

    def status(self, model_id: str) -> Status:
        """Whether an entry is installed and whole."""
        entry = self.entry(model_id)
        path = self._file(entry)
        if not path.is_file():
            return Status(entry, "missing", path)
        expected = entry.sha256 or self._recorded(entry)
        whole = expected is not None and file_sha256(path) == expected
        return Status(entry, "installed" if whole else "damaged", path)

    def verify(self, model_id: str) -> None:
        """Check an installed file against its hash.

        Raises:
            ModelError: when it is missing or was changed.
        """
        self.path(model_id)
        if self.status(model_id).state != "installed":
            raise ModelError(
                f"The file of {model_id} is not what was installed. "
                f"Type: understudy models install {model_id}"
            )

    def install(self, model_id: str, source: Path | None = None, progress: Progress | None = None) -> Path:
        """Fetch (or take from ``source``), check and put in place; nothing is left behind on failure.

        Raises:
            ModelError: when it cannot be had, or is not the file that the catalogue means.
        """
        entry = self.entry(model_id)
        tell = progress or (lambda text: None)
        with self._staging() as folder:
            if source is None:
                size = f"{(entry.size or 0) / 1e6:.1f} MB"
                tell(f"Fetching {entry.id} ({size}, {entry.licence}) from {entry.origin}")
                source = download(entry, folder)
            staged = folder / f"staged-{entry.file}"
            extract(entry, source, staged)
            if entry.sha256 is not None and file_sha256(staged) != entry.sha256:
                raise ModelError(
                    f"The file for {entry.id} is not the one the catalogue names; it was not installed. "
                    f"It takes the {entry.origin}."
                )
            self._place(entry, staged)
        tell(f"{entry.id} is installed and verified")
        return self._file(entry)

    def add(self, model_id: str, source: Path) -> Path:
        """Take in a person's own file and record its hash.

        Raises:
            ModelError: for an entry that is not a person's own file, or a source that cannot be read.
        """
        entry = self.entry(model_id)
        if not isinstance(entry.source, OwnFile):
            return self.install(model_id, source)
        with self._staging() as folder:
            staged = folder / f"staged-{entry.file}"
            extract(entry, source, staged)
            digest = file_sha256(staged)
            self._place(entry, staged)
        self._record_path(entry).write_text(digest + "\n", encoding="ascii")
        return self._file(entry)

    def _staging(self) -> _Staging:
        return _Staging(self.root)

    def _place(self, entry: Entry, staged: Path) -> None:
        target = self._file(entry)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(target)
        except OSError as error:
            raise ModelError(f"{entry.id} could not be put in {target.parent}: {error.strerror}.") from error

    def _record_path(self, entry: Entry) -> Path:
        return self.root / entry.id / "sha256"

    def _recorded(self, entry: Entry) -> str | None:
        path = self._record_path(entry)
        return path.read_text(encoding="ascii").strip() if path.is_file() else None


class _Staging:
    """A private folder inside the store (so that placing is a rename), removed at the end."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Path:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(prefix=".staging-", dir=self._root)
        except OSError as error:
            raise ModelError(
                f"The folder {self._root} cannot be written: {error.strerror}. "
                "Set UNDERSTUDY_MODELS to a folder that can."
            ) from error
        return Path(self._folder.name)

    def __exit__(self, *exc: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()
