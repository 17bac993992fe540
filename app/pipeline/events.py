"""What long work tells the outside: frozen events, handed to a listener on the worker's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins. ``text`` is what the status bar shows ("Fitting bodies")."""

    stage: str
    text: str


@dataclass(frozen=True, slots=True)
class StagesPlanned:
    """What is to come, in order: pairs of a stage and its text, as :class:`StageStarted` will say them."""

    stages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class FrameWritten:
    """Frame ``frame`` as it has just been written, small: ``rgb`` (h, w, 3) uint8. De-identified, never as
    the camera saw it."""

    stage: str
    frame: int
    rgb: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: ``done`` of ``total``; ``rate`` a second, 0 and ``remaining_s`` None while unknown.

    ``unit`` says what is counted: one frame may hold several bodies.
    """

    stage: str
    done: int
    total: int
    rate: float
    remaining_s: float | None
    unit: str = "frames"


@dataclass(frozen=True, slots=True)
class ChunkStored:
    """Results of frames ``first`` .. ``last`` (inclusive) are safely in the project."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should know that does not stop the work."""

    text: str


@dataclass(frozen=True, slots=True)
class FileStarted:
    """A batch begins with a file: the ``index``-th (from 1) of ``total``; what follows speaks of it."""

    index: int
    total: int
    name: str
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A batch has done with a file; ``result`` holds plain values."""

    index: int
    total: int
    name: str
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """The work is done. ``summary`` holds plain values to show (counts, paths, rates)."""

    summary: dict[str, Any] = field(default_factory=dict)
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """The work stopped on an error; everything finished before is kept."""

    message: str


@dataclass(frozen=True, slots=True)
class CancelledByUser:
    """The work stopped because a person asked; everything finished before is kept."""


Event = (
    StageStarted
    | StagesPlanned
    | FrameWritten
    | Progress
    | ChunkStored
    | Warned
    | FileStarted
    | FileEnded
    | Finished
    | Failed
    | CancelledByUser
)
Listener = Callable[[Event], None]


class Job(Protocol):
    """A handle on running work."""

    @property
    def running(self) -> bool:
        """True until the last event was delivered."""

    @property
    def paused(self) -> bool:
        """True while held by :meth:`pause`."""

    def pause(self) -> None:
        """Hold at the next frame."""

    def resume(self) -> None:
        """Go on."""

    def cancel(self) -> None:
        """Stop within a second; what is finished is kept."""

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has ended; True if it did."""
