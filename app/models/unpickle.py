"""Reads the arrays of a pickle without running anything in it. A program of its own.

``python -I unpickle.py SOURCE TARGET`` writes a body's npz, with a third argument ``weights`` that of a
network; run it through :mod:`app.models.convert`. Only what an array is made of may be named in the pickle;
everything else ends the program. chumpy's arrays, which SMPL's first files hold, are taken as the plain
array inside them; chumpy itself is not needed.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table")
"""What a body needs (SMPL's names); nothing else is written."""

_MAX_MEMORY = 6_000_000_000
_MAX_SECONDS = 120


class Refused(Exception):
    """The pickle names something that is no array, or lacks what a body needs."""


class _Wrapped:
    """Stands for chumpy's array: only remembers its state."""

    def __init__(self, *args: object) -> None:
        self.state: Any = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _allowed(module: str, name: str) -> Any:
    from scipy import sparse

    if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        return np.ndarray(0).__reduce__()[0]
    if name == "scalar" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        return np.float64(0).__reduce__()[0]
    if module == "numpy" and name in ("ndarray", "dtype"):
        return getattr(np, name)
    if module.startswith("scipy.sparse") and name in ("csc_matrix", "csr_matrix", "coo_matrix"):
        return getattr(sparse, name)
    if (module, name) == ("chumpy.ch", "Ch"):
        return _Wrapped
    if (module, name) == ("_codecs", "encode"):
        return _latin1
    if (module, name) == ("copy_reg", "_reconstructor"):
        return _plain_object
    if name == "object" and module in ("__builtin__", "builtins"):
        return object
    raise Refused(f"it names {module}.{name}, which is no array")


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """How newer Pythons store bytes for older ones."""
    if encoding not in ("latin1", "latin-1"):
        raise Refused(f"it stores bytes as {encoding}")
    return text.encode("latin1")


def _plain_object(cls: type, base: type, state: object) -> object:
    from scipy import sparse

    if base is not object or cls not in (_Wrapped, sparse.csc_matrix, sparse.csr_matrix, sparse.coo_matrix):
        raise Refused("it makes an object that is no array")
    return object.__new__(cls)


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _allowed(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise Refused("it points outside itself")


def _array(key: str, value: Any) -> np.ndarray[Any, Any]:
    if isinstance(value, _Wrapped):
        value = value.state.get("x") if isinstance(value.state, dict) else None
    if hasattr(value, "toarray"):
        value = value.toarray()
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.dtype.hasobject:
        raise Refused(f"its {key} holds no numbers")
    return array


def convert(source: Path, target: Path) -> None:
    """Write the arrays of ``source`` to ``target`` (npz).

    Raises:
        Refused: when the pickle is more, or less, than a body's arrays.
    """
    data = _read(source)
    missing = [key for key in KEYS if key not in data]
    if missing:
        raise Refused(f"it lacks {', '.join(missing)}")
    arrays: dict[str, Any] = {key: _array(key, data[key]) for key in KEYS}
    np.savez_compressed(target, **arrays)


def convert_weights(source: Path, target: Path) -> None:
    """Write a network's weights (npz, by name): of a checkpoint what lies under ``model``.

    Raises:
        Refused: when the pickle is more than arrays by name, or wants names to be guessed.
    """
    data = _read(source)
    if data.get("matching_heuristics"):
        raise Refused("it holds a backbone under another program's names, not a whole network")
    named = data.get("model", data)
    if not isinstance(named, dict) or not named or not all(isinstance(name, str) for name in named):
        raise Refused("it holds no weights by name")
    arrays: dict[str, Any] = {name: _array(name, value) for name, value in named.items()}
    np.savez(target, **arrays)


def _read(source: Path) -> dict[Any, Any]:
    with source.open("rb") as file:
        try:
            data = _ArraysOnly(file, encoding="latin1").load()
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"it is damaged ({type(error).__name__})") from error
    if not isinstance(data, dict):
        raise Refused("it is no table of arrays")
    return data


def _limit() -> None:
    """A file that is made to eat memory or time shall only hurt this process."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_SECONDS, _MAX_SECONDS))


if __name__ == "__main__":
    _limit()
    try:
        into = convert_weights if sys.argv[3:] == ["weights"] else convert
        into(Path(sys.argv[1]), Path(sys.argv[2]))
    except Refused as refused:
        sys.exit(str(refused))
    except MemoryError:
        sys.exit("it unpacks to far too much")
