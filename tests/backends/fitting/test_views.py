"""One body, several cameras."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import load_body, posed_keypoints, posed_vertices
from backends.body.skeleton import JOINT_NAMES
from backends.errors import InputError
from backends.fitting import BodyFitter, NotEnoughKeypoints, learn_offsets
from backends.fitting.arrays import pack_camera
from backends.fitting.kernels import points_and_derivatives
from backends.fitting.posterior import inside_ellipsoid
from backends.fitting.terms import project_points
from backends.fitting.trial import body_joints, random_body, ring_of_cameras, seen_keypoints

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERAS = ring_of_cameras(4)


def test_four_cameras_find_bodies_within_the_target(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    joints, vertices, misses, inside = [], [], [], []
    for _ in range(40):
        truth = random_body(BODY, rng)
        seen = [seen_keypoints(BODY, truth, c, rng, 2.0) for c in CAMERAS]
        result = FITTER.fit_views(seen, CAMERAS)
        gap = result.joints_3d - body_joints(BODY, truth)
        joints.append(1e3 * np.linalg.norm(gap, axis=1))
        found, true = posed_vertices(BODY, result.params), posed_vertices(BODY, truth)
        vertices.append(1e3 * np.linalg.norm(found - true, axis=1).mean())
        misses.append(result.rms_px)
        inside.append(inside_ellipsoid(1e3 * gap, result.joint_covariance_mm2))
        assert result.doubts == ()
    held = np.mean(inside, axis=0)
    with capsys.disabled():
        worst = JOINT_NAMES[int(np.mean(joints, axis=0).argmax())]
        print(
            f"\n  4 cameras, 2 px: MPJPE {np.mean(joints):.1f} mm (worst {worst}), "
            f"PVE {np.mean(vertices):.1f} mm, reprojection {np.mean(misses):.1f} px, 90 % ellipsoids hold "
            f"{100 * held.mean():.0f} %"
        )
    assert np.mean(joints) < 12
    assert np.mean(vertices) < 18


def test_a_swapped_view_and_wild_keypoints_do_not_harm() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        truth = random_body(BODY, rng)
        seen = [seen_keypoints(BODY, truth, c, rng, 2.0) for c in CAMERAS]
        swap = seen[2].xy.copy()
        swap[[13, 14, 15, 16]] = swap[[14, 13, 16, 15]]
        seen[2].xy[:] = swap
        seen[0].xy[9] += [300, -200]
        result = FITTER.fit_views(seen, CAMERAS)
        assert 1e3 * np.linalg.norm(result.joints_3d - body_joints(BODY, truth), axis=1).mean() < 20


def test_two_views_with_hidden_keypoints_are_enough() -> None:
    rng = np.random.default_rng(2)
    truth = random_body(BODY, rng)
    seen = [seen_keypoints(BODY, truth, c, rng, 1.0) for c in CAMERAS[:2]]
    seen[0].visibility[13:] = 0
    result = FITTER.fit_views(seen, CAMERAS[:2])
    assert 1e3 * np.linalg.norm(result.joints_3d - body_joints(BODY, truth), axis=1).mean() < 60
    sure = np.sqrt(np.trace(result.joint_covariance_mm2, axis1=1, axis2=2))
    assert sure[[7, 8]].min() > 1.05 * sure[[20, 21]].max()  # ankles against wrists


def test_depth_pins_down_what_two_near_views_cannot() -> None:
    rng = np.random.default_rng(3)
    truth = random_body(BODY, rng)
    near = ring_of_cameras(24)[:2]
    seen = [seen_keypoints(BODY, truth, c, rng, 2.0) for c in near]

    depth = np.stack([(posed_keypoints(BODY, truth) @ c.R.T + c.t)[:, 2] for c in near])
    without = FITTER.fit_views(seen, near)
    result = FITTER.fit_views(seen, near, depth=depth, depth_sigma=np.full((2, 23), 0.01))
    truth_3d = body_joints(BODY, truth)
    far = np.linalg.norm(without.joints_3d - truth_3d, axis=1).mean()
    assert np.linalg.norm(result.joints_3d - truth_3d, axis=1).mean() < 0.6 * far


def test_a_warm_start_ends_where_a_cold_one_does() -> None:
    rng = np.random.default_rng(4)
    truth = random_body(BODY, rng)
    seen = [seen_keypoints(BODY, truth, c, rng, 2.0) for c in CAMERAS]
    cold = FITTER.fit_views(seen, CAMERAS)
    warm = FITTER.fit_views(seen, CAMERAS, init=cold.params)
    assert np.abs(warm.joints_3d - cold.joints_3d).max() < 2e-3
    assert warm.iterations <= cold.iterations


def test_what_no_views_can_tell_is_said_plainly() -> None:
    rng = np.random.default_rng(5)
    truth = random_body(BODY, rng)
    seen = [seen_keypoints(BODY, truth, c, rng, 2.0) for c in CAMERAS]
    with pytest.raises(InputError, match="camera each"):
        FITTER.fit_views(seen[:1], CAMERAS[:1])
    with pytest.raises(InputError, match="depth"):
        FITTER.fit_views(seen, CAMERAS, depth=np.zeros((4, 5)), depth_sigma=np.zeros((4, 5)))
    with pytest.raises(InputError, match="noise"):
        FITTER.fit_views(seen, CAMERAS, depth=np.zeros((4, 23)))
    for k in seen[1:]:
        k.visibility[:] = 0
    with pytest.raises(NotEnoughKeypoints, match="views agree"):
        FITTER.fit_views(seen, CAMERAS)


def test_the_estimators_offsets_are_learnt_and_used() -> None:
    rng = np.random.default_rng(6)
    true_offsets = np.zeros((23, 3))
    true_offsets[11], true_offsets[12], true_offsets[5] = (0.02, 0.03, 0), (-0.02, 0.03, 0), (0, -0.03, 0.01)
    biased = BodyFitter(BODY, offsets=true_offsets)
    fits, points, seen_all = [], [], []
    for _ in range(8):
        truth = random_body(BODY, rng)
        X = np.empty((23, 3))
        x = np.concatenate([truth.pose[:22].reshape(-1), truth.transl, truth.betas])
        points_and_derivatives(x, truth.betas, 0, biased.arrays, 23, X, np.empty((0, 3, 0)), False)
        seen = []
        for camera in CAMERAS:
            k = seen_keypoints(BODY, truth, camera, rng, 0.0)
            k.xy[:] = project_points(pack_camera(camera), X) + rng.normal(0, 1, (23, 2))
            seen.append(k)
        fits.append(FITTER.fit_views(seen, CAMERAS))
        points.append(X)
        seen_all.append(seen)
    learnt = learn_offsets(BODY, FITTER.arrays, fits, points)
    after = [BodyFitter(BODY, offsets=learnt).fit_views(s, CAMERAS) for s in seen_all]
    assert np.mean([f.rms_px for f in after]) < 0.9 * np.mean([f.rms_px for f in fits])
    assert np.linalg.norm(learnt[[0, 3, 15]], axis=1).max() < 0.015  # those that were right
    with pytest.raises(InputError, match="offsets"):
        BodyFitter(BODY, offsets=np.zeros((3, 3)))
    with pytest.raises(InputError, match="points"):
        learn_offsets(BODY, FITTER.arrays, fits, points[:2])


def test_legs_that_one_camera_sees_lie_the_right_way() -> None:
    gaps = []
    for seed in range(2, 14):
        rng = np.random.default_rng(seed)
        truth = random_body(BODY, rng)
        seen = [seen_keypoints(BODY, truth, c, rng, 1.0) for c in CAMERAS[:2]]
        seen[0].visibility[13:] = 0
        result = FITTER.fit_views(seen, CAMERAS[:2])
        gaps.append(1e3 * np.linalg.norm(result.joints_3d - body_joints(BODY, truth), axis=1).mean())
    assert np.median(gaps) < 25
    assert np.mean(np.array(gaps) < 40) > 0.8
