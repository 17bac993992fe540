"""How the room lies about an uncalibrated camera, told by the people who stand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.errors import UnderstudyError
from app.pipeline.upright import standing, told_up
from app.project.store import ProjectStore
from app.review.newest import NewestWins
from app.review.scene import camera_view
from app.review.types import CameraView
from backends.body import BodyModel
from backends.body.skeleton import JOINT_INDEX
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

_FEET = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]
_SOLE_M = 0.03
_FLOOR = 10.0
"""Per cent of the feet that may be below the floor: some stand on steps, some fits are off."""


def levelled(view: CameraView, joints: F8) -> CameraView:
    """The view with a world whose z is up, and where its floor is.

    Args:
        joints: (N, J, 3) metres, camera axes: people in frames that show them from shoulders to ankles.
    """
    up = told_up(joints)
    if up is None:
        return view
    R = np.stack([_right_of(up), np.zeros(3), up], axis=1)
    R[:, 1] = np.cross(up, R[:, 0])
    heights = ((joints[:, _FEET] - view.t) @ up).min(axis=1) - _SOLE_M
    return replace(view, R=R, floor=float(np.percentile(heights, _FLOOR)))


def _right_of(up: F8) -> F8:
    """The camera's x, laid level."""
    right = np.array([1.0, 0.0, 0.0]) - up[0] * up
    return np.asarray(right / np.linalg.norm(right))


class Level:
    """Looks through a project for people who stand, on a thread of its own.

    Args:
        done: called from that thread once ``view`` is better than it was.
    """

    def __init__(
        self, store: ProjectStore, body: BodyModel, camera: Camera, done: Callable[[], None]
    ) -> None:
        self._store = store
        self._done = done
        self._worker = NewestWins("level")
        self.view: CameraView
        self.look(body, camera)

    def look(self, body: BodyModel, camera: Camera) -> None:
        """The camera, the body or the people have changed."""
        self.view = camera_view(camera)
        if not camera.placed:
            self._worker.submit(lambda: self._look(body, camera))

    def close(self) -> None:
        """Stop."""
        self._worker.close()

    def _look(self, body: BodyModel, camera: Camera) -> None:
        try:
            joints = standing(self._store, body)
        except UnderstudyError:
            return  # the project is being closed, or written by somebody else: the guess stays
        self.view = levelled(camera_view(camera), joints)
        self._done()
