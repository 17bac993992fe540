"""Depth as arrays: a ``.npy`` stack, or an ``.npz`` that holds a stack or an array a picture.

Nothing is read before it is asked for, and nothing is kept: a stack of a thousand pictures would not fit into
memory.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from app.errors import FootageError
from app.footage.base import check_size
from app.footage.depth.source import DepthSource, Raw, checked
from app.footage.pictures import natural_key

_BROKEN = "{name} is no stack of arrays that can be read. It may be damaged; save it again with numpy."
_ERRORS = (OSError, ValueError, EOFError, zipfile.BadZipFile)


class _Header:
    """Shape, type and place of an array in numpy's format.

    Raises:
        ValueError: no plain array.
    """

    def __init__(self, file: IO[bytes]) -> None:
        version = np.lib.format.read_magic(file)
        first = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        self.shape, fortran, self.kind = read(file)
        if self.kind.hasobject or (fortran and len(self.shape) > 1):
            raise ValueError("no plain array")
        self.start = file.tell()

    def frame(self, file: IO[bytes], index: int) -> Any:
        """Picture ``index`` of a stack."""
        size = int(np.prod(self.shape[1:])) * self.kind.itemsize
        file.seek(self.start + index * size)
        data = file.read(size)
        if len(data) != size:
            raise EOFError
        return np.frombuffer(data, self.kind).reshape(self.shape[1:])


class NpyDepth(DepthSource):
    """An array (n, h, w), read picture by picture: mapped, what was read would stay in memory."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise FootageError(_BROKEN.format(name=path.name)) from error
        try:
            self._header = _Header(self._file)
            self.n = _frames(self._header.shape, path.name)
        except _ERRORS as error:
            self._file.close()
            raise FootageError(_BROKEN.format(name=path.name)) from error
        except FootageError:
            self._file.close()
            raise

    def read(self, index: int) -> Raw:
        """See :meth:`DepthSource.read`."""
        try:
            return checked(self._header.frame(self._file, index), self.name)
        except _ERRORS as error:
            raise FootageError(_damaged(index, self.name)) from error

    def close(self) -> None:
        """See :meth:`DepthSource.close`."""
        self._file.close()


class NpzDepth(DepthSource):
    """An archive with one array (n, h, w), or with arrays (h, w) in the order of their names."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._archive = zipfile.ZipFile(path)
        except _ERRORS as error:
            raise FootageError(_BROKEN.format(name=path.name)) from error
        self._open: IO[bytes] | None = None
        self._stack: str | None = None
        try:
            self._look(path)
        except _ERRORS as error:
            self._archive.close()
            raise FootageError(_BROKEN.format(name=path.name)) from error
        except FootageError:
            self._archive.close()
            raise

    def _look(self, path: Path) -> None:
        """What the archive holds."""
        names = [m for m in self._archive.namelist() if m.endswith(".npy")]
        headers = {m: self._header(m) for m in sorted(names, key=lambda m: natural_key(Path(m)))}
        stacks = [m for m, h in headers.items() if len(h.shape) in (3, 4)]
        if stacks:
            chosen = [m for m in stacks if "depth" in m.lower()] or stacks
            if len(chosen) > 1:
                raise FootageError(f"{path.name} holds several stacks; call the one of depth 'depth'.")
            self._stack = chosen[0]
            self._layout = headers[self._stack]
            self.n = _frames(self._layout.shape, path.name)
            return
        self._members = [m for m, h in headers.items() if len(h.shape) == 2]
        self.n = len(self._members)
        if not self.n:
            raise FootageError(f"{path.name} holds no arrays of depth: (n, h, w), or one (h, w) a frame.")
        for member in self._members:
            height, width = headers[member].shape
            check_size(f"{member} in {path.name}", width, height)

    def _header(self, member: str) -> _Header:
        with self._archive.open(member) as file:
            return _Header(file)

    def read(self, index: int) -> Raw:
        """See :meth:`DepthSource.read`."""
        try:
            if self._stack is None:
                with self._archive.open(self._members[index]) as file:
                    array = np.lib.format.read_array(file, allow_pickle=False)
            else:
                self._open = self._open or self._archive.open(self._stack)
                array = self._layout.frame(self._open, index)
        except _ERRORS as error:
            raise FootageError(_damaged(index, self.name)) from error
        return checked(array, self.name)

    def close(self) -> None:
        """See :meth:`DepthSource.close`."""
        if self._open is not None:
            self._open.close()
        self._archive.close()


def _damaged(index: int, name: str) -> str:
    return f"Frame {index + 1} of {name} cannot be read: it is damaged."


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
