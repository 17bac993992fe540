"""Reads 3DPW (von Marcard et al., ECCV 2018): ``sequenceFiles/<split>/NAME.pkl`` and ``imageFiles/NAME``.

The pickles are Python 2's: ``poses`` and ``trans`` (world, metres, one SMPL body a person, aligned with
the pictures), ``betas``, ``jointPositions`` (24 joints, world), ``cam_poses`` (4 x 4, world to camera),
``cam_intrinsics``, ``campose_valid``. 30 pictures a second, ``image_00000.jpg`` and so on.

As its evaluation does, a person is left out of the frames where ``campose_valid`` is 0. ``poses2d`` is a
detector's output and no truth, so it is left out. The bodies are SMPL's of the person's gender.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.datasets.errors import damaged
from app.datasets.files import intrinsics, numbers, picture_size, rotation
from app.datasets.layouts import SMPL24
from app.datasets.pickles import numbered, read_pickle
from app.datasets.read.smpl import as_55
from app.datasets.types import Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from backends.body.params import BodyParams
from backends.body.placed import in_camera
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

KIND: Final = "3dpw"
_FPS = 30.0
_N_BETAS = 10
_KEYS = (
    "poses", "trans", "betas", "jointPositions", "cam_poses", "cam_intrinsics", "campose_valid",
)  # fmt: skip


def find(path: Path) -> list[Path]:
    """The sequences that ``path`` is or holds."""
    if path.is_file():
        return [path] if path.suffix == ".pkl" else []
    folder = path / "sequenceFiles"
    return sorted(folder.rglob("*.pkl")) if folder.is_dir() else []


def open_3dpw(path: Path, files: list[Path]) -> TruthSet:
    """Open sequences, one view each.

    Raises:
        DataSetError: damaged, or no sequences of 3DPW.
    """
    root = path if path.is_dir() else _root(path)
    views = []
    for file in files:
        sequence = _Sequence(file, root)
        views.append(ReadView(file.stem, sequence.n_frames, _FPS, sequence.pictures, sequence.frame))
    return TruthSet(KIND, root, tuple(views))


def _root(path: Path) -> Path:
    """The data set's folder, where the file still lies in it."""
    for parent in path.parents:
        if parent.name == "sequenceFiles":
            return parent.parent
    return path.parent


class _Sequence:
    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        arrays = read_pickle(path, _KEYS)
        for key in ("cam_poses", "cam_intrinsics"):
            if key not in arrays:
                raise damaged(path, f"'{key}' is missing")
        self._cam_poses = numbers(path, arrays["cam_poses"], "cam_poses", (None, 4, 4))
        self._K = intrinsics(path, arrays["cam_intrinsics"], "cam_intrinsics")
        self.n_frames = n = len(self._cam_poses)
        if not n:
            raise damaged(path, "it has no frames")
        self._poses = self._people(arrays, "poses", (n, 72))
        self._trans = self._people(arrays, "trans", (n, 3))
        self._joints = self._people(arrays, "jointPositions", (n, 72))
        self._betas = self._people(arrays, "betas", (None,))
        self._valid = self._people(arrays, "campose_valid", (n,))
        counts = {len(self._poses), len(self._trans), len(self._joints), len(self._betas), len(self._valid)}
        if len(counts) != 1:
            raise damaged(path, "its lists are of different numbers of people")
        if any(len(betas) < _N_BETAS for betas in self._betas):
            raise damaged(path, f"a person has fewer than {_N_BETAS} betas")
        first = root / "imageFiles" / path.stem / "image_00000.jpg"
        self.pictures: tuple[Path, ...] | None = None
        if first.is_file():
            self.pictures = tuple(first.with_name(f"image_{i:05d}.jpg") for i in range(n))

    def _people(
        self, arrays: dict[str, npt.NDArray[Any]], key: str, shape: tuple[int | None, ...]
    ) -> list[F8]:
        return [
            numbers(self._path, value.reshape(-1) if key == "betas" else value, f"{key} of a person", shape)
            for value in numbered(arrays, key)
        ]

    @cached_property
    def _size(self) -> tuple[int, int]:
        if self.pictures is not None:
            return picture_size(self.pictures[0])
        # The principal point is the middle of the picture in every sequence.
        return round(2 * self._K[0, 2]), round(2 * self._K[1, 2])

    def frame(self, index: int) -> TrueFrame:
        pose = self._cam_poses[index]
        R = rotation(self._path, pose[:3, :3], f"cam_poses of frame {index}")
        t = pose[:3, 3].copy()
        camera = Camera(self._K, *self._size, R, t)
        people = []
        for k, valid in enumerate(self._valid):
            if not valid[index]:
                continue
            joints = self._joints[k][index].reshape(24, 3)
            transl = self._trans[k][index]
            params = BodyParams(
                self._betas[k][:_N_BETAS].copy(), as_55(self._poses[k][index].reshape(24, 3)), transl.copy()
            )
            # The root joint of the rest pose follows from the posed one: the body turns about it.
            people.append(
                TruePerson(
                    k + 1,
                    points_3d=(Points3D(SMPL24, joints @ R.T + t),),
                    params=in_camera(params, joints[0] - transl, R, t),
                    body="smpl",
                )
            )
        return TrueFrame(index, tuple(people), camera)
