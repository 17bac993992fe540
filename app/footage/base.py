"""What every kind of footage offers."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.errors import FootageError

Image = npt.NDArray[np.uint8]
Kind = Literal["video", "pictures", "picture"]

MAX_PIXELS = 100_000_000
"""Larger pictures are taken for an attack or an accident: 100 megapixels is beyond any camera we serve."""

_BLOCK = 1 << 20


class Footage(ABC):
    """Frames over time. Frame ``i`` is always the i-th entry of the table of time stamps.

    Attributes:
        path: the file or folder, opened read-only.
        kind: "video", "pictures" (a folder) or "picture".
        width, height: pixels, after rotation.
        pts: (N,) int64 presentation time stamps in units of ``time_base`` seconds.
        fps: average frames per second.
        has_audio: True where the file holds sound.
    """

    path: Path
    kind: Kind
    width: int
    height: int
    pts: npt.NDArray[np.int64]
    time_base: Fraction
    fps: float
    has_audio: bool

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.pts)

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """(N,) seconds, from 0 at the first frame."""
        seconds: npt.NDArray[np.float64] = (self.pts - self.pts[0]).astype(np.float64) * float(self.time_base)
        return seconds

    @abstractmethod
    def frame(self, index: int) -> Image:
        """Frame ``index`` as (H, W, 3) RGB. Safe to call from any thread.

        Raises:
            FootageError: when the frame cannot be decoded; the message names it.
            IndexError: for an index outside the footage.
        """

    @abstractmethod
    def iter_frames(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Image]]:
        """(index, frame) in order at full speed, with a decoder of its own.

        Raises:
            FootageError: at the first frame that cannot be decoded.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> Footage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.n_frames:
            raise IndexError(f"frame {index} is outside 0..{self.n_frames - 1}")

    def files(self) -> list[Path]:
        """The files that make up the footage."""
        return [self.path]

    def sha256(self, check: Callable[[], None] | None = None) -> str:
        """SHA-256 of the footage's bytes (of a folder: of all its pictures in order).

        Args:
            check: called between blocks; may raise to stop.
        """
        digest = hashlib.sha256()
        for path in self.files():
            try:
                with path.open("rb") as file:
                    while block := file.read(_BLOCK):
                        digest.update(block)
                        if check is not None:
                            check()
            except OSError as error:
                raise FootageError(f"{path.name} cannot be read: {error.strerror}.") from error
        return digest.hexdigest()


def check_size(name: str, width: int, height: int) -> None:
    """Refuse pictures that no camera makes.

    Raises:
        FootageError: for empty or absurd dimensions.
    """
    if width < 1 or height < 1:
        raise FootageError(f"{name} says it has no pixels. It may be damaged; try another copy.")
    if width * height > MAX_PIXELS:
        raise FootageError(
            f"{name} says it is {width} x {height} pixels, more than this program takes. Scale it down first."
        )
