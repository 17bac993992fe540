"""Where everybody is in every frame, also where the tracker lost them for a moment."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.export.between import interpolate, keypoints_between, middle, moved, size, way
from app.project.notes import followed
from app.project.records import PersonRecord, TrackRecord
from app.project.store import VIEW, ProjectStore
from backends.body.params import BodyParams
from backends.camera import Camera
from backends.confidence import BodyConfidence
from backends.deidentify.closing import between_masks
from backends.depth import DepthPatch
from backends.keypoints.types import Keypoints
from backends.masks import CropMask
from backends.tracking.following import Followed, as_followed

F4 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int64]

MAX_GAP_S = 2.0
"""A gap up to this long is bridged along the way between its ends; of a longer one nothing is known."""
LEAD_S = 0.4
"""A person was there a little before they were found, and is still there a little after they were lost."""
CLOSING = 2
"""Frames on either side from which a mask is closed in time."""
_KEPT_FRAMES = 24
"""Frames whose people are kept in memory: neighbours are asked for again and again."""
_PACE_FRAMES = 5
_UNSURE = 0.02
"""How much farther a guessed cover reaches, as a share of the person's size, whatever they did."""
_DRIFT = 0.0005
"""The same for each frame over which a head was followed."""
_UNSURE_OF_WAY = 0.35
"""The same, as a share of the way that they are guessed to have gone."""


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """One person of one frame as far as it is known: stored, or guessed from the frames around.

    Attributes:
        params: the body; keypoints, masks, box: what else is known, in pixels of this frame.
        slack: pixels by which a guess may be wrong.
        drawn: False where the person is erased but no body shown: nobody knows whether they are there.
        confidence: expected errors of the body; depth: what a sensor says; None of a guess.
    """

    track: TrackRecord
    params: BodyParams | None
    keypoints: Keypoints
    masks: tuple[CropMask, ...]
    box: F4
    slack: float = 0.0
    drawn: bool = True
    confidence: BodyConfidence | None = None
    depth: DepthPatch | None = None


