"""The focal length that people tell, and when they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backends.body import load_body, posed_keypoints
from backends.camera import Camera, assumed_camera
from backends.errors import InputError
from backends.fitting import BodyFitter, NotEnoughKeypoints, Observation, estimate_focal, focal
from backends.fitting.start import ray_frame
from backends.fitting.trial import random_motion, to_camera
from backends.keypoints.types import Keypoints

BODY = load_body()
FITTER = BodyFitter(BODY)


def camera_of(focal: float, away: float) -> Camera:
    """1280x720, 1.6 m over the floor, looking at the origin from ``away`` metres."""
    K = np.array([[focal, 0, 639.5], [0, focal, 359.5], [0, 0, 1]])
    R = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    return Camera(K, 1280, 720, R, -R @ np.array([0.0, -away, 1.2]))


def watched(camera: Camera, seed: int) -> list[list[Observation]]:
    """Two people at different places, six moments each, 2 px and 3 cm of noise."""
    rng = np.random.default_rng(seed)
    people = []
    for side in (-0.6, 0.7):
        frames = []
        for params in random_motion(BODY, rng, 120).params[::20]:
            params.transl[0] += side
            points = posed_keypoints(BODY, to_camera(BODY, params, camera))
            xy = camera.project(points) + rng.normal(0, 2, (23, 2))
            world = (points - points[11:13].mean(axis=0)) @ ray_frame(camera, xy.mean(axis=0))
            world = world + rng.normal(0, 0.03, (23, 3)) * [1, 1, 2]
            keypoints = Keypoints(
                xy.astype(np.float32), np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8),
                np.zeros(23, np.uint8),
            )  # fmt: skip
            frames.append(Observation((keypoints,), world.astype(np.float32)))
        people.append(frames)
    return people


@pytest.mark.parametrize("seed", [0, 1])
def test_a_wide_angle_nearby_is_told(seed: int) -> None:
    camera = camera_of(760.0, 2.6)
    guess = assumed_camera(1280, 720)
    found = estimate_focal(FITTER, watched(camera, seed), guess)
    assert found.told
    assert not found.camera.assumed
    assert found.camera.fx == found.focal == pytest.approx(760, rel=0.15)
    assert guess.fx == pytest.approx(1536)
    assert found.camera.fy == found.camera.fx
    assert abs(np.log(found.focal / 760)) < 3 * found.relative_sigma


def test_what_is_left_untried_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    people, guess = watched(camera_of(760.0, 2.6), 0), assumed_camera(1280, 720)
    tried: list[Camera] = []
    cost = focal._Person.cost
    monkeypatch.setattr(
        focal._Person, "cost", lambda self, camera: (tried.append(camera), cost(self, camera))[1]
    )
    some = estimate_focal(FITTER, people, guess)
    few = len(tried)
    monkeypatch.setattr(focal, "_RISES", 99)
    every = estimate_focal(FITTER, people, guess)
    assert 0 < few < len(tried) - few
    assert (some.focal, some.relative_sigma) == (every.focal, every.relative_sigma)


def test_people_far_away_cannot_tell() -> None:
    camera = camera_of(3000.0, 14.0)
    guess = replace(assumed_camera(1280, 720), assumed=True)
    found = estimate_focal(FITTER, watched(camera, 2), guess)
    assert not found.told
    assert found.camera is guess
    assert found.relative_sigma > 0.14


def test_too_little_is_said_plainly() -> None:
    camera = camera_of(760.0, 2.6)
    some = watched(camera, 3)[0]
    with pytest.raises(NotEnoughKeypoints, match="at least 4"):
        estimate_focal(FITTER, [some[:2]], camera)
    with pytest.raises(NotEnoughKeypoints, match="at least 4"):
        estimate_focal(FITTER, [[Observation((None,))] * 9, []], camera)
    with pytest.raises(InputError, match="one view"):
        estimate_focal(FITTER, [[Observation((None, None))] * 9], camera)
