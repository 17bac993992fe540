"""Reads CMU Panoptic Studio sequences (Joo et al., ICCV 2015; domedb.perception.cs.cmu.edu).

``calibration_NAME.json`` (K, distCoef in OpenCV's order, R, t; centimetres, x_cam = R x_world + t) and
``hdPose3d_stage1_coco19/body3DScene_%08d.json`` (``bodies``: id, joints19 = 19 x (x, y, z, confidence),
centimetres). One view for each HD camera, 29.97 frames a second. Joints whose confidence is not positive
are not known.

With ``hdVideos/hd_00_00.mp4`` at hand, frame i is the video's frame i, and frames before the first file
have no people; without it the frames are those that have a file (and their pictures in
``hdImgs/00_00/00_00_%08d.jpg`` where they are).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import (
    distortion,
    field,
    flat,
    integer,
    intrinsics,
    numbers,
    read_json,
    rotation,
    rows,
    table,
)
from app.datasets.layouts import PANOPTIC19
from app.datasets.types import Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

KIND: Final = "panoptic"
_FPS = 30000 / 1001
_POSES = "hdPose3d_stage1_coco19"
_CM = 0.01
_MOST_FRAMES = 10_000_000


def recognise(path: Path) -> bool:
    """Whether a folder holds a sequence."""
    return path.is_dir() and (path / _POSES).is_dir()


def open_panoptic(root: Path) -> TruthSet:
    """Open a sequence's folder.

    Raises:
        DataSetError: damaged, or something is missing.
    """
    calibrations = sorted(root.glob("calibration_*.json"))
    if len(calibrations) != 1:
        raise DataSetError(
            f"{root.name} should hold one calibration_NAME.json, not {len(calibrations)}. "
            "Get the sequence's calibration again."
        )
    files: dict[int, Path] = {}
    for path in (root / _POSES).rglob("body3DScene_*.json"):
        if match := re.fullmatch(r"body3DScene_(\d{1,9})\.json", path.name):
            files[int(match[1])] = path
    if not files or max(files) > _MOST_FRAMES:
        raise DataSetError(f"{root.name}/{_POSES} holds no poses (body3DScene_00000000.json and so on).")
    path = calibrations[0]
    entries = rows(path, field(path, table(path, read_json(path), "the file"), "cameras"), "cameras")
    views = [
        _view(root, files, *_camera(path, entry))
        for entry in entries
        if isinstance(entry, dict) and entry.get("type") == "hd"
    ]
    if not views:
        raise damaged(path, "it lists no HD cameras")
    return TruthSet(KIND, root, tuple(views))


def _camera(path: Path, entry: dict[str, Any]) -> tuple[str, Camera]:
    name = str(field(path, entry, "name"))
    if not re.fullmatch(r"\d{1,4}_\d{1,4}", name):
        raise damaged(path, "a camera's name should be like 00_05")
    size = rows(path, field(path, entry, "resolution"), "resolution")
    if len(size) != 2:
        raise damaged(path, "resolution should be width and height")
    width, height = (integer(path, side, "resolution", 1, 65535) for side in size)
    t = flat(path, field(path, entry, "t"), f"t of {name}", 3) * _CM
    return name, Camera(
        intrinsics(path, field(path, entry, "K"), f"K of {name}"), width, height,
        rotation(path, field(path, entry, "R"), f"R of {name}"), t,
        distortion(path, field(path, entry, "distCoef"), f"distCoef of {name}"),
    )  # fmt: skip


def _view(root: Path, files: dict[int, Path], name: str, camera: Camera) -> ReadView:
    video = root / "hdVideos" / f"hd_{name}.mp4"
    source: Path | tuple[Path, ...] | None = None
    if video.is_file():
        order, source = list(range(max(files) + 1)), video
    else:
        order = sorted(files)
        pictures = tuple(root / "hdImgs" / name / f"{name}_{i:08d}.jpg" for i in order)
        source = pictures if pictures[0].is_file() else None

    def read(index: int) -> TrueFrame:
        path = files.get(order[index])
        return TrueFrame(index, () if path is None else _people(path, camera), camera)

    return ReadView(name, len(order), _FPS, source, read)


def _people(path: Path, camera: Camera) -> tuple[TruePerson, ...]:
    people = []
    for entry in rows(path, field(path, table(path, read_json(path), "the file"), "bodies"), "bodies"):
        body = table(path, entry, "a body")
        joints = numbers(path, field(path, body, "joints19"), "joints19", (76,)).reshape(19, 4)
        xyz = (joints[:, :3] * _CM) @ camera.R.T + camera.t
        xyz[joints[:, 3] <= 0] = np.nan
        number = integer(path, field(path, body, "id"), "id")
        people.append(TruePerson(number, points_3d=(Points3D(PANOPTIC19, xyz),)))
    return tuple(people)