class Whereabouts:
    """Who is where. Reads each track's frames once; frames themselves are read when asked for.

    Args:
        doubtful: also what the tracker took for no person after all, where it was seen. To erase it costs
            nothing where the empty room is known: a thing stands in the empty room too. "brief": only
            where that was seen for less than a second; a thing would have been seen for longer.
        lead_s: for so long before they were found, and after they were lost, people are guessed.
        closing: masks are closed over time; False where nobody looks at them.
    """

    def __init__(
        self, store: ProjectStore, fps: float, camera: Camera | None = None, *,
        doubtful: bool | Literal["brief"] = False, lead_s: float = LEAD_S, closing: bool = True,
    ) -> None:  # fmt: skip
        self._store = store
        self._closing = closing
        self._camera = camera or store.camera()
        self._max_gap = max(2, round(MAX_GAP_S * fps))
        self._lead = max(2, round(lead_s * fps))
        self._going = max(2, round(LEAD_S * fps))
        self._tracks = {t.track_id: t for t in store.tracks()}
        every = store.tracks(every=True) if doubtful else []
        self._doubtful = {t.track_id: t for t in every if t.state == "discarded"}
        if doubtful == "brief":
            counts = store.query("SELECT track_id, count(*) AS n FROM observations GROUP BY track_id")
            long = {r["track_id"] for r in counts if r["n"] > fps}
            self._doubtful = {t: track for t, track in self._doubtful.items() if t not in long}
        self._frames: dict[int, I8] = {}
        for track in self._tracks:
            rows = store.query(
                "SELECT frame FROM observations WHERE view_id = ? AND track_id = ? ORDER BY frame",
                (VIEW, track),
            )
            if rows:
                self._frames[track] = np.array([r["frame"] for r in rows], dtype=np.int64)
        self._n = store.footage().n_frames
        self._followed: dict[int, list[Followed]] = {}
        for step in as_followed(followed(store)):
            self._followed.setdefault(step.frame, []).append(step)
        self._recent: OrderedDict[int, dict[int, PersonRecord]] = OrderedDict()

    @property
    def n_people(self) -> int:
        """How many people there are at all."""
        return len(self._frames)

    def at(self, frame: int) -> list[Presence]:
        """Everybody in a frame that something is known of."""
        stored = self._people(frame)
        found = []
        for track_id, frames in self._frames.items():
            track = self._tracks[track_id]
            person = stored.get(track_id)
            if person is not None:
                here = _as_stored(track, person)
                presence: Presence | None = self._closed(here, person) if self._closing else here
            else:
                presence = self._guess(track, frames, frame)
            if presence is not None:
                found.append(presence)
        return found + self._doubtful_at(frame)

    def followed(self, frame: int) -> list[Presence]:
        """Whose head was followed into a frame in which they were not found: they as a whole, moved along."""
        found = []
        for step in self._followed.get(frame, ()):
            track = self._tracks.get(step.track_id)
            if track is None or self._person(frame, step.track_id) is not None:
                continue
            person = self.stored(step.origin, step.track_id)
            if person is not None:
                apart = abs(frame - step.origin)
                found.append(self._moved(track, person, np.array([step.dx, step.dy]), _DRIFT * apart))
        return found

    @property
    def lead(self) -> int:
        """Frames before and after somebody was seen for which they are guessed."""
        return self._lead

    def predicted(self, track: int) -> I8:
        """(K,) frames in which a person is covered where they are guessed to be, ascending."""
        frames = self._frames.get(track)
        if frames is None:
            return np.zeros(0, np.int64)
        return guessed_frames(frames, self._n, self._max_gap, self._lead)

    def stored(self, frame: int, track: int) -> PersonRecord | None:
        """What was found of somebody in a frame; None where nothing was, or there is no such frame."""
        return self._person(frame, track) if 0 <= frame < self._n else None

    def _people(self, frame: int) -> dict[int, PersonRecord]:
        """Everybody stored in a frame, by track; read once while it is near."""
        found = self._recent.get(frame)
        if found is None:
            found = {p.track_id: p for p in self._store.people(frame)}
            self._recent[frame] = found
            if len(self._recent) > _KEPT_FRAMES:
                self._recent.popitem(last=False)
        else:
            self._recent.move_to_end(frame)
        return found

    def _person(self, frame: int, track: int) -> PersonRecord | None:
        return self._people(frame).get(track)

    def _closed(self, presence: Presence, person: PersonRecord) -> Presence:
        """With what was this person a moment before and is again a moment after, so that nothing flickers."""
        sides: tuple[list[CropMask], list[CropMask]] = ([], [])
        for step in range(1, CLOSING + 1):
            for side, frame in zip(sides, (person.frame - step, person.frame + step)):
                other = self._person(frame, person.track_id) if 0 <= frame < self._n else None
                if other is not None and other.estimate.mask is not None:
                    by = way(other.estimate.keypoints, person.estimate.keypoints)
                    side += moved((other.estimate.mask, by))
        extra = between_masks(*sides)
        return presence if extra is None else replace(presence, masks=(*presence.masks, extra))

    def _doubtful_at(self, frame: int) -> list[Presence]:
        if not self._doubtful:
            return []
        rows = self._store.query(
            "SELECT o.track_id FROM observations o JOIN tracks t ON t.id = o.track_id"
            " AND t.state = 'discarded' WHERE o.view_id = ? AND o.frame = ?",
            (VIEW, frame),
        )
        people = [self._store.person(frame, int(r["track_id"])) for r in rows]
        return [
            replace(_as_stored(self._doubtful[p.track_id], p), params=None, drawn=False)
            for p in people
            if p is not None and p.track_id in self._doubtful
        ]

    def lost(self, frame: int) -> list[int]:
        """Tracks that go on later but of which nothing is known here: their gap is too long to bridge."""
        result = []
        for track_id, frames in self._frames.items():
            at = int(np.searchsorted(frames, frame))
            if 0 < at < len(frames) and frames[at] != frame:
                before, after = int(frames[at - 1]), int(frames[at])
                near = min(frame - before, after - frame) <= self._lead
                if after - before > self._max_gap + 1 and not near:
                    result.append(track_id)
        return result

    def _guess(self, track: TrackRecord, frames: I8, frame: int) -> Presence | None:
        at = int(np.searchsorted(frames, frame))
        before = int(frames[at - 1]) if at > 0 else None
        after = int(frames[at]) if at < len(frames) else None
        if before is not None and after is not None and after - before <= self._max_gap + 1:
            a, b = self._person(before, track.track_id), self._person(after, track.track_id)
            if a is not None and b is not None:
                return self._between(track, a, b, (frame - before) / (after - before))
        # Beyond the ends, and at the rims of a long gap: they went on as they were going.
        if before is not None and frame - before <= self._lead:
            return self._onward(track, frames, at - 1, -1, frame)
        if after is not None and after - frame <= self._lead:
            return self._onward(track, frames, at, 1, frame)
        return None

    def _between(self, track: TrackRecord, a: PersonRecord, b: PersonRecord, share: float) -> Presence:
        start, end = middle(a.estimate.box), middle(b.estimate.box)
        here = (1 - share) * start + share * end
        # As large as the larger of both: somebody lost may have turned or bent.
        largest = np.maximum(size(a.estimate.box), size(b.estimate.box))
        params = None
        if a.body is not None and b.body is not None:
            params = interpolate(a.body.params, b.body.params, share)
        far = float(np.hypot(*(end - start))) * min(share, 1 - share)
        return Presence(
            track, params, keypoints_between(a, b, share, here - start, here - end),
            moved((a.estimate.mask, here - start), (b.estimate.mask, here - end)),
            np.concatenate([here - largest / 2, here + largest / 2]).astype(np.float32),
            slack=_UNSURE * float(largest.max()) + _UNSURE_OF_WAY * far,
        )  # fmt: skip

    def _onward(self, track: TrackRecord, frames: I8, at: int, inwards: int, frame: int) -> Presence | None:
        """The person of ``frames[at]`` moved on to ``frame`` at the pace of the frames next to it."""
        person = self._person(int(frames[at]), track.track_id)
        if person is None:
            return None
        estimate, by = person.estimate, np.zeros(2)
        other = min(max(at + inwards * _PACE_FRAMES, 0), len(frames) - 1)
        if 0 < abs(int(frames[other] - frames[at])) <= self._max_gap:
            earlier = self._person(int(frames[other]), track.track_id)
            if earlier is not None:
                pace = (middle(estimate.box) - middle(earlier.estimate.box)) / float(
                    frames[at] - frames[other]
                )
                # Nobody goes on for long as they were going: beyond that they are taken to stand still.
                steps = np.clip(float(frame - frames[at]), -self._going, self._going)
                by = pace * steps
        return self._moved(track, person, by, 0.0, _UNSURE_OF_WAY * float(np.hypot(*by)))

    def _moved(
        self, track: TrackRecord, person: PersonRecord, by: npt.NDArray[np.float64], share: float,
        slack: float = 0.0,
    ) -> Presence:  # fmt: skip
        """A guess: somebody moved ``by`` (2,) pixels, wrong by a ``share`` of their size more than any guess,
        and by ``slack`` pixels."""
        estimate = person.estimate
        keypoints = replace(estimate.keypoints, xy=(estimate.keypoints.xy + by).astype(np.float32))
        unsure = (_UNSURE + share) * float(size(estimate.box).max())
        return Presence(
            track, self._shifted(person, by), keypoints, moved((estimate.mask, by)),
            (estimate.box + np.concatenate([by, by])).astype(np.float32), unsure + slack, drawn=False,
        )  # fmt: skip

    def _shifted(self, person: PersonRecord, by: npt.NDArray[np.float64]) -> BodyParams | None:
        if person.body is None:
            return None
        params = person.body.params
        shift = np.array([by[0] / self._camera.fx, by[1] / self._camera.fy, 0.0]) * params.transl[2]
        return BodyParams(params.betas, params.pose, params.transl + shift)


def _as_stored(track: TrackRecord, person: PersonRecord) -> Presence:
    estimate = person.estimate
    params = person.body.params if person.body is not None else None
    masks = () if estimate.mask is None else (estimate.mask,)
    return Presence(
        track, params, estimate.keypoints, masks, estimate.box, confidence=person.confidence,
        depth=estimate.depth,
    )  # fmt: skip


def guessed_frames(frames: I8, n: int, max_gap: int, lead: int) -> I8:
    """(K,) of the ``n`` frames of the footage those in which a person seen in ``frames`` is guessed to be:
    in gaps of at most ``max_gap`` frames, and ``lead`` frames beyond the ends and into longer gaps."""
    guessed = np.zeros(n, np.bool_)
    if not len(frames):
        return np.flatnonzero(guessed)
    for a, b in pairwise(frames):
        if b - a <= max_gap + 1:
            guessed[a + 1 : b] = True
        else:
            guessed[a + 1 : a + 1 + lead] = guessed[b - lead : b] = True
    guessed[frames[-1] + 1 : frames[-1] + 1 + lead] = True
    guessed[max(frames[0] - lead, 0) : frames[0]] = True
    return np.flatnonzero(guessed)
