"""Reads Human3.6M (Ionescu et al., PAMI 2014) in the json form that 3DMPPE (Moon et al., 2019) spread.

For each subject ``Human36M_subject1_data.json`` (COCO's images and annotations, with subject, action_idx,
subaction_idx, cam_idx and frame_idx of each picture), ``_camera.json`` (by cam_idx: R, t in millimetres,
f, c in pixels; x_cam = R x_world + t) and ``_joint_3d.json`` (by action, subaction and frame: 17 joints,
world, millimetres). One view for each action and camera; its frames are those that the table lists, of a
recording at 50 a second. Distortion is left out, as everywhere where this form is used.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import (
    MAX_JSON_BYTES,
    field,
    flat,
    integer,
    numbers,
    read_json,
    relative,
    rotation,
    rows,
    table,
)
from app.datasets.layouts import H36M17
from app.datasets.types import Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

KIND: Final = "human3.6m"
_FPS = 50.0
_MM = 0.001
_NAME = re.compile(r"Human36M_subject(\d{1,2})_data\.json")
_KEYS = ("action_idx", "subaction_idx", "cam_idx", "frame_idx")


def find(path: Path) -> list[Path]:
    """The tables of pictures that ``path`` is or holds, one a subject."""
    if path.is_file():
        return [path] if _NAME.fullmatch(path.name) else []
    for folder in (path, path / "annotations"):
        if found := sorted(p for p in folder.glob("Human36M_subject*_data.json") if _NAME.fullmatch(p.name)):
            return found
    return []


def open_human36m(path: Path, files: list[Path]) -> TruthSet:
    """Open the subjects' tables.

    Raises:
        DataSetError: damaged, or one of a subject's three files is missing.
    """
    views: list[ReadView] = []
    for file in files:
        views += _Subject(file).views()
    folder = files[0].parent
    root = folder.parent if folder.name == "annotations" else folder
    return TruthSet(KIND, root if path.is_file() else path, tuple(views))


class _Subject:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._stem = path.name.removesuffix("_data.json")
        for kind in ("camera", "joint_3d"):
            if not self._file(kind).is_file():
                raise DataSetError(f"{self._file(kind).name} is missing beside {path.name}. Get it too.")

    def _file(self, kind: str) -> Path:
        return self.path.with_name(f"{self._stem}_{kind}.json")

    @cached_property
    def cameras(self) -> dict[str, Any]:
        path = self._file("camera")
        return table(path, read_json(path), "the file")

    @cached_property
    def joints(self) -> dict[str, Any]:
        path = self._file("joint_3d")
        return table(path, read_json(path, MAX_JSON_BYTES), "the file")

    def views(self) -> list[ReadView]:
        value = table(self.path, read_json(self.path, MAX_JSON_BYTES), "the file")
        boxes: dict[int, Any] = {}
        for entry in rows(self.path, field(self.path, value, "annotations"), "annotations"):
            annotation = table(self.path, entry, "an annotation")
            boxes[integer(self.path, field(self.path, annotation, "image_id"), "image_id")] = annotation.get(
                "bbox"
            )
        groups: dict[tuple[int, int, int], list[dict[str, Any]]] = defaultdict(list)
        for entry in rows(self.path, field(self.path, value, "images"), "images"):
            image = table(self.path, entry, "a picture")
            action, subaction, camera, _ = (
                integer(self.path, field(self.path, image, key), key) for key in _KEYS
            )
            integer(self.path, field(self.path, image, "id"), "id")
            field(self.path, image, "file_name")
            groups[action, subaction, camera].append(image)
        if not groups:
            raise damaged(self.path, "it lists no pictures")
        subject = self._stem.removeprefix("Human36M_subject")
        return [self._view(subject, key, images, boxes) for key, images in sorted(groups.items())]

    def _view(
        self, subject: str, key: tuple[int, int, int], images: list[dict[str, Any]], boxes: dict[int, Any]
    ) -> ReadView:
        images.sort(key=lambda image: int(image["frame_idx"]))
        steps = {b["frame_idx"] - a["frame_idx"] for a, b in pairwise(images)}
        fps = _FPS / steps.pop() if len(steps) == 1 and min(steps) > 0 else None
        folder = self.path.parent.parent / "images"
        pictures = tuple(folder / relative(self.path, image["file_name"], "file_name") for image in images)

        def read(index: int) -> TrueFrame:
            return self._frame(index, key, images[index], boxes.get(images[index]["id"]))

        name = f"S{subject}_action{key[0]:02d}_{key[1]:02d}_camera{key[2]:02d}"
        return ReadView(name, len(images), fps, pictures if pictures[0].is_file() else None, read)

    def _camera(self, number: int, image: dict[str, Any]) -> Camera:
        path = self._file("camera")
        said = table(path, field(path, self.cameras, str(number)), f"camera {number}")
        f = numbers(path, field(path, said, "f"), "f", (2,))
        c = numbers(path, field(path, said, "c"), "c", (2,))
        if (f <= 0).any():
            raise damaged(path, f"camera {number} has no focal length")
        K = np.array([[f[0], 0.0, c[0]], [0.0, f[1], c[1]], [0.0, 0.0, 1.0]])
        width, height = (
            integer(self.path, field(self.path, image, side), side, 1, 65535) for side in ("width", "height")
        )
        t = flat(path, field(path, said, "t"), "t", 3) * _MM
        return Camera(K, width, height, rotation(path, field(path, said, "R"), f"R of {number}"), t)

    def _frame(self, index: int, key: tuple[int, int, int], image: dict[str, Any], bbox: Any) -> TrueFrame:
        path = self._file("joint_3d")
        value: Any = self.joints
        for part in (key[0], key[1], image["frame_idx"]):
            value = field(path, table(path, value, "an action"), str(part))
        camera = self._camera(key[2], image)
        xyz = numbers(path, value, "joints", (17, 3)) * _MM @ camera.R.T + camera.t
        box = None
        if bbox is not None:
            x, y, width, height = numbers(self.path, bbox, "bbox", (4,))
            box = np.array([x, y, x + width - 1, y + height - 1])
        return TrueFrame(index, (TruePerson(1, points_3d=(Points3D(H36M17, xyz),), box=box),), camera)
