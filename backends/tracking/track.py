"""One person who is being followed: where they are, how they move, what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backends.detection.types import Region
from backends.tracking.appearance import blend
from backends.tracking.observer import Observation

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_SMOOTH: Final = 0.6
_LOOK_SHARE: Final = 0.06
"""How fast the remembered look follows the seen one: light changes within seconds, clothes do not."""

_START: Final = 8
"""Frames after which the way a track began is known."""


@dataclass
class Track:
    """A person over time.

    Attributes:
        centre, up: of the region in the last picture in which they were seen, pixels.
        xy: (23, 2) keypoints there.
        velocity: (2,) pixels a frame.
        look: (6, 3) colours over time; looks: from how many pictures.
        first, last: frames; seen: number of frames; lost: frames since ``last``.
        presence, bones: means over the track; error: how far from the expected place they turn up, in
            body radii, a running mean.
        low, high: (2,) the corners of all centres so far.
        start, start_velocity, start_radius: how the track began.
        left: whether they were last seen on their way out of the picture.
    """

    track_id: int
    first: int
    last: int
    centre: F8
    up: F8
    xy: F4
    velocity: F8
    look: F8
    looks: int
    seen: int
    lost: int
    presence: float
    bones: float
    error: float
    low: F8
    high: F8
    start: F8
    start_velocity: F8
    start_radius: float
    left: bool = False

    @staticmethod
    def begin(track_id: int, frame: int, seen: Observation) -> Track:
        """A new person."""
        at = seen.region.centre
        return Track(
            track_id=track_id, first=frame, last=frame, centre=at.copy(), up=seen.region.up.copy(),
            xy=seen.estimate.keypoints.xy.copy(), velocity=np.zeros(2), look=seen.look.copy(), looks=1,
            seen=1, lost=0, presence=seen.score, bones=seen.bones, error=0.08, low=at.copy(), high=at.copy(),
            start=at.copy(), start_velocity=np.zeros(2), start_radius=seen.region.radius,
        )  # fmt: skip

    @property
    def radius(self) -> float:
        """Pixels."""
        return float(np.hypot(*(self.up - self.centre)))

    @property
    def travel(self) -> float:
        """How far they ever got, in body radii."""
        return float(np.hypot(*(self.high - self.low))) / max(self.radius, 1e-6)

    def shift(self, frames: int = 1) -> F8:
        """(2,) pixels they should move within ``frames``; the further ahead, the less the way counts."""
        return self.velocity * (min(frames, 8) + 0.3 * max(frames - 8, 0))

    def predicted(self, frames: int = 1) -> Region:
        """Where they should be ``frames`` after ``last``."""
        by = self.shift(frames)
        return Region(self.centre + by, self.up + by)

    def box(self, frames: int) -> F8:
        """(4,) x0 y0 x1 y1 about the keypoints, moved ``frames`` on."""
        points = self.xy[:17] + self.shift(frames)
        pad = 0.25 * self.radius
        return np.concatenate([points.min(axis=0) - pad, points.max(axis=0) + pad])

    def see(self, frame: int, seen: Observation, *, alone: bool) -> None:
        """They were found again; ``alone`` when nobody else is in the way and colours can be trusted."""
        step = max(frame - self.last, 1)
        region = seen.region
        off = float(np.hypot(*(region.centre - self.predicted(step).centre))) / max(self.radius, 1e-6)
        moved = (region.centre - self.centre) / step
        smooth = _SMOOTH if self.seen > 2 else 0.3
        self.velocity = smooth * self.velocity + (1 - smooth) * moved
        self.error = 0.9 * self.error + 0.1 * min(off, 0.5)
        self.centre, self.up = region.centre.copy(), region.up.copy()
        self.xy = seen.estimate.keypoints.xy.copy()
        self.low, self.high = np.minimum(self.low, region.centre), np.maximum(self.high, region.centre)
        if alone:
            self.looks += 1
            self.look = blend(self.look, seen.look, max(1.0 / self.looks, _LOOK_SHARE))
        self.seen += 1
        self.presence += (seen.score - self.presence) / self.seen
        self.bones += (seen.bones - self.bones) / self.seen
        self.last, self.lost = frame, 0
        if self.seen == _START:
            self.start_velocity = self.velocity.copy()

    def to_dict(self) -> dict[str, Any]:
        """Plain values and arrays."""
        return {f.name: _copied(getattr(self, f.name)) for f in fields(self)}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Track:
        """Inverse of :meth:`to_dict`."""
        own: dict[str, Any] = {f.name: _copied(values[f.name]) for f in fields(Track)}
        return Track(**own)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value
