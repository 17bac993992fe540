"""Several people in a stream of pictures, each with an identity that lasts.

BlazePose finds one close person; here its detector looks at the whole picture and at tiles of it in turn,
and its landmarks are followed from picture to picture by the region that the last ones give. Who is who is
decided in each picture for everybody together, by motion, keypoint similarity and colours, so that two
people who pass each other keep their identities, and people who are hidden for a while get theirs back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from backends.detection.schedule import TileSchedule
from backends.detection.tiles import Tile
from backends.detection.types import Region, overlap, suppress
from backends.errors import InputError
from backends.tracking.association import VANISHED, VANISHED_ALONE, assign, shared, similarity
from backends.tracking.covering import cover_people, is_painted
from backends.tracking.decisions import decide
from backends.tracking.observer import Observation, Observer
from backends.tracking.track import Track
from backends.tracking.types import PerceptionSettings, TrackDecisions, TrackedPose

__all__ = ["PeopleStream", "PerceptionSettings", "TrackDecisions", "TrackedPose"]

U1 = npt.NDArray[np.uint8]

_MIN_SIDE: Final = 32
_MOSTLY_INSIDE: Final = 0.4
_GHOST_BONES: Final = 0.67
_PART: Final = 0.5
"""What is smaller than this share of the person it lies in is a head or an arm of somebody."""

_SAME_PLACE: Final = 0.45
_SURELY_SAME_PLACE: Final = 0.75
_FOLLOWED: Final = 2
"""Frames for which the landmarks are run where a lost person should be; then only the detector can tell."""

_TOUCHING: Final = 0.1
_COMPANY_EVERY: Final = 8
_BEYOND: Final = 0.5
"""Share of the body's radius by which hips outside the picture leave too little of somebody to see."""

_JUST_NOW: Final = 8
_NEAR_TILES: Final = 2
_NEAR_EVERY: Final = 3
_SOON, _LATE = 10, 40
"""Frames after which a place that proved to be nobody is looked at again: if it was in doubt, and if not."""

_DOUBTFUL: Final = 0.2


