"""What the pipeline's own networks see of drawn people, fitted from one camera, against the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.cli.bench.fit_exact import aligned_mm
from app.cli.bench.fit_rows import Row, measured
from app.errors import UnderstudyError
from app.pipeline.engine import default_engine
from backends.body import posed_joints, posed_vertices
from backends.camera import Camera
from backends.fitting import BodyFitter, NotEnoughKeypoints
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.keypoints.types import PoseEstimate
from backends.metrics.pose2d import oks_matrix, oks_sigmas
from backends.synthetic import PersonTruth, open_scene

_SEEDS, _CAMERAS, _SECONDS, _FPS = (21, 23), 4, 1.2, 10.0
_WARM_UP = 5
_SAME = 0.5
_UNOCCLUDED = 0.9


def detected_rows(fitter: BodyFitter, check: Callable[[], object]) -> list[Row]:
    """MPJPE and PVE with the pelvis brought together, and PA-MPJPE, of unoccluded people who are found."""
    engine = default_engine()
    apart: list[float] = []
    aligned: list[float] = []
    skin: list[float] = []
    for seed in _SEEDS:
        scene = open_scene("or", people=4, cameras=_CAMERAS, seconds=_SECONDS, fps=_FPS, seed=seed)
        scene.prepare(check)
        streams = [engine.perception() for _ in range(_CAMERAS)]
        for frame in scene.frames():
            check()
            for stream, view in zip(streams, frame.views):
                found = [p.estimate for p in stream.step(frame.index, view.image)]
                if frame.index < _WARM_UP:
                    continue
                for person in view.people:
                    errors = _errors(fitter, person, _of(person, found), view.camera)
                    if errors is not None:
                        for values, value in zip((apart, aligned, skin), errors):
                            values.append(value)
    if not apart:
        raise UnderstudyError("The networks found none of the unoccluded people of the drawn rooms.")
    n = f"detected keypoints, one camera, {len(apart)} unoccluded"
    return [
        measured(f"{n}: MPJPE", np.mean(apart), "mm"),
        measured("    PA-MPJPE", np.mean(aligned), "mm"),
        measured("    PVE", np.mean(skin), "mm"),
    ]


def _errors(
    fitter: BodyFitter, person: PersonTruth, estimate: PoseEstimate | None, camera: Camera
) -> tuple[float, float, float] | None:
    """MPJPE, PA-MPJPE and PVE of one person, mm; None where nothing was found or it cannot be fitted."""
    if estimate is None:
        return None
    try:
        params = fitter.fit(estimate.keypoints, estimate.world, camera).params
    except NotEnoughKeypoints:
        return None
    joints = posed_joints(fitter.body, params)[:N_FIT_JOINTS]
    to_truth = person.joints[0] - joints[0]
    gap = joints + to_truth - person.joints[:N_FIT_JOINTS]
    skin = posed_vertices(fitter.body, params) + to_truth - posed_vertices(fitter.body, person.params)
    return (
        1e3 * float(np.linalg.norm(gap, axis=1).mean()), aligned_mm(fitter.body, params, person),
        1e3 * float(np.linalg.norm(skin, axis=1).mean()),
    )  # fmt: skip


def _of(person: PersonTruth, found: list[PoseEstimate]) -> PoseEstimate | None:
    """The estimate that is this person, None where there is none or the person is partly hidden."""
    whole = person.seen >= _UNOCCLUDED and bool((person.visibility[:17] > 0).all())
    if person.box is None or not whole or not found:
        return None
    area = float(np.prod(person.box[2:] - person.box[:2]))
    estimates = np.array([e.keypoints.xy[:17] for e in found], np.float64)
    labelled = np.ones((1, 17), np.bool_)
    sigmas = oks_sigmas(KEYPOINT_NAMES[:17])
    oks = oks_matrix(estimates, person.keypoints_2d[None, :17], labelled, [area], sigmas)[:, 0]
    best = int(np.argmax(oks))
    return found[best] if oks[best] >= _SAME else None
