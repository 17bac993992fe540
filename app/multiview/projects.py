"""One project a camera, whose people have the room's bodies: in each view the same person and shape."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.multiview.numbering import numbers_for, renumber
from app.multiview.people import project
from app.multiview.types import Moment, RoomPerson, ViewInput
from app.pipeline.events import Listener
from app.pipeline.fit_stage import FitStage
from app.pipeline.job import Control
from app.pipeline.reasons import note_reasons
from app.pipeline.windows import fingerprint, frames_of, windows_of
from app.project.notes import set_from_views, set_smoothed
from app.project.records import FittedBody, PersonRecord
from app.project.room import RoomCamera, RoomNote, room_note, set_room_note, set_room_people
from app.project.store import VIEW, ProjectStore
from backends.body import BodyModel, posed_vertices
from backends.body.params import N_JOINTS, BodyParams
from backends.body.placed import in_camera
from backends.confidence import BodyConfidence
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.problem import joint_roots
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, PoseEstimate, Visibility

_SHARE = 0.6
"""A camera's track is a person's when so much of it was taken for them."""
_MEAN = 0.92
"""Mean length of a normal error in space, in roots of its covariance's trace (isotropic: sqrt(8 / 3 pi))."""
_SHARED = 2.0
"""Estimators err alike in every camera, so more cameras make an error smaller than that, but not as much
smaller as the covariance says: 13 people in four drawn rooms with four cameras."""
_USUAL_MISS_MM = 45.0
"""Where cameras miss a body by more, it may be put together from two people: there, errors were 3 to 10
times what the covariance says."""
_INSIDE = 0.5
_GUESSED = 0.2
"""Score of keypoints that a camera does not see, but knows from the others."""


def put_into_project(
    store: ProjectStore, body: BodyModel, view: int, inputs: Sequence[ViewInput],
    people: Sequence[RoomPerson], control: Control, listener: Listener, free: Iterator[int],
) -> int:  # fmt: skip
    """Give a camera's project the room's bodies; how many were put in. ``free`` are numbers that nobody has
    in any camera, for people whom this one alone knows.

    Tracks that are pieces of one person are joined; people whom this camera does not see, though they
    stand in its picture, are added as hidden. What a person has corrected stays as it is.

    Raises:
        ProjectError, StorageError: it cannot be written. Cancelled: asked to stop; nothing is changed then.
    """
    offset, camera = inputs[view].offset, inputs[view].camera
    own, joined = _tracks_of(store, view, people)
    last = store.footage().n_frames
    following = max((t.track_id for t in store.tracks(every=True)), default=0) + 1
    count = 0
    with store.transaction() as db:
        for person in people:
            track = own.get(person.number)
            if track is None:
                track, following = following, following + 1
            db.execute(
                "INSERT OR IGNORE INTO tracks (id, view_id, name, color_index) VALUES (?, ?, ?, ?)",
                (track, VIEW, f"Person {person.number}", person.number - 1),
            )
            for moment, m in person.moments.items():
                control.check()
                frame = moment + offset
                if not 0 <= frame < last:
                    continue
                seen = m.seen.get(view)
                theirs = track if seen is None else joined.get(seen.track, seen.track)
                record = _record(store, body, inputs, view, frame, theirs, m)
                if record is not None:
                    store.put_person(record)
                    count += 1
            db.execute("UPDATE tracks SET state = 'kept' WHERE id = ?", (track,))
            own[person.number] = track
        numbers = numbers_for(store, own, free)
        fresh = renumber(store, numbers)
        own = {number: fresh[track] for number, track in own.items()}
        _name(store, {fresh[track]: number for track, number in numbers.items()})
    for person in people:
        store.set_track_betas(own[person.number], next(iter(person.moments.values())).params.betas)
    _keep_as_they_are(store)
    set_from_views(store, len(inputs))
    set_room_people(store, {track: number for number, track in own.items()})
    note_reasons(store, FitStage(body, camera), control, listener)
    return count


def make_siblings(stores: Sequence[ProjectStore], inputs: Sequence[ViewInput]) -> None:
    """Let the projects of one room know each other; those that do already keep the room's number."""
    cameras = tuple(RoomCamera(v.name, s.path.name, v.offset) for v, s in zip(inputs, stores))
    known = [note.room for note in map(room_note, stores) if note is not None]
    room = known[0] if len(known) == len(stores) and len(set(known)) == 1 else uuid.uuid4().hex
    for camera, store in zip(cameras, stores):
        set_room_note(store, RoomNote(room, camera.name, cameras))


