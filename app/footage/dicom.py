"""DICOM images of one or many frames: uncompressed, run lengths, JPEG and JPEG 2000."""

from __future__ import annotations

import struct
import threading
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from app.errors import FootageError
from app.footage.base import Footage, Image, Kind, check_size
from app.footage.dicom_file import DicomPixels, Span, frame_stamps
from app.footage.frame_table import MAX_FRAMES

_JPEG = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
_JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")
"""How a JPEG, a JPEG 2000 code stream and a JPEG 2000 file begin."""
_ADOBE_RGB = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
"""A JPEG marker that says the three components are red, green, blue, as DICOM says outside of the JPEG."""


class DicomFootage(Footage):
    """Frames of a DICOM image; each is read from the file when it is asked for.

    Raises:
        FootageError: sizes that make no sense, no whole frame, or a compression that cannot be read.
    """

    def __init__(self, path: Path, pixels: DicomPixels) -> None:
        self.path = path
        self._header, self._syntax = pixels.header, pixels.syntax
        header = pixels.header
        self.height, self.width = _whole(header, "Rows"), _whole(header, "Columns")
        check_size(path.name, self.width, self.height)
        wanted = _whole(header, "NumberOfFrames", 1)
        if not 1 <= wanted <= MAX_FRAMES:
            raise FootageError(f"{path.name} says it has {wanted} frames. It is damaged.")
        self._spans = self._frame_spans(pixels, wanted)
        self.kind: Kind = "video" if len(self._spans) > 1 else "picture"
        self.pts = frame_stamps(header, wanted)[: len(self._spans)]
        self.time_base = Fraction(1, 1_000_000)
        seconds = float(self.pts[-1]) / 1e6
        self.fps = (self.n_frames - 1) / seconds if seconds > 0 else 25.0
        self.has_audio = False
        self._lock = threading.Lock()
        self._file = path.open("rb")
        self._closed = False
        try:
            self.frame(0)
        except FootageError:
            self.close()
            raise

    def _frame_spans(self, pixels: DicomPixels, wanted: int) -> list[tuple[Span, ...]]:
        if not pixels.syntax.is_encapsulated:
            (start, length), size = pixels.spans[0], _frame_bytes(self._header)
            held = min(length // size, wanted)
            spans: list[tuple[Span, ...]] = [((start + i * size, size),) for i in range(held)]
        else:
            spans = _grouped(self.path, pixels, wanted)
        if not spans:
            raise FootageError(f"{self.path.name} holds no whole picture. It was not copied fully.")
        return spans

    def frame(self, index: int) -> Image:
        """See :meth:`Footage.frame`."""
        self._check_index(index)
        with self._lock:
            if self._closed:
                raise FootageError("The footage is closed.")
            return self._read(self._file, index)

    def iter_frames(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Image]]:
        """See :meth:`Footage.iter_frames`."""
        with self.path.open("rb") as file:
            for index in range(start, self.n_frames if stop is None else min(stop, self.n_frames)):
                yield index, self._read(file, index)

    def _read(self, file: BinaryIO, index: int) -> Image:
        pieces = []
        for offset, length in self._spans[index]:
            file.seek(offset)
            pieces.append(file.read(length))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = self._decoded(b"".join(pieces))
        except (
            ValueError, TypeError, KeyError, AttributeError, RuntimeError, NotImplementedError, MemoryError,
            IndexError, OverflowError, struct.error, cv2.error,
        ) as error:  # fmt: skip
            raise FootageError(
                f"Frame {index} of {self.path.name} cannot be read: it is damaged or compressed in a way "
                f"that is not known here ({self._syntax.name}). Convert it with dcmdjpeg or gdcmconv --raw."
            ) from error
        if image.shape != (self.height, self.width, 3):
            raise FootageError(f"Frame {index} of {self.path.name} is of another size than the file says.")
        return image

    def _decoded(self, data: bytes) -> Image:
        header, syntax = self._header, str(self._syntax)
        photometric = str(header.PhotometricInterpretation)
        if syntax in _JPEG | _JPEG_2000:
            if syntax in _JPEG and photometric == "RGB":
                data = data[:2] + _ADOBE_RGB + data[2:]
            raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            if raw is None:
                raise ValueError("no picture")
            values = np.asarray(raw[..., ::-1] if raw.ndim == 3 else raw)
        else:
            values = pixel_array(self._alone(data))
        if photometric == "PALETTE COLOR":
            values = apply_color_lut(values, header)
            if values.dtype != np.uint8:
                values = (values >> 8).astype(np.uint8)
        if values.ndim == 3:
            return np.ascontiguousarray(_to_bytes(values, header, windowed=False))
        grey = _to_bytes(values, header, windowed=True)
        if photometric == "MONOCHROME1":
            grey = 255 - grey
        return np.repeat(grey[..., None], 3, axis=2)

    def _alone(self, data: bytes) -> Dataset:
        """One frame as a data set of its own, for pydicom."""
        alone = Dataset()
        alone.update(self._header)
        alone.file_meta = self._header.file_meta
        alone.NumberOfFrames = 1
        alone.PixelData = encapsulate([data]) if self._syntax.is_encapsulated else data
        return alone

    def close(self) -> None:
        """See :meth:`Footage.close`."""
        with self._lock:
            self._closed = True
            self._file.close()


