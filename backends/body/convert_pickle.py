"""Turns a body pickle into an ``.npz`` without running anything that the pickle asks for.

SMPL's original files are pickles, and a pickle can call any function when it is opened. Here only a
short list of constructors is allowed: numpy arrays and scalars, scipy's sparse matrices, and chumpy's
``Ch``, which is replaced by a holder of its array. Anything else ends the conversion. The reading
happens in a child process with an empty environment, so that even a fault in this list reaches nothing.

Run as a module by :func:`convert_pickle`; not meant to be imported by others.
"""

from __future__ import annotations

import importlib
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from backends.errors import WeightsError

_KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table")
_MAX_BYTES = 1_500_000_000
_TIMEOUT_S = 120
_REFUSED = 3


class _Held:
    """Stands for a chumpy array: whatever its state is, the array in it is taken."""

    def __init__(self, *arguments: Any) -> None:
        self.state: Any = arguments[0] if arguments else None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> Any:
        return self.state.get("x") if isinstance(self.state, dict) else self.state


class _Refused(Exception):
    """The pickle wants something that no body file needs."""


def _allowed(module: str, name: str) -> Any:
    if module.startswith("chumpy"):
        return _Held
    if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name in ("_reconstruct", "scalar"):
        return getattr(importlib.import_module("numpy._core.multiarray"), name)
    if module == "numpy" and name in ("ndarray", "dtype"):
        return getattr(np, name)
    if module.startswith("scipy.sparse") and name in ("csc_matrix", "csr_matrix"):
        from scipy import sparse

        return getattr(sparse, name)
    if (module, name) in (("_codecs", "encode"), ("copy_reg", "_reconstructor"), ("__builtin__", "object")):
        import codecs
        import copyreg

        return {"encode": codecs.encode, "_reconstructor": copyreg._reconstructor, "object": object}[name]  # type: ignore[attr-defined]
    raise _Refused(f"{module}.{name}")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _allowed(module, name)


def _as_array(value: Any) -> Any:
    if isinstance(value, _Held):
        value = value.array()
    if hasattr(value, "toarray"):
        value = value.toarray()
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise _Refused(f"values of type {array.dtype}")
    return array


def _child(source: Path, target: Path) -> None:
    data = _Unpickler(io.BytesIO(source.read_bytes()), encoding="latin1").load()
    if not isinstance(data, dict):
        raise _Refused("no table of arrays")
    np.savez_compressed(target, **{k: _as_array(data[k]) for k in _KEYS if k in data})


def convert_pickle(source: Path, target: Path) -> None:
    """Write the arrays of a body pickle to ``target`` (``.npz``).

    Raises:
        WeightsError: missing, too large, damaged, or asking for anything but arrays.
    """
    try:
        size = source.stat().st_size
    except OSError as error:
        raise WeightsError(f"The body file {source.name} cannot be read: {error.strerror}.") from error
    if size > _MAX_BYTES:
        raise WeightsError(f"{source.name} is larger than any body file.")
    root = Path(__file__).resolve().parents[2]
    part = target.with_name(target.name + ".part.npz")
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", "import sys; sys.path.insert(0, sys.argv[3]);"
             "from backends.body.convert_pickle import main; main(sys.argv[1], sys.argv[2])",
             str(source.resolve()), str(part.resolve()), str(root)],
            env={}, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        part.unlink(missing_ok=True)
        raise WeightsError(f"{source.name} took too long to read; it is no ordinary body file.") from error
    if done.returncode == 0:
        part.replace(target)
        return
    part.unlink(missing_ok=True)
    if done.returncode == _REFUSED:
        raise WeightsError(
            f"{source.name} was refused: it asks for {done.stdout.strip()}, which no body file needs. "
            "It may be an attack; get the file from its authors."
        )
    raise WeightsError(f"{source.name} is damaged, or no body file.")


def main(source: str, target: str) -> None:
    """The child process: convert and tell by the exit status how it went."""
    try:
        _child(Path(source), Path(target))
    except _Refused as refused:
        print(refused)
        sys.exit(_REFUSED)
