"""Depth beside footage: found, opened, checked, and given frame by frame in metres."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from app.errors import FootageError
from app.footage.base import Footage
from app.footage.depth.match import match
from app.footage.depth.source import SUFFIXES, DepthSource, PictureDepth, VideoDepth, depth_pictures
from app.footage.depth.stack import NpyDepth, NpzDepth
from backends.camera import Camera
from backends.depth.register import Registration

F4 = npt.NDArray[np.float32]

MILLIMETRES: Final = 1e-3
_LOOKS = 5
_SAME_SHAPE = 0.01
_NEAREST_M, _FARTHEST_M = 0.05, 60.0
_BESIDE = ("{name}.depth", "{name}_depth")
_FILES = (".mkv", ".npz", ".npy")


class DepthFootage:
    """Distances that belong to the frames of a piece of footage; a frame may have none.

    Attributes:
        path: file or folder, opened read-only. width, height: of its pictures, pixels.
        n_frames: how many frames of the footage have depth.
    """

    def __init__(
        self, source: DepthSource, path: Path, footage: Footage, scale: float | None,
        cameras: tuple[Camera, Camera] | None,
    ) -> None:  # fmt: skip
        """``cameras``: colour and depth, where the sensor has a camera of its own."""
        self.path = path
        self._source = source
        self._place = match(source.n, source.files(), source.times(), footage, path.name)
        self.n_frames = int((self._place >= 0).sum())
        self._scale = scale
        first = source.read(0)
        self.height, self.width = first.shape
        self._register = Registration(*cameras) if cameras is not None else None
        self._check_size(footage, cameras)
        self._check_values(footage)

    def _check_size(self, footage: Footage, cameras: tuple[Camera, Camera] | None) -> None:
        if cameras is not None:
            if (cameras[1].width, cameras[1].height) != (self.width, self.height):
                raise FootageError(
                    f"{self.path.name} has pictures of {self.width} x {self.height} pixels, but the depth "
                    f"camera was calibrated at {cameras[1].width} x {cameras[1].height}."
                )
            return
        if abs(self.width / self.height - footage.width / footage.height) > _SAME_SHAPE * 2:
            raise FootageError(
                f"{self.path.name} has pictures of {self.width} x {self.height} pixels, the footage of "
                f"{footage.width} x {footage.height}. Depth has to be aligned to the colour picture; where "
                "the sensor has a camera of its own, give the calibration of both on the command line: "
                "--calibration FILE."
            )

    def _check_values(self, footage: Footage) -> None:
        there = np.flatnonzero(self._place >= 0)
        middles = []
        for i in there[np.linspace(0, len(there) - 1, min(_LOOKS, len(there))).round().astype(int)]:
            depth = self._metres(int(self._place[i]))
            if (depth > 0).any():
                middles.append(float(np.median(depth[depth > 0])))
        if not middles:
            raise FootageError(f"{self.path.name} holds no distances: every reading that was looked at is 0.")
        middle = float(np.median(middles))
        if not _NEAREST_M < middle < _FARTHEST_M:
            raise FootageError(
                f"The distances in {self.path.name} are about {middle:.3g} m, which is no room. Say on the "
                "command line how many metres one unit is: --depth-scale 0.001 is millimetres."
            )

    def frame(self, index: int) -> F4 | None:
        """(h, w) metres along the axis of the camera that took the colour picture, 0 where there is no
        reading; None where there is no depth in this frame.

        Raises:
            FootageError: its picture cannot be read, or is of another size. IndexError: no such frame.
        """
        if not 0 <= index < len(self._place):
            raise IndexError(f"frame {index} is outside 0..{len(self._place) - 1}")
        place = int(self._place[index])
        if place < 0:
            return None
        depth = self._metres(place)
        if not depth.any():
            return None
        return self._register.to_colour(depth) if self._register is not None else depth

    def _metres(self, place: int) -> F4:
        raw = self._source.read(place)
        if raw.shape != (self.height, self.width):
            raise FootageError(
                f"Picture {place + 1} of {self.path.name} is {raw.shape[1]} x {raw.shape[0]} pixels, but the "
                f"first is {self.width} x {self.height}. Depth pictures have to be of one size."
            )
        scale = self._scale or (1.0 if raw.dtype.kind == "f" else MILLIMETRES)
        with np.errstate(invalid="ignore", over="ignore"):
            depth = raw.astype(np.float32) * np.float32(scale)
            depth[~(np.isfinite(depth) & (depth > 0))] = 0.0
        return depth

    def close(self) -> None:
        """Release the file."""
        self._source.close()


def open_depth(
    path: Path, footage: Footage, *, scale: float | None = None,
    cameras: tuple[Camera, Camera] | None = None,
) -> DepthFootage:  # fmt: skip
    """Open what a depth sensor recorded with ``footage``, read-only.

    Args:
        path: a folder of 16-bit PNG or TIFF pictures, a ``.npy`` or ``.npz`` stack, or a grey 16-bit video.
        scale: metres a unit; by default whole numbers are millimetres, floating ones metres.
        cameras: calibrated colour and depth camera, where depth is not aligned to the colour picture.

    Raises:
        FootageError: it cannot be read, is no depth, or does not belong to the footage.
    """
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise FootageError(f"A depth scale is a positive number of metres a unit, not {scale}.")
    source = _source(path)
    try:
        return DepthFootage(source, path, footage, scale, cameras)
    except BaseException:
        source.close()
        raise


def _source(path: Path) -> DepthSource:
    if not path.exists():
        raise FootageError(f"There is no depth {path.name} in that folder. Check the path.")
    if path.is_dir():
        return PictureDepth(path)
    if path.stat().st_size == 0:
        raise FootageError(f"{path.name} is empty (0 bytes). It may not have been copied fully.")
    kind = path.suffix.lower()
    if kind == ".npy":
        return NpyDepth(path)
    if kind == ".npz":
        return NpzDepth(path)
    return PictureDepth(path) if kind in SUFFIXES else VideoDepth(path)


def find_depth(footage: Path) -> Path | None:
    """Depth that lies beside footage under a name that says so, or None.

    Beside ``NAME.mp4`` the folder ``NAME.depth`` or ``NAME_depth``, or a file ``NAME_depth`` (mkv, npz,
    npy); in a folder of pictures those whose names end in ``_depth`` or ``_rgbd``, or the same beside it.
    """
    name = footage.stem if footage.is_file() else footage.name
    for pattern in _BESIDE:
        beside = footage.parent / pattern.format(name=name)
        if beside.is_dir() and depth_pictures(beside):
            return beside
        for suffix in _FILES:
            file = beside.with_name(beside.name + suffix)
            if file.is_file():
                return file
    if footage.is_dir():
        named = [p for p in depth_pictures(footage) if p.stem.lower().endswith(("_depth", "_rgbd"))]
        return footage if named else None
    return None
