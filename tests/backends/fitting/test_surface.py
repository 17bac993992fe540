"""Fits refined by a mask and by depths of drawn bodies."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_vertices
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting import BodyFitter, fit_to_surface
from backends.fitting.trial import (
    aligned_errors_mm,
    body_joints,
    random_body,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
    to_camera,
)
from backends.keypoints.types import Keypoints
from backends.render import Mesh, rasterize

BODY = load_body()
FITTER = BodyFitter(BODY)
ROOM = ring_of_cameras(4)[0]
CAMERA = Camera(ROOM.K, ROOM.width, ROOM.height)


def drawn(params: BodyParams) -> np.ndarray:
    """(H, W) metres, 0 beside the body."""
    skin = np.full((BODY.n_vertices, 3), 200, np.uint8)
    depth = np.asarray(rasterize([Mesh(posed_vertices(BODY, params), BODY.faces, skin)], CAMERA).depth)
    return np.where(np.isfinite(depth), depth, 0.0).astype(np.float32)


def somebody(rng: np.random.Generator) -> tuple[BodyParams, Keypoints, np.ndarray, np.ndarray]:
    """The truth in camera coordinates, its keypoints and landmarks with noise, its depths."""
    truth = to_camera(BODY, random_body(BODY, rng), ROOM)
    keypoints = seen_keypoints(BODY, truth, CAMERA, rng, 4.0)
    world = seen_world(BODY, truth, CAMERA, rng)
    return truth, keypoints, world, drawn(truth)


def skin_mm(found: BodyParams, truth: BodyParams) -> float:
    away = np.linalg.norm(posed_vertices(BODY, found) - posed_vertices(BODY, truth), axis=1)
    return float(1e3 * away.mean())


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def test_depths_tell_where_a_body_is(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    before, after, pose_before, pose_after = [], [], [], []
    for _ in range(6):
        truth, keypoints, world, depth = somebody(rng)
        first = FITTER.fit(keypoints, world, CAMERA)
        noisy = np.where(depth > 0, depth + rng.normal(0, 0.008, depth.shape), np.nan).astype(np.float32)
        result = fit_to_surface(FITTER, first.params, keypoints, world, CAMERA, depth_m=noisy)
        there = body_joints(BODY, truth)
        before.append(skin_mm(first.params, truth))
        after.append(skin_mm(result.params, truth))
        pose_before.append(aligned_errors_mm(body_joints(BODY, first.params), there).mean())
        pose_after.append(aligned_errors_mm(body_joints(BODY, result.params), there).mean())
        assert not result.doubts
    with capsys.disabled():
        print(
            f"\n  depths: PVE {np.mean(before):.0f} -> {np.mean(after):.0f} mm, "
            f"PA-MPJPE {np.mean(pose_before):.0f} -> {np.mean(pose_after):.0f} mm"
        )
    assert np.median(after) < 0.5 * np.median(before)
    assert np.mean(pose_after) < np.mean(pose_before)


def test_a_mask_draws_the_outline_to_it() -> None:
    rng = np.random.default_rng(1)
    before, after = [], []
    for _ in range(5):
        _, keypoints, world, depth = somebody(rng)
        mask = depth > 0
        first = FITTER.fit(keypoints, world, CAMERA)
        result = fit_to_surface(FITTER, first.params, keypoints, world, CAMERA, mask=mask)
        before.append(overlap(drawn(first.params) > 0, mask))
        after.append(overlap(drawn(result.params) > 0, mask))
    assert np.mean(after) > np.mean(before) + 0.02


def test_a_mask_that_is_half_hidden_does_no_harm() -> None:
    rng = np.random.default_rng(2)
    truth, keypoints, world, depth = somebody(rng)
    mask = depth > 0
    mask[:, int(CAMERA.project(truth.transl)[0]) :] = False
    first = FITTER.fit(keypoints, world, CAMERA)
    result = fit_to_surface(
        FITTER, first.params, keypoints, world, CAMERA, mask=mask, betas=first.params.betas
    )
    there = body_joints(BODY, truth)
    error = aligned_errors_mm(body_joints(BODY, result.params), there).mean()
    assert error < aligned_errors_mm(body_joints(BODY, first.params), there).mean() + 10
    assert np.array_equal(result.params.betas, first.params.betas)


def test_nothing_to_see_changes_little_and_wrong_input_is_refused() -> None:
    rng = np.random.default_rng(3)
    _, keypoints, world, depth = somebody(rng)
    first = FITTER.fit(keypoints, world, CAMERA)
    empty = fit_to_surface(
        FITTER, first.params, keypoints, world, CAMERA, mask=np.zeros(depth.shape, np.bool_),
        depth_m=np.full(depth.shape, np.nan, np.float32),
    )  # fmt: skip
    assert skin_mm(empty.params, first.params) < 20
    with pytest.raises(InputError, match="mask or depths"):
        fit_to_surface(FITTER, first.params, keypoints, world, CAMERA)
    with pytest.raises(InputError, match="shape"):
        fit_to_surface(FITTER, first.params, keypoints, world, CAMERA, mask=depth[:10] > 0)
    broken = BodyParams(first.params.betas, first.params.pose * np.nan, first.params.transl)
    with pytest.raises(InputError, match="finite"):
        fit_to_surface(FITTER, broken, keypoints, world, CAMERA, depth_m=depth)
