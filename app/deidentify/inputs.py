"""Which footage a person means: files, folders, wildcards; each gets its place in the output."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import ExportError
from app.export.names import DICOM, DICOM_UNVERIFIED, UNVERIFIED, VERIFIED
from app.footage.dicom_file import is_dicom
from app.footage.pictures import SUFFIXES as PICTURES

VIDEOS = frozenset({
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv",
    ".3gp", ".ogv", ".vob", ".dcm", ".dicom",
})  # fmt: skip
"""What is looked for in folders; a file that is named is taken whatever it is called."""

_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class BatchInput:
    """One piece of footage.

    Attributes:
        path: a file, or a folder that holds pictures and no videos.
        place: where its output goes, relative to the output folder, without an ending.
    """

    path: Path
    place: Path


def find_inputs(given: Sequence[str], out: Path) -> list[BatchInput]:
    """Everything that ``given`` names, each once, in the order given, folders in the order of their names.

    A folder keeps its tree in the output; of a wildcard, the part before the first wild letter counts as
    the folder. Names that do not exist are kept: whoever reads them says what is wrong. What lies in the
    output folder is left out where that is inside of a folder given.

    Raises:
        ExportError: the output folder is a file, or one of the folders given, or an output would fall on
            an input.
    """
    out = out.absolute()
    if out.exists() and not out.is_dir():
        raise ExportError(f"The output {out.name} is a file. Name a folder; each file in it gets a name.")
    found: dict[Path, Path] = {}
    for text in given:
        for path, root in _named(text):
            inside = _in_folder(path, root, out) if path.is_dir() else [(path, Path(path.name))]
            if root is not None and path.is_file():
                inside = [(path, path.relative_to(root))]
            for file, place in inside:
                found.setdefault(file.resolve(), place)
    inputs = _told_apart(found)
    sources = set(found)
    for item in inputs:
        for ending in (VERIFIED, UNVERIFIED, DICOM, DICOM_UNVERIFIED):
            target = (out / item.place).with_name(item.place.name + ending).resolve()
            if target in sources:
                raise ExportError(f"The output {target.name} would replace an input. Choose another folder.")
    return inputs


def places_of(clips: Iterable[Path], root: Path) -> list[tuple[Path, Path]]:
    """Files below ``root``, in order, each with its place."""
    found = {clip: clip.relative_to(root) for clip in sorted(clips)}
    return [(item.path, item.place) for item in _told_apart(found)]


def _named(text: str) -> Iterator[tuple[Path, Path | None]]:
    """Paths that a word names, with the folder above the first wild letter."""
    path = Path(text).expanduser().absolute()
    if path.exists() or not _WILD & set(text):
        yield path, None
        return
    fixed: list[str] = []
    for part in path.parts:
        if _WILD & set(part):
            break
        fixed.append(part)
    root = Path(*fixed)
    matches = [Path(m) for m in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207  absolute pattern
    files = [m for m in matches if m.is_file()]
    footage = [f for f in files if f.suffix.lower() in VIDEOS | PICTURES or is_dicom(f)]
    for match in footage or files or matches:
        yield match, root
    if not matches:
        yield path, None


def _in_folder(folder: Path, root: Path | None, out: Path) -> list[tuple[Path, Path]]:
    """Footage below a folder, with places relative to it (or to ``root``)."""
    if folder.resolve() == out.resolve():
        raise ExportError("The output folder is the folder of the footage. Choose another folder for it.")
    top = root or folder
    own = out.resolve() if out.resolve().is_relative_to(folder.resolve()) else None
    found: list[tuple[Path, Path]] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and (own is None or (here / f).resolve() != own)
        )
        files = [here / name for name in sorted(names) if not name.startswith(".")]
        videos = [f for f in files if f.suffix.lower() in VIDEOS or (not f.suffix and is_dicom(f))]
        found += [(f, f.relative_to(top)) for f in videos]
        if not videos and any(f.suffix.lower() in PICTURES for f in files):
            found.append((here, here.relative_to(top) if here != top else Path(here.name)))
    return found


def _told_apart(found: dict[Path, Path]) -> list[BatchInput]:
    """Places without endings; where two would fall together, the ending stays in the name, then a number."""
    plain = [place if path.is_dir() else place.with_suffix("") for path, place in found.items()]
    taken: set[Path] = set()
    inputs: list[BatchInput] = []
    for (path, place), short in zip(found.items(), plain):
        name = short
        if plain.count(short) > 1 and place.suffix:
            name = short.with_name(f"{short.name}_{place.suffix[1:]}")
        number, wanted = 2, name
        while name in taken:
            name = wanted.with_name(f"{wanted.name}_{number}")
            number += 1
        taken.add(name)
        inputs.append(BatchInput(path, name))
    return inputs
