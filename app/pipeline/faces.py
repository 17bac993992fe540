"""Watches for faces while people are found: those that nobody owns are covered, too.

The face detector for the full range of distances looks at every sixth frame. The audit looks at every frame
of the finished video with that network again and, independent of all that covered, with CenterFace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from backends.deidentify.strays import EVERY, Sighting
from backends.detection.faces import Face
from backends.keypoints.types import Visibility
from backends.tracking.following import Followed, HeadFollower
from backends.tracking.stream import TrackDecisions, TrackedPose

_SMALLEST = 32
"""Pixels; nobody is looked for in smaller pictures."""
_SCALES = (1.0, 2.0)
_THRESHOLD = 0.5
_HEAD = 5
"""The first five keypoints are nose, eyes and ears."""
_REACH = 1.6
"""A face belongs to a head whose middle is nearer than this, in sizes of the face."""
_PERSON = 3
"""Whoever showed a face so often is a person, whatever else speaks against it."""


class FaceFinder(Protocol):
    """Finds faces in a picture."""

    def detect(self, image: Any, threshold: float, scales: tuple[float, ...]) -> list[Face]:
        """Faces of (H, W, 3) uint8 RGB."""


class People(Protocol):
    """What finds the people; see :class:`app.pipeline.engine.Perception`."""

    def step(self, index: int, image_rgb: Any) -> list[TrackedPose]:
        """Everybody in the next picture."""

    def finish(self) -> TrackDecisions:
        """Which tracks were no people, and which belong together."""

    def state(self) -> dict[str, Any]:
        """Plain values and arrays to go on from."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""


class WatchedPeople:
    """People and, every few frames, faces; these are looked for while the next frames' people are.

    Heads are followed to where the tracker does not have them.
    """

    def __init__(self, people: People, faces: FaceFinder) -> None:
        self._people = people
        self._faces = faces
        self._thread = ThreadPoolExecutor(1, "faces")
        self._looking: tuple[int, Future[list[Face]], list[TrackedPose]] | None = None
        self._shown: dict[int, int] = {}
        self._sightings: list[Sighting] = []
        self._follower = HeadFollower()

    def step(self, index: int, image_rgb: npt.NDArray[np.uint8]) -> list[TrackedPose]:
        """Everybody in the next picture."""
        found = self._people.step(index, image_rgb)
        if min(image_rgb.shape[:2]) >= _SMALLEST:
            self._follower.step(index, image_rgb, found)
        if index % EVERY == 0 and min(image_rgb.shape[:2]) >= _SMALLEST:
            self._collect()
            looking = self._thread.submit(self._faces.detect, image_rgb, _THRESHOLD, _SCALES)
            self._looking = (index, looking, found)
        return found

    @property
    def sightings(self) -> list[Sighting]:
        """Faces that nobody owns."""
        self._collect()
        return self._sightings

    @property
    def followed(self) -> list[Followed]:
        """Where people were before they were found and after they were lost, by the tracks they had then."""
        return self._follower.followed

    def _collect(self) -> None:
        """Wait for the faces that are being looked for, and see whose they are."""
        if self._looking is None:
            return
        index, looking, people = self._looking
        self._looking = None
        for face in looking.result():
            owner = owner_of(face.box, people)
            if owner is None:
                x0, y0, x1, y1 = (float(v) for v in face.box)
                self._sightings.append(Sighting(index, (x0, y0, x1, y1), face.score))
            else:
                self._shown[owner] = self._shown.get(owner, 0) + 1

    def finish(self) -> TrackDecisions:
        """Which tracks were no people; nobody who showed a face is among them."""
        self._collect()
        decisions = self._people.finish()
        people = {t for t, n in self._shown.items() if n >= _PERSON}
        return replace(decisions, discarded=decisions.discarded - people)

    def state(self) -> dict[str, Any]:
        """Plain values and arrays to go on from."""
        rows = [[s.frame, *s.box, s.score] for s in self.sightings]
        shown = [[track, n] for track, n in self._shown.items()]
        state = {**self._people.state(), "faces": rows, "faces_shown": shown}
        return {**state, "followed": self._follower.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._people.restore(state)
        self._sightings = as_sightings(state.get("faces", []))
        self._follower.restore(state.get("followed", []))
        self._shown = {int(t): int(n) for t, n in state.get("faces_shown", [])}


def as_sightings(rows: Iterable[Any]) -> list[Sighting]:
    """From rows of frame, box and score; rows that make no sense are left out."""
    found = []
    for row in rows:
        values = [float(v) for v in row] if isinstance(row, list | tuple) and len(row) == 6 else []
        if values and np.isfinite(values).all():
            box = (values[1], values[2], values[3], values[4])
            found.append(Sighting(int(values[0]), box, values[5]))
    return found


def owner_of(box: npt.NDArray[np.float32], people: Iterable[TrackedPose]) -> int | None:
    """The track whose head is where a face (4,) is, or None."""
    middle, size = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max())
    for person in people:
        keypoints = person.estimate.keypoints
        known = (keypoints.visibility[:_HEAD] != Visibility.ABSENT) & np.isfinite(keypoints.xy[:_HEAD]).all(1)
        head = keypoints.xy[:_HEAD][known]
        if len(head) and float(np.hypot(*(head.mean(axis=0) - middle))) < _REACH * max(size, 1.0):
            return person.track_id
    return None
