"""What every writer of an export is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.export.bodies import ExportBody
from app.export.inpainters import Painter
from app.footage import Footage
from app.pipeline.job import Control
from app.project.records import PersonRecord, TrackRecord
from app.project.store import ProjectStore
from app.review.types import DeidSettings
from backends.body import BodyModel

Step = Callable[[int], None]
"""Called with the number of frames that were done since the last call."""

_BATCH = 64


@dataclass(frozen=True, slots=True)
class ExportSource:
    """A project with its footage, and which frames (inclusive) are wanted."""

    store: ProjectStore
    footage: Footage
    body: BodyModel
    deid: DeidSettings
    first: int
    last: int
    stem: str
    control: Control
    export_body: ExportBody
    painter: Painter | None = None

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.last - self.first + 1

    def tracks(self) -> list[TrackRecord]:
        """Everybody, also those hidden in the window: hiding is for looking, not for leaving out."""
        return self.store.tracks()

    def people(self, step: Step | None = None) -> Iterator[tuple[int, list[PersonRecord]]]:
        """(frame, people) in order.

        Raises:
            Cancelled: when asked to stop.
        """
        for frame in range(self.first, self.last + 1):
            if frame % _BATCH == 0:
                self.control.check()
            yield frame, self.store.people(frame)
            if step is not None:
                step(1)


@dataclass(frozen=True, slots=True)
class Written:
    """One file (or folder of files) of an export. ``count`` in its own unit: frames, people, meshes, rows.

    ``background``: what a video shows behind people, see :mod:`app.export.background`.
    """

    kind: str
    path: Path
    count: int
    unit: str
    background: Mapping[str, Any] | None = None
