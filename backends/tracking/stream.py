"""Several people in a stream of pictures, each with an identity that lasts.

BlazePose finds one close person; here its detector looks at the whole picture and at tiles of it in turn,
its landmarks are followed from picture to picture by the region that the last ones give, people who are
lost are waited for, and two tracks that end up on one body are told apart by how they moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from backends.detection.blazepose import PersonDetector
from backends.detection.tiles import Tile, make_tiles
from backends.detection.types import Region, overlap, suppress
from backends.errors import InputError
from backends.keypoints.blazepose import LandmarkNetwork, Landmarks, to_estimate
from backends.keypoints.similarity import oks
from backends.keypoints.types import PoseEstimate
from backends.tracking.decisions import decide
from backends.tracking.track import Track, clothes_colour, likeness_cost
from backends.tracking.types import PerceptionSettings, TrackDecisions, TrackedPose

U1 = npt.NDArray[np.uint8]

_MIN_SIDE = 32
_MOSTLY_INSIDE = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    landmarks: Landmarks
    region: Region
    estimate: PoseEstimate


class PeopleStream:
    """Finds and follows everybody. Feed it pictures in order; it is not thread-safe.

    Raises:
        WeightsError: from the constructor, when a network is missing or damaged.
    """

    def __init__(
        self, detector_path: Path, landmark_path: Path, *, settings: PerceptionSettings | None = None
    ) -> None:
        self.settings = settings or PerceptionSettings()
        # OpenCV's threads keep spinning after their work and take the networks' cores: 31 frames/s with
        # one thread, 21 with two, on two cores.
        cv2.setNumThreads(1)
        self._detector = PersonDetector(detector_path, threads=self.settings.threads)
        self._landmarks = LandmarkNetwork(landmark_path, threads=self.settings.threads)
        self._size = (0, 0)
        self._tiles: list[Tile] = []
        self._cursor = 0
        self._active: list[Track] = []
        self._ended: list[Track] = []
        self._next_id = 1
        self._fresh = True

    def step(self, index: int, image_rgb: U1) -> list[TrackedPose]:
        """Everybody in the next picture.

        Args:
            index: frame number, rising from call to call.
            image_rgb: (H, W, 3) uint8.

        Raises:
            InputError: not a picture.
        """
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
            raise InputError(f"a picture needs shape (H, W, 3) and uint8, got {image_rgb.shape}")
        h, w = image_rgb.shape[:2]
        if min(h, w) < _MIN_SIDE:
            return []
        if (w, h) != self._size:
            self._size = (w, h)
            self._tiles = make_tiles(w, h, self.settings.scales)
        followed = self._follow(index, image_rgb)
        self._find_new(index, image_rgb, followed)
        for track in [t for t in self._active if t.track_id not in followed]:
            track.lost = index - track.last
            if track.lost > self.settings.max_gap or self._is_outside(track):
                self._active.remove(track)
                self._ended.append(track)
        return [TrackedPose(i, f.estimate) for i, f in sorted(followed.items())]

    def finish(self) -> TrackDecisions:
        """Which tracks were no people, and which belong together."""
        return decide(sorted([*self._ended, *self._active], key=lambda t: t.first), self.settings)

    def state(self) -> dict[str, Any]:
        """Plain values and arrays from which :meth:`restore` goes on exactly."""
        return {
            "cursor": self._cursor,
            "next_id": self._next_id,
            "fresh": self._fresh,
            "active": [t.to_dict() for t in self._active],
            "ended": [t.to_dict() for t in self._ended],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._cursor = int(state["cursor"])
        self._next_id = int(state["next_id"])
        self._fresh = bool(state["fresh"])
        self._active = [Track.from_dict(t) for t in state["active"]]
        self._ended = [Track.from_dict(t) for t in state["ended"]]

    # --- following ----------------------------------------------------------------------------

    def _look(self, image: U1, region: Region, *, twice: bool, presence: float) -> _Found | None:
        landmarks = self._landmarks.run(image, region)
        if twice and landmarks is not None and landmarks.score > 0.2:
            # From the region that the first pass gives the second sees more sharply.
            landmarks = self._landmarks.run(image, landmarks.region())
        if landmarks is None or landmarks.score < presence:
            return None
        new = landmarks.region()
        if not np.isfinite(new.centre).all() or new.radius < 6.0:
            return None
        return _Found(landmarks, new, to_estimate(landmarks, self._size[0], self._size[1]))

    def _follow(self, index: int, image: U1) -> dict[int, _Found]:
        found: dict[int, _Found] = {}
        for track in self._active:
            if track.lost > 2:
                continue  # out of sight: only the detector can find them again
            expected = track.predicted(index - track.last)
            seen = self._look(image, expected, twice=False, presence=self.settings.keep_presence)
            if seen is None or not _continues(track, expected, seen.region):
                seen = self._search_near(image, track, expected)
            if seen is not None:
                found[track.track_id] = seen
        self._drop_doubles(found, index)
        for track in self._active:
            seen = found.get(track.track_id)
            if seen is not None:
                colour = clothes_colour(image, seen.estimate.keypoints.xy)
                track.see(index, seen.region, seen.landmarks.score, colour)
        return found

    def _search_near(self, image: U1, track: Track, expected: Region) -> _Found | None:
        side = 3.2 * track.radius
        tile = Tile(expected.centre[0] - side / 2, expected.centre[1] - side / 2, side)
        near = [
            r for r in self._detector.detect(image, tile, self.settings.threshold)
            if _continues(track, expected, r)
        ]  # fmt: skip
        if not near:
            return None
        best = max(near, key=lambda r: overlap(r, expected) * r.score)
        seen = self._look(image, best, twice=True, presence=self.settings.presence)
        return seen if seen is not None and _continues(track, expected, seen.region) else None

    def _drop_doubles(self, found: dict[int, _Found], index: int) -> None:
        """Two tracks on one body: the one that had to jump to get there has lost its person."""
        tracks = {t.track_id: t for t in self._active}
        for a in sorted(found):
            for b in sorted(found):
                if a >= b or a not in found or b not in found:
                    continue
                if not self._same(found[a], found[b]):
                    continue
                costs = {
                    i: likeness_cost(tracks[i], found[i].region, tracks[i].colour, index)
                    - 0.004 * min(tracks[i].seen, 50)
                    for i in (a, b)
                }
                del found[a if costs[a] > costs[b] else b]

    def _same(self, a: _Found, b: _Found) -> bool:
        radius = max(a.region.radius, b.region.radius)
        p, q = a.estimate.keypoints, b.estimate.keypoints
        weight = np.minimum(p.score, q.score)[:17]
        return oks(p.xy[:17], q.xy[:17], 0.6 * radius * radius, weight) > self.settings.same_person

    def _is_ghost(self, new: _Found, known: _Found) -> bool:
        """Somebody found mostly inside a known person has to be convincing: most are that person again."""
        a, b = new.estimate.box, known.estimate.box
        shared = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
        if (shared <= 0).any():
            return False
        smaller = min(float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2])))
        inside = float(np.prod(shared)) / max(smaller, 1.0)
        return inside > _MOSTLY_INSIDE and new.landmarks.score < self.settings.sure_presence

    # --- finding ------------------------------------------------------------------------------

    def _tiles_now(self) -> list[Tile]:
        if self._fresh:
            self._fresh = False
            return self._tiles
        n = -(-len(self._tiles) // self.settings.sweep_frames)
        chosen = [self._tiles[(self._cursor + i) % len(self._tiles)] for i in range(n)]
        self._cursor = (self._cursor + n) % len(self._tiles)
        return chosen

    def _find_new(self, index: int, image: U1, followed: dict[int, _Found]) -> None:
        candidates: list[Region] = []
        for tile in self._tiles_now():
            candidates += self._detector.detect(image, tile, self.settings.threshold)
        taken = [f.region for f in followed.values()]
        fresh = [c for c in suppress(candidates) if all(overlap(c, t) < 0.45 for t in taken)]
        people: list[_Found] = []
        for candidate in fresh:
            seen = self._look(image, candidate, twice=True, presence=self.settings.presence)
            if seen is None or not self._is_plausible(seen):
                continue
            others = [*followed.values(), *people]
            if any(self._same(seen, o) or self._is_ghost(seen, o) for o in others):
                continue
            people.append(seen)
        if people:
            self._name(index, image, people, followed)

    def _name(self, index: int, image: U1, people: list[_Found], followed: dict[int, _Found]) -> None:
        """Give people who were found the identity of somebody who was lost, or a new one."""
        lost = [t for t in self._active if t.track_id not in followed]
        colours = [clothes_colour(image, p.estimate.keypoints.xy) for p in people]
        cost = np.array(
            [[likeness_cost(t, p.region, c, index) for t in lost] for p, c in zip(people, colours)]
        ).reshape(len(people), len(lost))
        matched: dict[int, Track] = {}
        for i, j in zip(*linear_sum_assignment(cost)):
            if cost[i, j] < 1.0:
                matched[int(i)] = lost[j]
        for i, person in enumerate(people):
            track = matched.get(i)
            if track is not None:
                track.see(index, person.region, person.landmarks.score, colours[i])
            else:
                track = Track(
                    self._next_id, person.region.centre.copy(), person.region.up.copy(), np.zeros(2),
                    colours[i], index, index, presence=person.landmarks.score,
                    start=person.region.centre.copy(), start_radius=person.region.radius,
                )  # fmt: skip
                self._next_id += 1
                self._active.append(track)
            followed[track.track_id] = person

    def _is_plausible(self, person: _Found) -> bool:
        """A body that has some height and is not folded into a point."""
        xy, score = person.estimate.keypoints.xy, person.estimate.keypoints.score
        sure = score > 0.3
        return bool(sure.sum() >= 6 and np.ptp(xy[sure], axis=0).max() > 0.4 * person.region.radius)

    def _is_outside(self, track: Track) -> bool:
        """Walked out of the picture: waiting makes no sense."""
        at = track.predicted(track.lost).centre
        pad = 0.8 * track.radius
        return bool(
            at[0] < -pad or at[1] < -pad or at[0] > self._size[0] + pad or at[1] > self._size[1] + pad
        )


def _continues(track: Track, expected: Region, region: Region) -> bool:
    """Whether the track can have got from where it was expected to ``region`` in a frame."""
    r = max(track.radius, 1e-6)
    away = float(np.hypot(*(region.centre - expected.centre))) / r
    return away < 0.45 and 0.6 < region.radius / r < 1.6
