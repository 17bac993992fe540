"""The bodies that people can be given: the free one, those whose files were added, or a file of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from app.errors import ModelError
from app.models.store import ModelStore, file_sha256
from backends.body import BodyModel, load_body
from backends.errors import WeightsError

FREE: Final = "free"
LICENSED: Final[Mapping[str, str]] = {"smplx": "SMPL-X", "smplh": "SMPL-H", "smpl": "SMPL"}
"""Ids of the catalogue and what people call them."""


@dataclass(frozen=True, slots=True)
class BodyChoice:
    """A body to choose. ``ready`` is false where its file has not been added yet."""

    id: str
    label: str
    ready: bool


@dataclass(frozen=True, slots=True)
class BodyRef:
    """A body as a project remembers it.

    Attributes:
        id: "free", an id of :data:`LICENSED`, or "file".
        name: what people call it. path: of one's own file, else "". sha256: of the file, "" for the free one.
    """

    id: str
    name: str
    path: str = ""
    sha256: str = ""

    @property
    def free(self) -> bool:
        """True for the body that ships with the program."""
        return self.id == FREE

    def plain(self) -> dict[str, str]:
        """As JSON keeps it."""
        return asdict(self)

    @staticmethod
    def of(stored: Any) -> BodyRef:
        """From what :meth:`plain` gave; the free body where that makes no sense."""
        if not isinstance(stored, dict) or not all(isinstance(v, str) for v in stored.values()):
            return FREE_REF
        known = {key: stored[key] for key in ("id", "name", "path", "sha256") if key in stored}
        return BodyRef(**known) if {"id", "name"} <= set(known) else FREE_REF


FREE_REF: Final = BodyRef(FREE, "Free body")


def body_choices(store: ModelStore | None = None) -> list[BodyChoice]:
    """The bodies to choose from, the free one first."""
    models = store or ModelStore()
    return [
        BodyChoice(FREE, FREE_REF.name, True),
        *(BodyChoice(name, label, models.has(name)) for name, label in LICENSED.items()),
    ]


def find_body(word: str) -> tuple[BodyModel, BodyRef]:
    """The body called ``word``: "free", "smplx", "smplh" or "smpl" as added, or a file's path.

    Raises:
        ModelError: it has not been added, or the file is no body.
    """
    if word == FREE:
        return load_body(), FREE_REF
    path = ModelStore().path(word) if word in LICENSED else Path(word).resolve()
    body = _read(path)
    digest = file_sha256(path)
    if word in LICENSED:
        return body, BodyRef(word, LICENSED[word], "", digest)
    return body, BodyRef("file", f"{body.name} ({path.name})", str(path), digest)


def noted_body(ref: BodyRef) -> BodyModel:
    """The body that a project was fitted with.

    Raises:
        ModelError: its file is gone, or another one now.
    """
    if ref.free:
        return load_body()
    try:
        path = ModelStore().path(ref.id) if ref.id in LICENSED else Path(ref.path)
        same = path.is_file() and file_sha256(path) == ref.sha256
        body = _read(path)
    except (ModelError, OSError) as error:
        raise ModelError(
            f"The bodies of this project are of {ref.name}, whose file cannot be read. {error}"
        ) from error
    if not same:
        raise ModelError(
            f"The bodies of this project were fitted with another file of {ref.name} than {path.name} is "
            "now. Put the file back that it was made with."
        )
    return body


def _read(path: Path) -> BodyModel:
    if path.is_dir():
        raise ModelError(f"{path.name} is a folder. Name the file of one body.")
    try:
        stamp = path.stat()
        return _cached(path, stamp.st_mtime_ns, stamp.st_size)
    except (WeightsError, OSError) as error:
        said = error if isinstance(error, WeightsError) else f"There is no file {path.name}. Check the path."
        raise ModelError(f"{path.name} cannot be taken for a body. {said}") from error


@lru_cache(maxsize=2)
def _cached(path: Path, mtime_ns: int, size: int) -> BodyModel:
    return load_body(path)
