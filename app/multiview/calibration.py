"""Calibrated cameras from whatever file holds them: our own, EasyMocap's, DisguisOR's and Pose2Sim's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import (
    MAX_JSON_BYTES,
    distortion,
    field,
    intrinsics,
    numbers,
    opencv_storage,
    read_json,
    read_text,
    rotation,
    rows,
    table,
)
from app.datasets.read.disguisor import camera_of_folder
from app.datasets.read.easymocap import camera_of
from app.datasets.read.pose2sim import camera_of_section
from app.multiview.types import ViewsError
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

_KNOWN = (
    "calibration.json of this program, intri.yml and extri.yml (EasyMocap), a toml (Pose2Sim), or "
    "DisguisOR's folders cn01, cn02, ..."
)


_PADDING = 16
"""Encoders cut or fill pictures up to a multiple of so many pixels, at the right and below."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A camera by name; ``camera(width, height)`` where the file leaves the picture's size to the footage."""

    name: str
    camera: Callable[[int, int], Camera]

    def fit(self, view: str, width: int, height: int) -> Camera:
        """The camera of ``view``, whose pictures are of that size; (0, 0) where there are none.

        Raises:
            ViewsError: it was calibrated with pictures of another size. DataSetError: damaged.
        """
        camera = self.camera(width, height)
        apart = max(abs(camera.width - width), abs(camera.height - height))
        if width and camera.width and apart > _PADDING:
            raise ViewsError(
                f"{view} has pictures of {width} x {height} pixels, but was calibrated at {camera.width} x "
                f"{camera.height}. Give the footage that was calibrated."
            )
        return replace(camera, width=width or camera.width, height=height or camera.height)


def read_calibration(path: Path) -> list[Calibrated]:
    """All cameras of a file or folder.

    Raises:
        ViewsError: nothing there is a calibration. DataSetError: one that is damaged.
    """
    if not path.exists():
        raise ViewsError(f"There is no calibration {path.name}. Check the path.")
    if path.is_dir():
        found = _in_folder(path)
    elif path.name in ("intri.yml", "extri.yml"):
        found = _easymocap(path.parent)
    elif path.suffix.lower() == ".toml":
        found = _toml(path)
    elif path.suffix.lower() == ".json":
        found = _own(path)
    else:
        found = []
    if not found:
        raise ViewsError(f"{path.name} is no calibration that this program knows. It reads {_KNOWN}.")
    return found


def _in_folder(path: Path) -> list[Calibrated]:
    if (path / "intri.yml").is_file() and (path / "extri.yml").is_file():
        return _easymocap(path)
    if (path / "calibration.json").is_file():
        return _own(path / "calibration.json")
    if (path / "cn01" / "world2camera.json").is_file():
        folders = sorted(p for p in path.iterdir() if p.is_dir() and re.fullmatch(r"cn\d+", p.name))
        return [Calibrated(f.name, partial(camera_of_folder, f)) for f in folders]
    toml = [p for folder in (path, path / "calibration") for p in sorted(folder.glob("*.toml"))]
    toml = [p for p in toml if p.name != "Config.toml"]
    if len(toml) > 1:
        names = ", ".join(p.name for p in toml[:5])
        raise ViewsError(f"{path.name} holds several calibrations: {names}. Name the one that is meant.")
    return _toml(toml[0]) if toml else []


def _easymocap(folder: Path) -> list[Calibrated]:
    storage = opencv_storage(folder / "intri.yml")
    listed = storage.getNode("names")
    names = [listed.at(i).string() for i in range(listed.size())] if listed.isSeq() else []
    names = names or sorted(k.removeprefix("K_") for k in list(storage.root().keys()) if k.startswith("K_"))
    if not names:
        raise damaged(folder / "intri.yml", "it names no cameras")
    return [Calibrated(n, partial(camera_of, folder, n)) for n in names]


def _toml(path: Path) -> list[Calibrated]:
    try:
        sections = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise damaged(path, f"it is no toml ({error})") from error
    found = []
    for name, section in sections.items():
        if name != "metadata" and isinstance(section, dict) and "matrix" in section:
            camera = camera_of_section(path, name, section)
            found.append(Calibrated(name, partial(_whole, camera)))
    return found


def _own(path: Path) -> list[Calibrated]:
    value = read_json(path, MAX_JSON_BYTES)
    if not isinstance(value, dict) or "cameras" not in value:
        return []
    found = []
    for entry in rows(path, value["cameras"], "cameras"):
        said = table(path, entry, "a camera")
        name = str(field(path, said, "name"))
        if said.get("moves") is True:
            raise DataSetError(f"{path.name}: {name} is carried along. Cameras must stand still here.")
        K = intrinsics(path, field(path, said, "K"), f"K of {name}")
        R = rotation(path, field(path, said, "R"), f"R of {name}")
        t = numbers(path, field(path, said, "t"), f"t of {name}", (3,))
        dist = distortion(path, said.get("dist", [0.0] * 5), f"dist of {name}")
        found.append(Calibrated(name, partial(_sized, K, R, t, dist)))
    return found


def _whole(camera: Camera, width: int, height: int) -> Camera:
    """A camera whose file says its size."""
    return camera


def _sized(K: F8, R: F8, t: F8, dist: F8, width: int, height: int) -> Camera:
    return Camera(K, width, height, R, t, dist)


def cameras_for(
    names: Sequence[str], sizes: Sequence[tuple[int, int]], known: Sequence[Calibrated], where: str
) -> list[Camera]:
    """The camera of each view, by name (``cam_01`` is ``cam01``), or in order where no name is known.

    Args:
        sizes: (width, height) of each view's pictures; (0, 0) where there are none.

    Raises:
        ViewsError: a view without a camera, a camera of pictures of another size, or two in one place.
    """
    found, _ = match(names, known)
    missing = [n for n, c in zip(names, found) if c is None]
    if missing:
        raise ViewsError(
            f"{where} has no camera called {missing[0]}; it has {', '.join(c.name for c in known)}. Name "
            "videos like their cameras, or give as many videos as there are cameras, in the same order."
        )
    cameras = []
    for name, one, (width, height) in zip(names, found, sizes):
        assert one is not None
        cameras.append(one.fit(name, width, height))
    places = [-c.R.T @ c.t for c in cameras]
    for i in range(len(places)):
        for j in range(i):
            if np.linalg.norm(places[i] - places[j]) < 1e-3:
                raise ViewsError(f"{names[j]} and {names[i]} stand in one place, which tells no depth.")
    return cameras


def match(names: Sequence[str], known: Sequence[Calibrated]) -> tuple[list[Calibrated | None], bool]:
    """The calibrated camera of each name, None where there is none; whether they were taken by order."""
    by_name = {plain(c.name): c for c in known}
    found = [by_name.get(plain(n)) for n in names]
    if not any(found) and len(known) == len(names):
        return list(known), True
    return found, False


def plain(name: str) -> str:
    """Letters and digits only, small."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
