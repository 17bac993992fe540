"""The focal length, once the people are known: told by them where the clip allows, else left assumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

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

F8 = npt.NDArray[np.float64]

_PER_TRACK = 24
_MEASURED = 4
"""Frames of a person in which a sensor has to have measured their distance."""
_SHORTEST, _LONGEST = 0.3, 5.0
"""Focal lengths that cameras have, shares of the picture's longer side."""
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
    found = focal_by_distance(stage, list(people.values()), control.check)
    if found is None:
        seen = [
            [Observation((p.estimate.keypoints,), p.estimate.world) for p in some] for some in people.values()
        ]
        try:
            estimate = estimate_focal(stage.fitter, seen, camera, control.check)
        except NotEnoughKeypoints:
            return
        if not estimate.told:
            return
        found = estimate.camera
    ratio = found.fx / camera.fx
    stage.see(found)
    for track, some in people.items():
        control.check()
        betas = stage.shape_of([_farther(p, ratio) for p in some[:: max(1, len(some) // SHAPE_FRAMES)]])
        if betas is not None:
            stage.keep_shape(track, betas)
    _store(store, found, ratio)
    for first, last in store.processed():
        listener(ChunkStored(first, last))


def focal_by_distance(
    stage: FitStage, people: Sequence[Sequence[PersonRecord]], check: Callable[[], object]
) -> Camera | None:
    """The camera with the focal length at which people whose distance a sensor has measured have the size
    that people have; None where no sensor tells of enough frames.

    On drawn people it was off by some 5 % a person, where the guess by the picture's size was off by 70 %.
    """
    camera = stage.camera
    logs = []
    for some in people:
        ratios = []
        for p in some:
            check()
            if p.estimate.depth is None:
                continue
            try:
                fit = stage.fitter.fit(p.estimate.keypoints, p.estimate.world, camera)
            except NotEnoughKeypoints:
                continue
            told = stage.depths(fit.params, p.estimate)
            if told is not None:
                ratios.append(told.ratio)
        if len(ratios) >= _MEASURED:
            logs.append(float(np.log(np.median(ratios))))
    if not logs:
        return None
    ratio = float(np.exp(np.median(logs)))
    share = ratio * camera.fx / max(camera.width, camera.height)
    if not _SHORTEST < share < _LONGEST:  # depth of something else, or in other units
        return None
    K = camera.K.copy()
    K[0, 0], K[1, 1] = ratio * K[0, 0], ratio * K[1, 1]
    return replace(camera, K=K, assumed=False, estimated=True)


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
    moved = replace(params, transl=params.transl * _moved(person.estimate.depth is not None, ratio))
    return replace(person, body=replace(person.body, params=moved))


def _moved(measured: bool, ratio: float) -> F8:
    """(3,) what a body's place is multiplied by for a lens of ``ratio`` times the length: where its distance
    was measured it stays, and the body is smaller to the side."""
    return np.array([1.0 / ratio, 1.0 / ratio, 1.0] if measured else [1.0, 1.0, ratio])


def _store(store: ProjectStore, camera: Camera, ratio: float) -> None:
    """Camera and places of all bodies in one transaction."""
    with store.transaction() as db:
        store.set_camera(camera)
        rows = store.query(
            "SELECT b.frame, b.track_id, b.transl, o.depth_mm IS NOT NULL AS measured FROM bodies b"
            " LEFT JOIN observations o"
            " ON o.view_id = b.view_id AND o.frame = b.frame AND o.track_id = b.track_id"
            " WHERE b.view_id = ?",
            (VIEW,),
        )
        moved = []
        for row in rows:
            transl = unpack(row["transl"], shape=(3,))
            blob = pack(transl * _moved(bool(row["measured"]), ratio), transl.dtype)
            moved.append((blob, VIEW, row["frame"], row["track_id"]))
        db.executemany("UPDATE bodies SET transl = ? WHERE view_id = ? AND frame = ? AND track_id = ?", moved)
