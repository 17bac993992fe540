"""What lies under the pointer: the vertex of a body, and how far it may be off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.review.types import CameraView, PersonScene

F8 = npt.NDArray[np.float64]

_REACH_PX = 5.0
"""Logical pixels of the screen within which a vertex counts as hit."""
_DEEPER_M = 0.08


@dataclass(frozen=True, slots=True)
class Hit:
    """A vertex of somebody's body; ``depth`` metres from the camera."""

    person: int
    vertex: int
    depth: float


class Probe:
    """Finds the vertex under the pointer; where the bodies lie in the picture is worked out once a scene."""

    def __init__(self) -> None:
        self._placed: dict[int, tuple[PersonScene, F8]] = {}

    def hit(
        self, people: list[PersonScene], camera: CameraView | None, x: float, y: float, reach: float
    ) -> Hit | None:
        """The nearest body's vertex within ``reach`` pixels of the picture about (x, y)."""
        if camera is None:
            return None
        best: Hit | None = None
        for person in people:
            if person.vertices is None or person.hidden:
                continue
            at = self._places(person, camera)
            near = np.flatnonzero((np.abs(at[:, 0] - x) <= reach) & (np.abs(at[:, 1] - y) <= reach))
            near = near[person.vertices[near, 2] > 0.0]
            if not len(near):
                continue
            depth = person.vertices[near, 2]
            front = near[depth <= depth.min() + _DEEPER_M]
            away = np.hypot(at[front, 0] - x, at[front, 1] - y)
            v = int(front[np.argmin(away)])
            z = float(person.vertices[v, 2])
            if best is None or z < best.depth:
                best = Hit(person.person_id, v, z)
        return best

    def _places(self, person: PersonScene, camera: CameraView) -> F8:
        known = self._placed.get(person.person_id)
        if known is not None and known[0] is person:
            return known[1]
        assert person.vertices is not None
        v = person.vertices.astype(np.float64)
        z = np.maximum(v[:, 2:], 1e-3)
        at: F8 = v[:, :2] / z * (camera.K[0, 0], camera.K[1, 1]) + (camera.K[0, 2], camera.K[1, 2])
        self._placed[person.person_id] = (person, at)
        return at


def reach_in_picture(scale: float) -> float:
    """Pixels of the picture that count as hit, where one of them is ``scale`` logical pixels wide."""
    return max(_REACH_PX / max(scale, 1e-6), 1.5)
