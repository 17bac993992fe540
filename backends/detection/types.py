"""Where a person may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A person's place as BlazePose speaks of it: the circle about the hips that holds the whole body.

    Attributes:
        centre: (2,) pixels, middle of the hips.
        up: (2,) pixels, the point on the circle straight above the head; its direction is the body's.
        score: of the detector, in [0, 1].
        head: (2,) pixels, middle of the head, where the detector has said so.
    """

    centre: F8
    up: F8
    score: float = 1.0
    head: F8 | None = None

    @property
    def radius(self) -> float:
        """Pixels from the hips to the circle."""
        (x0, y0), (x1, y1) = self.centre.tolist(), self.up.tolist()
        return math.hypot(x1 - x0, y1 - y0)

    @property
    def angle(self) -> float:
        """Radians by which the body is turned in the picture, 0 upright, clockwise positive."""
        d = self.up - self.centre
        return float(np.arctan2(d[0], -d[1]))


def overlap(a: Region, b: Region) -> float:
    """How much two regions are one: 1 for the same circle, 0 where centres lie a radius apart."""
    first, second = a.radius, b.radius
    r = max(first, second, 1e-6)
    (x0, y0), (x1, y1) = a.centre.tolist(), b.centre.tolist()
    near = max(0.0, 1.0 - math.hypot(x1 - x0, y1 - y0) / r)
    return near * min(first, second) / r


def suppress(regions: list[Region], threshold: float = 0.45) -> list[Region]:
    """The best of regions that overlap more than ``threshold``, best first."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda r: -r.score):
        if all(overlap(region, k) < threshold for k in kept):
            kept.append(region)
    return kept
