"""Reading and writing the correlation arrays of *Confidence on Mesh*: ED, SE and confidence, (N, 14) each."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError
from app.errors import StorageError
from backends.confidence.agreement import N_JOINTS, check_rows
from backends.errors import InputError

F8 = npt.NDArray[np.float64]

SUFFIXES = {"sp_op": "ED", "sp_gt": "SE", "conf": "confidence"}
"""Ends of the file names, or of the names inside an npz, and what they hold."""
_MAX_ROWS = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One set of arrays.

    Attributes:
        name: "train", "test_occ" ...; "" where the files have no prefix.
        ed, se, confidence: (N, 14); ED and SE in half crops, rows in the order of the pictures.
    """

    name: str
    ed: F8
    se: F8
    confidence: F8

    def __len__(self) -> int:
        return len(self.ed)


def read_arrays(path: Path) -> dict[str, Split]:
    """The splits of a folder (``*_sp_op.npy``, ``*_sp_gt.npy``, ``*_conf.npy``) or of one npz.

    Raises:
        DataSetError: missing, damaged, incomplete, of another shape, or with values that are no numbers.
    """
    found = _from_folder(path) if path.is_dir() else _from_npz(path)
    if not found:
        raise DataSetError(
            f"{path.name} holds no correlation arrays. It should have files (or, in an npz, arrays) that end "
            "in sp_op, sp_gt and conf."
        )
    return {name: _split(path, name, parts) for name, parts in sorted(found.items())}


def _prefix(stem: str) -> tuple[str, str] | None:
    """``train_occ_sp_op`` -> ("train_occ", "sp_op")."""
    for suffix in SUFFIXES:
        if stem == suffix or stem.endswith(f"_{suffix}"):
            return stem[: -len(suffix)].rstrip("_"), suffix
    return None


def _from_folder(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(path.glob("*.npy")):
        named = _prefix(file.stem)
        if named is None:
            continue
        try:
            found.setdefault(named[0], {})[named[1]] = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataSetError(
                f"{file.name} is damaged or no array of numbers. Get the file again."
            ) from error
    return found


def _from_npz(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            # Looked at before anything is unpacked: a small file can claim to hold a great deal.
            for info in archive.infolist():
                if info.file_size > 8 * N_JOINTS * _MAX_ROWS:
                    raise DataSetError(f"{path.name}: {info.filename} is far too large for such an array.")
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:
                named = _prefix(key)
                if named is not None:
                    found.setdefault(named[0], {})[named[1]] = file[key]
    except OSError as error:
        raise DataSetError(
            f"{path.name} cannot be read: {error.strerror or error}. Check the path."
        ) from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DataSetError(
            f"{path.name} is damaged or no npz of plain arrays. Get the file again, or give the folder with "
            "the npy files."
        ) from error
    return found


def _split(path: Path, name: str, parts: Mapping[str, Any]) -> Split:
    label = f"{path.name}, {name}" if name else path.name
    missing = [s for s in SUFFIXES if s not in parts]
    if missing:
        raise DataSetError(
            f"{label}: {', '.join(missing)} is missing; ED, SE and confidence belong together."
        )
    arrays: dict[str, F8] = {}
    for suffix, what in SUFFIXES.items():
        raw = parts[suffix]
        if raw.dtype.kind not in "fiu" or len(raw) > _MAX_ROWS:
            raise DataSetError(f"{label}: {suffix} holds no plain numbers.")
        try:
            arrays[suffix] = check_rows(raw, f"{label}: {what} ({suffix})")
        except InputError as error:
            raise DataSetError(str(error)) from error
        # ED may say "missing" by NaN; what was measured and how sure a detector was may not.
        if not (np.isfinite(arrays[suffix]) | ((suffix == "sp_op") & np.isnan(arrays[suffix]))).all():
            raise DataSetError(f"{label}: {suffix} holds values that are no numbers (NaN or infinity).")
        if (arrays[suffix] < 0).any():
            raise DataSetError(f"{label}: {suffix} holds negative values; distances and confidences are not.")
    if len({len(a) for a in arrays.values()}) != 1:
        counts = ", ".join(f"{s} {len(a)}" for s, a in arrays.items())
        raise DataSetError(f"{label}: the arrays have different numbers of rows ({counts}).")
    if not len(arrays["sp_op"]):
        raise DataSetError(f"{label}: the arrays are empty.")
    return Split(name, arrays["sp_op"], arrays["sp_gt"], arrays["conf"])


def write_arrays(folder: Path, split: Split) -> list[Path]:
    """Write a split as three npy files (float64, as the original's); the files.

    Raises:
        StorageError: the folder cannot be written.
    """
    head = f"{split.name}_" if split.name else ""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, values in (("sp_op", split.ed), ("sp_gt", split.se), ("conf", split.confidence)):
            path = folder / f"{head}{suffix}.npy"
            beside = path.with_name(f".{path.name}.part")
            with beside.open("wb") as file:
                np.save(file, np.asarray(values, np.float64), allow_pickle=False)
            beside.replace(path)
            written.append(path)
    except OSError as error:
        raise StorageError(f"{folder.name} cannot be written: {error.strerror}.") from error
    return written
