"""Poses that one picture alone cannot tell apart: several starts against one."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import load_body
from backends.body.pose import rodrigues
from backends.fitting import BodyFitter, fitter
from backends.fitting.flips import LIMBS, flip_limb
from backends.fitting.start import rotation_vector
from backends.fitting.trial import (
    aligned_errors_mm,
    body_joints,
    random_body,
    ring_of_cameras,
    seen_keypoints,
    to_camera,
)

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERA = ring_of_cameras(4)[0]


def test_rotation_vectors_of_all_turns() -> None:
    rng = np.random.default_rng(0)
    turns = [rng.normal(0, 1.2, 3) for _ in range(60)]
    turns += [np.pi * v / np.linalg.norm(v) for v in rng.normal(size=(20, 3))]
    turns += [np.array([np.pi, 0, 0]), np.array([0, np.pi, 0]), np.zeros(3)]
    for v in turns:
        np.testing.assert_allclose(rodrigues(rotation_vector(rodrigues(v))), rodrigues(v), atol=1e-9)


def test_a_flipped_limb_keeps_its_picture_and_turning_it_back_restores_it() -> None:
    rng = np.random.default_rng(1)
    params = to_camera(BODY, random_body(BODY, rng), CAMERA)
    x = FITTER.pack(params, 10)
    before = body_joints(BODY, params)
    for limb in LIMBS:
        y = flip_limb(x, params.betas, FITTER.arrays, np.zeros(3), limb, True, True)
        after = body_joints(BODY, FITTER.unpack(y, params.betas, 10))
        others = np.setdiff1d(np.arange(22), [*limb[1:], limb[2] + 3 if limb[2] < 10 else limb[2]])
        assert np.abs(after - before)[others].max() < 1e-9
        shift = CAMERA.project(after[limb]) - CAMERA.project(before[limb])
        assert np.linalg.norm(shift, axis=1).max() < 60
        assert np.abs(after[limb[2], 2] - before[limb[2], 2]) > 0.01
        back = flip_limb(y, params.betas, FITTER.arrays, np.zeros(3), limb, True, True)
        again = body_joints(BODY, FITTER.unpack(back, params.betas, 10))
        assert np.abs(again - before)[limb].max() < 0.08  # but for perspective


def test_several_starts_find_what_one_start_misses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(30):
        world = random_body(BODY, rng)
        truth = to_camera(BODY, world, CAMERA)
        seen = seen_keypoints(BODY, world, CAMERA, rng, 2.0)
        best = FITTER.fit(seen, None, CAMERA, init=truth)  # the minimum next to the truth
        several = FITTER.fit(seen, None, CAMERA)
        with monkeypatch.context() as patch:
            patch.setattr(fitter, "try_flips", lambda x, cost, *_: (x, cost, 0))
            patch.setattr(FITTER.starter, "lifted", lambda xy, used: FITTER.starter.__class__.lifted(
                FITTER.starter, xy, used)[:1])  # fmt: skip
            one = FITTER.fit(seen, None, CAMERA)
        true = body_joints(BODY, truth)
        away = [aligned_errors_mm(body_joints(BODY, r.params), true).mean() for r in (several, one, best)]
        rows.append([several.cost < best.cost + 0.3, one.cost < best.cost + 0.3, *away])
    found, found_one, mm, mm_one, mm_best = np.mean(rows, axis=0)
    with capsys.disabled():
        print(
            f"\n  2D keypoints only: as good a minimum as next to the truth in {100 * found:.0f} % "
            f"(one start {100 * found_one:.0f} %); PA-MPJPE {mm:.0f} mm, one start {mm_one:.0f}, from the "
            f"truth {mm_best:.0f}"
        )
    assert found > 0.9
    assert found_one < found
    assert mm < mm_one
