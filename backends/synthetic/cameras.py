"""Where the cameras are: on walls and under the ceiling as in real rooms, on a tripod, or in a hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backends.camera import Camera
from backends.synthetic.lighting import look_at
from backends.synthetic.shapes import F8


@dataclass(frozen=True, slots=True)
class Mount:
    """A fixed camera: where it is, where it looks (world, metres), focal length over the longer side."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    focal: float

    def camera(self, width: int, height: int) -> Camera:
        """The camera for a picture size."""
        return look_at(
            np.array(self.eye), np.array(self.target), self.focal * max(width, height), width, height
        )

    def at(self, time: float, subject: F8 | None, width: int, height: int) -> Camera:
        """The same at every time."""
        del time, subject
        return self.camera(width, height)


@dataclass(frozen=True, slots=True)
class CameraWork:
    """What whoever carries a camera does with it: from one end to the other and back within ``period_s``.

    Attributes:
        pan: how far it turns to either side, radians; zoom: largest focal length over the smallest.
    """

    pan: float = 0.0
    zoom: float = 1.0
    period_s: float = 5.0

    def angle(self, time: float) -> float:
        """By how much it is turned to the left, radians."""
        return float(self.pan * np.cos(2 * np.pi * time / self.period_s))

    def magnified(self, time: float) -> float:
        """Focal length over the smallest."""
        return float(self.zoom ** (0.5 - 0.5 * np.cos(2 * np.pi * time / self.period_s)))


class HandHeld:
    """A camera carried by somebody: it follows a subject at a distance and is never quite still.

    Args:
        eye: where it is held, or, with ``follow``, the offset from the subject.
        target: where it looks when nobody is followed; its height otherwise.
        follow: keep ``eye``'s offset along y from the subject, slowly.
        work: how it is turned and zoomed; then it looks at ``target``, whoever is in the room.
    """

    def __init__(
        self, eye: tuple[float, float, float], target: tuple[float, float, float], focal: float,
        rng: np.random.Generator, *, follow: bool = False, work: CameraWork | None = None,
    ) -> None:  # fmt: skip
        self._eye, self._target, self._focal, self._follow = np.array(eye), np.array(target), focal, follow
        self._work = work
        self._phase = rng.uniform(0, 2 * np.pi, (6, 4))
        self._rate = np.array([0.31, 0.83, 1.9, 4.7]) * rng.uniform(0.85, 1.15, (6, 4))

    def _shake(self, time: float) -> F8:
        """(6,) smooth noise of about unit size, slow sway and quick tremor."""
        weights = np.array([1.0, 0.5, 0.22, 0.05])
        noise: F8 = (np.sin(2 * np.pi * self._rate * time + self._phase) * weights).sum(axis=1)
        return noise

    def at(self, time: float, subject: F8 | None, width: int, height: int) -> Camera:
        """The camera at a time; ``subject`` (3,) is the place followed, smoothed by the caller."""
        shake = self._shake(time)
        eye = self._eye + shake[:3] * (0.035, 0.035, 0.02)
        target = self._target + shake[3:] * (0.03, 0.03, 0.025)
        focal = self._focal
        if self._work is not None:
            subject, target = None, eye + _turned(target - eye, self._work.angle(time))
            focal *= self._work.magnified(time)
        if subject is not None:
            target = np.array([subject[0], subject[1], self._target[2]]) + shake[3:] * (0.03, 0.03, 0.025)
            if self._follow:
                eye = eye + np.array([0.35 * subject[0], subject[1], 0.0])
        # The horizon tilts a little.
        roll = 0.012 * shake[5]
        return look_at(
            eye, target, focal * max(width, height), width, height, up=(np.sin(roll), 0.0, np.cos(roll))
        )


def _turned(direction: F8, angle: float) -> F8:
    """(3,) ``direction`` turned about the vertical."""
    c, s = np.cos(angle), np.sin(angle)
    turned: F8 = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ direction
    return turned


OPERATING = (
    Mount((0.0, -5.9, 2.3), (0.0, 0.3, 0.98), 1.2),
    Mount((2.75, -2.4, 2.65), (-0.35, 0.75, 0.75), 0.68),
    Mount((-2.95, 0.15, 2.75), (0.35, 0.5, 0.7), 0.66),
    Mount((-2.85, -2.9, 2.6), (0.35, 0.7, 0.75), 0.70),
    Mount((2.8, 2.2, 2.7), (-0.45, -0.3, 0.7), 0.66),
    Mount((0.35, -1.5, 2.85), (0.0, 0.75, 0.85), 0.72),
)
"""Six places in the operating room; the first four see the table from all sides."""

INTERVIEW = (
    Mount((0.0, -2.75, 1.32), (0.0, 0.5, 0.86), 1.02),
    Mount((-2.1, -2.3, 1.5), (0.62, 0.45, 0.85), 1.15),
    Mount((2.1, -2.3, 1.5), (-0.62, 0.45, 0.85), 1.15),
    Mount((0.0, -3.2, 2.4), (0.0, 0.5, 0.6), 0.9),
    Mount((-2.3, 2.2, 2.4), (0.1, 0.0, 0.6), 0.7),
    Mount((2.3, 2.2, 2.4), (-0.1, 0.0, 0.6), 0.7),
)

CORRIDOR = (
    Mount((-0.9, -7.6, 1.62), (0.2, 0.0, 0.95), 1.0),
    Mount((1.95, -6.5, 2.55), (-0.4, -0.8, 0.75), 0.72),
    Mount((-2.0, 6.6, 2.55), (0.5, 0.6, 0.75), 0.72),
    Mount((2.0, 2.6, 2.55), (-0.8, -2.0, 0.75), 0.62),
    Mount((-2.0, -2.2, 2.6), (0.8, 1.6, 0.7), 0.62),
    Mount((0.0, 8.6, 2.5), (0.0, 0.0, 0.7), 1.0),
)

HALL = (
    Mount((0.3, -7.1, 2.9), (0.0, 0.9, 0.8), 0.82),
    Mount((-5.6, -4.2, 3.0), (0.7, 0.8, 0.75), 0.68),
    Mount((5.6, -3.6, 3.0), (-0.6, 0.9, 0.75), 0.68),
    Mount((-5.4, 5.4, 3.0), (0.6, -0.6, 0.75), 0.66),
    Mount((5.5, 5.6, 3.0), (-0.6, -0.6, 0.75), 0.66),
    Mount((0.0, -1.2, 3.3), (0.0, 1.9, 0.6), 0.6),
)
