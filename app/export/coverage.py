"""Where everybody is in every frame, also where the tracker lost them for a moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation, Slerp

from app.project.records import PersonRecord, TrackRecord
from app.project.store import VIEW, ProjectStore
from backends.body.params import BodyParams

F4 = npt.NDArray[np.float32]

MAX_GAP_S = 2.0
"""A gap up to this long is bridged along the way between its ends; of a longer one nothing is known."""
LEAD_FRAMES = 5
"""A person was there a little before they were found, and is still there a little after they were lost."""


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """One person of one frame as far as it is known: stored, or bridged between two frames."""

    track: TrackRecord
    person: PersonRecord | None
    params: BodyParams | None
    box: F4
    bridged: bool


class Whereabouts:
    """Who is where. Reads each track's frames once; frames themselves are read when asked for."""

    def __init__(self, store: ProjectStore, fps: float) -> None:
        self._store = store
        self._max_gap = max(2, round(MAX_GAP_S * fps))
        self._tracks = {t.track_id: t for t in store.tracks()}
        self._frames: dict[int, npt.NDArray[np.int64]] = {}
        for track in self._tracks:
            rows = store.query(
                "SELECT frame FROM observations WHERE view_id = ? AND track_id = ? ORDER BY frame",
                (VIEW, track),
            )
            if rows:
                self._frames[track] = np.array([r["frame"] for r in rows], dtype=np.int64)

    @property
    def n_people(self) -> int:
        """How many people there are at all."""
        return len(self._frames)

    def at(self, frame: int) -> list[Presence]:
        """Everybody in a frame that something is known of."""
        stored = {p.track_id: p for p in self._store.people(frame)}
        found = []
        for track_id, frames in self._frames.items():
            track = self._tracks[track_id]
            person = stored.get(track_id)
            if person is not None:
                params = person.body.params if person.body is not None else None
                found.append(Presence(track, person, params, person.estimate.box, False))
                continue
            bridged = self._bridge(track, frames, frame)
            if bridged is not None:
                found.append(bridged)
        return found

    def lost(self, frame: int) -> list[int]:
        """Tracks that go on later but of which nothing is known here: their gap is too long to bridge."""
        result = []
        for track_id, frames in self._frames.items():
            at = int(np.searchsorted(frames, frame))
            if 0 < at < len(frames) and frames[at] != frame:
                before, after = int(frames[at - 1]), int(frames[at])
                if after - before > self._max_gap + 1 and not self._near(frame, before, after):
                    result.append(track_id)
        return result

    def _near(self, frame: int, before: int, after: int) -> bool:
        return frame - before <= LEAD_FRAMES or after - frame <= LEAD_FRAMES

    def _bridge(self, track: TrackRecord, frames: npt.NDArray[np.int64], frame: int) -> Presence | None:
        at = int(np.searchsorted(frames, frame))
        before = int(frames[at - 1]) if at > 0 else None
        after = int(frames[at]) if at < len(frames) else None
        if before is not None and after is not None and after - before <= self._max_gap + 1:
            a, b = self._store.person(before, track.track_id), self._store.person(after, track.track_id)
            if a is not None and b is not None:
                return _between(track, a, b, (frame - before) / (after - before))
        # Beyond the ends (and at the rims of a long gap): as they were when last seen.
        for end in (before, after):
            if end is not None and abs(frame - end) <= LEAD_FRAMES:
                person = self._store.person(end, track.track_id)
                if person is not None:
                    params = person.body.params if person.body is not None else None
                    return Presence(track, person, params, person.estimate.box, True)
        return None


def _between(track: TrackRecord, a: PersonRecord, b: PersonRecord, share: float) -> Presence:
    box = (1 - share) * a.estimate.box + share * b.estimate.box
    # The union of both boxes' sizes about the bridged middle: somebody lost may have turned or bent.
    size = np.maximum(a.estimate.box[2:] - a.estimate.box[:2], b.estimate.box[2:] - b.estimate.box[:2])
    middle = (box[:2] + box[2:]) / 2
    wide = np.concatenate([middle - size / 2, middle + size / 2]).astype(np.float32)
    params = None
    if a.body is not None and b.body is not None:
        params = interpolate(a.body.params, b.body.params, share)
    return Presence(track, None, params, wide, True)


def interpolate(a: BodyParams, b: BodyParams, share: float) -> BodyParams:
    """The body ``share`` of the way from ``a`` to ``b``: each joint turns at an even pace."""
    pose = np.empty_like(a.pose)
    for j in range(len(pose)):
        if np.allclose(a.pose[j], b.pose[j]):
            pose[j] = a.pose[j]
            continue
        turn = Slerp([0.0, 1.0], Rotation.from_rotvec([a.pose[j], b.pose[j]]))
        pose[j] = turn(share).as_rotvec()
    return BodyParams(
        (1 - share) * a.betas + share * b.betas, pose, (1 - share) * a.transl + share * b.transl
    )
