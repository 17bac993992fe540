"""npz files: written in pieces with the same bytes every time, and read without trusting them.

numpy's own ``savez`` stamps the time of writing into the file and wants whole arrays in memory.
"""

from __future__ import annotations

import math
import shutil
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged

Array = npt.NDArray[Any]

_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK = 1 << 20
MAX_BYTES = 8_000_000_000
"""Truth of more than this does not fit into memory anyway."""


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
    info.create_system = 3  # the same bytes on every system
    info.external_attr = 0o644 << 16
    return info


def _header(file: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    descr = np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})


def save_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays as an npz whose bytes depend on nothing but them."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(_entry(name), "w", force_zip64=True) as file:
                plain = np.ascontiguousarray(array)
                _header(file, plain.dtype, array.shape)
                file.write(plain.tobytes())


class NpzLog:
    """Arrays that grow by a row a frame, gathered on the disk and saved as one npz.

    Args:
        folder: an own folder for the pieces; made now, removed by :meth:`save`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._dtype: dict[str, np.dtype[Any]] = {}
        self._row: dict[str, tuple[int, ...]] = {}
        self._count: dict[str, int] = {}
        folder.mkdir(parents=True)

    def append(self, name: str, row: Array) -> None:
        """Add one row; every row of a name has the same shape and type."""
        if name not in self._files:
            self._files[name] = (self._folder / name).open("wb")
            self._dtype[name], self._row[name], self._count[name] = row.dtype, row.shape, 0
        if row.dtype != self._dtype[name] or row.shape != self._row[name]:
            raise ValueError(f"{name}: a row of {row.dtype} {row.shape} after {self._row[name]}")
        self._files[name].write(np.ascontiguousarray(row).tobytes())
        self._count[name] += 1

    def save(self, path: Path, first: Mapping[str, Array]) -> None:
        """Write the npz, with the arrays of ``first`` before the gathered ones, and remove the pieces."""
        self.close()
        with zipfile.ZipFile(path, "w") as archive:
            for name, array in first.items():
                with archive.open(_entry(name), "w", force_zip64=True) as file:
                    plain = np.ascontiguousarray(array)
                    _header(file, plain.dtype, array.shape)
                    file.write(plain.tobytes())
            for name in self._files:
                with archive.open(_entry(name), "w", force_zip64=True) as file:
                    _header(file, self._dtype[name], (self._count[name], *self._row[name]))
                    with (self._folder / name).open("rb") as piece:
                        shutil.copyfileobj(piece, file, _BLOCK)
        shutil.rmtree(self._folder)

    def close(self) -> None:
        """Close the pieces' files."""
        for file in self._files.values():
            file.close()


def read_npz(path: Path, keys: Collection[str] | None = None, limit: int = MAX_BYTES) -> dict[str, Array]:
    """All arrays of numbers and of text in an npz (or those of ``keys``); nothing in it is unpickled.

    What a header claims is held against what there is before memory is taken for it.

    Raises:
        DataSetError: missing, damaged, too large, or holding Python objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [i for i in archive.infolist() if i.filename.endswith(".npy")]
            infos = [i for i in infos if keys is None or i.filename[:-4] in keys]
            if sum(i.file_size for i in infos) > limit:
                raise DataSetError(
                    f"{path.name} unpacks to more than {limit / 1e9:.0f} GB. Check where it comes from."
                )
            return {i.filename[:-4]: _read_entry(path, archive, i) for i in infos}
    except FileNotFoundError as error:
        raise DataSetError(f"{path.name} is missing in {path.parent}. Check the path.") from error
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise damaged(path, "it is no whole npz file") from error


def names_in(path: Path) -> set[str]:
    """The names of the arrays in an npz; none where the file is no npz."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name[:-4] for name in archive.namelist() if name.endswith(".npy")}
    except (OSError, zipfile.BadZipFile):
        return set()


def _read_entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    with archive.open(info) as file:
        try:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read(file)
        except ValueError as error:
            raise damaged(path, f"{info.filename} is no array") from error
        if dtype.hasobject:
            raise DataSetError(
                f"{path.name} holds Python objects in {info.filename}, which can run code when they are "
                "opened; it was not read. Save plain arrays of numbers."
            )
        if dtype.kind not in "fiubUS":
            raise damaged(path, f"{info.filename} holds neither numbers nor text")
        rest = info.file_size - file.tell()
        if not dtype.itemsize or any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != rest:
            raise damaged(path, f"{info.filename} says it has the shape {shape}, but its size differs")
        data = file.read(rest)
    if len(data) != rest:
        raise damaged(path, f"{info.filename} is cut off")
    array = np.frombuffer(bytearray(data), dtype)
    return array.reshape(shape, order="F" if fortran else "C")
