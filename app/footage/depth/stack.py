"""Depth as arrays: a ``.npy`` stack, or an ``.npz`` that holds a stack or an array a picture.

Nothing is read before it is asked for: a stack of a thousand pictures would not fit into memory.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from app.errors import FootageError
from app.footage.base import check_size
from app.footage.depth.source import DepthSource, Raw, checked
from app.footage.pictures import natural_key

_BROKEN = "{name} is no stack of arrays that can be read. It may be damaged; save it again with numpy."


class NpyDepth(DepthSource):
    """An array (n, h, w), mapped and not read."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._stack: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FootageError(_BROKEN.format(name=path.name)) from error
        self.n = _frames(self._stack.shape, path.name)

    def read(self, index: int) -> Raw:
        """See :meth:`DepthSource.read`."""
        return checked(np.array(self._stack[index]), self.name)

    def close(self) -> None:
        """See :meth:`DepthSource.close`; the map goes with its array."""


class NpzDepth(DepthSource):
    """An archive with one array (n, h, w), or with arrays (h, w) in the order of their names."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._archive = zipfile.ZipFile(path)
            members = [Path(m) for m in self._archive.namelist() if m.endswith(".npy")]
            self._members = [str(m) for m in sorted(members, key=natural_key)]
            headers = {m: self._header(m) for m in self._members}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise FootageError(_BROKEN.format(name=path.name)) from error
        stacks = [m for m in self._members if len(headers[m][0]) in (3, 4)]
        self._stack: str | None = None
        if stacks:
            chosen = [m for m in stacks if "depth" in m.lower()] or stacks
            if len(chosen) > 1:
                raise FootageError(
                    f"{path.name} holds several stacks; keep the one of depth, called 'depth'."
                )
            self._stack = chosen[0]
            self._shape, self._kind, self._start = headers[self._stack]
            self.n = _frames(self._shape, path.name)
            self._open: IO[bytes] | None = None
            return
        self._members = [m for m in self._members if len(headers[m][0]) == 2]
        self.n = len(self._members)
        if not self.n:
            raise FootageError(f"{path.name} holds no arrays of depth: (n, h, w), or one (h, w) a frame.")
        for member in self._members:
            height, width = headers[member][0]
            check_size(f"{member} in {path.name}", width, height)

    def _header(self, member: str) -> tuple[tuple[int, ...], np.dtype[Any], int]:
        with self._archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            reader = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, kind = reader(file)
            if kind.hasobject or (fortran and len(shape) > 1):
                raise ValueError("no plain array")
            return shape, kind, file.tell()

    def read(self, index: int) -> Raw:
        """See :meth:`DepthSource.read`."""
        try:
            if self._stack is None:
                with self._archive.open(self._members[index]) as file:
                    array = np.lib.format.read_array(file, allow_pickle=False)
                return checked(array, self.name)
            if self._open is None:
                self._open = self._archive.open(self._stack)
            size = int(np.prod(self._shape[1:])) * self._kind.itemsize
            self._open.seek(self._start + index * size)
            data = self._open.read(size)
            if len(data) != size:
                raise EOFError
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise FootageError(f"Frame {index + 1} of {self.name} cannot be read: it is damaged.") from error
        return checked(np.frombuffer(data, self._kind).reshape(self._shape[1:]), self.name)

    def close(self) -> None:
        """See :meth:`DepthSource.close`."""
        if self._stack is not None and self._open is not None:
            self._open.close()
        self._archive.close()


def _frames(shape: tuple[int, ...], name: str) -> int:
    """Number of pictures in a stack of this shape.

    Raises:
        FootageError: another shape than (n, h, w).
    """
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3 or min(shape) < 1:
        raise FootageError(f"{name} has the shape {shape}; a stack of depth has (frames, height, width).")
    check_size(name, shape[2], shape[1])
    return shape[0]
