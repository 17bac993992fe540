"""Where heads went of people whom the tracker does not have: before it found them, and after it lost them.

A head is followed by the optical flow of small pictures, backwards from the frame in which somebody is found
and forwards from the one in which they are lost. It costs next to nothing, knows nothing of bodies, and stops
where the head's own points do not find their way back: behind a thing, at a cut, out of the picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from backends.keypoints.types import Keypoints, Visibility
from backends.tracking.types import TrackedPose

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

LONGEST: Final = 50
"""Frames over which a head is followed: two seconds of most footage."""

_SIDE: Final = 640
"""Pixels of the longer side of the small pictures, at most."""

_FACE: Final = 5
_RADIUS: Final = 0.055
"""Of a head, as a share of the person's size."""
_GRID: Final = 7
_BACK: Final = 1.0
"""Pixels of the small picture within which a point has to come back where it was."""
_GOOD: Final = 0.5
"""Share of a head's points that have to."""
_WINDOW: Final = (9, 9)
_LEVELS: Final = 2
_AROUND: Final = 3.0
_MARGIN: Final = 16
"""What is looked at about a head: so many radii, and pixels."""
_JUMP: Final = 1.5
"""Radii by which a head moves from frame to frame, at most."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody of frame ``origin`` is in ``frame``, moved by ``dx``, ``dy`` pixels."""

    track_id: int
    origin: int
    frame: int
    dx: float
    dy: float


@dataclass(slots=True)
class _Head:
    """A head that is being followed; small pixels."""

    track_id: int
    origin: int
    start: F8
    at: F8
    radius: float


