"""What a DICOM file says of its pixels, and where in the file they lie; the pixels are not read here.

Only a handful of elements is read; names and dates of a patient never enter the program. Everything in a
header may be wrong or hostile: sizes are compared with the file before anything is read by them.
"""

from __future__ import annotations

import logging
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID

from app.errors import FootageError
from app.footage.frame_table import MAX_FRAMES

logging.getLogger("pydicom").setLevel(logging.CRITICAL)
# What pydicom finds odd it would log with its value, and that may be a patient's name.

_MAGIC = b"DICM"
_PREAMBLE = 128

VIDEO_SYNTAXES = frozenset({
    "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.100.1",  # MPEG-2 main profile, main level
    "1.2.840.10008.1.2.4.101", "1.2.840.10008.1.2.4.101.1",  # MPEG-2 main profile, high level
    "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.102.1",  # H.264 high profile, level 4.1
    "1.2.840.10008.1.2.4.103", "1.2.840.10008.1.2.4.103.1",  # the same, fit for Blu-ray
    "1.2.840.10008.1.2.4.104", "1.2.840.10008.1.2.4.104.1",  # H.264 high profile, level 4.2, 2D
    "1.2.840.10008.1.2.4.105", "1.2.840.10008.1.2.4.105.1",  # the same, 3D
    "1.2.840.10008.1.2.4.106", "1.2.840.10008.1.2.4.106.1",  # H.264 stereo high profile
    "1.2.840.10008.1.2.4.107", "1.2.840.10008.1.2.4.108",  # H.265 main and main 10 profile, level 5.1
})  # fmt: skip
"""Transfer syntaxes (DICOM PS3.5 section 10) whose pixel data are one video stream."""

_DEFLATED = "1.2.840.10008.1.2.1.99"

_WANTED = [
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns",
    "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter",
    "WindowWidth", "RescaleSlope", "RescaleIntercept", "FrameTime", "FrameTimeVector", "CineRate",
    "RecommendedDisplayFrameRate", "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
]  # fmt: skip
_NUMBERS = (
    "SamplesPerPixel", "PlanarConfiguration", "Rows", "Columns", "NumberOfFrames", "BitsAllocated",
    "BitsStored", "PixelRepresentation",
)  # fmt: skip
_DEFER = 1 << 20
"""No element that we want is longer, the times of a day of frames included."""

_PIXEL_DATA = 0x7FE00010
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF

Span = tuple[int, int]
"""Offset and length in the file, bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class DicomPixels:
    """A DICOM file's pixel data.

    Attributes:
        header: the elements that decoding needs, without pixels.
        syntax: transfer syntax.
        spans: native pixels as one span, else the fragments in order, the table of offsets left out.
        offsets: (F,) where each frame begins, from the table of offsets; empty where there is none.
    """

    header: Dataset
    syntax: UID
    spans: tuple[Span, ...]
    offsets: npt.NDArray[np.int64]

    @property
    def is_video(self) -> bool:
        """Whether the pixel data are a video stream."""
        return str(self.syntax) in VIDEO_SYNTAXES


def is_dicom(path: Path) -> bool:
    """Whether the file begins as DICOM files do."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE + 4)[_PREAMBLE:] == _MAGIC
    except OSError:
        return False


