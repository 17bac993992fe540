"""Segmentations that a person has added: their masks add to what is covered, in every export from then on.

The program knows how to open those of Transformers and Detectron2; both are packages and files of the
user's own. Which were added is noted in the user's configuration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import numpy as np

from app.errors import ModelError, StorageError
from app.models.convert import convert_weights
from app.models.store import default_root, file_sha256
from app.notes_of_user import note_path, write_note
from backends.deidentify.sources import PersonMasks
from backends.errors import BackendError

Opener = Callable[..., PersonMasks]
_NOTE = "segmentations"
_TRIAL = (96, 128, 3)


@dataclass(frozen=True, slots=True)
class Kind:
    """A segmentation that the program can open.

    Attributes:
        opener: "module:function" that takes the files. files: what they are, in words, in their order.
    """

    opener: str
    files: tuple[str, ...]


KINDS = {
    "transformers": Kind("plugins.transformers_masks:open_masks", ("FOLDER",)),
    "detectron2": Kind("plugins.detectron2_masks:open_masks", ("CONFIG", "WEIGHTS")),
}


@dataclass(frozen=True, slots=True)
class Segmentation:
    """One that was added: its kind, its files, and their hash."""

    name: str
    files: tuple[Path, ...]
    sha256: str


def add_segmentation(name: str, files: Sequence[Path]) -> Segmentation:
    """Try a segmentation on a grey picture, and note it: from now on its masks are added.

    Raises:
        ModelError: it is not known, not installed, or its files are missing, damaged or unsafe.
        StorageError: the note cannot be written.
    """
    if name not in KINDS:
        raise ModelError(f"There is no segmentation '{name}'. Choose one of {', '.join(KINDS)}.")
    if len(files) != len(KINDS[name].files):
        raise ModelError(f"{name} wants {' and '.join(KINDS[name].files)}.")
    kept = tuple(_kept(name, path.expanduser().absolute()) for path in files)
    added = Segmentation(name, kept, _hash(kept))
    try:
        open_segmentation(added).masks(0, np.full(_TRIAL, 127, np.uint8))
    except (BackendError, RuntimeError) as error:
        raise ModelError(f"{name} does not work: {error}") from error
    _write([*(s for s in segmentations() if s.name != name), added])
    return added


def remove_segmentation(name: str) -> None:
    """Its masks are no longer added. Its files stay.

    Raises:
        ModelError: it had not been added. StorageError: the note cannot be written.
    """
    known = segmentations()
    if name not in {s.name for s in known}:
        raise ModelError(f"'{name}' has not been added.")
    _write([s for s in known if s.name != name])


def segmentations() -> tuple[Segmentation, ...]:
    """Those that were added, by name.

    Raises:
        ModelError: the note is damaged: who was added cannot be told, and to cover less than was meant is
            no way out.
    """
    notes = note_path(_NOTE)
    try:
        text = notes.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ModelError(f"{notes} cannot be read: {error.strerror or error}.") from error
    try:
        told = json.loads(text)
        found = [
            Segmentation(str(name), tuple(Path(f) for f in v["files"]), str(v["sha256"]))
            for name, v in sorted(told.items())
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{notes} is damaged. Delete it, and add your segmentations again.") from error
    return tuple(found)


def segmentation_names() -> list[str]:
    """What those that were added are called; none where that cannot be told, which an export will refuse."""
    try:
        return [s.name for s in segmentations()]
    except ModelError:
        return []


def open_segmentation(chosen: Segmentation) -> PersonMasks:
    """One that was added, ready to be asked; kept for the next time.

    Raises:
        ModelError: its files are gone, others than were added, or do not open any more.
    """
    way_out = f"Put them back, or type: understudy masks remove {chosen.name}"
    if chosen.name not in KINDS or not all(f.exists() for f in chosen.files):
        raise ModelError(f"The files of the segmentation '{chosen.name}' are gone. {way_out}")
    if _hash(chosen.files) != chosen.sha256:
        raise ModelError(f"The files of the segmentation '{chosen.name}' have changed. {way_out}")
    try:
        return _opened(chosen)
    except BackendError as error:
        raise ModelError(str(error)) from error


@lru_cache(maxsize=2)
def _opened(chosen: Segmentation) -> PersonMasks:
    module, _, function = KINDS[chosen.name].opener.partition(":")
    opener: Opener = getattr(import_module(module), function)
    return opener(*chosen.files)


def _kept(name: str, path: Path) -> Path:
    """Where a file lies from now on: where it is, but for pickles, of which only the arrays are kept."""
    if path.suffix.lower() not in (".pkl", ".pickle"):
        return path
    folder = default_root() / "segmentations"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror or error}.") from error
    return convert_weights(path, folder / f"{name}.npz")


def _hash(files: Sequence[Path]) -> str:
    """Of all files, in order of their names within a folder."""
    digest = hashlib.sha256()
    try:
        for path in files:
            inside = sorted(f for f in path.iterdir() if f.is_file()) if path.is_dir() else [path]
            for file in inside:
                digest.update(_file_hash(file, file.stat().st_mtime_ns, file.stat().st_size).encode())
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _file_hash(path: Path, mtime_ns: int, size: int) -> str:
    return file_sha256(path)


def _write(chosen: Sequence[Segmentation]) -> None:
    told = {s.name: {"files": [str(f) for f in s.files], "sha256": s.sha256} for s in chosen}
    try:
        write_note(_NOTE, told)
    except OSError as error:
        raise StorageError(f"{note_path(_NOTE)} cannot be written: {error.strerror or error}.") from error
