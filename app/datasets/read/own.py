"""Reads the project's own layout; what it holds is told in :mod:`app.datasets.write.own`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import (
    MAX_JSON_BYTES,
    distortion,
    field,
    integer,
    intrinsics,
    numbers,
    read_json,
    rows,
    table,
)
from app.datasets.layouts import KEYPOINTS23, SMPLX55
from app.datasets.npz import read_npz
from app.datasets.pictures import read_colour, read_grey
from app.datasets.types import Points2D, Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from app.datasets.write.own import FORMAT, SCHEMA, free_body_sha256
from backends.body.params import BodyParams
from backends.body.placed import in_camera
from backends.camera import Camera
from backends.masks import CropMask, encode_mask

F8 = npt.NDArray[np.float64]

KIND: Final = "understudy"
_FILE: Final = "dataset.json"
_SKEW = 1e-3
_NOTHING: Final = encode_mask(np.zeros((1, 1), np.bool_), 0, 0)
"""The mask of what is not seen."""
_MAX_FRAMES, _MAX_PEOPLE, _MAX_CAMERAS, _MAX_SIDE = 10_000_000, 255, 1000, 65535


@dataclass(frozen=True, slots=True, eq=False)
class _Described:
    frames: int
    fps: float
    people: int
    size: tuple[int, int]
    cameras: tuple[str, ...]
    n_betas: int
    same_body: bool
    vertices: bool
    heads: bool


def recognise(path: Path) -> bool:
    """Whether a folder holds this layout (or is its ``dataset.json``)."""
    return path.name == _FILE if path.is_file() else (path / _FILE).is_file()


def open_own(root: Path) -> TruthSet:
    """Open a data set that :class:`app.datasets.write.own.OwnWriter` wrote.

    People come back in camera coordinates. ``params`` and ``body`` are not said where the data set was
    made with another body than the one that ships with this program; the joints always are.

    Raises:
        DataSetError: damaged, of a newer version, or no such data set.
    """
    said = _describe(root / _FILE)
    cameras = _read_cameras(root / "calibration.json", said)
    world = _World(root, said)
    views = []
    for name, camera in zip(said.cameras, cameras):
        video = root / "videos" / f"{name}.mp4"
        view = _View(root, name, said, world, camera)
        views.append(ReadView(name, said.frames, said.fps, video if video.is_file() else None, view.frame,
                              view.plate))  # fmt: skip
    return TruthSet(KIND, root, tuple(views))


def _describe(path: Path) -> _Described:
    value = table(path, read_json(path), "the description")
    if value.get("format") != FORMAT:
        raise DataSetError(f"{path.name} in {path.parent.name} does not describe an Understudy data set.")
    schema = integer(path, field(path, value, "schema"), "schema", 1)
    if schema > SCHEMA:
        raise DataSetError(
            f"{path.parent.name} was written by a newer Understudy (layout {schema}, this one reads "
            f"{SCHEMA}). Update the program."
        )
    fps = float(numbers(path, field(path, value, "fps"), "fps", ()))
    if not 0 < fps <= 10_000:
        raise damaged(path, f"{fps} is no frame rate")
    names = rows(path, field(path, value, "cameras"), "cameras")
    if len(names) > _MAX_CAMERAS or not all(
        isinstance(n, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", n) for n in names
    ):
        raise damaged(path, "cameras should be plain names")
    body = table(path, field(path, value, "body"), "body")
    return _Described(
        integer(path, field(path, value, "frames"), "frames", 1, _MAX_FRAMES), fps,
        integer(path, field(path, value, "people"), "people", 0, _MAX_PEOPLE),
        (integer(path, field(path, value, "width"), "width", 1, _MAX_SIDE),
         integer(path, field(path, value, "height"), "height", 1, _MAX_SIDE)),
        tuple(names), integer(path, field(path, body, "betas"), "betas", 0, 1000),
        body.get("sha256") == free_body_sha256(), value.get("vertices") is True,
        value.get("heads") is True,
    )  # fmt: skip


class _CameraPath:
    """One camera over time: a single place, or one a frame."""

    def __init__(self, path: Path, name: str, entry: dict[str, Any], said: _Described) -> None:
        self._K = intrinsics(path, field(path, entry, "K"), f"K of {name}")
        self._dist = distortion(path, field(path, entry, "dist"), f"dist of {name}")
        self._size, self._assumed = said.size, entry.get("assumed") is True
        R, t = field(path, entry, "R"), field(path, entry, "t")
        if entry.get("moves") is True:
            self._R = numbers(path, R, f"R of {name}", (said.frames, 3, 3))
            self._t = numbers(path, t, f"t of {name}", (said.frames, 3))
        else:
            self._R = numbers(path, R, f"R of {name}", (3, 3))[None]
            self._t = numbers(path, t, f"t of {name}", (3,))[None]
        apart = np.abs(self._R @ self._R.transpose(0, 2, 1) - np.eye(3)).max()
        if apart > _SKEW or (np.linalg.det(self._R) < 0).any():
            raise damaged(path, f"R of {name} is no rotation")

    def at(self, index: int) -> Camera:
        """The camera in frame ``index``."""
        k = index if len(self._R) > 1 else 0
        return Camera(self._K, *self._size, self._R[k], self._t[k], self._dist, self._assumed)


def _read_cameras(path: Path, said: _Described) -> list[_CameraPath]:
    value = table(path, read_json(path, MAX_JSON_BYTES), "calibration")
    entries = rows(path, field(path, value, "cameras"), "cameras")
    by_name = {e["name"]: e for e in entries if isinstance(e, dict) and isinstance(e.get("name"), str)}
    missing = [name for name in said.cameras if name not in by_name]
    if missing:
        raise damaged(path, f"the camera {missing[0]} is missing")
    return [_CameraPath(path, name, by_name[name], said) for name in said.cameras]


def _checked(
    path: Path, arrays: dict[str, npt.NDArray[Any]], shapes: dict[str, tuple[int, ...]]
) -> dict[str, npt.NDArray[Any]]:
    for key, shape in shapes.items():
        if key not in arrays:
            raise damaged(path, f"'{key}' is missing")
        if arrays[key].shape != shape or arrays[key].dtype.kind not in "fiub":
            raise damaged(path, f"'{key}' has the shape {arrays[key].shape}, not {shape}")
    return arrays


class _World:
    def __init__(self, root: Path, said: _Described) -> None:
        self._path, self._said = root / "truth" / "world.npz", said

    @cached_property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        f, p = self._said.frames, self._said.people
        arrays = _checked(
            self._path, read_npz(self._path),
            {
                "ids": (p,), "betas": (p, self._said.n_betas), "rest_pelvis": (p, 3), "time": (f,),
                "pose": (f, p, 55, 3), "transl": (f, p, 3), "joints": (f, p, 55, 3),
                "keypoints_3d": (f, p, 23, 3),
            },
        )  # fmt: skip
        for key in ("betas", "rest_pelvis", "pose", "transl", "joints", "keypoints_3d"):
            arrays[key] = numbers(self._path, arrays[key], f"'{key}'", arrays[key].shape)
        if len(np.unique(arrays["ids"])) != p or (arrays["ids"] < 1).any():
            raise damaged(self._path, "the people's numbers are not 1, 2, 3, ...")
        return arrays


class _View:
    def __init__(self, root: Path, name: str, said: _Described, world: _World, camera: _CameraPath) -> None:
        self._root, self._name, self._said = root, name, said
        self._world, self._camera = world, camera

    @cached_property
    def _seen(self) -> dict[str, npt.NDArray[Any]]:
        path = self._root / "truth" / f"{self._name}.npz"
        f, p = self._said.frames, self._said.people
        arrays = _checked(
            path, read_npz(path),
            {
                "ids": (p,), "keypoints_2d": (f, p, 23, 2), "visibility": (f, p, 23), "box": (f, p, 4),
                "seen": (f, p), "face_box": (f, p, 4), "face_seen": (f, p), "head_box": (f, p, 4),
            },
        )  # fmt: skip
        if not np.array_equal(arrays["ids"], self._world.arrays["ids"]):
            raise damaged(path, "it is about other people than world.npz")
        if arrays["visibility"].max(initial=0) > 2 or arrays["visibility"].dtype != np.uint8:
            raise damaged(path, "visibility should be 0, 1 or 2")
        for key in ("seen", "face_seen"):
            if not ((arrays[key] >= 0) & (arrays[key] <= 1)).all():
                raise damaged(path, f"'{key}' should be shares from 0 to 1")
        return arrays

    def frame(self, index: int) -> TrueFrame:
        camera = self._camera.at(index)
        world = self._world.arrays
        masks = self._masks("masks", index)
        heads = self._masks("heads", index) if self._said.heads else {}
        vertices = self._vertices(index, len(world["ids"]))
        people = tuple(
            self._person(
                index,
                k,
                int(i),
                camera,
                masks.get(int(i)),
                heads.get(int(i), _NOTHING) if self._said.heads else None,
                None if vertices is None else vertices[k],
            )
            for k, i in enumerate(world["ids"])
        )
        return TrueFrame(index, people, camera)

    def _person(
        self, index: int, k: int, person_id: int, camera: Camera, mask: CropMask | None,
        head: CropMask | None, vertices: F8 | None,
    ) -> TruePerson:  # fmt: skip
        world, seen = self._world.arrays, self._seen

        def placed(points: F8) -> F8:
            result: F8 = points @ camera.R.T + camera.t
            return result

        def box(key: str) -> F8 | None:
            value = seen[key][index, k].astype(np.float64)
            return value if np.isfinite(value).all() else None

        params = BodyParams(world["betas"][k], world["pose"][index, k], world["transl"][index, k])
        same = self._said.same_body
        return TruePerson(
            person_id,
            points_2d=(Points2D(KEYPOINTS23, seen["keypoints_2d"][index, k], seen["visibility"][index, k]),),
            points_3d=(
                Points3D(KEYPOINTS23, placed(world["keypoints_3d"][index, k])),
                Points3D(SMPLX55, placed(world["joints"][index, k])),
            ),
            params=in_camera(params, world["rest_pelvis"][k], camera.R, camera.t) if same else None,
            body="free" if same else None,
            vertices=None if vertices is None else placed(vertices),
            box=box("box"),
            mask=mask,
            seen=float(seen["seen"][index, k]),
            face_box=box("face_box"),
            face_seen=float(seen["face_seen"][index, k]),
            head_box=box("head_box"),
            head_mask=head,
        )

    def plate(self) -> npt.NDArray[np.uint8] | None:
        path = self._root / "plates" / f"{self._name}.png"
        if not path.is_file():
            return None
        image = read_colour(path)
        if image.shape[1::-1] != self._said.size:
            raise damaged(path, f"it has {image.shape[1]} x {image.shape[0]} pixels")
        return image

    def _masks(self, kind: str, index: int) -> dict[int, CropMask]:
        path = self._root / "truth" / kind / self._name / f"{index:06d}.png"
        ids = read_grey(path, np.uint8)
        if ids.shape != (self._said.size[1], self._said.size[0]):
            raise damaged(path, f"it has {ids.shape[1]} x {ids.shape[0]} pixels")
        return masks_of(ids)

    def _vertices(self, index: int, people: int) -> F8 | list[None]:
        if not self._said.vertices:
            return [None] * people
        path = self._root / "truth" / "vertices" / f"{index:06d}.npz"
        return numbers(path, field(path, read_npz(path), "vertices"), "vertices", (people, None, 3))


def masks_of(ids: npt.NDArray[np.uint8]) -> dict[int, CropMask]:
    """Each person's visible pixels in an (H, W) picture of ids, as a mask over their bounding box."""
    masks = {}
    for person in np.flatnonzero(np.bincount(ids.ravel(), minlength=256)):
        if person == 0:
            continue
        mine = ids == person
        ys, xs = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
        crop = mine[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
        masks[int(person)] = encode_mask(crop, int(xs[0]), int(ys[0]))
    return masks
