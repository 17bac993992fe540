"""Input that no body can explain: a stated doubt or a clear error, never NaN, never a monster.

Some seven hundred tries; ``UNDERSTUDY_FUZZ=10`` makes ten times as many.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backends.body import BodyParams, load_body, posed_joints, posed_keypoints
from backends.camera import assumed_camera
from backends.errors import InputError
from backends.fitting import (
    BodyFitter,
    ClipSettings,
    FitResult,
    NotEnoughKeypoints,
    Observation,
    fit_clip,
    fit_many,
    propagate,
)
from backends.fitting.trial import (
    body_joints,
    random_body,
    random_motion,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
    to_camera,
)
from backends.keypoints.types import Keypoints

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERA = assumed_camera(1280, 720)
ROOM = ring_of_cameras(3)

MORE = max(int(os.environ.get("UNDERSTUDY_FUZZ", "1")), 1)
wild = settings(
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    database=None,
    derandomize=True,
)
coordinate = st.one_of(
    st.floats(-3000, 4000, width=32), st.sampled_from([np.nan, np.inf, -np.inf, 1e30, 0.0])
)
unit = st.one_of(st.floats(0, 1, width=32), st.sampled_from([np.nan, 0.0, 1.0, 7.0]))
KINDS = (
    "spoiled", "scattered", "line", "few", "unsure", "nan", "tiny", "huge", "mirrored", "by hand", "folded",
)  # fmt: skip


@st.composite
def keypoints(draw: st.DrawFn) -> Keypoints:
    """Anything at all."""
    return Keypoints(
        np.array(draw(st.lists(st.tuples(coordinate, coordinate), min_size=23, max_size=23)), np.float32),
        np.array(draw(st.lists(unit, min_size=23, max_size=23)), np.float32),
        np.array(draw(st.lists(st.integers(0, 2), min_size=23, max_size=23)), np.uint8),
        np.array(draw(st.lists(st.integers(0, 1), min_size=23, max_size=23)), np.uint8),
    )  # fmt: skip


def strange(kind: str, rng: np.random.Generator) -> tuple[Keypoints, np.ndarray]:
    """A person's keypoints and world landmarks, broken in one way."""
    camera = to_camera(BODY, random_body(BODY, rng), ROOM[0])
    points = posed_keypoints(BODY, camera)
    xy = CAMERA.project(points) + rng.normal(0, 3, (23, 2))
    world = points - points[11:13].mean(axis=0) + rng.normal(0, 0.03, (23, 3))
    score, visible, source = rng.uniform(0.3, 1, 23), rng.integers(1, 3, 23), np.zeros(23)
    chosen = rng.random(23) < rng.uniform(0.1, 0.7)
    if kind == "spoiled":
        xy[chosen] += rng.normal(0, 400, (int(chosen.sum()), 2))
    elif kind == "scattered":
        xy, world = rng.uniform(-200, 1500, (23, 2)), rng.normal(0, 1, (23, 3))
    elif kind == "line":
        xy = rng.uniform(0, 700, 2) + np.outer(rng.normal(size=23), rng.normal(0, 150, 2))
    elif kind == "few":
        visible[rng.permutation(23)[: rng.integers(16, 24)]] = 0
    elif kind == "unsure":
        score[:] = rng.choice([0.0, 0.05, 0.11])
    elif kind == "nan":
        xy[chosen], world[rng.random(23) < 0.5] = rng.choice([np.nan, np.inf]), np.nan
    elif kind == "tiny":
        xy = 600 + 1e-3 * rng.choice([1.0, 10.0]) * xy
    elif kind == "huge":
        xy, world = xy * rng.choice([30.0, 1e4, 1e30]), world * rng.choice([1.0, 1e3, 1e30])
    elif kind == "mirrored":
        xy[:, 1] *= -1
        world[:, 0] *= -1
    elif kind == "by hand":
        source[chosen] = 1
        xy[chosen] = rng.uniform(-500, 2000, (int(chosen.sum()), 2))
    else:
        xy[:] = xy[rng.integers(0, 23, 23)]
    given = Keypoints(
        np.clip(xy, -3e38, 3e38).astype(np.float32), score.astype(np.float32), visible.astype(np.uint8),
        source.astype(np.uint8),
    )  # fmt: skip
    return given, np.clip(world, -3e38, 3e38).astype(np.float32)


