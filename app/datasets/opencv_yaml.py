"""Matrices in OpenCV's FileStorage (yml), written without losing a bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]


def write_storage(path: Path, matrices: Mapping[str, F8], names: Sequence[str] | None = None) -> None:
    """Write matrices, and before them the list ``names`` where given."""
    storage = cv2.FileStorage(".yml", cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
    if names is not None:
        storage.startWriteStruct("names", cv2.FILE_NODE_SEQ)
        for name in names:
            storage.write("", name)
        storage.endWriteStruct()
    for key, matrix in matrices.items():
        storage.write(key, np.ascontiguousarray(matrix))
    path.write_text(storage.releaseAndGetString(), encoding="utf-8", newline="\n")
