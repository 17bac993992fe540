"""Where everybody is in every frame, also where the tracker lost them for a moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from app.project.records import PersonRecord, TrackRecord
from app.project.store import VIEW, ProjectStore
from backends.body.params import BodyParams
from backends.camera import Camera
from backends.keypoints.types import Keypoints, Visibility
from backends.masks import CropMask, encode_mask

F4 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int64]

MAX_GAP_S = 2.0
"""A gap up to this long is bridged along the way between its ends; of a longer one nothing is known."""
LEAD_S = 0.4
"""A person was there a little before they were found, and is still there a little after they were lost."""
_PACE_FRAMES = 5
_UNSURE = 0.02
"""How much farther a guessed cover reaches, as a share of the person's size, whatever they did."""
_UNSURE_OF_WAY = 0.35
"""The same, as a share of the way that they are guessed to have gone."""


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """One person of one frame as far as it is known: stored, or guessed from the frames around.

    Attributes:
        params: the body; keypoints, masks, box: what else is known, in pixels of this frame.
        slack: pixels by which a guess may be wrong.
        drawn: False where the person is erased but no body shown: nobody knows whether they are there.
        joint_mm: (55,) expected error of the body's joints, mm; None of a guess.
    """

    track: TrackRecord
    params: BodyParams | None
    keypoints: Keypoints
    masks: tuple[CropMask, ...]
    box: F4
    slack: float = 0.0
    drawn: bool = True
    joint_mm: F4 | None = None


class Whereabouts:
    """Who is where. Reads each track's frames once; frames themselves are read when asked for.

    Args:
        doubtful: also what the tracker took for no person after all, where it was seen. To erase it costs
            nothing where the empty room is known: a thing stands in the empty room too.
    """

    def __init__(
        self, store: ProjectStore, fps: float, camera: Camera | None = None, *, doubtful: bool = False
    ) -> None:
        self._store = store
        self._camera = camera or store.camera()
        self._max_gap = max(2, round(MAX_GAP_S * fps))
        self._lead = max(2, round(LEAD_S * fps))
        self._tracks = {t.track_id: t for t in store.tracks()}
        every = store.tracks(every=True) if doubtful else []
        self._doubtful = {t.track_id: t for t in every if t.state == "discarded"}
        self._frames: dict[int, I8] = {}
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
            presence = _as_stored(track, person) if person is not None else self._guess(track, frames, frame)
            if presence is not None:
                found.append(presence)
        return found + self._doubtful_at(frame)

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
            a, b = self._store.person(before, track.track_id), self._store.person(after, track.track_id)
            if a is not None and b is not None:
                return self._between(track, a, b, (frame - before) / (after - before))
        # Beyond the ends, and at the rims of a long gap: they went on as they were going.
        if before is not None and frame - before <= self._lead:
            return self._onward(track, frames, at - 1, -1, frame)
        if after is not None and after - frame <= self._lead:
            return self._onward(track, frames, at, 1, frame)
        return None

    def _between(self, track: TrackRecord, a: PersonRecord, b: PersonRecord, share: float) -> Presence:
        start, end = _middle(a.estimate.box), _middle(b.estimate.box)
        here = (1 - share) * start + share * end
        # As large as the larger of both: somebody lost may have turned or bent.
        size = np.maximum(_size(a.estimate.box), _size(b.estimate.box))
        params = None
        if a.body is not None and b.body is not None:
            params = interpolate(a.body.params, b.body.params, share)
        way = float(np.hypot(*(end - start))) * min(share, 1 - share)
        return Presence(
            track, params, _keypoints_between(a, b, share, here - start, here - end),
            _moved((a.estimate.mask, here - start), (b.estimate.mask, here - end)),
            np.concatenate([here - size / 2, here + size / 2]).astype(np.float32),
            slack=_UNSURE * float(size.max()) + _UNSURE_OF_WAY * way,
        )  # fmt: skip

    def _onward(self, track: TrackRecord, frames: I8, at: int, inwards: int, frame: int) -> Presence | None:
        """The person of ``frames[at]`` moved on to ``frame`` at the pace of the frames next to it."""
        person = self._store.person(int(frames[at]), track.track_id)
        if person is None:
            return None
        estimate, way = person.estimate, np.zeros(2)
        other = min(max(at + inwards * _PACE_FRAMES, 0), len(frames) - 1)
        if 0 < abs(int(frames[other] - frames[at])) <= self._max_gap:
            earlier = self._store.person(int(frames[other]), track.track_id)
            if earlier is not None:
                pace = (_middle(estimate.box) - _middle(earlier.estimate.box)) / float(
                    frames[at] - frames[other]
                )
                way = pace * float(frame - frames[at])
        params = self._shifted(person, way)
        keypoints = replace(estimate.keypoints, xy=(estimate.keypoints.xy + way).astype(np.float32))
        slack = _UNSURE * float(_size(estimate.box).max()) + _UNSURE_OF_WAY * float(np.hypot(*way))
        return Presence(
            track, params, keypoints, _moved((estimate.mask, way)),
            (estimate.box + np.concatenate([way, way])).astype(np.float32), slack, drawn=False,
        )  # fmt: skip

    def _shifted(self, person: PersonRecord, way: npt.NDArray[np.float64]) -> BodyParams | None:
        if person.body is None:
            return None
        params = person.body.params
        shift = np.array([way[0] / self._camera.fx, way[1] / self._camera.fy, 0.0]) * params.transl[2]
        return BodyParams(params.betas, params.pose, params.transl + shift)


