"""Heads followed beyond where the run knew them: nobody comes from nothing in the middle of a picture.

Where the run finds somebody late, or loses them, they mostly were there before and still are there. So the
head is followed by its look through the recording, backwards from the first frame in which it is known and
onwards from the last, and has to be covered there like any other. This is the recording's own evidence: it
needs no network, and does not depend on what the cover is guessed from. The run follows heads too, for a
shorter while and by the flow of points (:mod:`backends.tracking.following`), so that they are covered: who
checks must not ask whoever has covered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.audit.heads import core_of_head
from app.export.coverage import MAX_GAP_S
from app.project.store import VIEW, ProjectStore
from backends.audit.blocks import around
from backends.audit.follow import HeadTrail

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int64]

FOLLOW_S = 8.0
"""For so long at most a head is followed."""

_SIDE = 800
"""Longer side of the pictures in which heads are followed; a head of 24 pixels in 720p keeps 15."""

_RATE = 30.0
"""Pictures a second that are looked at, at most."""

_MOST = 240
"""Pictures that are kept for following backwards: 360 kB each."""

_LOOK = 1.3
"""What is compared reaches so far about the middle of the head: eyes, brows, the rim of a cap."""

_PROVING = 8
"""So many frames within what is known following begins: through them it has to agree with what is known."""

_LEAST_PROOF = 3
_AGREE, _APART = 0.7, 0.8
"""Share of those frames in which it has to lie where the head is known, and how far beside at most, in sizes
of the head."""


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    """Where somebody is known for the last time, in one direction.

    ``frame``: where following begins; ``limit``: how far it goes at most; ``known``: (4,) their head by frame
    from the former up to the last one that is known.
    """

    track: int
    frame: int
    limit: int
    known: Mapping[int, F4]

    @property
    def last(self) -> int:
        """The last frame, in the direction of following, in which they are known."""
        return max(self.known) if self.limit > self.frame else min(self.known)


class FollowedHeads:
    """Watches the recording go by and says afterwards where heads were that no track knows.

    Args:
        first, last: inclusive frames that :meth:`see` will be given.
    """

    def __init__(self, store: ProjectStore, fps: float, first: int, last: int) -> None:
        reach = max(2, round(FOLLOW_S * fps))
        self._step = max(1, round(fps / _RATE))
        self._places: dict[int, list[tuple[int, F4]]] = {}
        self._back: dict[int, list[_End]] = {}
        self._onward: dict[int, list[_End]] = {}
        self._trails: list[_Trail] = []
        self._wanted: set[int] = set()
        for end in _ends(store, fps, reach, self._step):
            if not first <= end.frame <= last:
                continue
            back = end.limit < end.frame
            (self._back if back else self._onward).setdefault(end.frame, []).append(end)
            if back:
                self._wanted.update(range(max(end.limit, first), end.frame + 1))
        self._kept: deque[tuple[int, U1]] = deque(maxlen=_MOST)

    def see(self, frame: int, image: U1) -> None:
        """The next frame of the recording (H, W, 3) uint8 RGB; every frame, in order."""
        begins = frame in self._back or frame in self._onward
        if frame not in self._wanted:
            self._kept.clear()
            if not begins and not self._trails:
                return
        if frame % self._step and not begins:
            return
        grey, scale = _small(image)
        if frame in self._wanted:
            self._kept.append((frame, grey))
        for trail in self._trails:
            trail.step(frame, grey, scale)
        self._trails = [t for t in self._trails if not t.ended]
        for end in self._onward.pop(frame, ()):
            self._trails.append(_Trail(end, grey, scale, self._places))
        for end in self._back.pop(frame, ()):
            trail = _Trail(end, grey, scale, self._places)
            for before, earlier in reversed(self._kept):
                if trail.ended:
                    break
                if before < frame:
                    trail.step(before, earlier, scale)
        if frame + 1 not in self._wanted:
            self._kept.clear()  # the search that comes next needs the memory

    def at(self, frame: int) -> list[tuple[int, F4]]:
        """Tracks, and (4,) the middle of their heads, that were followed into a frame."""
        return self._places.get(frame, [])


class _Trail:
    """A head that is being followed; where it is beyond what is known goes into ``places``."""

    def __init__(
        self, end: _End, grey: U1, scale: float, places: dict[int, list[tuple[int, F4]]]
    ) -> None:  # fmt: skip
        self._end = end
        self._places = places
        self._trail = HeadTrail(grey, around(end.known[end.frame], _LOOK) * np.float32(scale))
        self._before = end.frame
        self._agrees: list[bool] = []

    @property
    def ended(self) -> bool:
        """Whether it was lost."""
        return self._trail.lost

    def step(self, frame: int, grey: U1, scale: float) -> None:
        """The next picture in the direction of following."""
        end = self._end
        found = self._trail.step(grey)
        if found is None:
            return
        box = around(found / np.float32(scale), 1 / _LOOK)
        onward = end.limit > end.frame
        known = end.known.get(frame)
        if known is not None:
            self._agrees.append(_is_near(box, known))
        if (frame > end.limit) if onward else (frame < end.limit):
            self._trail.lost = True
        elif (frame > end.last) if onward else (frame < end.last):
            if len(self._agrees) < _LEAST_PROOF or np.mean(self._agrees) < _AGREE:
                self._trail.lost = True
                return
            # So it was in frames between that were not looked at.
            span = range(self._before + 1, frame + 1) if onward else range(frame, self._before)
            for f in span:
                if (f > end.last) if onward else (f < end.last):
                    self._places.setdefault(f, []).append((end.track, box))
        self._before = frame


def _is_near(a: F4, b: F4) -> bool:
    size = max(float((b[2:] - b[:2]).max()), 1.0)
    return float(np.hypot(*((a[:2] + a[2:] - b[:2] - b[2:]) / 2))) <= _APART * size


def _small(image: U1) -> tuple[U1, float]:
    """The picture in grey, no larger than is needed, and its scale."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    height, width = grey.shape
    scale = min(1.0, _SIDE / max(height, width))
    if scale == 1.0:
        return grey, scale
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _ends(store: ProjectStore, fps: float, reach: int, step: int) -> Iterable[_End]:
    """Where the run begins and ends to know of somebody, but for gaps that are bridged."""
    bridged = max(2, round(MAX_GAP_S * fps)) + 1
    for track in store.tracks():
        rows = store.query(
            "SELECT frame FROM observations WHERE view_id = ? AND track_id = ? ORDER BY frame",
            (VIEW, track.track_id),
        )
        frames = np.array([r["frame"] for r in rows], np.int64)
        if not len(frames):
            continue
        breaks = np.flatnonzero(np.diff(frames) > bridged)
        for piece in np.split(frames, breaks + 1):
            before = frames[frames < piece[0]].max(initial=-1)
            after = frames[frames > piece[-1]].min(initial=np.iinfo(np.int64).max)
            back, onward = max(int(before) + 1, int(piece[0]) - reach), int(piece[-1]) + reach
            for inwards, limit in ((piece, back), (piece[::-1], min(int(after) - 1, onward))):
                known = _known_heads(store, track.track_id, inwards, step)
                if len(known) > _LEAST_PROOF:
                    yield _End(track.track_id, next(reversed(known)), limit, known)


def _known_heads(store: ProjectStore, track: int, frames: I8, step: int) -> dict[int, F4]:
    """Where somebody's head is known, (4,) by frame, in the first of the frames."""
    found: dict[int, F4] = {}
    for frame in frames[: 2 * _PROVING * step]:
        person = store.person(int(frame), track)
        core = None if person is None else core_of_head(person.estimate.keypoints)
        if core is not None:
            found[int(frame)] = core
            if len(found) > _PROVING * step:
                break
    return found