def read_pixels_table(path: Path) -> DicomPixels:
    """Find the pixels.

    Raises:
        FootageError: the file cannot be read, is damaged, or holds no pictures.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of every value that is not quite by the book
            return _read(path)
    except FootageError:
        raise
    except OSError as error:
        raise FootageError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except (
        InvalidDicomError, ValueError, TypeError, KeyError, AttributeError, EOFError, RecursionError,
        NotImplementedError, OverflowError, MemoryError, struct.error, IndexError,
    ) as error:  # fmt: skip
        raise FootageError(
            f"{path.name} is a DICOM file that is damaged or was not copied fully. Try another copy."
        ) from error


def _read(path: Path) -> DicomPixels:
    syntax = UID(read_file_meta_info(path).get("TransferSyntaxUID", "1.2.840.10008.1.2"))
    if syntax == _DEFLATED:
        raise FootageError(f"{path.name} is packed as a whole (deflated). Unpack it with dcmconv first.")
    with path.open("rb") as file:
        header = dcmread(file, stop_before_pixels=True, specific_tags=_WANTED, defer_size=_DEFER)
        for element in header:  # converts every value now: a hostile one fails here and not later
            _ = element.value
        for name in _NUMBERS:
            int(header.get(name) or 0)
        size = path.stat().st_size
        start, length = _pixel_element(file, syntax, path.name)
        if length != _UNDEFINED:
            whole = (start, min(length, size - start))
            return DicomPixels(header, syntax, (whole,), np.zeros(0, np.int64))
        spans, offsets = _fragments(file, start, size)
    if not spans:
        raise FootageError(f"{path.name} holds no pictures. It may not have been copied fully.")
    return DicomPixels(header, syntax, spans, offsets)


def _pixel_element(file: BinaryIO, syntax: UID, name: str) -> Span:
    """Where the value of the pixel data begins, and its length."""
    order = "<" if syntax.is_little_endian else ">"
    head = file.read(8)
    if len(head) < 8:
        raise FootageError(f"{name} is a DICOM file without pictures.")
    group, element = struct.unpack(order + "HH", head[:4])
    if group << 16 | element != _PIXEL_DATA:
        raise FootageError(f"{name} holds measurements instead of pictures.")
    if syntax.is_implicit_VR:
        (length,) = struct.unpack(order + "L", head[4:])
    else:
        (length,) = struct.unpack(order + "L", file.read(4))
    return file.tell(), length


def _fragments(file: BinaryIO, start: int, size: int) -> tuple[tuple[Span, ...], npt.NDArray[np.int64]]:
    """Items of encapsulated pixel data (PS3.5 annex A.4); one that reaches past the file ends there."""
    spans: list[Span] = []
    offsets = np.zeros(0, np.int64)
    at, first = start, True
    while at + 8 <= size and len(spans) <= MAX_FRAMES:
        file.seek(at)
        group, element, length = struct.unpack("<HHL", file.read(8))
        if group << 16 | element != _ITEM:
            break  # the end, or damage: what comes before is still good
        at += 8
        held = min(length, size - at)
        if first:
            table = file.read(held - held % 4) if held <= 4 * MAX_FRAMES else b""
            offsets = np.frombuffer(table, "<u4").astype(np.int64)
        elif held:
            spans.append((at, held))
        first = False
        at += length
    return tuple(spans), offsets


def frame_stamps(header: Dataset, n: int) -> npt.NDArray[np.int64]:
    """(n,) microseconds of the frames, from 0; 25 frames a second where the file says nothing."""
    vector = np.atleast_1d(np.array(_value(header, "FrameTimeVector", []), np.float64))
    if len(vector) == n and n > 1 and np.isfinite(vector).all() and (vector[1:] > 0).all():
        stamps = np.concatenate([[0.0], np.cumsum(vector[1:])]) * 1e3
        if stamps[-1] < 1e15:
            return np.round(stamps).astype(np.int64)
    step_ms = _value(header, "FrameTime", 0.0)
    rate = _value(header, "CineRate", 0.0) or _value(header, "RecommendedDisplayFrameRate", 0.0)
    if not 0.01 <= step_ms <= 3.6e6:
        step_ms = 1e3 / rate if 0.001 <= rate <= 1e5 else 40.0
    even: npt.NDArray[np.int64] = np.round(np.arange(n) * step_ms * 1e3).astype(np.int64)
    return even


def _value(header: Dataset, name: str, default: Any) -> Any:
    value = header.get(name)
    try:
        if isinstance(default, list):
            return default if value is None else [float(v) for v in np.atleast_1d(value)]
        return default if value is None else float(value)
    except (TypeError, ValueError):
        return default
