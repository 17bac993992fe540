"""Single pictures, and folders of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from app.errors import FootageError
from app.footage.base import Footage, Image, Kind, check_size

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})

_FPS = 25


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Sort key that puts frame_2 before frame_10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(p)) if p.isdigit() else (1, p) for p in parts if p]


def read_picture(path: Path) -> Image:
    """One picture as upright (H, W, 3) RGB; 16 bits are reduced to 8, grey is spread to three.

    Raises:
        FootageError: when it cannot be read.
    """
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise FootageError(f"{path.name} cannot be read: {error.strerror}.") from error
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise FootageError(f"{path.name} is not a picture that can be read. It may be damaged.")
    check_size(path.name, bgr.shape[1], bgr.shape[0])
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _colour_only(found: list[Path]) -> list[Path]:
    """Without the depth that RGB-D recordings (DisguisOR's) keep beside their colour pictures."""
    if any(p.stem.lower().endswith(("_rgbd", "_depth")) for p in found):
        return [p for p in found if p.stem.lower().endswith(("_color", "_colour", "_rgb"))] or found
    return found


class PictureFootage(Footage):
    """A picture, or a folder of pictures of one size in natural order, taken as 25 frames a second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            self.kind: Kind = "pictures"
            try:
                found = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
            except OSError as error:
                raise FootageError(f"The folder {path.name} cannot be read: {error.strerror}.") from error
            self._files = sorted(_colour_only(found), key=natural_key)
            if not self._files:
                raise FootageError(f"The folder {path.name} holds no pictures (jpg, png, tif, bmp, webp).")
        else:
            self.kind = "picture"
            self._files = [path]
        self.height, self.width = read_picture(self._files[0]).shape[:2]
        self.pts = np.arange(len(self._files), dtype=np.int64)
        self.time_base = Fraction(1, _FPS)
        self.fps = float(_FPS)
        self.has_audio = False

    def files(self) -> list[Path]:
        """The pictures in order."""
        return list(self._files)

    def frame(self, index: int) -> Image:
        """See :meth:`Footage.frame`."""
        self._check_index(index)
        image = read_picture(self._files[index])
        if image.shape[:2] != (self.height, self.width):
            raise FootageError(
                f"{self._files[index].name} is {image.shape[1]} x {image.shape[0]} pixels, but the first "
                f"picture is {self.width} x {self.height}. Put pictures of one size into a folder."
            )
        return image

    def iter_frames(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Image]]:
        """See :meth:`Footage.iter_frames`."""
        for index in range(start, self.n_frames if stop is None else min(stop, self.n_frames)):
            yield index, self.frame(index)

    def close(self) -> None:
        """Nothing is held open."""
