"""The video stream inside a DICOM file, read in place: no copy of a patient's recording is made."""

from __future__ import annotations

import io
from pathlib import Path

from app.footage.dicom_file import DicomPixels


class VideoInside(io.RawIOBase):
    """Fragments of a file as one stream of bytes, read-only."""

    def __init__(self, path: Path, pixels: DicomPixels) -> None:
        super().__init__()
        self._spans = pixels.spans
        self._starts = [0]
        for _, length in self._spans:
            self._starts.append(self._starts[-1] + length)
        self._at = 0
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Bytes from the stream's start."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As files do it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, across fragments; b"" at the end."""
        left = self._starts[-1] - self._at if size < 0 else size
        pieces: list[bytes] = []
        for number, (offset, length) in enumerate(self._spans):
            inside = self._at - self._starts[number]
            if left <= 0:
                break
            if not 0 <= inside < length:
                continue
            self._file.seek(offset + inside)
            piece = self._file.read(min(left, length - inside))
            pieces.append(piece)
            self._at += len(piece)
            left -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Release the file."""
        if not self.closed:
            self._file.close()
        super().close()
