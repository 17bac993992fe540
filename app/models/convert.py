"""Taking in a person's own files: an npz as it is, a pickle through a child that reads arrays only."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from app.errors import ModelError
from app.models.store import ModelStore

_TIME_S = 180
_MAX_BYTES = 2_000_000_000
_CHILD = Path(__file__).with_name("unpickle.py")


def add_file(store: ModelStore, model_id: str, source: Path) -> Path:
    """Put a file of a person's own into the store; pickles become npz on the way.

    Raises:
        ModelError: when it cannot be read, or a pickle holds more than arrays.
    """
    if source.suffix.lower() not in (".pkl", ".pickle"):
        return store.add(model_id, source)
    with tempfile.TemporaryDirectory(prefix="understudy-body-") as folder:
        return store.add(model_id, convert_pickle(source, Path(folder) / f"{source.stem}.npz"))


def convert_pickle(source: Path, target: Path) -> Path:
    """Write the arrays of a body's pickle to ``target`` (npz), in a child process; nothing in it is run.

    Raises:
        ModelError: missing, too large, damaged, or more than arrays.
    """
    return _in_a_child(source, target)


def convert_weights(source: Path, target: Path) -> Path:
    """The same for a network's weights by name, as Detectron2's model zoo stores them.

    Raises:
        ModelError: missing, too large, damaged, or more than arrays.
    """
    return _in_a_child(source, target, "weights")


def _in_a_child(source: Path, target: Path, *words: str) -> Path:
    try:
        n_bytes = source.stat().st_size
    except OSError as error:
        raise ModelError(f"There is no file {source}. Check the path.") from error
    if n_bytes > _MAX_BYTES:
        raise ModelError(f"{source.name} is larger than any such file. Check the path.")
    try:
        # Isolated (-I): neither the current folder nor the environment may bring code along.
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD), str(source), str(target), *words],
            capture_output=True, text=True, timeout=_TIME_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{source.name} takes too long to read; it is no such file.") from error
    if done.returncode != 0 or not target.is_file():
        said = done.stderr.strip().splitlines()
        raise ModelError(
            f"{source.name} was not taken in: {said[-1] if said else 'reading it ended the reader'}. "
            "Get the file from its authors again, or their npz."
        )
    return target
