"""The stated covariances against the errors that are made."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import load_body, posed_vertices
from backends.body.skeleton import JOINT_NAMES
from backends.errors import InputError
from backends.fitting import BodyFitter, vertex_covariances
from backends.fitting.posterior import aligned_error, inside_ellipsoid, inverse_factor
from backends.fitting.trial import (
    body_joints,
    random_body,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
    to_camera,
)

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERAS = ring_of_cameras(4)


def test_ellipsoids_hold_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(21)
    inside, skin = [], []
    some = np.arange(0, BODY.n_vertices, 97)
    for i in range(72):
        camera = CAMERAS[i % 4]
        world = random_body(BODY, rng)
        truth = to_camera(BODY, world, camera)
        seen = seen_keypoints(BODY, world, camera, rng, 3.3)
        result = FITTER.fit(seen, seen_world(BODY, world, camera, rng), camera)
        C = result.joint_covariance_mm2
        found, true = body_joints(BODY, result.params), body_joints(BODY, truth)
        variance = np.trace(C, axis1=1, axis2=2) * 1e-6
        inside.append(inside_ellipsoid(1e3 * aligned_error(found, true, variance), C))
        if i % 4 == 0:
            V = vertex_covariances(BODY, result, some)
            found_v, true_v = posed_vertices(BODY, result.params)[some], posed_vertices(BODY, truth)[some]
            both = aligned_error(
                np.concatenate([found, found_v]), np.concatenate([true, true_v]),
                np.concatenate([variance, np.full(len(some), 1e6)]),
            )  # fmt: skip
            skin.append(inside_ellipsoid(1e3 * both[22:], V).mean())
    held = 100 * np.mean(inside, axis=0)
    with capsys.disabled():
        print("\n  90 % ellipsoids, one camera, 0.9 % noise: joints within, per cent (after alignment)")
        for row in range(0, 22, 6):
            print("   ", *(f"{JOINT_NAMES[j]:>15} {held[j]:3.0f}" for j in range(row, min(row + 6, 22))))
        print(f"    all joints {held.mean():.1f}, vertices {100 * np.mean(skin):.1f}")
    assert 85 <= held.mean() <= 95
    assert held.min() > 70
    assert 80 <= 100 * np.mean(skin) <= 97


def test_the_factor_is_the_inverse_of_the_cholesky_factor() -> None:
    rng = np.random.default_rng(1)
    A = rng.normal(size=(79, 90))
    H = A @ A.T
    F = inverse_factor(np.tril(H))
    np.testing.assert_allclose(F.T @ F @ H, np.eye(79), atol=1e-7)


def test_vertices_of_joints_that_are_unsure_are_unsure() -> None:
    rng = np.random.default_rng(2)
    world = random_body(BODY, rng)
    seen = seen_keypoints(BODY, world, CAMERAS[0], rng, 2.0)
    seen.visibility[[7, 9]] = 0  # left elbow and wrist
    result = FITTER.fit(seen, None, CAMERAS[0])
    sigma = np.sqrt(np.trace(vertex_covariances(BODY, result), axis1=1, axis2=2))
    assert np.isfinite(sigma).all()
    arm = sigma[BODY.part_of_vertex == JOINT_NAMES.index("left_elbow")].mean()
    assert arm > 2 * sigma[BODY.part_of_vertex == JOINT_NAMES.index("right_elbow")].mean()


def test_nonsense_is_refused() -> None:
    rng = np.random.default_rng(3)
    world = random_body(BODY, rng)
    result = FITTER.fit(seen_keypoints(BODY, world, CAMERAS[0], rng, 2.0), None, CAMERAS[0])
    with pytest.raises(InputError, match="vertices"):
        vertex_covariances(BODY, result, [10**6])
    with pytest.raises(InputError, match="share"):
        inside_ellipsoid(np.zeros((2, 3)), np.zeros((2, 3, 3)), 1.5)
    with pytest.raises(InputError, match="Alignment"):
        aligned_error(np.zeros((2, 3)), np.zeros((3, 3)), np.zeros(2))