def _as_stored(track: TrackRecord, person: PersonRecord) -> Presence:
    estimate = person.estimate
    params = person.body.params if person.body is not None else None
    masks = () if estimate.mask is None else (estimate.mask,)
    mm = person.confidence.joint_mm if person.confidence is not None else None
    return Presence(track, params, estimate.keypoints, masks, estimate.box, joint_mm=mm)


def _middle(box: F4) -> npt.NDArray[np.float64]:
    middle: npt.NDArray[np.float64] = np.asarray(box, np.float64).reshape(2, 2).mean(axis=0)
    return middle


def _size(box: F4) -> npt.NDArray[np.float64]:
    return np.asarray(box[2:] - box[:2], np.float64)


def _keypoints_between(
    a: PersonRecord,
    b: PersonRecord,
    share: float,
    from_a: npt.NDArray[np.float64],
    from_b: npt.NDArray[np.float64],
) -> Keypoints:
    """Between both where both are known, else the known one moved along with the box."""
    p, q = a.estimate.keypoints, b.estimate.keypoints
    has_a, has_b = p.visibility != Visibility.ABSENT, q.visibility != Visibility.ABSENT
    xy = np.where(has_a[:, None], p.xy + from_a, q.xy + from_b)
    xy = np.where((has_a & has_b)[:, None], (1 - share) * p.xy + share * q.xy, xy)
    return Keypoints(
        xy.astype(np.float32), np.minimum(p.score, q.score), np.maximum(p.visibility, q.visibility), p.source
    )


def _moved(*masks: tuple[CropMask | None, npt.NDArray[np.float64]]) -> tuple[CropMask, ...]:
    found = (move_mask(m, round(float(d[0])), round(float(d[1]))) for m, d in masks if m is not None)
    return tuple(m for m in found if m is not None)


def move_mask(mask: CropMask, dx: int, dy: int) -> CropMask | None:
    """The mask moved by whole pixels; what leaves the picture at the top or left is cut off."""
    x0, y0 = mask.x0 + dx, mask.y0 + dy
    if x0 >= 0 and y0 >= 0:
        return replace(mask, x0=x0, y0=y0)
    crop = mask.decode()[max(-y0, 0) :, max(-x0, 0) :]
    return encode_mask(crop, max(x0, 0), max(y0, 0)) if crop.size else None


def interpolate(a: BodyParams, b: BodyParams, share: float) -> BodyParams:
    """The body ``share`` of the way from ``a`` to ``b``: each joint turns at an even pace."""
    start = Rotation.from_rotvec(a.pose)
    turn = (start.inv() * Rotation.from_rotvec(b.pose)).as_rotvec()
    pose = (start * Rotation.from_rotvec(share * turn)).as_rotvec()
    return BodyParams(
        (1 - share) * a.betas + share * b.betas, pose, (1 - share) * a.transl + share * b.transl
    )