class HeadFollower:
    """Fed with every picture in order and who was found in it. Not thread-safe."""

    def __init__(self) -> None:
        self._pictures: deque[tuple[int, U1]] = deque(maxlen=LONGEST + 1)
        self._scale = 1.0
        self._last_seen: dict[int, tuple[int, TrackedPose]] = {}
        self._lost: list[_Head] = []
        self.followed: list[Followed] = []

    def step(self, index: int, image_rgb: U1, people: Sequence[TrackedPose]) -> None:
        """The next picture (H, W, 3) and everybody found in it."""
        picture = self._small(image_rgb)
        if self._pictures:
            frame, last = self._pictures[-1]
            if frame != index - 1 or last.shape != picture.shape:
                self._pictures.clear()
                self._lost = []
        before = self._pictures[-1][1] if self._pictures else None
        self._pictures.append((index, picture))
        here = {p.track_id for p in people}
        if before is not None:
            gone = [p for i, p in self._last_seen.values() if i == index - 1 and p.track_id not in here]
            self._lost += [h for p in gone if (h := self._head(p, index - 1)) is not None]
            self._lost = [h for h in self._lost if h.track_id not in here and index - h.origin <= LONGEST]
            self._lost = [h for h in self._lost if self._go(h, before, picture, index)]
        for person in people:
            seen = self._last_seen.get(person.track_id)
            if seen is None or seen[0] < index - 1:
                self._backwards(person, index, -1 if seen is None else seen[0])
            self._last_seen[person.track_id] = (index, person)
        self._last_seen = {t: seen for t, seen in self._last_seen.items() if index - seen[0] <= LONGEST}

    def state(self) -> list[list[float]]:
        """Plain values: what was followed so far."""
        return [[f.track_id, f.origin, f.frame, f.dx, f.dy] for f in self.followed]

    def restore(self, rows: Iterable[Any]) -> None:
        """Go on from a state. Pictures are not part of it: nobody is followed into what was before."""
        self.followed = as_followed(rows)

    def _small(self, image: U1) -> U1:
        """One channel, one size for all pictures of a stream."""
        height, width = image.shape[:2]
        self._scale = min(1.0, _SIDE / max(height, width))
        size = (max(1, round(width * self._scale)), max(1, round(height * self._scale)))
        green = cv2.extractChannel(image, 1)
        return np.asarray(cv2.resize(green, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _head(self, person: TrackedPose, index: int) -> _Head | None:
        at = _middle(person.estimate.keypoints)
        if at is None:
            return None
        box = person.estimate.box
        radius = _RADIUS * float(max(box[3] - box[1], 0.6 * (box[2] - box[0]))) * self._scale
        small = (at + 0.5) * self._scale - 0.5
        return _Head(person.track_id, index, small, small.copy(), max(radius, 2.0))

    def _backwards(self, person: TrackedPose, index: int, known: int) -> None:
        """Follow somebody who was found into the pictures before, up to where they were ``known``."""
        head = self._head(person, index)
        if head is None:
            return
        pictures = list(self._pictures)
        for (_, later), (frame, earlier) in zip(pictures[::-1], pictures[-2::-1]):
            if frame <= known or not self._go(head, later, earlier, frame):
                return

    def _go(self, head: _Head, a: U1, b: U1, frame: int) -> bool:
        """Follow from picture ``a`` to picture ``b``, which is ``frame``; False where that fails."""
        height, width = b.shape
        reach = _AROUND * head.radius + _MARGIN
        # Only what is about the head: the whole picture's pyramid would take longer than all the rest.
        x0, y0 = np.clip(np.floor(head.at - reach), 0, (width - 1, height - 1)).astype(int).tolist()
        x1, y1 = np.clip(np.ceil(head.at + reach), 1, (width, height)).astype(int).tolist()
        if min(x1 - x0, y1 - y0) < _MARGIN:
            return False
        part_a, part_b = (np.ascontiguousarray(p[y0:y1, x0:x1]) for p in (a, b))
        points = _points(head) - np.array([x0, y0], np.float32)
        there, found, _ = cv2.calcOpticalFlowPyrLK(
            part_a, part_b, points, None, winSize=_WINDOW, maxLevel=_LEVELS
        )
        back, again, _ = cv2.calcOpticalFlowPyrLK(
            part_b, part_a, there, None, winSize=_WINDOW, maxLevel=_LEVELS
        )
        off = np.hypot(*(back - points)[:, 0].T)
        good = (found[:, 0] > 0) & (again[:, 0] > 0) & (off < _BACK)
        if good.mean() < _GOOD:
            return False
        step = np.median((there - points)[good, 0], axis=0).astype(np.float64)
        head.at = head.at + step
        if float(np.hypot(*step)) > _JUMP * head.radius or not (
            0 <= head.at[0] < width and 0 <= head.at[1] < height
        ):
            return False
        by = (head.at - head.start) / self._scale
        self.followed.append(Followed(head.track_id, head.origin, frame, float(by[0]), float(by[1])))
        return True


def as_followed(rows: Iterable[Any]) -> list[Followed]:
    """From rows of track, origin, frame, dx, dy; rows that make no sense are left out."""
    found = []
    for row in rows:
        values = [float(v) for v in row] if isinstance(row, list | tuple) and len(row) == 5 else []
        if values and np.isfinite(values).all():
            found.append(Followed(int(values[0]), int(values[1]), int(values[2]), values[3], values[4]))
    return found


def _middle(keypoints: Keypoints) -> F8 | None:
    """(2,) of the face's points; None where none is known."""
    xy = keypoints.xy[:_FACE].astype(np.float64)
    use = np.isfinite(xy).all(axis=1) & (keypoints.visibility[:_FACE] != Visibility.ABSENT)
    return xy[use].mean(axis=0) if use.any() else None


def _points(head: _Head) -> F4:
    """(N, 1, 2) points all over a head."""
    line = np.linspace(-1, 1, _GRID)
    x, y = np.meshgrid(line, line)
    inside = np.hypot(x, y) <= 1
    grid = np.stack([x[inside], y[inside]], axis=-1)
    return (head.at + head.radius * grid).astype(np.float32)[:, None]
