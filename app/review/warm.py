"""Makes ready what a person should not have to wait for: compiled kernels, before they are needed."""

from __future__ import annotations

import threading

import numpy as np

from backends.body import BodyModel, BodyParams, posed_keypoints, posed_vertices
from backends.camera import Camera
from backends.confidence import confidence_rgb, estimate_confidence, spread_to_vertices
from backends.fitting import BodyFitter, NotEnoughKeypoints, Observation, propagate
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints
from backends.render.geometry import vertex_normals


def warm_up(body: BodyModel, fitter: BodyFitter, camera: Camera) -> threading.Thread:
    """Fit, carry along, pose and colour somebody who is not there, on a thread of its own.

    On a fresh machine this compiles for some seconds, later it loads for a fraction of one; either would
    otherwise hold the window when the first body is shown or the first keypoint dragged.
    """
    thread = threading.Thread(target=_rehearse, args=(body, fitter, camera), name="warm up", daemon=True)
    thread.start()
    return thread


def _rehearse(body: BodyModel, fitter: BodyFitter, camera: Camera) -> None:
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
    confidence = estimate_confidence(body, result, keypoints, camera)
    vertices = posed_vertices(body, result.params).astype(np.float32)
    vertex_normals(vertices, body.faces)
    confidence_rgb(spread_to_vertices(body, confidence.joint_mm))
