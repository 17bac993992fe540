"""Drawn people before an RGB-D camera, fitted as a run does: once from the picture, once with the sensor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from app.pipeline.engine import Engine, Perception
from app.pipeline.fit_stage import FitStage
from app.pipeline.focal_stage import focal_by_distance
from app.pipeline.smooth import fit_frames
from app.project.records import PersonRecord
from app.train.samples import true_errors
from backends.body import BodyModel, posed_joints
from backends.camera import Camera, assumed_camera
from backends.depth import take_patch
from backends.fitting import NotEnoughKeypoints, estimate_focal
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.start import ray_frame
from backends.fitting.trial import aligned_errors_mm
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, PoseEstimate, Visibility
from backends.synthetic import CameraFrame, PersonTruth, open_scene

F8 = npt.NDArray[np.float64]

_SEEN, _KEYPOINTS, _SAME = 0.3, 8, 0.1
_NOISE, _LANDMARKS_M = 0.01, 0.03
"""Of the person's size, twice as much where hidden; metres, twice as much in depth."""


@dataclass
class Errors:
    """Of each body of one way of fitting: mm, the camera's coordinates.

    Attributes:
        joints: mean over 22 joints. pelvis: along the camera's axis. aligned: joints after alignment.
        sites, bounds: (27,) errors of sites after alignment, and what nine of ten were to stay under.
        ms: processor time of the single frame's fit and what prepares it.
    """

    joints: list[float] = field(default_factory=list)
    pelvis: list[float] = field(default_factory=list)
    aligned: list[float] = field(default_factory=list)
    sites: list[F8] = field(default_factory=list)
    expected: list[F8] = field(default_factory=list)
    bounds: list[F8] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """One person in one frame: the estimate, with and without depth, and the truth."""

    frame: int
    truth: PersonTruth
    bare: PoseEstimate
    deep: PoseEstimate
    ms: float


def fitted(
    body: BodyModel, preset: str, *, people: int, cameras: int, frames: int, seed: int,
    engine: Engine | None, check: Callable[[], object], fps: float = 10.0,
    size: tuple[int, int] = (1280, 720),
) -> dict[bool, dict[bool, Errors]]:  # fmt: skip
    """Errors with a known lens (True) and with one that the people tell (False), each without (False) and
    with depth (True), of everybody whom a camera sees well enough.

    Args:
        engine: the networks that find people and keypoints; without them keypoints are the true ones with
            noise, and masks the true ones.
    """
    scene = open_scene(
        preset, people=people, cameras=cameras, seconds=frames / fps, fps=fps, width=size[0], height=size[1],
        seed=seed,
    )  # fmt: skip
    scene.prepare(check)
    streams = [engine.perception() for _ in range(cameras)] if engine is not None else []
    rng = np.random.default_rng(seed)
    seen: dict[tuple[int, int], list[_Look]] = {}
    lenses: dict[int, Camera] = {}
    for frame in scene.frames():
        check()
        for c, view in enumerate(frame.views):
            lenses[c] = view.camera
            named = _found(streams[c], frame.index, view) if streams else _guessed(view, rng)
            for look in _looks(frame.index, view, named):
                seen.setdefault((c, look.truth.person_id), []).append(look)
    out = {known: {deep: Errors() for deep in (False, True)} for known in (True, False)}
    for c, lens in lenses.items():
        tracks = {person: looks for (where, person), looks in seen.items() if where == c}
        for known, both in out.items():
            for deep, errors in both.items():
                camera = Camera(lens.K, lens.width, lens.height)
                if not known:
                    camera = _told_lens(body, assumed_camera(lens.width, lens.height), tracks, deep, check)
                stage = FitStage(body, camera)
                for person, looks in tracks.items():
                    check()
                    _fit_track(stage, person, looks, fps, deep, errors)
    return out


def _told_lens(
    body: BodyModel, camera: Camera, tracks: Mapping[int, Sequence[_Look]], deep: bool,
    check: Callable[[], object],
) -> Camera:  # fmt: skip
    """The lens as a run comes to know it, or as it is assumed where people cannot tell."""
    stage = FitStage(body, camera, judging=False)
    people = [
        [PersonRecord(k.frame, person, k.deep if deep else k.bare, None, None) for k in looks]
        for person, looks in tracks.items()
    ]
    found = focal_by_distance(stage, people, check) if deep else None
    if found is not None:
        return found
    try:
        seen = [[stage.observed(p) for p in some] for some in people]
        return estimate_focal(stage.fitter, seen, camera, check).camera
    except NotEnoughKeypoints:
        return camera


