"""A view whose frames are read by a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.datasets.types import TrueFrame, TruthView


class ReadView(TruthView):
    """A :class:`TruthView` over ``read(index)``."""

    def __init__(
        self,
        name: str,
        n_frames: int,
        fps: float | None,
        source: Path | tuple[Path, ...] | None,
        read: Callable[[int], TrueFrame],
    ) -> None:
        self.name = name
        self.n_frames = n_frames
        self.fps = fps
        self.source = source
        self._read = read

    def frame(self, index: int) -> TrueFrame:
        """See :meth:`TruthView.frame`."""
        if not 0 <= index < self.n_frames:
            raise IndexError(f"frame {index} is outside 0..{self.n_frames - 1}")
        return self._read(index)
