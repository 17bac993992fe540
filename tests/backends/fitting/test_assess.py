"""A body that is only looked at: it does not move, and a wrong one is not believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_keypoints
from backends.camera import assumed_camera
from backends.errors import InputError
from backends.fitting import BodyFitter, NotEnoughKeypoints
from backends.fitting.assess import assess
from backends.keypoints.types import Keypoints

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERA = assumed_camera(640, 480)


def _standing() -> tuple[Keypoints, np.ndarray]:
    pose = np.zeros((55, 3))
    pose[0] = [np.pi, 0.0, 0.0]
    points = posed_keypoints(BODY, BodyParams(np.zeros(BODY.n_betas), pose, np.array([0.1, 0.2, 4.0])))
    keypoints = Keypoints(
        CAMERA.project(points).astype(np.float32), np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8),
        np.zeros(23, np.uint8),
    )  # fmt: skip
    return keypoints, (points - points[11:13].mean(axis=0)).astype(np.float32)


def test_it_says_of_a_fitted_body_what_the_fit_said() -> None:
    keypoints, world = _standing()
    fitted = FITTER.fit(keypoints, world, CAMERA, betas=np.zeros(BODY.n_betas))
    looked = assess(FITTER, fitted.params, keypoints, world, CAMERA)
    assert np.allclose(looked.params.pose, fitted.params.pose, atol=1e-12)
    assert np.allclose(looked.reprojected_xy, fitted.reprojected_xy)
    assert np.allclose(looked.joint_sigma_mm, fitted.joint_sigma_mm, rtol=1e-5)
    assert looked.rms_px == pytest.approx(fitted.rms_px)


def test_a_body_elsewhere_stays_there_and_misses() -> None:
    keypoints, world = _standing()
    fitted = FITTER.fit(keypoints, world, CAMERA, betas=np.zeros(BODY.n_betas))
    wrong = replace(fitted.params, transl=fitted.params.transl + np.array([0.5, 0.0, 0.0]))
    looked = assess(FITTER, wrong, keypoints, world, CAMERA)
    assert np.array_equal(looked.params.transl, wrong.transl)
    assert looked.rms_px > 30
    assert looked.joint_sigma_mm.mean() > 2 * fitted.joint_sigma_mm.mean()


def test_bodies_and_keypoints_of_no_use_are_refused() -> None:
    keypoints, world = _standing()
    params = FITTER.fit(keypoints, world, CAMERA).params
    with pytest.raises(InputError, match="betas"):
        assess(FITTER, replace(params, betas=np.zeros(3)), keypoints, world, CAMERA)
    with pytest.raises(InputError, match="finite"):
        assess(FITTER, replace(params, pose=np.full((55, 3), np.nan)), keypoints, world, CAMERA)
    with pytest.raises(InputError, match="before the camera"):
        assess(FITTER, replace(params, transl=np.array([0.0, 0.0, -3.0])), keypoints, world, CAMERA)
    nothing = replace(keypoints, visibility=np.zeros(23, np.uint8))
    with pytest.raises(NotEnoughKeypoints):
        assess(FITTER, params, nothing, world, CAMERA)
