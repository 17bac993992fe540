"""The density of poses: training, storing, and what it is good for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backends.body import load_body
from backends.errors import InputError, WeightsError
from backends.fitting import BodyFitter, FitSettings, PoseMixture, load_mixture, save_mixture
from backends.fitting.train_prior import mirrored_poses, train_mixture
from backends.fitting.trial import (
    aligned_errors_mm,
    body_joints,
    random_body,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
    to_camera,
)

BODY = load_body()
CAMERA = ring_of_cameras(4)[0]


def two_habits(n: int, rng: np.random.Generator) -> np.ndarray:
    """Poses of people who either raise both arms or sit, and little else."""
    poses = np.zeros((n, 21, 3))
    raised = rng.random(n) < 0.5
    poses[raised, 15] = (0.0, -0.2, 1.2)
    poses[raised, 16] = (0.0, 0.2, -1.2)
    poses[~raised, 0] = poses[~raised, 1] = (-1.4, 0.0, 0.0)
    poses[~raised, 3] = poses[~raised, 4] = (1.5, 0.0, 0.0)
    poses[~raised, 15] = (0.0, -0.2, -1.0)
    poses[~raised, 16] = (0.0, 0.2, 1.0)
    return (poses + rng.normal(0, 0.08, poses.shape)).reshape(n, 63)


@pytest.fixture(scope="module")
def habits() -> PoseMixture:
    return train_mixture(two_habits(300, np.random.default_rng(0)), components=2)


def test_the_mixture_finds_what_people_do(habits: PoseMixture) -> None:
    rng = np.random.default_rng(1)
    assert np.sort(habits.weights) == pytest.approx([0.5, 0.5], abs=0.08)
    usual, odd = two_habits(50, rng), rng.normal(0, 0.7, (50, 63))
    assert habits.log_density(usual).min() > habits.log_density(odd).max()
    np.testing.assert_allclose(mirrored_poses(mirrored_poses(usual)), usual)
    assert habits.log_density(mirrored_poses(usual)).min() > habits.log_density(odd).max()


def test_its_density_adds_up_to_that_of_scipy(habits: PoseMixture) -> None:
    from scipy.stats import multivariate_normal

    poses = two_habits(5, np.random.default_rng(2))
    expected = np.zeros(5)
    for weight, mean, factor in zip(habits.weights, habits.means, habits.factors):
        covariance = np.linalg.inv(factor @ factor.T)
        expected += weight * multivariate_normal(mean, covariance).pdf(poses)
    np.testing.assert_allclose(habits.log_density(poses), np.log(expected), rtol=1e-6)


def test_it_is_stored_small_and_read_back(habits: PoseMixture, tmp_path: Path) -> None:
    path = tmp_path / "prior.npz"
    eight = PoseMixture(
        np.full(8, 0.125), np.repeat(habits.means, 4, axis=0), np.repeat(habits.factors, 4, axis=0)
    )
    save_mixture(path, eight)
    assert path.stat().st_size < 300_000
    again = load_mixture(path)
    np.testing.assert_allclose(again.factors, eight.factors, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(again.means, eight.means, atol=1e-6)


def test_the_script_trains_from_a_file(tmp_path: Path) -> None:
    poses = two_habits(60, np.random.default_rng(3)).reshape(-1, 21, 3)
    np.save(tmp_path / "poses.npy", poses)
    command = [sys.executable, "-m", "backends.fitting.train_prior"]
    done = subprocess.run(
        [*command, str(tmp_path / "prior.npz"), "--poses", str(tmp_path / "poses.npy"), "--components", "2"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "3 components" in done.stdout
    assert len(load_mixture(tmp_path / "prior.npz").weights) == 3
    (tmp_path / "none.npy").write_text("no array")
    failed = subprocess.run(
        [*command, str(tmp_path / "x.npz"), "--poses", str(tmp_path / "none.npy")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert failed.returncode == 2
    assert "none.npy is no array of poses" in failed.stderr


def test_hidden_arms_go_where_people_put_them(habits: PoseMixture) -> None:
    rng = np.random.default_rng(4)
    with_prior = BodyFitter(BODY, FitSettings(prior_weight=1.0), mixture=habits)
    without = BodyFitter(BODY, mixture=None)
    rows = []
    for pose in two_habits(12, rng):
        world = random_body(BODY, rng)
        world.pose[1:22] = pose.reshape(21, 3)
        truth = body_joints(BODY, to_camera(BODY, world, CAMERA))
        seen = seen_keypoints(BODY, world, CAMERA, rng, 2.0)
        seen.visibility[[7, 8, 9, 10]] = 0
        landmarks = seen_world(BODY, world, CAMERA, rng)
        fits = [f.fit(seen, landmarks, CAMERA).params for f in (with_prior, without)]
        rows.append([aligned_errors_mm(body_joints(BODY, p), truth)[16:].mean() for p in fits])
    informed, plain = np.mean(rows, axis=0)
    assert informed < 0.7 * plain


def test_broken_priors_and_poses_are_refused(habits: PoseMixture, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shape"):
        train_mixture(np.zeros((50, 60)))
    with pytest.raises(InputError, match="at least"):
        train_mixture(np.zeros((5, 63)), components=8)
    with pytest.raises(InputError, match="finite"):
        train_mixture(np.full((100, 63), np.nan))
    with pytest.raises(InputError, match="not positive"):
        PoseMixture(-habits.weights, habits.means, habits.factors)
    with pytest.raises(InputError, match="needs"):
        PoseMixture(habits.weights, habits.means[:, :5], habits.factors)
    with pytest.raises(InputError, match="not finite"):
        PoseMixture(habits.weights, habits.means * np.nan, habits.factors)
    with pytest.raises(InputError, match="Body poses"):
        habits.log_density(np.zeros(63))
    with pytest.raises(WeightsError, match="not there"):
        load_mixture(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 nothing")
    np.savez(tmp_path / "other.npz", weights=np.ones(2), means=np.ones((2, 3)), factors=np.ones((2, 7)))
    np.savez(tmp_path / "objects.npz", weights=np.array([{}]), means=np.ones(1), factors=np.ones(1))
    for name in ("bad.npz", "other.npz", "objects.npz"):
        with pytest.raises(WeightsError, match="no pose prior"):
            load_mixture(tmp_path / name)
