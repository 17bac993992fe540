"""What an export has replaced in every frame, kept small: the audit reads the finished video with it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.audit.blocks import grid_shape, replaced_blocks

U1 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class FrameRecord:
    """One frame in blocks of 8x8 pixels, (h, w) each.

    ``claimed``: meant to be replaced. ``replaced``: claimed, and it does show something else.
    """

    claimed: Bools
    replaced: Bools


class CoverageRecord:
    """A frame takes a few hundred bytes: an hour at 25 frames/s about 30 MB. It never touches the disk.

    Args:
        first: the footage's frame that is the video's first.
    """

    def __init__(self, height: int, width: int, first: int = 0) -> None:
        self.first = first
        self._shape = grid_shape(height, width)
        self._frames: dict[int, bytes] = {}

    def add(self, index: int, source: U1, covered: U1, mask: Bools) -> None:
        """Note a frame of the footage, (H, W, 3) before and after, ``mask`` (H, W) of the cover."""
        pair = np.stack(replaced_blocks(source, covered, mask))
        self._frames[index] = zlib.compress(np.packbits(pair).tobytes(), 1)

    def at(self, index: int) -> FrameRecord:
        """The note of a frame of the footage; of one that was never noted: nothing was replaced."""
        h, w = self._shape
        stored = self._frames.get(index)
        if stored is None:
            return FrameRecord(np.zeros((h, w), np.bool_), np.zeros((h, w), np.bool_))
        bits = np.unpackbits(np.frombuffer(zlib.decompress(stored), np.uint8), count=2 * h * w)
        claimed, replaced = bits.reshape(2, h, w).astype(np.bool_)
        return FrameRecord(claimed, replaced)

    @property
    def n_frames(self) -> int:
        """How many frames were noted."""
        return len(self._frames)

    @property
    def bytes(self) -> int:
        """Memory of the notes."""
        return sum(len(b) for b in self._frames.values())
