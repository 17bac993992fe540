"""Faces that belong to nobody who was found, from sightings every few frames to places in every frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F4 = npt.NDArray[np.float32]

EVERY = 6
"""Frames from one look for faces to the next."""
_WAIT = 4
"""Looks after which a face that was not seen again is another one."""
_NEAR = 1.2
"""How far a face gets from one look to the next, in its own sizes, at most."""
_SURE = 0.8
"""A face seen once has to be so clear; of several sightings each may be weaker."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face in a frame: ``box`` x0 y0 x1 y1 pixels, ``score`` in [0, 1]."""

    frame: int
    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Stray:
    """A face over time: ``frames`` (N,) ascending, ``boxes`` (N, 4) pixels."""

    frames: npt.NDArray[np.int64]
    boxes: F4

    def at(self, frame: int, lead: int) -> tuple[F4, bool] | None:
        """(4,) the face's box and whether it was seen in this very frame.

        Between two sightings on a straight line; ``lead`` frames before the first and after the last it
        stays. None where it is not.
        """
        first, last = int(self.frames[0]), int(self.frames[-1])
        if not first - lead <= frame <= last + lead:
            return None
        box = np.array([np.interp(frame, self.frames, self.boxes[:, k]) for k in range(4)], np.float32)
        return box, bool((self.frames == frame).any())


def link(sightings: Iterable[Sighting]) -> list[Stray]:
    """Sightings of one face after the other; a single weak one is left out."""
    chains: list[list[Sighting]] = []
    for sighting in sorted(sightings, key=lambda s: (s.frame, -s.score)):
        open_chains = [c for c in chains if 0 < sighting.frame - c[-1].frame <= _WAIT * EVERY]
        nearest = min(open_chains, key=lambda c: _apart(c[-1], sighting), default=None)
        if nearest is not None and _apart(nearest[-1], sighting) < _NEAR * max(
            1.0, (sighting.frame - nearest[-1].frame) / EVERY
        ):
            nearest.append(sighting)
        else:
            chains.append([sighting])
    return [
        Stray(np.array([s.frame for s in c], np.int64), np.array([s.box for s in c], np.float32))
        for c in chains
        if len(c) > 1 or c[0].score >= _SURE
    ]


def _apart(a: Sighting, b: Sighting) -> float:
    """Distance of two faces in sizes of the larger one; far where their sizes differ much."""
    p, q = (np.asarray(s.box, np.float64) for s in (a, b))
    sizes = [max(float((box[2:] - box[:2]).max()), 1.0) for box in (p, q)]
    if max(sizes) > 2 * min(sizes):
        return float("inf")
    return float(np.hypot(*((p[:2] + p[2:]) / 2 - (q[:2] + q[2:]) / 2))) / max(sizes)
