"""The fit against bodies whose truth is known, and against input that no body can explain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backends.body import BodyParams, load_body, posed_joints, posed_keypoints
from backends.camera import assumed_camera
from backends.errors import InputError
from backends.fitting import BodyFitter, NotEnoughKeypoints, pool_shape
from backends.fitting.kernels import N_POSE
from backends.fitting.problem import pose_prior
from backends.fitting.start import ray_frame
from backends.keypoints.types import Keypoints, Visibility

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERA = assumed_camera(1280, 720)


def random_body(rng: np.random.Generator, betas: np.ndarray | None = None) -> BodyParams:
    """Somebody upright, three to six metres away, turned anyhow, in an everyday pose."""
    mean, inverse = pose_prior()
    spread = np.where(inverse > 0, 1 / np.maximum(inverse, 1e-9), 0.0)
    limits = BODY.joint_limits[:22].reshape(-1, 2)
    pose = np.zeros((55, 3))
    pose[:22] = np.clip(mean + 0.8 * spread * rng.normal(size=N_POSE), *limits.T).reshape(-1, 3)
    turn = Rotation.from_euler("y", rng.uniform(-180, 180), degrees=True)
    lean = Rotation.from_euler("xz", rng.normal(0, 8, 2), degrees=True)
    pose[0] = (Rotation.from_euler("x", 180, degrees=True) * turn * lean).as_rotvec()
    z = rng.uniform(3, 6)
    place = np.array([rng.uniform(-0.3, 0.3) * z / 2, rng.uniform(-0.1, 0.3), z])
    return BodyParams(rng.normal(0, 0.7, 10) if betas is None else betas, pose, place)


def seen(
    params: BodyParams, rng: np.random.Generator, *, pixels: float = 0.007, metres: float = 0.03
) -> tuple[Keypoints, np.ndarray]:
    """What a good estimator says: pixel noise as a share of the size, landmarks half as exact in depth."""
    points = posed_keypoints(BODY, params)
    xy = CAMERA.project(points)
    size = np.hypot(*np.ptp(xy, axis=0))
    world = (points - (points[11] + points[12]) / 2) @ ray_frame(CAMERA, xy.mean(axis=0))
    world = world + rng.normal(0, metres, (23, 3)) * [1, 1, 2]
    noisy = (xy + rng.normal(0, pixels * size, xy.shape)).astype(np.float32)
    return keypoints(noisy), world.astype(np.float32)


def keypoints(xy: np.ndarray, score: float = 0.9) -> Keypoints:
    return Keypoints(
        np.asarray(xy, np.float32), np.full(23, score, np.float32), np.full(23, 2, np.uint8),
        np.zeros(23, np.uint8),
    )  # fmt: skip


def aligned_error_mm(params: BodyParams, truth: BodyParams) -> float:
    """Mean joint error after Procrustes alignment (PA-MPJPE over the 22 body joints)."""
    a, b = posed_joints(BODY, params)[:22], posed_joints(BODY, truth)[:22]
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(flip)).sum() / (a * a).sum()
    return float(1000 * np.linalg.norm(scale * a @ (u @ flip @ vt).T - b, axis=1).mean())


def test_it_recovers_known_bodies(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    errors, misses = [], []
    for _ in range(40):
        truth = random_body(rng)
        kp, world = seen(truth, rng)
        result = FITTER.fit(kp, world, CAMERA)
        errors.append(aligned_error_mm(result.params, truth))
        misses.append(result.rms_px)
    with capsys.disabled():
        print(
            f"\n  40 known bodies, 0.7 % pixel noise, 3 cm landmark noise: PA-MPJPE median "
            f"{np.median(errors):.1f} mm, 95 % {np.percentile(errors, 95):.1f} mm, "
            f"reprojection {np.median(misses):.1f} px"
        )
    assert np.median(errors) < 35
    assert np.percentile(errors, 95) < 60


def test_a_plain_fit_ends_in_the_same_place() -> None:
    rng = np.random.default_rng(3)
    keypoints, world = seen(random_body(rng), rng)
    whole, plain = (fit(keypoints, world, CAMERA) for fit in (FITTER.fit, FITTER.fit_plain))
    assert (plain.cost, plain.iterations) == (whole.cost, whole.iterations)
    assert plain.rms_px == pytest.approx(whole.rms_px, rel=1e-6)
    assert np.array_equal(plain.params.pose, whole.params.pose)
    assert np.allclose(plain.reprojected_xy, whole.reprojected_xy, atol=1e-3)


def test_the_posterior_is_of_the_size_of_the_true_error() -> None:
    rng = np.random.default_rng(5)
    predicted, true = [], []
    for _ in range(40):
        truth = random_body(rng)
        kp, world = seen(truth, rng)
        result = FITTER.fit(kp, world, CAMERA)
        predicted.append(result.joint_sigma_mm.mean())
        true.append(aligned_error_mm(result.params, truth))
    assert 0.6 < np.mean(predicted) / np.mean(true) < 2.0


def test_unseen_legs_are_far_less_sure_than_seen_arms() -> None:
    rng = np.random.default_rng(6)
    kp, world = seen(random_body(rng), rng)
    kp.visibility[13:] = 0
    result = FITTER.fit(kp, world, CAMERA)
    assert result.keypoint_sigma_mm[13:].min() > 2 * result.keypoint_sigma_mm[[5, 6, 7, 8, 9, 10]].max()


def test_a_dragged_wrist_is_followed_closely_and_the_far_leg_stays() -> None:
    rng = np.random.default_rng(7)
    for _ in range(10):
        kp, world = seen(random_body(rng), rng)
        before = FITTER.fit(kp, world, CAMERA)
        moved = kp.moved(9, (float(kp.xy[9, 0]) + 15, float(kp.xy[9, 1]) - 15))
        world[9] = np.nan
        after = FITTER.fit(moved, world, CAMERA, betas=before.params.betas, init=before.params)
        assert after.residual_px[9] < 4.0
        ankles = np.abs(after.reprojected_xy - before.reprojected_xy)[[15, 16]]
        assert ankles.max() < 6.0


def test_one_wrong_keypoint_does_not_pull_the_body() -> None:
    rng = np.random.default_rng(8)
    truth = random_body(rng)
    kp, world = seen(truth, rng)
    good = FITTER.fit(kp, world, CAMERA)
    kp.xy[15] += [220, -160]
    spoiled = FITTER.fit(kp, world, CAMERA)
    assert aligned_error_mm(spoiled.params, truth) < aligned_error_mm(good.params, truth) + 30


def test_a_keypoint_that_a_person_has_placed_is_met() -> None:
    rng = np.random.default_rng(20)
    for index in (9, 7, 15, 0):
        kp, world = seen(random_body(rng), rng)
        first = FITTER.fit(kp, world, CAMERA)
        x, y = first.reprojected_xy[index] + rng.normal(0, 12, 2)
        moved = kp.moved(index, (float(x), float(y)))
        result = FITTER.fit(moved, world, CAMERA, betas=first.params.betas, init=first.params)
        assert result.residual_px[index] < 0.2


def test_a_keypoint_that_was_declared_hidden_is_not_held() -> None:
    rng = np.random.default_rng(21)
    kp, world = seen(random_body(rng), rng)
    kp.xy[10] += [25, -25]
    hidden = kp.with_visibility(10, Visibility.OCCLUDED)
    assert not hidden.placed.any()
    assert FITTER.fit(hidden, world, CAMERA).residual_px[10] > 5
    placed = kp.moved(10, (float(kp.xy[10, 0]), float(kp.xy[10, 1])))
    assert placed.placed.sum() == 1
    assert not placed.with_visibility(10, Visibility.ABSENT).placed.any()


def test_pooling_frames_finds_a_better_shape_than_one_frame() -> None:
    rng = np.random.default_rng(9)
    betas = np.array([0.0, 1.2, -1.0, 0.5, 0, 0, 0, 0, 0, 0])
    results, single = [], []
    for _ in range(24):
        kp, world = seen(random_body(rng, betas), rng)
        result = FITTER.fit(kp, world, CAMERA)
        results.append(result)
        single.append(np.abs(result.params.betas - betas)[1:3].mean())
    pooled = pool_shape(results)
    assert np.abs(pooled - betas)[1:3].mean() < np.mean(single)


def test_a_body_is_found_without_world_landmarks() -> None:
    rng = np.random.default_rng(10)
    misses = []
    for _ in range(10):
        kp, _ = seen(random_body(rng), rng)
        result = FITTER.fit(kp, None, CAMERA)
        misses.append(result.rms_px / np.hypot(*np.ptp(kp.xy, axis=0)))
    assert np.median(misses) < 0.02


@pytest.mark.parametrize("what", ["few", "spot", "nan", "unsure"])
def test_too_little_evidence_is_said_plainly(what: str) -> None:
    rng = np.random.default_rng(11)
    kp, world = seen(random_body(rng), rng)
    if what == "few":
        kp.visibility[5:] = 0
    elif what == "spot":
        kp.xy[:] = 100
    elif what == "nan":
        kp.xy[:] = np.nan
    else:
        kp.score[:] = 0
    with pytest.raises(NotEnoughKeypoints):
        FITTER.fit(kp, world, CAMERA)


def test_arrays_of_wrong_shape_are_refused() -> None:
    kp, world = seen(random_body(np.random.default_rng(12)), np.random.default_rng(12))
    with pytest.raises(InputError, match="world"):
        FITTER.fit(kp, world[:10], CAMERA)
    with pytest.raises(InputError, match="betas"):
        FITTER.fit(kp, world, CAMERA, betas=np.zeros(4))
