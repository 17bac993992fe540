"""Reads the training set of MPI-INF-3DHP (Mehta et al., 3DV 2017): ``S1/Seq1/annot.mat``.

``annot2`` and ``annot3`` hold one array a camera: (N, 56) pixels and (N, 84) millimetres in that camera's
coordinates, 28 joints; ``univ_annot3`` (rescaled to one height) is not used. ``camera.calibration`` is
text: for each camera size, intrinsic and extrinsic 4 x 4 matrices (world to camera, millimetres).
Pictures are ``imageSequence/video_0.avi`` and so on. Which joints are hidden is not said: those within
the picture count as visible.

The test set's ``annot_data.mat`` is MATLAB 7.3 (HDF5), which this program does not read.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import intrinsics, numbers, read_text, rotation
from app.datasets.layouts import MPI28
from app.datasets.types import Points2D, Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from app.footage import open_footage
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

KIND: Final = "mpi-inf-3dhp"
_FILE, _TEST_FILE = "annot.mat", "annot_data.mat"
_MM = 0.001
_MAX_BYTES = 1_000_000_000


def find(path: Path) -> list[Path]:
    """The sequences' tables that ``path`` is or holds.

    Raises:
        DataSetError: it is the test set.
    """
    if path.is_file():
        found = [path] if path.name == _FILE else []
        test = path.name == _TEST_FILE
    else:
        found = [path / _FILE] if (path / _FILE).is_file() else sorted(path.glob(f"S*/Seq*/{_FILE}"))
        test = (path / _TEST_FILE).is_file() or any(path.glob(f"TS*/{_TEST_FILE}"))
    if test and not found:
        raise DataSetError(
            f"{_TEST_FILE} is a MATLAB 7.3 file (HDF5), which this program does not read. Open it in MATLAB "
            f"or Octave and save annot2 and annot3 as cells with 'save -v7' to {_FILE}."
        )
    return found


def open_mpi_inf_3dhp(path: Path, files: list[Path]) -> TruthSet:
    """Open sequences, one view for each camera of each.

    Raises:
        DataSetError: damaged, or ``camera.calibration`` is missing.
    """
    views: list[ReadView] = []
    for file in files:
        views += _Sequence(file).views(len(files) > 1)
    return TruthSet(KIND, path if path.is_dir() else path.parent, tuple(views))


class _Sequence:
    def __init__(self, path: Path) -> None:
        self._path = path
        if path.stat().st_size > _MAX_BYTES:
            raise DataSetError(f"{path.name} is larger than any of this data set's. Check the path.")
        try:
            arrays = loadmat(path, variable_names=("annot2", "annot3"))
        except NotImplementedError as error:
            raise DataSetError(
                f"{path.name} is a MATLAB 7.3 file (HDF5), which this program does not read. Save it again "
                "in MATLAB or Octave with 'save -v7'."
            ) from error
        except Exception as error:  # a damaged file raises whatever the place brings where it is damaged
            raise damaged(path, "it is no MATLAB file") from error
        self._annot2 = self._cells(arrays, "annot2", 56)
        self._annot3 = self._cells(arrays, "annot3", 84)
        if [len(a) for a in self._annot2] != [len(a) for a in self._annot3]:
            raise damaged(path, "annot2 and annot3 are of different lengths")

    def _cells(self, arrays: dict[str, Any], key: str, width: int) -> list[F8]:
        value = arrays.get(key)
        if not isinstance(value, np.ndarray) or value.dtype != object or not value.size:
            raise damaged(self._path, f"'{key}' should be one cell a camera")
        return [numbers(self._path, cell, key, (None, width)) for cell in value.ravel()]

    @cached_property
    def _cameras(self) -> dict[int, Camera]:
        return read_calibration(self._path.with_name("camera.calibration"))

    def views(self, several: bool) -> list[ReadView]:
        """One for each camera."""
        prefix = f"{self._path.parent.parent.name}_{self._path.parent.name}_" if several else ""
        found = []
        for number, joints in enumerate(self._annot3):
            if number not in self._cameras:
                raise damaged(self._path.with_name("camera.calibration"), f"camera {number} is missing")
            if not len(joints):
                continue
            video = self._path.parent / "imageSequence" / f"video_{number}.avi"
            fps = None
            if video.is_file():
                with open_footage(video) as footage:
                    fps = footage.fps
            source = video if video.is_file() else None
            found.append(
                ReadView(f"{prefix}camera{number:02d}", len(joints), fps, source, self._reader(number))
            )
        return found

    def _reader(self, number: int) -> Any:
        camera = self._cameras[number]
        last = (camera.width - 1, camera.height - 1)

        def read(index: int) -> TrueFrame:
            xy = self._annot2[number][index].reshape(28, 2)
            xyz = self._annot3[number][index].reshape(28, 3) * _MM
            inside = ((xy >= 0) & (xy <= last)).all(axis=1)
            points = Points2D(MPI28, xy.copy(), np.where(inside, 2, 0).astype(np.uint8))
            return TrueFrame(index, (TruePerson(1, (points,), (Points3D(MPI28, xyz),)),), camera)

        return read


def read_calibration(path: Path) -> dict[int, Camera]:
    """The cameras of a ``camera.calibration`` by number; metres.

    Raises:
        DataSetError: missing or damaged.
    """
    cameras = {}
    for block in re.split(r"^name\s+", read_text(path), flags=re.MULTILINE)[1:]:
        lines = block.splitlines()
        said = {words[0]: words[1:] for words in map(str.split, lines[1:]) if words}
        try:
            number = int(lines[0])
            width, height = (int(word) for word in said["size"])
            K, E = (np.array(said[key], np.float64).reshape(4, 4) for key in ("intrinsic", "extrinsic"))
        except (ValueError, KeyError, IndexError) as error:
            raise damaged(path, "a camera lacks its name, size, intrinsic or extrinsic") from error
        if not (0 < width <= 65535 and 0 < height <= 65535):
            raise damaged(path, f"camera {number} has {width} x {height} pixels")
        t = numbers(path, E[:3, 3], "extrinsic", (3,)) * _MM
        R = rotation(path, E[:3, :3], "extrinsic")
        cameras[number] = Camera(intrinsics(path, K[:3, :3], "intrinsic"), width, height, R, t)
    if not cameras:
        raise damaged(path, "it holds no cameras")
    return cameras
