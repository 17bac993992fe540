"""Reads 3DOH50K (Zhang et al., CVPR 2020): ``annots.json`` with ``images`` and ``masks`` beside it.

A table by picture: ``img_path``, ``mask_path``, ``bbox`` (two corners), ``intri`` (3 x 3), ``extri``
(4 x 4, world to camera, metres), ``pose`` (1, 72), ``betas`` (1, 10), ``trans`` (1, 3) and ``scale`` of an
SMPL body in the world, ``smpl_joints_2d``, ``smpl_joints_3d`` (24), ``lsp_joints_2d``, ``lsp_joints_3d``
(14).

The data set's body is SMPL times ``scale``, then ``trans``, so its joints are ``scale`` times too large.
They are divided by it here, which makes them a body of ordinary size about the camera and leaves every
projection as it is. The joints are in camera coordinates; where a file's joints project onto its 2D joints
only through ``extri``, they are taken for world coordinates. Which joints are hidden is not said: all
count as visible.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from app.datasets.errors import damaged
from app.datasets.files import (
    MAX_JSON_BYTES,
    field,
    flat,
    intrinsics,
    numbers,
    picture_size,
    read_json,
    relative,
    rotation,
    table,
)
from app.datasets.layouts import LSP14, SMPL24
from app.datasets.read.own import masks_of
from app.datasets.read.smpl import as_55
from app.datasets.types import Points2D, Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from app.footage.pictures import read_picture
from backends.body.params import BodyParams
from backends.camera import Camera
from backends.masks import CropMask

F8 = npt.NDArray[np.float64]

KIND: Final = "3doh50k"
_FILE = "annots.json"
_WHITE = 128
_FARTHEST_PELVIS_M = 0.6
"""SMPL's pelvis lies 0.25 m from its origin; where it comes out farther, trans means something else."""


def find(path: Path) -> Path | None:
    """The table that ``path`` is or holds; None where there is none."""
    file = path / _FILE if path.is_dir() else path
    return file if file.name == _FILE and file.is_file() else None


def open_3doh(path: Path) -> TruthSet:
    """Open ``annots.json``: one view, each picture a frame, in the order of the table.

    Raises:
        DataSetError: damaged.
    """
    entries = table(path, read_json(path, MAX_JSON_BYTES), "the file")
    if not entries:
        raise damaged(path, "it lists no pictures")
    people = [table(path, entry, f"picture {name[:20]}") for name, entry in entries.items()]
    pictures = tuple(_beside(path, person, "img_path") for person in people)
    source = pictures if pictures[0].is_file() else None

    def read(index: int) -> TrueFrame:
        return _frame(path, index, people[index], pictures[index] if source else None)

    return TruthSet(KIND, path.parent, (ReadView(path.parent.name, len(people), None, source, read),))


def _beside(path: Path, person: dict[str, Any], key: str) -> Path:
    """The file that a person's entry names, within the data set."""
    return path.parent / relative(path, field(path, person, key), key)


def _frame(path: Path, index: int, person: dict[str, Any], picture: Path | None) -> TrueFrame:
    K = intrinsics(path, field(path, person, "intri"), "intri")
    extri = numbers(path, field(path, person, "extri"), "extri", (4, 4))
    R, t = rotation(path, extri[:3, :3], "extri"), extri[:3, 3]
    scale = float(flat(path, person.get("scale", 1.0), "scale", 1)[0])
    if not 0.01 < scale < 100:
        raise damaged(path, f"{scale} is no scale of a body")
    width, height = picture_size(picture) if picture else (round(2 * K[0, 2]), round(2 * K[1, 2]))
    # Dividing camera coordinates by the scale divides the camera's distance too.
    camera = Camera(K, width, height, R, t / scale)
    points_2d, points_3d = [], []
    for prefix, layout in (("smpl", SMPL24), ("lsp", LSP14)):
        n = len(layout.joints)
        in_camera = partial(_in_camera, K=K, R=R, t=t)
        xy = numbers(path, field(path, person, f"{prefix}_joints_2d"), f"{prefix}_joints_2d", (n, None))
        if xy.shape[1] not in (2, 3):
            raise damaged(path, f"{prefix}_joints_2d should have two columns")
        xyz = numbers(path, field(path, person, f"{prefix}_joints_3d"), f"{prefix}_joints_3d", (n, 3))
        points_2d.append(Points2D(layout, xy[:, :2].copy(), np.full(n, 2, np.uint8)))
        points_3d.append(Points3D(layout, in_camera(xyz, xy[:, :2]) / scale))
    box = numbers(path, field(path, person, "bbox"), "bbox", (2, 2)).ravel()
    params = _params(path, person, points_3d[0].xyz * scale, scale, R, t)
    found = TruePerson(
        1, tuple(points_2d), tuple(points_3d), params, None if params is None else "smpl", box=box,
        mask=_mask(path, person),
    )  # fmt: skip
    return TrueFrame(index, (found,), camera)


def _in_camera(xyz: F8, xy: F8, *, K: F8, R: F8, t: F8) -> F8:
    """The joints in camera coordinates, whichever of both the file has them in."""

    def error(points: F8) -> float:
        projected = points @ K.T
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.linalg.norm(projected[:, :2] / projected[:, 2:] - xy, axis=1)
        return float(np.nan_to_num(np.median(apart), nan=np.inf))

    through: F8 = xyz @ R.T + t
    return through if error(through) < error(xyz) else xyz


def _params(path: Path, person: dict[str, Any], joints: F8, scale: float, R: F8, t: F8) -> BodyParams | None:
    """SMPL's parameters in camera coordinates of the body in its ordinary size.

    The file's body is ``scale * SMPL + trans`` in the world: its rest pelvis follows from its posed one.
    """
    pose = flat(path, field(path, person, "pose"), "pose", 72).reshape(24, 3)
    betas = flat(path, field(path, person, "betas"), "betas", 10)
    trans = flat(path, field(path, person, "trans"), "trans", 3)
    pelvis = (R.T @ (joints[0] - t) - trans) / scale
    if np.linalg.norm(pelvis) > _FARTHEST_PELVIS_M:
        return None
    full = as_55(pose)
    full[0] = Rotation.from_matrix(R @ Rotation.from_rotvec(pose[0]).as_matrix()).as_rotvec()
    return BodyParams(betas, full, joints[0] / scale - pelvis)


def _mask(path: Path, person: dict[str, Any]) -> CropMask | None:
    if not person.get("mask_path"):
        return None
    file = _beside(path, person, "mask_path")
    if not file.is_file():
        return None
    return masks_of((read_picture(file)[..., 0] >= _WHITE).astype(np.uint8)).get(1)
