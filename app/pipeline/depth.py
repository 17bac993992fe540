"""A depth sensor's readings in a run: which a project has, and what of them belongs to each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.errors import FootageError, ProjectError
from app.footage import Footage
from app.footage.depth import DepthFootage, open_depth
from app.multiview.calibration import cameras_for, plain, read_calibration
from app.project.notes import depth_note, set_depth_note
from app.project.store import ProjectStore
from backends.camera import Camera
from backends.depth import take_patch
from backends.keypoints.types import PoseEstimate
from backends.tracking.stream import TrackedPose

F4 = npt.NDArray[np.float32]

_COLOUR = ("color", "colour", "rgb")


@dataclass(frozen=True, slots=True)
class DepthChoice:
    """What a depth sensor recorded beside a project's footage.

    Attributes:
        path: folder or file. scale: metres a unit, None for what the kind of number says.
        calibration: a file with the colour camera and, where it is another one, the depth camera; or None.
    """

    path: Path
    scale: float | None = None
    calibration: Path | None = None


class DepthFrames(Protocol):
    """What the run needs of a depth sensor."""

    def frame(self, index: int) -> F4 | None:
        """(h, w) metres, or None where there is no depth in this frame."""


def chosen_depth(store: ProjectStore) -> DepthChoice | None:
    """The depth that a project's runs read; None where they read none."""
    note = depth_note(store)
    if not isinstance(note, dict) or not isinstance(note.get("path"), str):
        return None
    scale, calibration = note.get("scale"), note.get("calibration")
    return DepthChoice(
        Path(note["path"]), float(scale) if isinstance(scale, int | float) else None,
        Path(calibration) if isinstance(calibration, str) else None,
    )  # fmt: skip


def is_decided(store: ProjectStore) -> bool:
    """Whether somebody has said which depth the project's runs read, or that they read none."""
    return depth_note(store) is not None


def choose_depth(
    store: ProjectStore, footage: Footage, choice: DepthChoice | None, *, restart: bool = False
) -> None:
    """From now on the project's runs read this depth, or none; it is opened and checked first.

    Where the calibration tells the lens of the colour camera, the project takes it.

    Args:
        restart: the run that follows starts anew, so what earlier ones found does not count.

    Raises:
        FootageError: it is no depth, or not of this footage. ViewsError, DataSetError: no calibration.
        ProjectError: the project has results that were found otherwise.
    """
    if choice is not None:
        choice = _absolute(choice)
    if choice == chosen_depth(store) and (choice is not None or is_decided(store)):
        return
    if choice != chosen_depth(store) and store.processed() and not restart:
        raise ProjectError(
            "This project's bodies were fitted "
            + ("without depth" if choice is not None else "with depth")
            + ". Run it again from the start (--restart) to change that, or make another project."
        )
    if choice is None:
        set_depth_note(store, {})
        return
    colour, _ = _cameras(choice, footage)
    _open(choice, footage).close()
    with store.transaction():
        if colour is not None:
            store.set_camera(colour)
        calibration = None if choice.calibration is None else str(choice.calibration)
        set_depth_note(store, {"path": str(choice.path), "scale": choice.scale, "calibration": calibration})


def project_depth(store: ProjectStore, footage: Footage) -> DepthFootage | None:
    """The project's depth, opened; None where its runs read none.

    Raises:
        FootageError: it is not where it was, or cannot be read.
    """
    choice = chosen_depth(store)
    if choice is None:
        return None
    if not choice.path.exists():
        raise FootageError(
            f"The depth of this project, {choice.path.name}, is not where it was. Put it back, or run again "
            "from the start without it."
        )
    return _open(choice, footage)


def _absolute(choice: DepthChoice) -> DepthChoice:
    calibration = choice.calibration.resolve() if choice.calibration is not None else None
    return replace(choice, path=choice.path.resolve(), calibration=calibration)


def _open(choice: DepthChoice, footage: Footage) -> DepthFootage:
    colour, depth = _cameras(choice, footage)
    both = (colour, depth) if colour is not None and depth is not None else None
    return open_depth(choice.path, footage, scale=choice.scale, cameras=both)


def _cameras(choice: DepthChoice, footage: Footage) -> tuple[Camera | None, Camera | None]:
    """The colour camera and the depth camera of the calibration, each None where it says nothing of it."""
    if choice.calibration is None:
        return None, None
    where = choice.calibration.name
    known = read_calibration(choice.calibration)
    sensors = [c for c in known if plain(c.name).endswith("depth")]
    others = [c for c in known if c not in sensors]
    named = [c for c in others if plain(c.name) in (plain(footage.path.stem), *_COLOUR)]
    size = (footage.width, footage.height)
    (colour,) = cameras_for([footage.path.stem], [size], named[:1] or others, where)
    return colour, sensors[0].camera(0, 0) if sensors else None


class DepthStage:
    """Gives people what the sensor says about them; a picture that cannot be read gives nothing.

    Attributes:
        used: frames that had depth. damaged: what was wrong with the first picture that could not be read.
    """

    def __init__(self, frames: DepthFrames, size: tuple[int, int]) -> None:
        """``size``: width and height of the colour picture."""
        self._frames, self._size = frames, size
        self.used = 0
        self.damaged = ""

    def look(self, index: int, people: Sequence[TrackedPose]) -> list[TrackedPose]:
        """The people of frame ``index`` with their depth."""
        try:
            depth = self._frames.frame(index)
        except FootageError as error:
            self.damaged = self.damaged or str(error)
            depth = None
        if depth is None:
            return list(people)
        self.used += 1
        return [replace(p, estimate=self._with(p, depth)) for p in people]

    def _with(self, person: TrackedPose, depth: F4) -> PoseEstimate:
        estimate = person.estimate
        return replace(estimate, depth=take_patch(depth, estimate.box, estimate.mask, self._size))
