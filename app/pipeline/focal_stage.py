"""The focal length, once the people are known: told by them where the clip allows, else left assumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.pipeline.events import ChunkStored, Listener, StageStarted
from app.pipeline.fit_stage import SHAPE_FRAMES, FitStage
from app.pipeline.job import Control
from app.pipeline.windows import frames_of
from app.project.arrays import pack, unpack
from app.project.records import PersonRecord
from app.project.store import VIEW, ProjectStore
from backends.camera import Camera
from backends.fitting import NotEnoughKeypoints, Observation, estimate_focal
from backends.keypoints.types import Visibility

_PER_TRACK = 24
_SEEN = 15
"""Frames that show fewer keypoints tell nothing of the lens."""


def focal_word(camera: Camera) -> str:
    """How the focal length is known, in a word."""
    return "estimated" if camera.estimated else "assumed" if camera.assumed else "known"


def settle_focal(store: ProjectStore, stage: FitStage, control: Control, listener: Listener) -> None:
    """Let the people of a finished run tell the focal length, where nobody knows it.

    Where they can, the camera is stored as estimated, bodies move along the line of sight so that they look
    the same, and each person's shape is pooled anew; the stages that follow fit them to it. Where somebody
    has corrected a body, or the people cannot tell, everything stays as it is.

    Raises:
        Cancelled: when asked to stop; nothing is changed then.
    """
    camera = stage.camera
    known = {t.track_id: t.betas for t in store.tracks()}
    tracks = list(known)
    if camera.estimated:  # by an earlier run, and so were the shapes
        for track, betas in known.items():
            if betas is not None:
                stage.keep_shape(track, betas)
    if not camera.assumed or store.corrected_tracks() or not tracks:
        return
    listener(StageStarted("focal", "Estimating the focal length"))
    people = {track: _telling(store, track) for track in tracks}
    seen = [
        [Observation((p.estimate.keypoints,), p.estimate.world) for p in some] for some in people.values()
    ]
    try:
        found = estimate_focal(stage.fitter, seen, camera, control.check)
    except NotEnoughKeypoints:
        return
    if not found.told:
        return
    ratio = found.camera.fx / camera.fx
    stage.see(found.camera)
    for track, some in people.items():
        control.check()
        betas = stage.shape_of([_farther(p, ratio) for p in some[:: max(1, len(some) // SHAPE_FRAMES)]])
        if betas is not None:
            stage.keep_shape(track, betas)
    _store(store, found.camera, ratio)
    for first, last in store.processed():
        listener(ChunkStored(first, last))


def _telling(store: ProjectStore, track: int) -> list[PersonRecord]:
    """Frames of one person that show most of them, spread over the time they are seen."""
    frames = frames_of(store, track)
    some = [frames[int(i)] for i in np.linspace(0, len(frames) - 1, min(2 * _PER_TRACK, len(frames))).round()]
    people = [p for f in some if (p := store.person(f, track)) is not None]
    whole = [
        p for p in people if (p.estimate.keypoints.visibility != Visibility.ABSENT).sum() >= _SEEN
    ]  # fmt: skip
    return whole[:: max(1, len(whole) // _PER_TRACK)]


def _farther(person: PersonRecord, ratio: float) -> PersonRecord:
    """The person as far away as a lens of ``ratio`` times the length needs it to look as large."""
    if person.body is None:
        return person
    params = person.body.params
    moved = replace(params, transl=params.transl * [1.0, 1.0, ratio])
    return replace(person, body=replace(person.body, params=moved))


def _store(store: ProjectStore, camera: Camera, ratio: float) -> None:
    """Camera and places of all bodies in one transaction."""
    with store.transaction() as db:
        store.set_camera(camera)
        rows = store.query("SELECT frame, track_id, transl FROM bodies WHERE view_id = ?", (VIEW,))
        moved = []
        for row in rows:
            transl = unpack(row["transl"], shape=(3,))
            blob = pack(transl * [1.0, 1.0, ratio], transl.dtype)
            moved.append((blob, VIEW, row["frame"], row["track_id"]))
        db.executemany("UPDATE bodies SET transl = ? WHERE view_id = ? AND frame = ? AND track_id = ?", moved)
