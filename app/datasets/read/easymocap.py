"""Reads EasyMocap's layout; what it holds is told in :mod:`app.datasets.write.easymocap`.

Real recordings have detected keypoints there, which are no truth; the layout is the same. Without the
field ``visibility`` (which only this program writes) every point with a confidence counts as visible.
Lengths are metres. ``annots`` may have 25 points (BODY_25), 17 (COCO) or 23 (COCO and feet).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import (
    distortion,
    field,
    integer,
    intrinsics,
    numbers,
    opencv_storage,
    read_json,
    rotation,
    rows,
    stored_matrix,
    table,
)
from app.datasets.layouts import BODY25, COCO17, KEYPOINTS23
from app.datasets.types import JointLayout, Points2D, Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from app.footage.pictures import SUFFIXES
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

KIND: Final = "easymocap"
LAYOUTS: Final[dict[int, JointLayout]] = {25: BODY25, 17: COCO17, 23: KEYPOINTS23}


def recognise(path: Path) -> bool:
    """Whether a folder holds this layout."""
    return (path / "intri.yml").is_file() and (path / "extri.yml").is_file() and (path / "annots").is_dir()


def open_easymocap(root: Path) -> TruthSet:
    """Open a folder with ``intri.yml``, ``extri.yml`` and ``annots``.

    Raises:
        DataSetError: damaged, or something is missing.
    """
    views = []
    for folder in sorted(p for p in (root / "annots").iterdir() if p.is_dir()):
        files = sorted(folder.glob("*.json"))
        if not files:
            raise DataSetError(f"annots/{folder.name} holds no json files. Get the folder again.")
        view = _View(root, folder.name, files)
        views.append(ReadView(folder.name, len(files), None, _source(root, folder.name), view.frame))
    if not views:
        raise DataSetError(f"The folder annots in {root.name} holds no cameras. Get the data set again.")
    return TruthSet(KIND, root, tuple(views))


def _source(root: Path, name: str) -> Path | tuple[Path, ...] | None:
    video = root / "videos" / f"{name}.mp4"
    if video.is_file():
        return video
    folder = root / "images" / name
    pictures = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
    return tuple(pictures) or None


def camera_of(root: Path, name: str, width: int, height: int) -> Camera:
    """The camera ``name`` of ``intri.yml`` and ``extri.yml``.

    Raises:
        DataSetError: it is missing or damaged.
    """
    intri, extri = root / "intri.yml", root / "extri.yml"
    inside, outside = opencv_storage(intri), opencv_storage(extri)
    K = intrinsics(intri, stored_matrix(intri, inside, f"K_{name}", (3, 3)), f"K_{name}")
    dist = distortion(intri, stored_matrix(intri, inside, f"dist_{name}", (None, None)), f"dist_{name}")
    if outside.getNode(f"Rot_{name}").empty():
        R = np.asarray(cv2.Rodrigues(stored_matrix(extri, outside, f"R_{name}", (3, 1)))[0], np.float64)
    else:
        R = rotation(extri, stored_matrix(extri, outside, f"Rot_{name}", (3, 3)), f"Rot_{name}")
    t = stored_matrix(extri, outside, f"T_{name}", (3, 1))[:, 0]
    return Camera(K, width, height, R, t, dist)


def world_people(path: Path) -> dict[int, F8]:
    """People of one ``keypoints3d`` file: (J, 4) x, y, z, confidence by id; empty where there is no file.

    Raises:
        DataSetError: damaged.
    """
    if not path.is_file():
        return {}
    people = {}
    for entry in rows(path, read_json(path), "the file"):
        person = table(path, entry, "a person")
        number = integer(path, field(path, person, "id"), "id", 0)
        people[number] = numbers(path, field(path, person, "keypoints3d"), "keypoints3d", (None, 4))
    return people


def placed(path: Path, points: F8, camera: Camera) -> Points3D:
    """(J, 4) world points with a confidence as points of a camera; those with none are not known.

    Raises:
        DataSetError: no known number of points.
    """
    xyz = points[:, :3] @ camera.R.T + camera.t
    xyz[points[:, 3] <= 0] = np.nan
    return Points3D(layout_of(path, len(points)), xyz)


def layout_of(path: Path, n: int) -> JointLayout:
    """The order of ``n`` joints.

    Raises:
        DataSetError: no known number.
    """
    if n not in LAYOUTS:
        raise damaged(path, f"it has people of {n} points; known are {', '.join(map(str, LAYOUTS))}")
    return LAYOUTS[n]


class _View:
    def __init__(self, root: Path, name: str, files: list[Path]) -> None:
        self._root, self._name, self._files = root, name, files
        self._camera: Camera | None = None

    def frame(self, index: int) -> TrueFrame:
        path = self._files[index]
        value = table(path, read_json(path), "the file")
        if self._camera is None:
            width = integer(path, field(path, value, "width"), "width", 1, 65535)
            height = integer(path, field(path, value, "height"), "height", 1, 65535)
            self._camera = camera_of(self._root, self._name, width, height)
        world_path = self._root / "keypoints3d" / path.name
        world = world_people(world_path)
        seen = {}
        for entry in rows(path, field(path, value, "annots"), "annots"):
            person = table(path, entry, "a person")
            seen[integer(path, field(path, person, "personID"), "personID", 0)] = person
        people = []
        for number in sorted(seen.keys() | world.keys()):
            points = (placed(world_path, world[number], self._camera),) if number in world else ()
            people.append(_person(path, number, seen.get(number), points))
        return TrueFrame(index, tuple(people), self._camera)


def _person(
    path: Path, number: int, entry: dict[str, Any] | None, points_3d: tuple[Points3D, ...]
) -> TruePerson:
    if entry is None:
        return TruePerson(number, points_3d=points_3d)
    keypoints = numbers(path, field(path, entry, "keypoints"), "keypoints", (None, 3))
    layout = layout_of(path, len(keypoints))
    if "visibility" in entry:
        visibility = numbers(path, entry["visibility"], "visibility", (len(keypoints),))
    else:
        visibility = np.where(keypoints[:, 2] > 0, 2.0, 0.0)
    if not np.isin(visibility, (0, 1, 2)).all():
        raise damaged(path, "it has a visibility other than 0, 1 and 2")
    points = Points2D(layout, keypoints[:, :2].copy(), visibility.astype(np.uint8))
    bbox = numbers(path, field(path, entry, "bbox"), "bbox", (None,))
    if len(bbox) not in (4, 5):
        raise damaged(path, "a bbox should be x0, y0, x1, y1 and perhaps a score")
    return TruePerson(number, points_2d=(points,), points_3d=points_3d, box=bbox[:4])