def _tracks_of(
    store: ProjectStore, view: int, people: Sequence[RoomPerson]
) -> tuple[dict[int, int], dict[int, int]]:
    """The camera's track of each person; several of one person are joined, the longest is kept: which were
    joined to which."""
    taken: dict[int, Counter[int]] = {}
    for person in people:
        for m in person.moments.values():
            if view in m.seen:
                taken.setdefault(m.seen[view].track, Counter())[person.number] += 1
    pieces: dict[int, list[tuple[int, int]]] = {}
    for track, counts in taken.items():
        number, n = counts.most_common(1)[0]
        if n >= _SHARE * sum(counts.values()):
            pieces.setdefault(number, []).append((n, track))
    own: dict[int, int] = {}
    joined: dict[int, int] = {}
    for number, found in pieces.items():
        found.sort(reverse=True)
        own[number] = found[0][1]
        for _, other in found[1:]:
            store.join_tracks(own[number], other)
            joined[other] = own[number]
    return own, joined


def _name(store: ProjectStore, numbers: Mapping[int, int]) -> None:
    """The same number and colour for a person in every camera; names that a person gave stay."""
    db = store.connection
    for track, number in numbers.items():
        db.execute("UPDATE tracks SET color_index = ? WHERE id = ?", (number - 1, track))
        db.execute(
            "UPDATE tracks SET name = ? WHERE id = ? AND name GLOB 'Person [0-9]*'",
            (f"Person {number}", track),
        )


def _record(
    store: ProjectStore, body: BodyModel, inputs: Sequence[ViewInput], view: int, frame: int, track: int,
    m: Moment,
) -> PersonRecord | None:  # fmt: skip
    camera = inputs[view].camera
    params = in_camera(m.params, _rest_pelvis(body, m.params.betas), camera.R, camera.t)
    record = store.person(frame, track)
    if record is not None and record.reviewed:
        return None
    estimate = record.estimate if record is not None else _guessed(body, params, inputs[view], m.xy[view])
    if estimate is None:
        return None
    base = record or PersonRecord(frame, track, estimate, None, None)
    return with_room_body(base, body, inputs, view, m)


def with_room_body(
    record: PersonRecord, body: BodyModel, inputs: Sequence[ViewInput], view: int, m: Moment
) -> PersonRecord:
    """Somebody as camera ``view`` of ``inputs`` shows them, with the body that all cameras agree on."""
    camera = inputs[view].camera
    params = in_camera(m.params, _rest_pelvis(body, m.params.betas), camera.R, camera.t)
    known = np.isfinite(m.residual_px[view])
    rms = float(np.sqrt(np.mean(m.residual_px[view][known] ** 2))) if known.any() else 0.0
    fitted = FittedBody(params, np.nan_to_num(m.xy[view]).astype(np.float32), rms)
    return replace(record, body=fitted, confidence=_confidence(body, m))


def _rest_pelvis(body: BodyModel, betas: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(body.J_template[0] + body.J_shapedirs[0] @ betas)


def _guessed(
    body: BodyModel, params: BodyParams, view: ViewInput, xy: npt.NDArray[np.float64]
) -> PoseEstimate | None:
    """Somebody whom this camera does not see, where the others know them to be; None out of its picture."""
    camera = view.camera
    size = np.array([camera.width, camera.height])
    inside = np.isfinite(xy).all(axis=1) & (xy >= 0).all(axis=1) & (xy <= size - 1).all(axis=1)
    if inside.mean() < _INSIDE or params.transl[2] <= 0:
        return None
    world = (posed_vertices(body, params) - camera.t) @ camera.R
    outline = project(camera, world)
    outline = outline[np.isfinite(outline).all(axis=1)]
    low, high = np.maximum(outline.min(axis=0), 0), np.minimum(outline.max(axis=0), size - 1)
    keypoints = Keypoints(
        np.nan_to_num(xy).astype(np.float32), np.where(inside, _GUESSED, 0.0).astype(np.float32),
        np.where(inside, Visibility.OCCLUDED, Visibility.ABSENT).astype(np.uint8),
        np.zeros(N_KEYPOINTS, np.uint8),
    )  # fmt: skip
    return PoseEstimate(keypoints, np.concatenate([low, high]).astype(np.float32), _GUESSED)


def _confidence(body: BodyModel, m: Moment) -> BodyConfidence:
    """Expected errors as the cameras' own agreement tells them: what they see of somebody has to meet."""
    roots = joint_roots(body)
    scale = _MEAN * _SHARED * max(1.0, (m.miss_mm / _USUAL_MISS_MM) ** 2 if np.isfinite(m.miss_mm) else 1.0)
    joints = np.array([m.joint_mm[roots[j] if j >= N_FIT_JOINTS else j] for j in range(N_JOINTS)]) * scale
    keypoints = m.keypoint_mm * scale
    return BodyConfidence(
        keypoints.astype(np.float32), joints.astype(np.float32), float(joints[:N_FIT_JOINTS].mean())
    )


def _keep_as_they_are(store: ProjectStore) -> None:
    """A later run must not fit these motions anew from one camera alone."""
    fps = store.footage().fps
    for track in store.tracks():
        windows = windows_of(track.track_id, frames_of(store, track.track_id), fps)
        set_smoothed(store, track.track_id, {str(w.first): fingerprint(store, w) for w in windows})
