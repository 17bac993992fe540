"""How the room lies about an uncalibrated camera, told by the people who stand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.errors import UnderstudyError
from app.project.store import ProjectStore
from app.review.newest import NewestWins
from app.review.scene import camera_view
from app.review.types import CameraView
from backends.body import BodyModel, posed_joints
from backends.body.skeleton import JOINT_INDEX
from backends.camera import Camera
from backends.fitting.upright import find_upright
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Visibility

F8 = npt.NDArray[np.float64]

_LOOKS = 160
"""Bodies that are looked at, spread over everybody's frames."""

_TOLD = [INDEX[f"{side}_{name}"] for name in ("shoulder", "hip", "ankle") for side in ("left", "right")]
_FEET = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]
_SOLE_M = 0.03
_FLOOR = 10.0
"""Per cent of the feet that may be below the floor: some stand on steps, some fits are off."""

_MOST_SPREAD_DEG, _MOST_TILT_DEG = 12.0, 65.0


def levelled(view: CameraView, joints: F8) -> CameraView:
    """The view with a world whose z is up, and where its floor is.

    On 193 drawn clips of 2 to 8 people (rooms, halls, cameras carried and on walls and ceilings) what a level
    camera would take for up was off by 20 degrees (median), this by 3.9, and by 8 or less in nine of ten.

    Args:
        joints: (N, J, 3) metres, camera axes: people in frames that show them from shoulders to ankles.
    """
    told = find_upright(joints) if len(joints) else None
    if told is None or told.spread_deg > _MOST_SPREAD_DEG:
        return view
    if told.up @ view.R[:, 2] < np.cos(np.radians(_MOST_TILT_DEG)):
        return view
    R = np.stack([_right_of(told.up), np.zeros(3), told.up], axis=1)
    R[:, 1] = np.cross(told.up, R[:, 0])
    heights = ((joints[:, _FEET] - view.t) @ told.up).min(axis=1) - _SOLE_M
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

    def __init__(self, store: ProjectStore, done: Callable[[], None]) -> None:
        self._store = store
        self._done = done
        self._worker = NewestWins("level")
        self.view = camera_view(store.camera())

    def look(self, body: BodyModel, camera: Camera) -> None:
        """The camera, the body or the people have changed."""
        self.view = camera_view(camera)
        if not camera.calibrated:
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


def standing(store: ProjectStore, body: BodyModel) -> F8:
    """(N, J, 3) joints, camera axes, of people in frames that show them from shoulders to ankles."""
    tracks = [t.track_id for t in store.tracks() if t.state == "kept"]
    found = []
    for track in tracks:
        span = store.track_span(track)
        if span is None:
            continue
        looks = max(_LOOKS // len(tracks), 1)
        for frame in np.unique(np.linspace(span[0], span[1], looks).round().astype(int)):
            person = store.person(int(frame), track)
            if person is None or person.body is None:
                continue
            if (person.estimate.keypoints.visibility[_TOLD] == Visibility.VISIBLE).all():
                found.append(posed_joints(body, person.body.params))
    joints = np.array(found).reshape(len(found), -1, 3)
    return joints[np.isfinite(joints).all(axis=(1, 2))]
