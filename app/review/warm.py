"""Makes ready what a person should not have to wait for: compiled kernels, before they are needed."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from app.pipeline.fit_stage import FitStage
from app.project.records import PersonRecord
from backends.body import BodyParams, posed_keypoints, posed_vertices
from backends.confidence import confidence_rgb, vertex_mm
from backends.depth import take_patch
from backends.fitting import NotEnoughKeypoints, Observation, propagate
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.render.geometry import vertex_normals


def warm_up(stage: FitStage, *, depth: bool = False) -> threading.Thread:
    """Fit, carry along, judge, pose and colour somebody who is not there, on a thread of its own.

    On a fresh machine this compiles for some seconds, later it loads for a fraction of one; either would
    otherwise hold the window when the first body is shown or the first keypoint dragged.

    Args:
        depth: the project's people have what a depth sensor says of them, too.
    """
    thread = threading.Thread(target=_rehearse, args=(stage, depth), name="warm up", daemon=True)
    thread.start()
    return thread


def _rehearse(stage: FitStage, depth: bool) -> None:
    body, fitter, camera = stage.body, stage.fitter, stage.camera
    pose = np.zeros((55, 3))
    pose[0] = [np.pi, 0.0, 0.0]
    params = BodyParams(np.zeros(body.n_betas), pose, np.array([0.0, 0.2, 4.0]))
    points = posed_keypoints(body, params)
    keypoints = Keypoints(
        camera.project(points).astype(np.float32), np.ones(N_KEYPOINTS, np.float32),
        np.full(N_KEYPOINTS, 2, np.uint8), np.zeros(N_KEYPOINTS, np.uint8),
    )  # fmt: skip
    world = (points - points.mean(axis=0)).astype(np.float32)
    try:
        first = fitter.fit(keypoints, world, camera)
        result = fitter.fit(keypoints, world, camera, betas=first.params.betas, init=first.params)
    except NotEnoughKeypoints:
        return  # a picture of a few pixels; there is nothing to get ready for
    same = Observation((keypoints,), world)
    propagate(fitter, [same] * 3, [camera], [result.params] * 3, [1], 0, 2, fps=25.0)
    box = np.concatenate([keypoints.xy.min(axis=0), keypoints.xy.max(axis=0)])
    estimate = PoseEstimate(keypoints, box, 1.0, world)
    if depth:
        board = np.full((camera.height // 4 + 1, camera.width // 4 + 1), 4.0, np.float32)
        patch = take_patch(board, box, None, (camera.width, camera.height))
        stage.refit(PersonRecord(0, 1, replace(estimate, depth=patch), None, None), result.params.betas)
    confidence = stage.trust.alone(estimate, result)
    vertices = posed_vertices(body, result.params).astype(np.float32)
    vertex_normals(vertices, body.faces)
    confidence_rgb(vertex_mm(body, confidence))
