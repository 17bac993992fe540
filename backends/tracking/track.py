"""One person who is being followed: where they are, how they move, what they wear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.detection.types import Region
from backends.keypoints.layout import INDEX

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_SMOOTH = 0.6
_COLOUR_SMOOTH = 0.9
_TORSO = tuple(INDEX[n] for n in ("left_shoulder", "right_shoulder", "right_hip", "left_hip"))
_LEGS = tuple(INDEX[n] for n in ("left_hip", "right_hip", "left_knee", "right_knee"))


def clothes_colour(image: U1, xy: npt.NDArray[np.floating[Any]]) -> F8:
    """(6,) mean opponent colours of torso and thighs in [0, 1]: what somebody wears, roughly.

    Args:
        xy: (23, 2) keypoints.
    """
    h, w = image.shape[:2]
    parts = []
    for corners in (_TORSO, _LEGS):
        points = xy[list(corners)]
        middle = points.mean(axis=0)
        # A small grid within the part: exact outlines are not worth the time.
        grid = [middle + s * (p - middle) for p in points for s in (0.0, 0.35, 0.7)]
        at = np.round(np.array(grid)).astype(int)
        inside = (at[:, 0] >= 0) & (at[:, 0] < w) & (at[:, 1] >= 0) & (at[:, 1] < h)
        if not inside.any():
            parts.append(np.full(3, 0.5))
            continue
        rgb = np.median(image[at[inside, 1], at[inside, 0]].astype(np.float64), axis=0) / 255.0
        r, g, b = rgb
        parts.append(np.array([0.5 * rgb.mean(), 0.5 + (r - g), 0.5 + (b - (r + g) / 2)]))
    return np.concatenate(parts)


@dataclass
class Track:
    """A person over time.

    Attributes:
        centre, up: of the region in the last picture in which they were seen, pixels.
        velocity: (2,) pixels a frame.
        first, last: frames; seen: number of frames; lost: frames since ``last``.
        presence, travel: mean presence, and the way covered in body radii.
        start: where the track began; start_velocity: how it moved then; start_radius.
    """

    track_id: int
    centre: F8
    up: F8
    velocity: F8
    colour: F8
    first: int
    last: int
    seen: int = 1
    lost: int = 0
    presence: float = 1.0
    travel: float = 0.0
    flicker: float = 0.0
    start: F8 = field(default_factory=lambda: np.zeros(2))
    start_velocity: F8 = field(default_factory=lambda: np.zeros(2))
    start_radius: float = 1.0

    @property
    def radius(self) -> float:
        """Pixels."""
        return float(np.hypot(*(self.up - self.centre)))

    def predicted(self, frames: int = 1) -> Region:
        """Where they should be ``frames`` after ``last``; the further ahead, the less the way counts."""
        reach = min(frames, 6) + 0.3 * max(frames - 6, 0)
        shift = self.velocity * reach
        return Region(self.centre + shift, self.up + shift)

    def see(self, frame: int, region: Region, score: float, colour: F8) -> None:
        """They were found again."""
        step = max(frame - self.last, 1)
        moved = (region.centre - self.centre) / step
        away = float(np.hypot(*(region.centre - self.predicted(step).centre))) / max(self.radius, 1e-6)
        self.velocity = _SMOOTH * self.velocity + (1 - _SMOOTH) * moved
        self.travel += float(np.hypot(*(region.centre - self.centre))) / max(region.radius, 1e-6)
        self.flicker += (away - self.flicker) / (self.seen + 1)
        self.centre, self.up = region.centre.copy(), region.up.copy()
        self.colour = _COLOUR_SMOOTH * self.colour + (1 - _COLOUR_SMOOTH) * colour
        self.seen += 1
        self.presence += (score - self.presence) / self.seen
        self.last = frame
        self.lost = 0
        if self.seen == 8:
            self.start_velocity = self.velocity.copy()

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in _FIELDS}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Track:
        """Inverse of :meth:`to_dict`."""
        track = Track(**{name: values[name] for name in _FIELDS})
        for name in _ARRAYS:
            setattr(track, name, np.array(getattr(track, name), dtype=np.float64))
        return track


_ARRAYS = ("centre", "up", "velocity", "colour", "start", "start_velocity")
_FIELDS = (
    "track_id", "centre", "up", "velocity", "colour", "first", "last", "seen", "lost", "presence", "travel",
    "flicker", "start", "start_velocity", "start_radius",
)  # fmt: skip


def likeness_cost(track: Track, region: Region, colour: F8, frame: int) -> float:
    """How unlike the lost track and somebody newly found are; above 1 they are taken for two people."""
    gap = max(frame - track.last, 1)
    expected = track.predicted(gap)
    away = float(np.hypot(*(region.centre - expected.centre))) / max(track.radius, 1e-6)
    # The longer somebody is out of sight, the farther they may have got.
    near = away / (0.8 + 0.06 * gap)
    size = abs(np.log(max(region.radius, 1e-6) / max(track.radius, 1e-6))) / 0.5
    wear = float(np.abs(track.colour - colour).max()) / 0.22
    return float(0.5 * near + 0.2 * size + 0.3 * wear) if max(near, size, wear) < 2.0 else 10.0
