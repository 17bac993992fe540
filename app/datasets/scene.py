"""What a rendered scene must offer to be written as a data set, and who writes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from app.errors import ExportError
from backends.synthetic.types import CameraFrame, SceneFrame

U1 = npt.NDArray[np.uint8]


class Scene(Protocol):
    """A scene of the renderer."""

    @property
    def camera_names(self) -> tuple[str, ...]:
        """``cam01``, ``cam02``, ..., in the order of :attr:`SceneFrame.views`."""

    @property
    def n_frames(self) -> int:
        """How many frames :meth:`frames` gives."""

    @property
    def fps(self) -> float:
        """Frames a second."""

    def prepare(self, check: Callable[[], object]) -> None:
        """What has to be done before the first frame; ``check`` is called in between and may raise."""

    def frames(self) -> Iterator[SceneFrame]:
        """The frames in order; what one holds is not changed when the next one is drawn."""

    def plates(self) -> tuple[U1, ...]:
        """The empty room as each camera sees it in frame 0: (H, W, 3) uint8 RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneInfo:
    """What is known of a scene before its first frame.

    Attributes:
        width, height: of every picture, pixels.
        plates: of each camera, see :meth:`Scene.plates`.
    """

    preset: str
    seed: int
    fps: float
    n_frames: int
    cameras: tuple[str, ...]
    width: int
    height: int
    plates: tuple[U1, ...]


class SceneWriter(ABC):
    """Writes the frames of a scene into a folder in some layout."""

    @abstractmethod
    def __init__(self, folder: Path, info: SceneInfo) -> None:
        """Begin in ``folder``, which is empty."""

    @abstractmethod
    def add(self, frame: SceneFrame) -> None:
        """Write the next frame.

        Raises:
            StorageError, ExportError, OSError: it cannot be written, or the layout cannot hold it.
        """

    @abstractmethod
    def finish(self) -> None:
        """Write what can only be written at the end."""

    def abort(self) -> None:  # noqa: B027  most writers hold nothing open
        """Let go of open files; what lies in the folder is removed by the caller."""


class CameraPath:
    """Where one camera was in each frame; its lens may not change.

    Attributes:
        first: the camera of the first frame.
    """

    def __init__(self, frame: CameraFrame) -> None:
        self.name = frame.name
        self.first = frame.camera
        self._R: list[Any] = []
        self._t: list[Any] = []
        self._moves = False

    def add(self, frame: CameraFrame) -> None:
        """Take in the camera of the next frame."""
        camera, first = frame.camera, self.first
        if not (
            np.array_equal(camera.K, first.K)
            and np.array_equal(camera.dist, first.dist)
            and (camera.width, camera.height) == (first.width, first.height)
        ):
            raise ExportError(f"{self.name} changes its lens within the scene; no layout can hold that.")
        self._moves |= not (np.array_equal(camera.R, first.R) and np.array_equal(camera.t, first.t))
        self._R.append(camera.R.tolist())
        self._t.append(camera.t.tolist())

    @property
    def moves(self) -> bool:
        """Whether it was in more than one place."""
        return self._moves

    def places(self) -> tuple[Any, Any]:
        """R and t as plain lists: once where it stands still, a list over frames where it moves."""
        return (self._R, self._t) if self._moves else (self._R[0], self._t[0])


def still_only(path: CameraPath, layout: str) -> None:
    """For layouts that know one place for each camera.

    Raises:
        ExportError: this one moves.
    """
    if path.moves:
        raise ExportError(
            f"{path.name} moves, and the layout '{layout}' holds still cameras only. "
            "Choose the layout 'understudy', or a preset with still cameras."
        )