def _found(stream: Perception, index: int, view: CameraFrame) -> list[tuple[PersonTruth, PoseEstimate]]:
    """Whom the networks find, with the person that it is in truth."""
    estimates = [p.estimate for p in stream.step(index, view.image)]
    out = []
    for p in view.people:
        visible = p.visibility == Visibility.VISIBLE
        best: tuple[float, PoseEstimate] | None = None
        if p.box is None or p.seen < _SEEN or int(visible.sum()) < _KEYPOINTS:
            continue
        size = float(np.hypot(*(p.box[2:] - p.box[:2])))
        for e in estimates:
            away = np.linalg.norm(e.keypoints.xy[visible] - p.keypoints_2d[visible], axis=1)
            miss = float(np.median(away)) / size
            if miss < _SAME and (best is None or miss < best[0]):
                best = (miss, e)
        if best is not None:
            out.append((p, best[1]))
    return out


def _looks(
    index: int, view: CameraFrame, named: Iterable[tuple[PersonTruth, PoseEstimate]]
) -> Iterator[_Look]:
    """What is known of each person, with and without the sensor."""
    depth = view.depth_mm.astype(np.float32) / np.float32(1e3)
    size = (view.camera.width, view.camera.height)
    for truth, bare in named:
        begun = time.process_time()
        patch = take_patch(depth, bare.box, bare.mask, size)
        spent = 1e3 * (time.process_time() - begun)
        yield _Look(index, truth, bare, replace(bare, depth=patch), spent)


def _guessed(view: CameraFrame, rng: np.random.Generator) -> Iterator[tuple[PersonTruth, PoseEstimate]]:
    """What an estimator would say of everybody whom this camera sees well enough."""
    for p in view.people:
        visible = p.visibility == Visibility.VISIBLE
        if p.box is None or p.seen < _SEEN or int(visible.sum()) < _KEYPOINTS:
            continue
        there = p.visibility > 0
        noise = _NOISE * float(np.hypot(*(p.box[2:] - p.box[:2]))) * np.where(visible, 1.0, 2.0)[:, None]
        xy = np.where(there[:, None], p.keypoints_2d + rng.normal(0, 1, (N_KEYPOINTS, 2)) * noise, 0.0)
        score = np.where(visible, 0.9, np.where(there, 0.5, 0.0)).astype(np.float32)
        keypoints = Keypoints(
            xy.astype(np.float32), score, p.visibility.copy(), np.zeros(N_KEYPOINTS, np.uint8)
        )
        frame = ray_frame(view.camera, np.nanmean(p.keypoints_2d, axis=0))
        about = (p.keypoints_3d - p.keypoints_3d[11:13].mean(axis=0)) @ frame
        about += rng.normal(0, _LANDMARKS_M, about.shape) * [1, 1, 2]
        yield p, PoseEstimate(keypoints, p.box, 0.95, about.astype(np.float32), p.mask)


def _fit_track(
    stage: FitStage, person: int, looks: Sequence[_Look], fps: float, deep: bool, errors: Errors
) -> None:
    """Frame by frame, then as a clip with one shape, then judged: as a run does."""
    records = []
    for look in looks:
        begun = time.process_time()
        records.append(stage.process(look.frame, person, look.deep if deep else look.bare))
        errors.ms.append(1e3 * (time.process_time() - begun) + (look.ms if deep else 0.0))
    betas = stage.final_shapes().get(person)
    by_frame = {r.frame: r for r in records}
    first, last = records[0].frame, records[-1].frame
    people: list[PersonRecord | None] = [by_frame.get(f) for f in range(first, last + 1)]
    if betas is None:
        return
    bodies = fit_frames(stage, people, np.zeros(len(people), np.bool_), betas, fps)
    if bodies is None:
        return
    times = [r.frame / fps for r in records]
    shown = {first + i: b for i, b in enumerate(bodies)}
    judged = stage.assess_track(records, times, {}, (times[0], times[-1]), bodies=shown)
    for record, look in zip(judged, looks):
        if record.body is None or record.confidence is None or record.confidence.sites is None:
            continue
        params = record.body.params
        joints, true = posed_joints(stage.body, params)[:N_FIT_JOINTS], look.truth.joints[:N_FIT_JOINTS]
        errors.joints.append(1e3 * float(np.linalg.norm(joints - true, axis=1).mean()))
        errors.pelvis.append(1e3 * abs(float(joints[0, 2] - true[0, 2])))
        errors.aligned.append(float(aligned_errors_mm(joints, true).mean()))
        errors.sites.append(true_errors(stage.trust.sites, params, look.truth.params)[0])
        errors.expected.append(record.confidence.sites.mm.astype(np.float64))
        errors.bounds.append(record.confidence.sites.bound_mm.astype(np.float64))
