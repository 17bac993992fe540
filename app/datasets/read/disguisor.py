"""Reads DisguisOR's layout; what it holds is told in :mod:`app.datasets.write.disguisor`.

In the published recordings the 2D keypoints are a network's, without identity: people are then numbered
by their place in the list. Where ``keypoints3d`` lies beside them (3D people with an id), each 2D person
takes the id of the 3D person that projects nearest to it.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import (
    field,
    intrinsics,
    numbers,
    opencv_storage,
    picture_size,
    read_json,
    stored_matrix,
    table,
)
from app.datasets.layouts import COCO17
from app.datasets.pickles import read_pickle
from app.datasets.read.easymocap import placed, world_people
from app.datasets.types import Points2D, Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from app.datasets.write.disguisor import FLIP, Y_TO_Z_UP
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

KIND: Final = "disguisor"
_NEAR_PX = 30.0
_KEYPOINTS = "*_2d_kps.pkl"


def recognise(path: Path) -> bool:
    """Whether a folder holds this layout."""
    return (path / "cn01" / "world2camera.json").is_file()


def open_disguisor(root: Path) -> TruthSet:
    """Open a folder with ``cn01``, ``cn02``, ... and ``*_2d_kps.pkl``.

    Raises:
        DataSetError: damaged, or something is missing.
    """
    tables = sorted(root.glob(_KEYPOINTS))
    if len(tables) != 1:
        raise DataSetError(
            f"{root.name} should hold one file of keypoints ({_KEYPOINTS}), not {len(tables)}. "
            "Get the data set again."
        )
    keypoints = _Keypoints(tables[0])
    views = []
    folders = sorted(p for p in root.iterdir() if p.is_dir() and re.fullmatch(r"cn\d+", p.name))
    for k, folder in enumerate(folders):
        pictures = tuple(sorted(folder.glob("*_color.jpg")))
        if not pictures:
            raise DataSetError(f"{root.name}/{folder.name} holds no pictures (*_color.jpg).")
        view = _View(root, k, pictures, keypoints)
        views.append(ReadView(folder.name, len(pictures), None, pictures, view.frame))
    return TruthSet(KIND, root, tuple(views))


def camera_of_folder(folder: Path, width: int, height: int) -> Camera:
    """The camera of ``camera_calibration.yml`` and ``world2camera.json``.

    Raises:
        DataSetError: they are missing or damaged.
    """
    path = folder / "camera_calibration.yml"
    storage = opencv_storage(path)
    key = "undistorted_color_camera_matrix"
    K = intrinsics(path, stored_matrix(path, storage, key, (3, 3)), key)
    place = folder / "world2camera.json"
    said = table(place, read_json(place), "the file")
    said = table(place, said.get("value0", said), "the file")
    t = numbers(place, list(table(place, field(place, said, "translation"), "translation").values()),
                "translation", (3,))  # fmt: skip
    quaternion = table(place, field(place, said, "rotation"), "rotation")
    q = numbers(place, [field(place, quaternion, axis) for axis in "xyzw"], "rotation", (4,))
    if abs(float(np.linalg.norm(q)) - 1) > 1e-3:
        raise damaged(place, "its rotation is no unit quaternion")
    to_world = Y_TO_Z_UP @ Rotation.from_quat(q).as_matrix() @ FLIP
    # The coefficients in the file are those of the raw pictures; these are undistorted.
    return Camera(K, width, height, to_world.T, -to_world.T @ (Y_TO_Z_UP @ t))


class _Keypoints:
    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        return read_pickle(self.path)

    def of(self, camera: int, frame: int) -> F8:
        """(P, 17, 3) x, y, confidence."""
        key = f"{camera}_{frame}"
        array = self._arrays.get(key)
        if array is None:
            parts = [self._arrays[k] for k in self._arrays if k.startswith(f"{key}/")]
            try:
                array = np.stack(parts) if parts else np.zeros((0, 17, 3))
            except ValueError as error:
                raise damaged(self.path, f"the people of '{key}' have different numbers of points") from error
        return numbers(self.path, array, f"'{key}'", (None, 17, 3))


class _View:
    def __init__(self, root: Path, number: int, pictures: tuple[Path, ...], keypoints: _Keypoints) -> None:
        self._root, self._number, self._pictures, self._keypoints = root, number, pictures, keypoints

    @cached_property
    def _camera(self) -> Camera:
        return camera_of_folder(self._pictures[0].parent, *picture_size(self._pictures[0]))

    def frame(self, index: int) -> TrueFrame:
        picture = self._pictures[index]
        frame = int(picture.name.split("_")[0])
        seen = self._keypoints.of(self._number, frame)
        path = self._root / "keypoints3d" / f"{frame:06d}.json"
        world = {i: placed(path, points, self._camera) for i, points in world_people(path).items()}
        people = []
        numbered = _matched(seen, world, self._camera) if world else dict(enumerate(range(1, len(seen) + 1)))
        for k, person_id in numbered.items():
            visibility = np.where(seen[k, :, 2] >= 0.75, 2, np.where(seen[k, :, 2] > 0, 1, 0))
            points = Points2D(COCO17, seen[k, :, :2].copy(), visibility.astype(np.uint8))
            points_3d = (world[person_id],) if person_id in world else ()
            people.append(TruePerson(person_id, points_2d=(points,), points_3d=points_3d))
        unseen = world.keys() - numbered.values()
        people += [TruePerson(i, points_3d=(world[i],)) for i in unseen]
        return TrueFrame(index, tuple(sorted(people, key=lambda p: p.person_id)), self._camera)


def _matched(seen: F8, world: dict[int, Points3D], camera: Camera) -> dict[int, int]:
    """Which 3D person each 2D one is; those near none get numbers after the last."""
    ids = sorted(world)
    projected = np.stack([camera.project(world[i].xyz) for i in ids])
    distance = np.linalg.norm(seen[:, None, :, :2] - projected[None], axis=-1)
    distance[(seen[:, None, :, 2] <= 0) | ~np.isfinite(distance)] = np.nan
    counts = np.isfinite(distance).sum(axis=-1)
    mean = np.where(counts > 0, np.nansum(distance, axis=-1) / np.maximum(counts, 1), 1e6)
    found = {int(a): ids[b] for a, b in zip(*linear_sum_assignment(mean)) if mean[a, b] < _NEAR_PX}
    following = max(ids) + 1
    for k in range(len(seen)):
        if k not in found:
            found[k] = following
            following += 1
    return found