def is_a_body(params: BodyParams) -> None:
    assert all(np.isfinite(a).all() for a in (params.pose, params.transl, params.betas))
    assert np.abs(params.betas).max() <= 4
    assert np.abs(params.pose[1:22]).max() < 4
    joints = posed_joints(BODY, params)
    assert np.ptp(joints, axis=0).max() < 3.5


def is_said_how_sure(result: FitResult) -> None:
    """Where the body does not meet the keypoints, that is said; nothing is ever NaN."""
    is_a_body(result.params)
    assert np.isfinite(result.cost)
    for covariance in (result.joint_covariance_mm2, result.keypoint_covariance_mm2):
        assert np.isfinite(covariance).all()
        assert np.linalg.eigvalsh(covariance).min() > -1e-6 * np.abs(covariance).max()
    near = np.sqrt(np.nanmedian((result.residual_px / result.sigma_px) ** 2))
    assert result.doubts or near < 10


@settings(wild, max_examples=80 * MORE)
@given(keypoints(), st.one_of(st.none(), st.integers(0, 99)))
def test_anything_at_all_in_one_view(kp: Keypoints, seed: int | None) -> None:
    world = None if seed is None else np.random.default_rng(seed).normal(0, 0.5, (23, 3)).astype(np.float32)
    try:
        result = FITTER.fit(kp, world, CAMERA)
    except NotEnoughKeypoints:
        return
    is_said_how_sure(result)


@settings(wild, max_examples=400 * MORE)
@given(st.sampled_from(KINDS), st.integers(0, 2**32 - 1), st.sampled_from(["world", "warm", "near", "alone"]))
def test_strange_people_in_one_view(kind: str, seed: int, start: str) -> None:
    rng = np.random.default_rng(seed)
    kp, world = strange(kind, rng)
    init = None
    if start in ("warm", "near"):
        # A start that has nothing to do with the picture, or one whose limbs lie behind the camera.
        init = to_camera(BODY, random_body(BODY, rng), ROOM[1])
        if start == "near":
            init = BodyParams(init.betas, init.pose, np.array([0.0, 0.0, rng.uniform(0.1, 0.3)]))
    try:
        result = FITTER.fit(kp, None if start == "alone" else world, CAMERA, init=init, temporal=init)
    except NotEnoughKeypoints:
        return
    is_said_how_sure(result)