class PeopleStream:
    """Finds and follows everybody. Feed it pictures in order; it is not thread-safe.

    Results depend on the pictures only, not on the number of threads or their timing.

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
        self._workers = max(1, self.settings.threads)
        self._observer = Observer(detector_path, landmark_path, workers=self._workers)
        self._size = (0, 0)
        self._schedule: TileSchedule | None = None
        self._active: list[Track] = []
        self._ended: list[Track] = []
        self._refused: list[tuple[int, Region]] = []
        self._shots: list[int] = []
        self._next_id = 1
        self._last = -1

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
        self._last = index
        height, width = image_rgb.shape[:2]
        if min(height, width) < _MIN_SIDE:
            return []
        schedule = self._scheduled(index, image_rgb)
        following = [t for t in self._active if t.lost <= _FOLLOWED]
        tiles = schedule.choose(self._affordable(index, len(following), schedule.is_urgent))
        seen, places = self._observer.observe(
            image_rgb,
            [t.predicted(index - t.last) for t in following],
            tiles,
            threshold=self.settings.threshold,
        )
        found = self._who(index, image_rgb, following, seen)
        candidates = [region for regions in places for region in regions]
        beside = self._search(image_rgb, self._worth_a_look(index, found), found)
        self._find(index, image_rgb, candidates, beside, found)
        if self._shots[-1] == index:  # a single picture, for all that is known: nothing comes later
            beside = self._search(image_rgb, [s.region for s in found.values()], found)
            self._find(index, image_rgb, [], beside, found)
        self._update(index, found)
        return [TrackedPose(i, s.estimate) for i, s in sorted(found.items())]

    def finish(self) -> TrackDecisions:
        """Which tracks were no people, and which belong together."""
        tracks = sorted([*self._ended, *self._active], key=lambda t: (t.first, t.track_id))
        return decide(tracks, self._shots, self._last, self.settings)

    def state(self) -> dict[str, Any]:
        """Plain values and arrays from which :meth:`restore` goes on exactly."""
        return {
            "last": self._last,
            "next_id": self._next_id,
            "size": list(self._size),
            "shots": list(self._shots),
            "refused": [[i, r.centre.copy(), r.up.copy()] for i, r in self._refused],
            "schedule": None if self._schedule is None else self._schedule.state(),
            "active": [t.to_dict() for t in self._active],
            "ended": [t.to_dict() for t in self._ended],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._last, self._next_id = int(state["last"]), int(state["next_id"])
        self._size = (int(state["size"][0]), int(state["size"][1]))
        self._shots = [int(v) for v in state["shots"]]
        self._refused = [(int(i), Region(np.array(c), np.array(u))) for i, c, u in state["refused"]]
        schedule = state["schedule"]
        self._schedule = None if schedule is None else TileSchedule.restore(schedule, self.settings.scales)
        self._active = [Track.from_dict(t) for t in state["active"]]
        self._ended = [Track.from_dict(t) for t in state["ended"]]

    # --- where to look ------------------------------------------------------------------------

    def _scheduled(self, index: int, image: U1) -> TileSchedule:
        size = (image.shape[1], image.shape[0])
        if self._schedule is None or size != self._size:
            self._size = size
            self._schedule = TileSchedule(*size, self.settings.scales)
            self._new_shot(index)
            self._schedule.watch(image, [])
        elif self._schedule.watch(image, [t.box(index - t.last) for t in self._active if t.lost == 0]):
            self._new_shot(index)
        return self._schedule

    def _new_shot(self, index: int) -> None:
        """Nobody can be followed over a cut."""
        self._shots.append(index)
        self._ended += self._active
        self._active, self._refused = [], []

    def _affordable(self, index: int, following: int, urgent: bool) -> int:
        """Tiles that fit beside the people: whole rounds of the workers, so that no core waits.

        On average one a frame while something moves that nobody explains, else one every other frame.
        """
        calm = 1 if urgent else 2
        spare = -following % self._workers
        if spare or not following:
            return (spare or self._workers) if index % calm == 0 else 0
        return self._workers if index % (self._workers * calm) == 0 else 0

    def _worth_a_look(self, index: int, found: Mapping[int, Observation]) -> list[Region]:
        """Where people were lost, else now and then the place of somebody who may have company."""
        due = [
            t for t in self._active
            if t.track_id not in found
            and (index - t.last <= _FOLLOWED + 1 or (index - t.last + t.track_id) % _NEAR_EVERY == 0)
        ]  # fmt: skip
        if due or not found or index % _COMPANY_EVERY:
            return [t.predicted(index - t.last) for t in sorted(due, key=lambda t: t.lost)[:_NEAR_TILES]]
        ids = sorted(found)
        return [found[ids[index // _COMPANY_EVERY % len(ids)]].region]

    def _search(self, image: U1, places: Sequence[Region], found: Mapping[int, Observation]) -> list[Region]:
        """The detector, close up, with everybody painted over who is known."""
        if not places:
            return []
        covered = cover_people(image, [s.estimate for s in found.values()], places)
        tiles = [_around(place) for place in places]
        _, regions = self._observer.observe(covered, [], tiles, threshold=self.settings.near_threshold)
        return [region for several in regions for region in several]

    # --- who it is ----------------------------------------------------------------------------

    def _who(
        self, index: int, image: U1, following: Sequence[Track], seen: Sequence[Observation | None]
    ) -> dict[int, Observation]:
        """People at the places where they were expected, each body once, by the id of their track."""
        found, strangers = self._assign(index, self._active, seen, [])
        hidden = [t for t in following if t.track_id not in found and self._is_crowded(t, index, found)]
        if hidden:
            # The landmarks slipped to a neighbour. Without the neighbours they may see the one behind.
            expected = [t.predicted(index - t.last) for t in hidden]
            painted = [s.estimate for s in found.values()]
            again, _ = self._observer.observe(cover_people(image, painted, expected), expected)
            again = [s if s is None or not is_painted(s.estimate, painted) else None for s in again]
            more, _ = self._assign(index, hidden, again, list(found.values()))
            found.update(more)
        strangers = [s for s in strangers if not self._is_known(s, list(found.values()))]
        strangers = self._just_vanished(index, strangers, found)
        # Whoever was met on the way but is none of those looked for may be somebody new.
        self._begin(index, strangers, found)
        return found

    def _just_vanished(
        self, index: int, people: Sequence[Observation], found: dict[int, Observation]
    ) -> list[Observation]:
        """Take people for those who vanished there a moment ago, in another light; the rest comes back.

        That somebody new appears in the very place where somebody else vanished is less likely.
        """
        rest = list(people)
        tracks = [t for t in self._active if t.track_id not in found and index - t.last <= _JUST_NOW]
        crowded = [t for t in tracks if self._is_crowded(t, index, found)]
        alone = [t for t in tracks if all(t is not c for c in crowded)]
        for group, limits in ((alone, VANISHED_ALONE), (crowded, VANISHED)):
            pairs = assign(group, rest, index, limits)
            found.update({group[i].track_id: rest[j] for i, j in pairs.items()})
            taken = set(pairs.values())
            rest = [p for j, p in enumerate(rest) if j not in taken]
        return rest

    def _assign(
        self,
        index: int,
        tracks: Sequence[Track],
        seen: Sequence[Observation | None],
        known: Sequence[Observation],
    ) -> tuple[dict[int, Observation], list[Observation]]:
        """Each body once to the track it fits best (by the track's id), and the bodies that fit none."""
        people: list[Observation] = []
        for person in sorted((s for s in seen if s is not None), key=lambda s: s.bones - s.score):
            convincing = person.score >= self.settings.keep_presence
            if convincing and not self._is_known(person, [*known, *people]):
                people.append(person)
        pairs = assign(tracks, people, index)
        taken = set(pairs.values())
        rest = [p for j, p in enumerate(people) if j not in taken]
        return {tracks[i].track_id: people[j] for i, j in pairs.items()}, rest

    def _is_crowded(self, track: Track, index: int, found: Mapping[int, Observation]) -> bool:
        """Whether somebody else is, or was expected, where this person is expected."""
        box = track.box(index - track.last)
        others = [s.estimate.box.astype(np.float64) for i, s in found.items() if i != track.track_id]
        others += [
            t.box(index - t.last) for t in self._active if t is not track and t.track_id not in found
        ]  # fmt: skip
        return any(shared(box, other) > _TOUCHING for other in others)

    def _find(
        self,
        index: int,
        image: U1,
        candidates: Sequence[Region],
        beside: Sequence[Region],
        found: dict[int, Observation],
    ) -> None:
        """Look at what the detector found, except where somebody is known to be or proved not to be.

        Args:
            beside: what it found with everybody painted over who is known: may be close to them.
        """
        self._refused = [(i, r) for i, r in self._refused if i > index]
        refused, known = [r for _, r in self._refused], [s.region for s in found.values()]
        fresh = [c for c in candidates if all(overlap(c, k) < _SAME_PLACE for k in [*known, *refused])]
        # Whoever is missing may come back where nobody was a moment ago.
        avoided = known if any(t.track_id not in found for t in self._active) else [*known, *refused]
        fresh += [c for c in beside if all(overlap(c, a) < _SURELY_SAME_PLACE for a in avoided)]
        fresh = [c for c in suppress(fresh) if not self._is_beyond(c.centre, _BEYOND * c.radius)]
        # Only what is new is looked at, so whoever is known can be painted over.
        painted = [s.estimate for s in found.values()]
        covered = cover_people(image, painted, fresh)
        seen, _ = self._observer.observe(covered, fresh, twice=True)
        people: list[Observation] = []
        for candidate, person in zip(fresh, seen):
            if person is None or not self._is_person(person) or is_painted(person.estimate, painted):
                doubtful = person is not None and person.score > _DOUBTFUL
                self._refused.append((index + (_SOON if doubtful else _LATE), candidate))
            elif not self._is_known(person, [*found.values(), *people]):
                people.append(person)
        lost = [t for t in self._active if t.track_id not in found]
        pairs = assign(lost, people, index)
        found.update({lost[i].track_id: people[j] for i, j in pairs.items()})
        taken = set(pairs.values())
        rest = [p for j, p in enumerate(people) if j not in taken]
        self._begin(index, self._just_vanished(index, rest, found), found)

    def _begin(self, index: int, people: Sequence[Observation], found: dict[int, Observation]) -> None:
        for person in people:
            if self._is_ghost(person, found):
                self._refused.append((index + _SOON, person.region))
            elif self._is_person(person):
                track = Track.begin(self._next_id, index, person)
                self._next_id += 1
                self._active.append(track)
                found[track.track_id] = person

    def _is_person(self, person: Observation) -> bool:
        """Convincing enough to begin with: a body of some height that has bones of the usual lengths."""
        xy, score = person.estimate.keypoints.xy, person.estimate.keypoints.score
        sure = score > 0.3
        return bool(
            person.score >= self.settings.presence
            and person.bones <= self.settings.odd_bones
            and sure.sum() >= 6
            and np.ptp(xy[sure], axis=0).max() > 0.4 * person.region.radius
        )

    def _is_known(self, person: Observation, others: Sequence[Observation]) -> bool:
        return any(similarity(person, o) > self.settings.same_person for o in others)

    def _is_ghost(self, person: Observation, found: Mapping[int, Observation]) -> bool:
        """Somebody found mostly inside a known person has to be convincing: most are that person again."""
        around = [o for o in found.values() if shared(person.estimate.box, o.estimate.box) > _MOSTLY_INSIDE]
        part = any(person.region.radius < _PART * o.region.radius for o in around)
        odd = person.bones > _GHOST_BONES * self.settings.odd_bones
        return bool(around) and (part or odd or person.score < self.settings.sure_presence)

    # --- what is remembered -------------------------------------------------------------------

    def _update(self, index: int, found: Mapping[int, Observation]) -> None:
        for track in self._active:
            seen = found.get(track.track_id)
            if seen is None:
                track.lost = index - track.last
            elif track.first < index:
                others = [o for i, o in found.items() if i != track.track_id]
                track.see(
                    index,
                    seen,
                    alone=all(shared(seen.estimate.box, o.estimate.box) < _TOUCHING for o in others),
                )
        for track in [t for t in self._active if t.lost]:
            track.left = self._is_outside(track)
            # Somebody who was hardly seen is not worth a long wait.
            if track.left or track.lost > min(self.settings.max_gap, 3 + track.seen):
                self._active.remove(track)
                self._ended.append(track)

    def _is_outside(self, track: Track) -> bool:
        """Walked out of the picture: waiting makes no sense."""
        return self._is_beyond(track.predicted(track.lost).centre, 0.1 * track.radius)

    def _is_beyond(self, at: npt.NDArray[np.float64], by: float) -> bool:
        return bool((at < -by).any() or (at > np.array(self._size) + by).any())


def _around(place: Region) -> Tile:
    side = 3.2 * place.radius
    return Tile(place.centre[0] - side / 2, place.centre[1] - side / 2, side)
