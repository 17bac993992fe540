"""Bodies fitted to keypoints and to what a depth sensor says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_vertices
from backends.camera import Camera
from backends.depth import DepthPatch, take_patch
from backends.fitting import BodyFitter, Observation, fit_clip
from backends.fitting.assess import assess
from backends.fitting.depth import Skin, moved_to
from backends.fitting.depth_fit import depths_of, fit_with_depth
from backends.fitting.trial import (
    body_joints,
    random_body,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
    to_camera,
)
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Keypoints
from backends.masks import CropMask, encode_mask
from backends.render import Mesh, rasterize

BODY = load_body()
FITTER = BodyFitter(BODY)
SKIN = Skin(BODY)
ROOM = ring_of_cameras(4)[0]
CAMERA = Camera(ROOM.K, ROOM.width, ROOM.height)
SIZE = (CAMERA.width, CAMERA.height)


class Somebody:
    """A drawn body: truth, noisy keypoints, and its depth before a wall as a sensor gives it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.truth = to_camera(BODY, random_body(BODY, rng), ROOM)
        self.keypoints: Keypoints = seen_keypoints(BODY, self.truth, CAMERA, rng, 4.0)
        self.world = seen_world(BODY, self.truth, CAMERA, rng)
        colour = np.full((BODY.n_vertices, 3), 200, np.uint8)
        # Clothes hang before the skin.
        drawn = rasterize([Mesh(posed_vertices(BODY, self.truth), BODY.faces, colour)], CAMERA).depth
        there = np.isfinite(drawn)
        depth = np.where(there, drawn - 0.02, 7.0) + rng.normal(0, 0.01, drawn.shape)
        depth[rng.random(depth.shape) < 0.1] = 0.0
        self.depth = depth.astype(np.float32)
        ys, xs = np.nonzero(there)
        self.box = np.array([xs.min(), ys.min(), xs.max(), ys.max()], np.float32)
        crop = there[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        self.mask: CropMask = encode_mask(crop, int(xs.min()), int(ys.min()))

    @property
    def patch(self) -> DepthPatch:
        patch = take_patch(self.depth, self.box, self.mask, SIZE)
        assert patch is not None
        return patch


def apart_mm(found: BodyParams, truth: BodyParams) -> float:
    """MPJPE in the camera's coordinates."""
    away = np.linalg.norm(body_joints(BODY, found) - body_joints(BODY, truth), axis=1)
    return float(1e3 * away.mean())


@pytest.fixture(scope="module")
def people() -> list[Somebody]:
    rng = np.random.default_rng(4)
    return [Somebody(rng) for _ in range(5)]


def test_depth_tells_how_far_away_somebody_is(people: list[Somebody]) -> None:
    before, after, known = [], [], []
    for p in people:
        alone = FITTER.fit(p.keypoints, p.world, CAMERA)
        result = fit_with_depth(FITTER, SKIN, p.patch, p.keypoints, p.world, CAMERA)
        before.append(apart_mm(alone.params, p.truth))
        after.append(apart_mm(result.params, p.truth))
        shaped = fit_with_depth(
            FITTER, SKIN, p.patch, p.keypoints, p.world, CAMERA, betas=p.truth.betas, init=result.params
        )
        known.append(apart_mm(shaped.params, p.truth))
        assert result.joint_sigma_mm.mean() < alone.joint_sigma_mm.mean()
    assert np.mean(after) < 0.3 * np.mean(before)
    assert np.mean(after) < 60
    assert np.mean(known) < 45


def test_what_stands_in_front_is_not_taken_for_the_person(people: list[Somebody]) -> None:
    for p in people[:2]:
        clean = fit_with_depth(FITTER, SKIN, p.patch, p.keypoints, p.world, CAMERA)
        y0, y1 = p.box[1::2].astype(int)
        depth = p.depth.copy()
        depth[(2 * y0 + y1) // 3 : (y0 + 2 * y1) // 3] -= 0.9  # a drape, which the mask did not leave out
        depth[y0 : y0 + 4] += 1.0  # flying pixels at the top
        patch = take_patch(depth, p.box, p.mask, SIZE)
        assert patch is not None
        result = fit_with_depth(FITTER, SKIN, patch, p.keypoints, p.world, CAMERA)
        assert apart_mm(result.params, p.truth) < apart_mm(clean.params, p.truth) + 40


def test_a_sensor_that_says_nothing_changes_nothing(people: list[Somebody]) -> None:
    p = people[0]
    alone = FITTER.fit(p.keypoints, p.world, CAMERA)
    empty = replace(p.patch, mm=np.zeros_like(p.patch.mm))
    result = fit_with_depth(FITTER, SKIN, empty, p.keypoints, p.world, CAMERA)
    assert np.array_equal(result.params.pose, alone.params.pose)
    assert depths_of(SKIN, alone.params, CAMERA, empty) is None
    again = fit_with_depth(
        FITTER, SKIN, empty, p.keypoints, p.world, CAMERA, betas=alone.params.betas, init=alone.params
    )
    assert apart_mm(again.params, alone.params) < 5


@pytest.mark.parametrize("seed", range(6))
def test_senseless_depth_makes_no_monsters(people: list[Somebody], seed: int) -> None:
    p, rng = people[seed % 5], np.random.default_rng(seed)
    mm = rng.integers(1, 32767, p.patch.mm.shape).astype(np.uint16)
    if seed % 2:
        mm[:] = (300, 30000)[seed % 4 > 1]
    result = fit_with_depth(FITTER, SKIN, replace(p.patch, mm=mm), p.keypoints, p.world, CAMERA)
    whole = np.concatenate([result.params.pose.ravel(), result.params.transl, result.params.betas])
    assert np.isfinite(whole).all()
    assert np.isfinite(result.joint_sigma_mm).all()
    assert 0.1 <= result.params.transl[2] < 60


def test_a_hand_that_the_sensor_has_elsewhere_is_told(people: list[Somebody]) -> None:
    p = next(q for q in people if np.isfinite(SKIN.told(q.truth, CAMERA, q.patch).apart[9]))
    told = SKIN.told(p.truth, CAMERA, p.patch)
    assert np.nanmax(np.abs(told.apart)) < 0.1
    assert 0.97 < told.ratio < 1.03
    moved = SKIN.told(moved_to(p.truth, BODY, 1.2), CAMERA, p.patch)
    assert moved.ratio == pytest.approx(1 / 1.2, abs=0.02)
    wrist = INDEX["left_wrist"]
    assert moved.apart[wrist] < -0.2  # the sensor has it before the body


def test_a_clip_and_an_assessment_know_of_depth(people: list[Somebody]) -> None:
    p = people[1]
    single = fit_with_depth(FITTER, SKIN, p.patch, p.keypoints, p.world, CAMERA)
    told = depths_of(SKIN, single.params, CAMERA, p.patch)
    assert told is not None
    frames = [Observation((p.keypoints,), p.world, told)] * 4
    clip = fit_clip(FITTER, frames, [CAMERA], fps=25.0, betas=p.truth.betas, init=[single.params] * 4)
    assert apart_mm(clip.params[1], p.truth) < 60
    plain = assess(FITTER, single.params, p.keypoints, p.world, CAMERA)
    surer = assess(FITTER, single.params, p.keypoints, p.world, CAMERA, depth=told)
    assert surer.joint_sigma_mm.mean() < plain.joint_sigma_mm.mean()
