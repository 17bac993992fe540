"""The footage of a project that is weighed, where it is there, and the empty room that is made of it."""

from __future__ import annotations

from pathlib import Path

from app.errors import FootageError
from app.export.plate import build_plate
from app.footage import Footage
from app.pipeline.events import Listener
from app.pipeline.job import Control
from app.project.store import ProjectStore
from app.review.opening import open_project
from backends.background import StillRoom


class Recording:
    """Opened, and the room built, when first asked for.

    Attributes:
        why: why there is no footage, in words; "" where there is, or nobody has asked.
    """

    def __init__(self, project: Path, control: Control, listener: Listener) -> None:
        self._project, self._control, self._listener = project, control, listener
        self._opened: tuple[ProjectStore, Footage] | None = None
        self._room: StillRoom | None = None
        self.why = ""

    def footage(self) -> Footage | None:
        """The footage; None where it cannot be opened."""
        if self._opened is None and not self.why:
            try:
                self._opened = open_project(self._project)
            except FootageError as error:
                self.why = f"the footage cannot be opened: {error}"
        return None if self._opened is None else self._opened[1]

    def room(self) -> StillRoom | None:
        """The empty room as the export makes it; None without footage.

        Raises:
            Cancelled: asked to stop. FootageError: a frame cannot be read.
        """
        footage = self.footage()
        if self._room is None and self._opened is not None and footage is not None:
            self._room = build_plate(self._opened[0], footage, self._control, self._listener)
        return self._room

    def close(self) -> None:
        """Let go of the files."""
        if self._opened is not None:
            store, footage = self._opened
            footage.close()
            store.close()
            self._opened = None
