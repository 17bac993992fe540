"""Opening whatever a person points at."""

from __future__ import annotations

from pathlib import Path

from app.errors import FootageError
from app.footage.base import Footage
from app.footage.dicom import DicomFootage
from app.footage.dicom_file import is_dicom, read_pixels_table
from app.footage.pictures import SUFFIXES, PictureFootage
from app.footage.video import VideoFootage


def open_footage(path: Path, *, complete: bool = False) -> Footage:
    """Open a video, a picture, a DICOM file or a folder of pictures, read-only.

    Args:
        complete: of a video every frame has been decoded before; its last ones are not tried once more.

    Raises:
        FootageError: one clear error for everything that cannot be opened.
    """
    try:
        if path.is_dir():
            return PictureFootage(path)
        if not path.exists():
            raise FootageError(f"There is no file {path.name} in that folder. Check the path.")
        if not path.is_file():
            raise FootageError(f"{path.name} is not an ordinary file. Choose a video, a picture or a folder.")
        if path.stat().st_size == 0:
            raise FootageError(f"{path.name} is empty (0 bytes). It may not have been copied fully.")
    except OSError as error:
        raise FootageError(f"{path.name} cannot be opened: {error.strerror}.") from error
    if path.suffix.lower() in SUFFIXES:
        return PictureFootage(path)
    if is_dicom(path):
        pixels = read_pixels_table(path)
        if not pixels.is_video:
            return DicomFootage(path, pixels)
    return VideoFootage(path, complete=complete)
