"""Errors in space: closed forms, and scipy's own Procrustes as a second opinion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from backends.errors import InputError
from backends.metrics import motion, pose3d
from backends.metrics.align import procrustes_aligned, scale_aligned

RNG = np.random.default_rng(7)
SHIFT = np.array([0.03, 0.04, 0.0])
TRUTH = RNG.normal(size=(6, 14, 3))


def moved(points: np.ndarray, seed: int, scale: float = 1.7) -> np.ndarray:
    rotation = Rotation.random(rng=seed).as_matrix()
    return scale * points @ rotation.T + np.array([0.3, -2.0, 5.0])


def test_a_shift_of_30_40_0_mm_is_an_error_of_50() -> None:
    score = pose3d.mpjpe(TRUTH + SHIFT, TRUTH)
    assert score.value == pytest.approx(50.0)
    assert (score.n, score.unknown) == (6 * 14, 0)


def test_a_shift_is_no_error_relative_to_the_root() -> None:
    assert pose3d.mpjpe(TRUTH + SHIFT, TRUTH, root=[2, 3]).value == pytest.approx(0.0, abs=1e-9)


def test_one_joint_of_fourteen_that_is_off_moves_only_its_own_mean() -> None:
    estimate = TRUTH.copy()
    estimate[:, 5, 1] += 0.028
    errors = pose3d.errors_mm(estimate, TRUTH)
    means = [s.value for s in pose3d.per_joint(errors)]
    assert means[5] == pytest.approx(28.0)
    assert sum(means) == pytest.approx(28.0)
    assert pose3d.mpjpe(estimate, TRUTH).value == pytest.approx(2.0)


def test_the_root_that_is_off_shifts_every_other_joint() -> None:
    estimate = TRUTH.copy()
    estimate[:, 0, 0] += 0.01
    errors = pose3d.root_relative_errors_mm(estimate, TRUTH, [0])
    assert np.allclose(errors[:, 0], 0.0)
    assert np.allclose(errors[:, 1:], 10.0)


def test_scaling_is_undone_by_n_mpjpe_and_turning_is_not() -> None:
    assert pose3d.n_mpjpe(TRUTH * 1.3, TRUTH, [0]).value == pytest.approx(0.0, abs=1e-9)
    turned = TRUTH @ Rotation.from_rotvec([0, 0, 0.5]).as_matrix().T
    assert pose3d.n_mpjpe(turned, TRUTH, [0]).value > 50
    assert pose3d.pa_mpjpe(turned, TRUTH).value == pytest.approx(0.0, abs=1e-9)


def test_the_scale_is_the_one_of_least_squares() -> None:
    estimate = TRUTH + RNG.normal(scale=0.2, size=TRUTH.shape)
    best = scale_aligned(estimate, TRUTH)
    for factor in (0.99, 1.01):
        assert (((best * factor) - TRUTH) ** 2).sum() > ((best - TRUTH) ** 2).sum()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.05, 20.0))
def test_any_similarity_is_undone(seed: int, scale: float) -> None:
    assert pose3d.pa_mpjpe(moved(TRUTH, seed, scale), TRUTH).value == pytest.approx(0.0, abs=1e-6)


def test_the_residual_is_scipys() -> None:
    for sample in range(len(TRUTH)):
        truth = TRUTH[sample]
        estimate = moved(truth + RNG.normal(scale=0.3, size=truth.shape), sample)
        # scipy allows a reflection; keep to samples whose best fit needs none.
        cross = (truth - truth.mean(0)).T @ (estimate - estimate.mean(0))
        assert np.linalg.det(cross) > 0
        size = np.linalg.norm(truth - truth.mean(0))
        _, _, disparity = procrustes(truth, estimate)
        ours = ((procrustes_aligned(estimate, truth)[0] - truth) ** 2).sum()
        assert ours == pytest.approx(disparity * size**2)


def test_the_rotation_is_scipys_when_nothing_is_scaled() -> None:
    truth = TRUTH[0]
    estimate = moved(truth, 3, 1.0) + RNG.normal(scale=0.1, size=truth.shape)
    rotation, residual = Rotation.align_vectors(truth - truth.mean(0), estimate - estimate.mean(0))
    ours = procrustes_aligned(estimate, truth, scale=False)[0]
    assert np.allclose(ours, rotation.apply(estimate - estimate.mean(0)) + truth.mean(0))
    assert np.linalg.norm(ours - truth) == pytest.approx(residual)


def test_a_mirrored_person_is_not_mirrored_back() -> None:
    mirrored = TRUTH * [-1, 1, 1]
    assert pose3d.pa_mpjpe(mirrored, TRUTH).value > 100


def test_the_same_points_have_no_error_at_all() -> None:
    assert pose3d.pa_mpjpe(TRUTH, TRUTH).value == 0.0
    assert pose3d.n_mpjpe(TRUTH, TRUTH, [0]).value == 0.0
    assert pose3d.pa_pve(TRUTH, TRUTH).value == 0.0


def test_what_is_not_known_is_left_out_and_counted() -> None:
    truth, estimate = TRUTH.copy(), moved(TRUTH, 5)
    truth[0, 3] = np.nan
    estimate[1, 4, 2] = np.nan
    score = pose3d.pa_mpjpe(estimate, truth)
    assert score.value == pytest.approx(0.0, abs=1e-6)
    assert (score.n, score.unknown) == (6 * 14 - 2, 2)


def test_two_points_or_a_line_define_no_alignment() -> None:
    few = np.full((1, 14, 3), np.nan)
    few[0, :2] = TRUTH[0, :2]
    line = np.arange(14.0)[None, :, None] * np.array([1.0, 2.0, 3.0])
    for points in (few, line):
        score = pose3d.pa_mpjpe(points * 2, points)
        assert np.isnan(score.value)
        assert score.n == 0


def test_vertices_are_taken_from_their_pelvis() -> None:
    estimate = TRUTH + np.array([0.0, 0.0, 0.2])
    assert pose3d.pve(estimate, TRUTH).value == pytest.approx(200.0)
    assert pose3d.pve(estimate, TRUTH, (estimate[:, 0], TRUTH[:, 0])).value == pytest.approx(0.0, abs=1e-9)


def test_half_within_150_mm_and_the_area_of_a_constant_error() -> None:
    errors = np.array([[0.0, 150.0, 150.1, 400.0, np.nan]])
    assert pose3d.pck3d(errors).value == 0.5
    assert pose3d.pck3d(errors).unknown == 1
    # 75 mm everywhere: right at 16 of the 31 thresholds 0, 5 ... 150.
    assert pose3d.pck3d_auc(np.full((4, 3), 75.0)).value == pytest.approx(16 / 31)


@pytest.mark.parametrize("shape", [(6, 13, 3), (6, 14, 2), (14,)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="shape"):
        pose3d.mpjpe(np.zeros(shape), TRUTH)


def test_infinite_points_and_a_wrong_root_are_refused() -> None:
    with pytest.raises(InputError, match="infinite"):
        pose3d.mpjpe(np.full_like(TRUTH, np.inf), TRUTH)
    with pytest.raises(InputError, match="root"):
        pose3d.mpjpe(TRUTH, TRUTH, root=[14])
    with pytest.raises(InputError, match="root"):
        pose3d.mpjpe(TRUTH, TRUTH, root=[])


def test_nothing_at_all_is_not_a_number_and_says_so() -> None:
    score = pose3d.mpjpe(np.full((2, 3, 3), np.nan), np.zeros((2, 3, 3)))
    assert np.isnan(score.value)
    assert (score.n, score.unknown) == (0, 6)


def test_a_parabola_has_its_known_acceleration() -> None:
    t = np.arange(10.0)
    falling = np.zeros((10, 2, 3))
    falling[:, :, 1] = 0.5 * 0.004 * t[:, None] ** 2
    score = motion.acceleration_error(falling, np.zeros_like(falling))
    assert score.value == pytest.approx(4.0)
    assert score.n == 8 * 2


def test_a_cubic_has_its_known_jerk_and_a_parabola_none() -> None:
    fps, t = 25.0, np.arange(12.0) / 25.0
    cubic = np.zeros((12, 1, 3))
    cubic[:, 0, 2] = 2.0 * t**3  # third derivative 12 m/s^3
    assert motion.jitter(cubic, fps).value == pytest.approx(12.0)
    cubic[:, 0, 2] = 3.0 * t**2
    assert motion.jitter(cubic, fps).value == pytest.approx(0.0, abs=1e-6)


def test_a_frame_that_is_missing_breaks_the_motion_and_is_counted() -> None:
    points = RNG.normal(size=(9, 1, 3))
    points[4] = np.nan
    score = motion.acceleration_error(points, np.zeros_like(points))
    assert (score.n, score.unknown) == (4, 3)


def test_a_foot_slides_only_while_the_true_one_stands() -> None:
    true = np.zeros((6, 1, 3))
    true[3:, 0, 0] = [0.3, 0.6, 0.6]  # two steps of 30 cm, standing otherwise
    feet = np.zeros((6, 1, 3))
    feet[:, 0, 0] = 0.004 * np.arange(6)
    score = motion.foot_sliding(feet, true)
    assert score.value == pytest.approx(4.0)
    assert score.n == 3
    assert motion.foot_sliding(true, true).value == 0.0


def test_jitter_without_a_rate_is_refused() -> None:
    with pytest.raises(InputError, match="frame rate"):
        motion.jitter(TRUTH, 0.0)
