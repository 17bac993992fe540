"""A view whose frames are read by a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.datasets.types import U1, TrueFrame, TruthView


class ReadView(TruthView):
    """A :class:`TruthView` over ``read(index)`` and, where there is one, ``plate()``."""

    def __init__(
        self,
        name: str,
        n_frames: int,
        fps: float | None,
        source: Path | tuple[Path, ...] | None,
        read: Callable[[int], TrueFrame],
        plate: Callable[[], U1 | None] = lambda: None,
    ) -> None:
        self.name = name
        self.n_frames = n_frames
        self.fps = fps
        self.source = source
        self._read = read
        self._plate = plate

    def frame(self, index: int) -> TrueFrame:
        """See :meth:`TruthView.frame`."""
        if not 0 <= index < self.n_frames:
            raise IndexError(f"frame {index} is outside 0..{self.n_frames - 1}")
        return self._read(index)

    def plate(self) -> U1 | None:
        """See :meth:`TruthView.plate`."""
        return self._plate()