@settings(wild, max_examples=120 * MORE)
@given(st.lists(st.sampled_from(KINDS), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_several_views(kinds: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = random_body(BODY, rng)
    seen = [seen_keypoints(BODY, world, c, rng, 2.0) for c in ROOM]
    for v, kind in enumerate(kinds):
        if rng.random() < 0.7:
            seen[v] = strange(kind, rng)[0]
    try:
        result = FITTER.fit_views(seen, ROOM)
    except NotEnoughKeypoints:
        return
    is_a_body(result.params)
    assert np.isfinite(result.joint_covariance_mm2).all()


@settings(wild, max_examples=25 * MORE)
@given(st.integers(0, 2**32 - 1))
def test_batches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [strange(KINDS[int(rng.integers(len(KINDS)))], rng) for _ in range(60)]
    batch = fit_many(
        FITTER, np.stack([k.xy for k, _ in people]), np.stack([k.score for k, _ in people]),
        np.stack([w for _, w in people]), CAMERA,
    )  # fmt: skip
    for i in range(len(people)):
        is_a_body(BodyParams(batch.betas[i], np.concatenate([batch.pose[i], FITTER.hands]), batch.transl[i]))
    assert (np.isfinite(batch.rms_px) == batch.fitted).all()


@settings(wild, max_examples=30 * MORE)
@given(
    st.lists(st.one_of(st.none(), st.sampled_from(KINDS)), min_size=4, max_size=9), st.integers(0, 2**32 - 1)
)
def test_clips(kinds: list[str | None], seed: int) -> None:
    rng = np.random.default_rng(seed)
    observed = []
    for kind in kinds:
        seen, world = strange(kind, rng) if kind else (None, None)
        observed.append(Observation((seen,), world if rng.random() < 0.7 else None))
    try:
        clip = fit_clip(FITTER, observed, [CAMERA], fps=25.0, settings=ClipSettings(iterations=6))
    except NotEnoughKeypoints:
        return
    for params in clip.params:
        is_a_body(params)


@settings(wild, max_examples=30 * MORE)
@given(st.data())
def test_contradictory_corrections(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    motion = random_motion(BODY, rng, 6)
    seen = [seen_keypoints(BODY, p, ROOM[0], rng, 2.0) for p in motion.params]
    bodies: list[BodyParams | None] = [to_camera(BODY, p, ROOM[0]) for p in motion.params]
    at = data.draw(st.integers(0, 5))
    k = seen[at]
    for i in data.draw(st.lists(st.integers(0, 22), min_size=1, max_size=12, unique=True)):
        k = k.moved(i, (data.draw(st.floats(-500, 2000)), data.draw(st.floats(-500, 2000))))
    seen[at] = k
    single = FITTER.fit(k, None, ROOM[0], init=bodies[at])
    is_a_body(single.params)
    observed = [Observation((s,)) for s in seen]
    corrected = data.draw(st.sampled_from([at, (at + 2) % 6]))
    bodies[corrected] = single.params
    result = propagate(FITTER, observed, [ROOM[0]], bodies, [corrected], 0, 5, fps=25.0)
    assert result.params[corrected] is bodies[corrected]
    for params in result.params:
        is_a_body(params)


@pytest.mark.parametrize("what", ["line", "behind", "contradiction", "noise"])
def test_doubts_are_stated(what: str) -> None:
    rng = np.random.default_rng(5)
    world = random_body(BODY, rng)
    good = seen_keypoints(BODY, world, ROOM[0], rng, 2.0)
    landmarks = seen_world(BODY, world, ROOM[0], rng)
    sure = FITTER.fit(good, landmarks, ROOM[0])
    assert sure.doubts == ()
    k = Keypoints(good.xy.copy(), good.score, good.visibility, good.source)
    if what == "line":
        k.xy[:] = np.stack([np.linspace(300, 800, 23), np.linspace(200, 500, 23)], axis=1)
    elif what == "contradiction":
        for i, (x, y) in ((9, (0.0, 0.0)), (10, (1279.0, 0.0)), (15, (0.0, 719.0)), (16, (1279.0, 719.0))):
            k = k.moved(i, (x, y))
    elif what == "noise":
        k.xy[:] = rng.uniform(0, 700, (23, 2))
    else:
        init = BodyParams(sure.params.betas, sure.params.pose, np.array([0.0, 0.0, 0.11]))
        result = FITTER.fit(k, landmarks, ROOM[0], init=init)
        is_a_body(result.params)
        assert result.rms_px < 10
        return
    result = FITTER.fit(k, None, ROOM[0])
    is_a_body(result.params)
    assert result.doubts
    assert result.joint_sigma_mm.mean() > 1.5 * sure.joint_sigma_mm.mean()


def test_a_keypoint_behind_one_of_the_cameras_does_not_end_the_fit() -> None:
    rng = np.random.default_rng(6)
    world = random_body(BODY, rng)
    seen = [seen_keypoints(BODY, world, c, rng, 2.0) for c in ROOM]
    turned = ROOM[2]
    away = type(turned)(turned.K, turned.width, turned.height, np.diag([-1.0, 1.0, -1.0]) @ turned.R,
                        np.diag([-1.0, 1.0, -1.0]) @ turned.t, turned.dist)  # fmt: skip
    result = FITTER.fit_views(seen, [*ROOM[:2], away])
    gap = np.linalg.norm(result.joints_3d - body_joints(BODY, world), axis=1)
    assert 1e3 * gap.mean() < 40
    assert np.isnan(result.residual_px[2]).all()


@pytest.mark.parametrize("broken", ["K", "t", "focal", "lens"])
def test_a_broken_calibration_is_said(broken: str) -> None:
    rng = np.random.default_rng(7)
    world = random_body(BODY, rng)
    seen = [seen_keypoints(BODY, world, c, rng, 2.0) for c in ROOM]
    c = ROOM[1]
    K, t, dist = c.K.copy(), c.t.copy(), c.dist
    if broken == "K":
        K[0, 0] = np.nan
    elif broken == "t":
        t[1] = np.inf
    elif broken == "focal":
        K[1, 1] = -5
    else:
        dist = np.ones(8)
    with pytest.raises(InputError, match=r"calibration|distortion"):
        FITTER.fit_views(seen, [ROOM[0], type(c)(K, c.width, c.height, c.R, t, dist), ROOM[2]])
