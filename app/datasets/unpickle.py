"""Reads tables of numbers from a data set's pickle without running anything in it. A program of its own.

``python -I unpickle.py SOURCE TARGET [KEYS]`` writes an npz of the entries KEYS (a,b,c; all if left out);
run it through :mod:`app.datasets.pickles`. Only what an array of numbers is made of may be named in the
pickle; everything else ends the program. Tables and lists are flattened: ``{"poses": [a, b]}`` becomes the
entries ``poses/0`` and ``poses/1``.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

_MAX_MEMORY = 6_000_000_000
_MAX_SECONDS = 120
_MAX_DEPTH = 8
_MAX_LEAVES = 200_000
_MAX_BYTES = 2_000_000_000


class Refused(Exception):
    """The pickle names something that is no array, or nests too deep."""


def _allowed(module: str, name: str) -> Any:
    if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        if name == "_reconstruct":
            return np.ndarray(0).__reduce__()[0]
        if name == "scalar":
            return np.float64(0).__reduce__()[0]
    if module in ("numpy.core.numeric", "numpy._core.numeric") and name == "_frombuffer":
        return np.zeros(1).__reduce_ex__(5)[0]
    if module == "numpy" and name in ("ndarray", "dtype"):
        return getattr(np, name)
    if (module, name) == ("_codecs", "encode"):
        return _latin1
    if module in ("__builtin__", "builtins") and name == "bytes":
        return _no_bytes
    raise Refused(f"it names {module}.{name}, which is no table of numbers")


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """How newer Pythons store bytes for older ones."""
    if encoding not in ("latin1", "latin-1"):
        raise Refused(f"it stores bytes as {encoding}")
    return text.encode("latin1")


def _no_bytes(*arguments: object) -> bytes:
    """How newer Pythons store the content of an empty array for older ones."""
    if arguments:
        raise Refused("it makes bytes out of something else")
    return b""


class _NumbersOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _allowed(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise Refused("it points outside itself")


def flatten(value: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The numbers and texts in nested tables and lists, by their path.

    Raises:
        Refused: too deep, too many, or something that is neither.
    """
    leaves: dict[str, np.ndarray[Any, Any]] = {}
    _gather(value, "", 0, leaves)
    return leaves


def _gather(value: Any, path: str, depth: int, leaves: dict[str, np.ndarray[Any, Any]]) -> None:
    if depth > _MAX_DEPTH:
        raise Refused("it nests too deep")
    if len(leaves) > _MAX_LEAVES:
        raise Refused("it holds too many entries")
    array = _plain_array(value)
    if array is not None:
        if array.nbytes > _MAX_BYTES:
            raise Refused("it unpacks to far too much")
        leaves[path] = array
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str | int) or "/" in str(key):
                raise Refused("it has a key that is no name")
            _gather(inner, f"{path}/{key}" if path else str(key), depth + 1, leaves)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            _gather(inner, f"{path}/{i}" if path else str(i), depth + 1, leaves)
    elif isinstance(value, np.ndarray):
        _gather(value.tolist(), path, depth + 1, leaves)
    elif value is not None:
        raise Refused(f"it holds a {type(value).__name__}")


def _plain_array(value: Any) -> np.ndarray[Any, Any] | None:
    """``value`` as an array of numbers or a text, None where it is neither."""
    if isinstance(value, bytes):
        value = value.decode("latin1")
    if isinstance(value, str):
        return np.array(value)
    if isinstance(value, np.ndarray | np.generic | int | float):
        array = np.asarray(value)
        return array if array.dtype.kind in "fiubU" else None
    if isinstance(value, list | tuple) and value and _all_numbers(value):
        try:
            array = np.array(value)
        except ValueError:  # rows of different length
            return None
        return array if array.dtype.kind in "fiub" else None
    return None


def _all_numbers(value: Any) -> bool:
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, int | float | np.generic)


def convert(source: Path, target: Path, keys: list[str] | None = None) -> None:
    """Write the numbers of ``source`` to ``target`` (npz), of a table only the entries ``keys``.

    Raises:
        Refused: when the pickle is more than numbers and text.
    """
    with source.open("rb") as file:
        try:
            data = _NumbersOnly(file, encoding="latin1").load()
        except (Refused, MemoryError):
            raise
        except Exception as error:
            raise Refused(f"it is damaged ({type(error).__name__})") from error
    if keys is not None:
        if not isinstance(data, dict):
            raise Refused("it is no table")
        data = {key: data[key] for key in keys if key in data}
    leaves = flatten(data)
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in leaves.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(array).reshape(array.shape))


def _limit() -> None:
    """A file that is made to eat memory or time shall only hurt this process."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit remains
        return
    for what, most in ((resource.RLIMIT_AS, _MAX_MEMORY), (resource.RLIMIT_CPU, _MAX_SECONDS)):
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit the address space
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    _limit()
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(",") if len(sys.argv) > 3 else None)
    except Refused as refused:
        sys.exit(str(refused))
    except (MemoryError, RecursionError):
        sys.exit("it unpacks to far too much")
