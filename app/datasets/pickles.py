"""Data sets that come as pickles: read in a child process that knows arrays of numbers and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError
from app.datasets.npz import read_npz

_CHILD = Path(__file__).with_name("unpickle.py")
_TIME_S = 180
_MAX_BYTES = 2_000_000_000


def read_pickle(path: Path, keys: Sequence[str] | None = None) -> dict[str, npt.NDArray[Any]]:
    """The arrays and texts of a pickle by their path in it (``poses/0``); nothing in it is run.

    Args:
        keys: which entries of the table to take; all if None.

    Raises:
        DataSetError: missing, too large, damaged, or more than tables, lists, numbers and text.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataSetError(f"{path.name} cannot be read: {error.strerror}. Check the path.") from error
    if size > _MAX_BYTES:
        raise DataSetError(f"{path.name} is larger than any file of a data set. Check the path.")
    with tempfile.TemporaryDirectory(prefix="understudy-truth-") as folder:
        target = Path(folder) / "numbers.npz"
        wanted = [] if keys is None else [",".join(keys)]
        try:
            # Isolated (-I): neither the current folder nor the environment may bring code along.
            done = subprocess.run(
                [sys.executable, "-I", str(_CHILD), str(path.resolve()), str(target), *wanted],
                capture_output=True, text=True, timeout=_TIME_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise DataSetError(f"{path.name} takes too long to read; it is no ordinary file.") from error
        if done.returncode != 0 or not target.is_file():
            said = done.stderr.strip().splitlines()
            raise DataSetError(
                f"{path.name} was not read: {said[-1] if said else 'reading it ended the reader'}. "
                "Get the file from its authors again."
            )
        return read_npz(target)


def text_of(array: npt.NDArray[Any] | None) -> str:
    """A text that :func:`read_pickle` found; empty where there is none."""
    return str(array) if array is not None and array.dtype.kind == "U" and array.ndim == 0 else ""


def numbered(arrays: dict[str, npt.NDArray[Any]], name: str) -> list[npt.NDArray[Any]]:
    """The list ``name`` of a pickle: ``name/0``, ``name/1``, ..., or the rows where it was one array."""
    if name in arrays:
        return list(np.atleast_1d(arrays[name]))
    found: list[npt.NDArray[Any]] = []
    while f"{name}/{len(found)}" in arrays:
        found.append(arrays[f"{name}/{len(found)}"])
    return found
