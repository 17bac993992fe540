"""The density of poses that comes with the program: it knows what people do and does not veto the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import backends.fitting.mixture as mixture_module
from backends.body import BodyParams, load_body
from backends.body.skeleton import JOINT_INDEX
from backends.errors import WeightsError
from backends.fitting import BodyFitter, FitSettings, shipped_mixture
from backends.fitting.prior_poses import sample_poses
from backends.fitting.problem import pose_prior
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
WITH, WITHOUT = BodyFitter(BODY), BodyFitter(BODY, mixture=None)


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """Poses of people whom the prior was not trained on."""
    return sample_poses([5000], per_motion=4)


def test_poses_are_sampled_from_a_seed(drawn: np.ndarray) -> None:
    assert drawn.shape[1] == 63
    assert len(drawn) >= 15 * 4
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(drawn, sample_poses([5000], per_motion=4))


def test_it_knows_what_people_do(drawn: np.ndarray) -> None:
    prior = shipped_mixture()
    mean, inverse = pose_prior()
    z = (drawn - mean[3:]) * inverse[3:]
    plain = -0.5 * (z * z).sum(axis=1) + np.log(inverse[3:]).sum() - 31.5 * np.log(2 * np.pi)
    shuffled = np.stack([np.random.default_rng(i).permutation(drawn[i]) for i in range(len(drawn))])
    assert prior.log_density(drawn).mean() > prior.log_density(shuffled).mean() + 20
    assert prior.log_density(drawn).min() > plain.min() - 10


def test_it_is_small_and_used_by_default() -> None:
    assert mixture_module._SHIPPED.stat().st_size < 200_000
    assert len(WITH.prior.mix_log) == len(shipped_mixture().weights)
    assert WITH.prior.mix_weight == FitSettings().prior_weight
    assert len(WITHOUT.prior.mix_log) == 0
    # What the broad part allows is all that the others can cost.
    far = np.full((1, 63), 1.5)
    parts = WITH.prior
    cost = [
        0.5 * d @ p @ d - log for d, p, log in zip(far - parts.mix_mean, parts.mix_precision, parts.mix_log)
    ]
    assert int(np.argmin(cost)) == len(cost) - 1


@pytest.mark.parametrize("what", ["raised arm", "squat", "lying"])
@pytest.mark.parametrize("lifted", [True, False])
def test_it_does_not_veto_the_unusual(what: str, lifted: bool) -> None:
    rng = np.random.default_rng(3)
    gaps = []
    for _ in range(4):
        truth = unusual(what, rng)
        seen = seen_keypoints(BODY, truth, CAMERA, rng, 2.0)
        world = seen_world(BODY, truth, CAMERA, rng) if lifted else None
        goal = body_joints(BODY, to_camera(BODY, truth, CAMERA))
        fits = [f.fit(seen, world, CAMERA).params for f in (WITH, WITHOUT)]
        gaps.append([aligned_errors_mm(body_joints(BODY, p), goal).mean() for p in fits])
    with_prior, without = np.mean(gaps, axis=0)
    assert with_prior < 1.15 * without + 2.0


def unusual(what: str, rng: np.random.Generator) -> BodyParams:
    body = random_body(BODY, rng)
    body.pose[1:22] *= 0.3
    turns: dict[str, tuple[float, float, float]] = {}
    if what == "raised arm":
        turns = {"left_shoulder": (0, 0, 1.3), "left_elbow": (0, -0.2, 0)}
    elif what == "squat":
        turns = {
            "left_hip": (-1.9, 0.3, 0), "right_hip": (-1.9, -0.3, 0), "left_knee": (2.2, 0, 0),
            "right_knee": (2.2, 0, 0), "spine1": (0.3, 0, 0),
        }  # fmt: skip
    else:
        upright, tilt = Rotation.from_rotvec([np.pi / 2, 0, 0]), Rotation.from_euler("x", -np.pi / 2)
        body.pose[0] = (Rotation.from_euler("z", rng.uniform(-3, 3)) * tilt * upright).as_rotvec()
        body.transl[2] = 0.2
    for joint, turn in turns.items():
        body.pose[JOINT_INDEX[joint]] = turn
    return body


def test_a_missing_prior_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mixture_module, "_SHIPPED", tmp_path / "pose_prior.npz")
    shipped_mixture.cache_clear()
    try:
        with pytest.raises(WeightsError, match=r"pose_prior\.npz is not there"):
            BodyFitter(BODY)
    finally:
        monkeypatch.undo()
        shipped_mixture.cache_clear()
    assert len(shipped_mixture().weights) > 1
