"""Somebody who swings arms and bends knees, seen exactly, for tests."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from backends.body import BodyParams, load_body, posed_keypoints
from backends.body.skeleton import JOINT_INDEX
from backends.camera import assumed_camera
from backends.confidence.expected.sites import Sites, make_sites
from backends.confidence.expected.types import Sighting
from backends.confidence.reasons import Shown
from backends.fitting import BodyFitter
from backends.fitting.assess import assess
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import encode_mask

FPS = 25.0
FRAMES = 30
CAMERA = assumed_camera(960, 540)


@lru_cache(maxsize=1)
def the_sites() -> Sites:
    return make_sites(load_body())


@lru_cache(maxsize=1)
def the_fitter() -> BodyFitter:
    return BodyFitter(load_body())


def body_at(time: float) -> BodyParams:
    pose = np.zeros((55, 3))
    pose[0] = (np.pi, 0.0, 0.0)
    swing = 0.3 * np.sin(2 * np.pi * 0.7 * time)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        pose[JOINT_INDEX[f"{side}_shoulder"]] = (0.0, sign * (-0.2 + swing), sign * -0.95)
        pose[JOINT_INDEX[f"{side}_elbow"]] = (0.0, sign * (-0.9 + swing), 0.0)
        pose[JOINT_INDEX[f"{side}_knee"]] = (0.3 + 0.1 * swing, 0.0, 0.0)
        pose[JOINT_INDEX[f"{side}_hip"]] = (-0.15 - 0.05 * swing, 0.0, 0.0)
    return BodyParams(np.zeros(10), pose, np.array([0.0, 0.1, 5.5]))


def estimate_of(params: BodyParams, noise_px: float = 0.0, seed: int = 0) -> PoseEstimate:
    rng = np.random.default_rng(seed)
    points = posed_keypoints(load_body(), params)
    xy = (CAMERA.project(points) + rng.normal(0.0, noise_px, (23, 2))).astype(np.float32)
    score = np.full(23, 0.95, np.float32)
    low, high = xy.min(axis=0) - 25, xy.max(axis=0) + 25
    crop = np.ones((int(high[1] - low[1]), int(high[0] - low[0])), np.bool_)
    points = points + rng.normal(0.0, 0.01 * noise_px, (23, 3))
    world = (points - points[11:13].mean(axis=0)).astype(np.float32)
    keypoints = Keypoints(xy, score, np.full(23, 2, np.uint8), np.zeros(23, np.uint8))
    box = np.array([*low, *high], np.float32)
    return PoseEstimate(keypoints, box, 0.98, world, encode_mask(crop, int(low[0]), int(low[1])))


def sightings(count: int = FRAMES, noise_px: float = 0.0) -> list[Sighting]:
    """Seen exactly, or with noise of so many pixels, and of a centimetre for each of them in space."""
    out = []
    for i in range(count):
        params = body_at(i / FPS)
        estimate = estimate_of(params, noise_px, i)
        result = assess(the_fitter(), params, estimate.keypoints, estimate.world, CAMERA)
        out.append(Sighting(i / FPS, result, estimate, CAMERA))
    return out


def shown(count: int = FRAMES) -> list[Shown]:
    return [
        Shown(
            s.time, s.result.params, s.result.reprojected_xy, s.estimate, s.result.sigma_px.astype(np.float64)
        )
        for s in sightings(count)
    ]
