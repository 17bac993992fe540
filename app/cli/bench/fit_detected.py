"""What the pipeline's own networks see of drawn people, fitted from one camera, against the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.cli.bench.fit_exact import aligned_mm
from app.cli.bench.fit_rows import Row, measured
from app.pipeline.engine import default_engine
from backends.body import posed_joints, posed_vertices
from backends.fitting import BodyFitter, NotEnoughKeypoints
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.keypoints.types import PoseEstimate
from backends.metrics.pose2d import oks_matrix, oks_sigmas
from backends.synthetic import PersonTruth, open_scene

_SEEDS, _SECONDS, _FPS = (21, 22), 3.0, 10.0
_WARM_UP = 5
_SAME = 0.5
_UNOCCLUDED = 0.9


def detected_rows(fitter: BodyFitter, check: Callable[[], object]) -> list[Row]:
    """MPJPE and PVE with the pelvis brought together, and PA-MPJPE, of unoccluded people who are found."""
    engine = default_engine()
    apart, aligned, skin = [], [], []
    for seed in _SEEDS:
        scene = open_scene("or", people=4, cameras=1, seconds=_SECONDS, fps=_FPS, seed=seed)
        scene.prepare(check)
        stream = engine.perception()
        for frame in scene.frames():
            check()
            view = frame.views[0]
            found = [p.estimate for p in stream.step(frame.index, view.image)]
            if frame.index < _WARM_UP:
                continue
            for person in view.people:
                estimate = _of(person, found)
                if estimate is None:
                    continue
                try:
                    params = fitter.fit(estimate.keypoints, estimate.world, view.camera).params
                except NotEnoughKeypoints:
                    continue
                joints = posed_joints(fitter.body, params)[:N_FIT_JOINTS]
                to_truth = person.joints[0] - joints[0]
                gap = joints + to_truth - person.joints[:N_FIT_JOINTS]
                apart.append(1e3 * float(np.linalg.norm(gap, axis=1).mean()))
                aligned.append(aligned_mm(fitter.body, params, person))
                there = posed_vertices(fitter.body, person.params)
                away = posed_vertices(fitter.body, params) + to_truth - there
                skin.append(1e3 * float(np.linalg.norm(away, axis=1).mean()))
    n = f"detected keypoints, one camera, {len(apart)} unoccluded"
    return [
        measured(f"{n}: MPJPE", np.mean(apart), "mm"),
        measured("    PA-MPJPE", np.mean(aligned), "mm"),
        measured("    PVE", np.mean(skin), "mm"),
    ]


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
