"""Where readings of a depth sensor come from: one picture after the other, as the file has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import FootageError
from app.footage.base import check_size
from app.footage.decoder import Decoder, open_container, video_stream
from app.footage.frame_table import read_frame_table
from app.footage.pictures import natural_key

Raw = npt.NDArray[Any]
"""(h, w) uint16 or a floating type, in the sensor's units."""

SUFFIXES = frozenset({".png", ".tif", ".tiff"})
_NAMES = ("_rgbd", "_depth")
"""How depth is called where it lies in one folder with colour."""


class DepthSource(ABC):
    """Readings in order. ``name`` is what errors call it; ``n`` how many pictures there are."""

    name: str
    n: int

    @abstractmethod
    def read(self, index: int) -> Raw:
        """(h, w) of picture ``index``, in the sensor's units.

        Raises:
            FootageError: it cannot be read, or is no depth.
        """

    def times(self) -> npt.NDArray[np.float64] | None:
        """(n,) seconds by the file's own time stamps, where it has some."""
        return None

    def files(self) -> list[Path]:
        """The pictures' files in order; empty where all are in one."""
        return []

    @abstractmethod
    def close(self) -> None:
        """Release the file."""


def checked(raw: Any, name: str) -> Raw:
    """A picture of depth as it was read.

    Raises:
        FootageError: colour, 8 bits, or a size that no sensor has.
    """
    array = np.asarray(raw)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2:
        raise FootageError(
            f"{name} is a colour picture. Depth needs one channel of 16 bits (millimetres): export the "
            "sensor's raw depth, not its colour map."
        )
    check_size(name, array.shape[1], array.shape[0])
    if array.dtype.kind not in "uif" or array.dtype.itemsize < 2:
        raise FootageError(
            f"{name} has {8 * array.dtype.itemsize} bits a pixel, too few for distances. Depth needs 16 "
            "bits (millimetres) or floating numbers: export the sensor's raw depth."
        )
    return array


class PictureDepth(DepthSource):
    """A folder of PNG or TIFF pictures, or one."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._files = depth_pictures(path) if path.is_dir() else [path]
        if not self._files:
            raise FootageError(f"The folder {path.name} holds no depth pictures (png or tif, 16 bits).")
        self.n = len(self._files)

    def files(self) -> list[Path]:
        """See :meth:`DepthSource.files`."""
        return list(self._files)

    def read(self, index: int) -> Raw:
        """See :meth:`DepthSource.read`."""
        path = self._files[index]
        try:
            data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        except OSError as error:
            raise FootageError(f"{path.name} cannot be read: {error.strerror}.") from error
        try:
            picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
        except cv2.error:
            picture = None
        if picture is None:
            raise FootageError(f"{path.name} is not a picture that can be read. It may be damaged.")
        return checked(picture, path.name)

    def close(self) -> None:
        """See :meth:`DepthSource.close`; nothing is held open."""


def depth_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder that are depth, in natural order: those called so where some are."""
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
    except OSError as error:
        raise FootageError(f"The folder {folder.name} cannot be read: {error.strerror}.") from error
    named = [p for p in found if p.stem.lower().endswith(_NAMES)]
    return sorted(named or found, key=natural_key)


class VideoDepth(DepthSource):
    """A grey video of 16 bits (FFV1, as recordings of RealSense and Kinect are converted to)."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        with open_container(path) as container:
            stream = video_stream(container, path.name)
            check_size(path.name, stream.codec_context.width, stream.codec_context.height)
            kind = stream.codec_context.pix_fmt or "unknown"
            if kind not in ("gray16le", "gray16be"):
                raise FootageError(
                    f"{path.name} is a video of the kind {kind}. Depth needs grey of 16 bits without loss: "
                    "ffmpeg ... -c:v ffv1 -pix_fmt gray16le depth.mkv"
                )
            base = stream.time_base
            self._table = read_frame_table(container, stream, path.name)
        self._seconds = float(base) if base is not None else 1e-3
        self.n = len(self._table.pts)
        self._decoder = Decoder(path, self._table)

    def times(self) -> npt.NDArray[np.float64] | None:
        """See :meth:`DepthSource.times`."""
        ticks = (self._table.pts - self._table.pts[0]).astype(np.float64)
        return np.asarray(ticks * self._seconds, np.float64)

    def read(self, index: int) -> Raw:
        """See :meth:`DepthSource.read`."""
        return self._decoder.read_grey16(index)

    def close(self) -> None:
        """See :meth:`DepthSource.close`."""
        self._decoder.close()