def _whole(header: Dataset, name: str, default: int = 0) -> int:
    value = header.get(name)
    return default if value is None else int(value)


def _frame_bytes(header: Dataset) -> int:
    bits = _whole(header, "BitsAllocated")
    samples = _whole(header, "SamplesPerPixel", 1)
    if bits not in (8, 16, 32) or samples not in (1, 3):
        raise FootageError(f"Pictures of {samples} x {bits} bits a pixel cannot be read. Convert the file.")
    pixels = _whole(header, "Rows") * _whole(header, "Columns") * samples
    if header.get("PhotometricInterpretation") == "YBR_FULL_422":
        pixels = pixels // 3 * 2
    return pixels * bits // 8


def _grouped(path: Path, pixels: DicomPixels, wanted: int) -> list[tuple[Span, ...]]:
    """The fragments of each frame: one each, by the table of offsets, or by how a picture begins."""
    spans = pixels.spans
    if wanted == 1:
        return [spans]
    if len(spans) == wanted:
        return [(span,) for span in spans]
    if len(pixels.offsets) == wanted:
        # Offsets count from the first fragment's item, whose 8 bytes of head lie before its span.
        places = np.array([offset for offset, _ in spans]) - spans[0][0]
        begins = set(np.searchsorted(places, pixels.offsets).tolist())
    else:
        begins = set()
        with path.open("rb") as file:
            for number, (offset, _) in enumerate(spans):
                file.seek(offset)
                if file.read(8).startswith(_STARTS):
                    begins.add(number)
    frames: list[list[Span]] = []
    for number, span in enumerate(spans):
        if number in begins or not frames:
            frames.append([])
        frames[-1].append(span)
    return [tuple(frame) for frame in frames[:wanted]]


def _to_bytes(values: npt.NDArray[np.generic], header: Dataset, *, windowed: bool) -> Image:
    """8 bits: through the file's window, else over all the bits that are stored."""
    if values.dtype == np.uint8 and not (windowed and header.get("WindowWidth") is not None):
        return np.asarray(values, np.uint8)
    stored = _whole(header, "BitsStored", 8 * values.dtype.itemsize)
    low = -float(1 << (stored - 1)) if _whole(header, "PixelRepresentation") else 0.0
    high = low + float((1 << stored) - 1)
    scaled = values.astype(np.float32)
    if windowed:
        slope = float(np.atleast_1d(header.get("RescaleSlope") or 1.0)[0])
        shift = float(np.atleast_1d(header.get("RescaleIntercept") or 0.0)[0])
        scaled, low, high = scaled * slope + shift, low * slope + shift, high * slope + shift
        width = header.get("WindowWidth")
        centre = header.get("WindowCenter")
        if width is not None and centre is not None:
            half = max(float(np.atleast_1d(width)[0]) - 1.0, 1.0) / 2.0
            middle = float(np.atleast_1d(centre)[0]) - 0.5
            low, high = middle - half, middle + half
    if not high > low:
        raise ValueError("a window that is empty")
    scaled = (scaled - low) * (255.0 / (high - low))
    return np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8)
