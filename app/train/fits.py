"""Fits bodies to stored evidence as the program does, and keeps them until the fit itself has changed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.export.atomic import written_whole
from app.pipeline.fit_stage import FitStage
from app.pipeline.smooth import fit_frames
from app.project.records import PersonRecord
from app.train.evidence import Evidence, EvidenceError
from backends.body import BodyModel
from backends.body.params import BodyParams
from backends.camera import Camera, assumed_camera
from backends.confidence.expected.gather import sites_about_pelvis
from backends.confidence.expected.sites import Sites
from backends.confidence.expected.types import Sighting
from backends.fitting import BodyFitter, NotEnoughKeypoints
from backends.fitting.assess import assess

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_LEAST_CLIP = 5
_LOST_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """The bodies of N sightings of one camera, ordered by track and frame.

    Attributes:
        row: (N,) which sighting of the evidence.
        assumed: () whether they were fitted with the assumed focal length instead of the true one.
        betas, pose, transl: (N, B), (N, 55, 3), (N, 3) as shown, after the tracks were fitted as clips.
        single_betas, single_pose, single_transl: the same of the frames by themselves.
    """

    row: I8
    assumed: npt.NDArray[np.bool_]
    betas: F8
    pose: F8
    transl: F8
    single_betas: F8
    single_pose: F8
    single_transl: F8


def camera_of(evidence: Evidence, assumed: bool) -> Camera:
    """The camera that bodies are fitted with, in its own axes."""
    width, height = int(evidence.size[0]), int(evidence.size[1])
    return assumed_camera(width, height) if assumed else Camera(evidence.K, width, height)


def fit_evidence(body: BodyModel, evidence: Evidence, *, assumed: bool = False) -> Fits:
    """Every track of one camera, fitted frame by frame and then as clips.

    Args:
        assumed: fit with the focal length that the program assumes where it knows none.
    """
    stage = FitStage(body, camera_of(evidence, assumed), judging=False)
    rows: list[int] = []
    shown: list[BodyParams] = []
    singles: list[BodyParams] = []
    for track in np.unique(evidence.track):
        mine = np.flatnonzero(evidence.track == track)
        mine = mine[np.unique(evidence.frame[mine], return_index=True)[1]]
        for row, body_shown, single in _fit_track(stage, evidence, mine):
            rows.append(row)
            shown.append(body_shown)
            singles.append(single)
    n, nb = len(rows), body.n_betas
    return Fits(
        row=np.array(rows, np.int64),
        assumed=np.array(assumed),
        betas=np.array([p.betas for p in shown]).reshape(n, nb),
        pose=np.array([p.pose for p in shown]).reshape(n, 55, 3),
        transl=np.array([p.transl for p in shown]).reshape(n, 3),
        single_betas=np.array([p.betas for p in singles]).reshape(n, nb),
        single_pose=np.array([p.pose for p in singles]).reshape(n, 55, 3),
        single_transl=np.array([p.transl for p in singles]).reshape(n, 3),
    )


def _fit_track(stage: FitStage, evidence: Evidence, rows: I8) -> Iterator[tuple[int, BodyParams, BodyParams]]:
    fps, track = float(evidence.fps), int(evidence.track[rows[0]])
    records = [stage.process(int(evidence.frame[r]), track, evidence.estimate(r)) for r in rows]
    betas = stage.final_shapes().get(track)
    if betas is None:
        return
    smooth: dict[int, BodyParams] = {}
    cuts = np.flatnonzero(np.diff(evidence.frame[rows]) > max(2, round(_LOST_S * fps))) + 1
    for piece in np.split(np.arange(len(rows)), cuts):
        smooth.update(_smoothed(stage, [records[i] for i in piece], betas, fps))
    for row, record in zip(rows, records):
        if record.body is not None:
            single = record.body.params
            yield int(row), smooth.get(record.frame, single), single


def _smoothed(stage: FitStage, records: list[PersonRecord], betas: F8, fps: float) -> dict[int, BodyParams]:
    if len(records) < _LEAST_CLIP:
        return {}
    first, last = records[0].frame, records[-1].frame
    by_frame = {r.frame: r for r in records}
    people = [by_frame.get(f) for f in range(first, last + 1)]
    bodies = fit_frames(stage, people, np.zeros(len(people), np.bool_), betas, fps)
    return {} if bodies is None else {first + i: b for i, b in enumerate(bodies)}


def save_fits(fits: Fits, path: Path) -> None:
    """Write fits; they stand under their name only when they are whole."""
    with written_whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **{f.name: getattr(fits, f.name) for f in fields(Fits)})


def load_fits(path: Path) -> Fits:
    """Read fits.

    Raises:
        EvidenceError: not such a file, or a damaged one.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            fits = Fits(**{f.name: stored[f.name] for f in fields(Fits)})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise EvidenceError(f"{path} cannot be read as fits ({error}). Delete it and fit again.") from error
    if fits.pose.shape != (len(fits.row), 55, 3) or fits.single_pose.shape != fits.pose.shape:
        raise EvidenceError(f"{path} is damaged: its arrays do not belong together. Delete it and fit again.")
    return fits


def sightings_of(
    fitter: BodyFitter, sites: Sites, evidence: Evidence, fits: Fits, *, depth: bool = False
) -> Iterator[tuple[I8, list[Sighting]]]:
    """Each track of a camera: its rows of the evidence and what was seen and fitted there.

    Args:
        depth: hand on the depth sensor's readings.
    """
    camera = camera_of(evidence, bool(fits.assumed))
    for track in np.unique(evidence.track[fits.row]):
        rows, found = [], []
        previous: BodyParams | None = None
        for i in np.flatnonzero(evidence.track[fits.row] == track):
            row = int(fits.row[i])
            estimate = evidence.estimate(row)
            params = BodyParams(fits.betas[i], fits.pose[i], fits.transl[i])
            try:
                result = assess(fitter, params, estimate.keypoints, estimate.world, camera, temporal=previous)
            except NotEnoughKeypoints:
                continue
            previous = params
            beside = np.flatnonzero(evidence.frame == evidence.frame[row])
            single = BodyParams(fits.single_betas[i], fits.single_pose[i], fits.single_transl[i])
            rows.append(row)
            found.append(
                Sighting(
                    time=float(evidence.frame[row]) / float(evidence.fps), result=result, estimate=estimate,
                    camera=camera, single=sites_about_pelvis(sites, single),
                    others=evidence.box[beside[beside != row]],
                    depth_mm=evidence.depth_mm[row].astype(np.float64) if depth else None,
                )
            )  # fmt: skip
        if found:
            yield np.array(rows, np.int64), found
