"""Input that no body can explain: a stated doubt or a clear error, never NaN, never a monster.

Thousands of tries, the same ones each time, several to an example and on both cores, since a fit leaves
Python's lock alone mostly. ``UNDERSTUDY_FUZZ=10`` makes ten times as many, other ones each time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backends.body import BodyParams, load_body, posed_joints, posed_keypoints
from backends.camera import Camera, assumed_camera
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
AT_ONCE = 20
"""Tries in an example of hypothesis."""
wild = settings(
    deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck), database=None,
    derandomize=MORE == 1,
)  # fmt: skip
POOL = ThreadPoolExecutor(2)
TRIED: Counter[str] = Counter()
seeds = st.integers(0, 2**32 - 1)
KINDS = (
    "spoiled", "scattered", "line", "few", "unsure", "nan", "tiny", "huge", "mirrored", "by hand", "folded",
)  # fmt: skip


def each(mode: str, seed: int, attempt: Callable[[np.random.Generator], None], n: int = AT_ONCE) -> None:
    """``attempt`` with ``n`` generators that follow from ``seed``; what fails says which one it was."""

    def one(i: int) -> None:
        try:
            attempt(np.random.default_rng([seed, i]))
        except Exception as error:
            error.add_note(f"{mode}: np.random.default_rng([{seed}, {i}])")
            raise

    list(POOL.map(one, range(n)))
    TRIED[mode] += n


def anything(rng: np.random.Generator) -> Keypoints:
    """Numbers that mean nothing, and values that are none."""
    xy = rng.uniform(-3000, 4000, (23, 2)) * rng.choice([1.0, 1.0, 1e-3, 0.0])
    odd = rng.random((23, 2)) < rng.choice([0.0, 0.1, 0.6])
    xy[odd] = rng.choice([np.nan, np.inf, -np.inf, 1e30, 0.0], int(odd.sum()))
    score = rng.uniform(0, 1, 23)
    strange_score = rng.random(23) < 0.2
    score[strange_score] = rng.choice([np.nan, np.inf, -1.0, 0.0, 7.0], int(strange_score.sum()))
    return Keypoints(
        xy.astype(np.float32), score.astype(np.float32), rng.integers(0, 3, 23).astype(np.uint8),
        (rng.random(23) < rng.choice([0.0, 0.5])).astype(np.uint8),
    )  # fmt: skip


def absurd(camera: Camera, rng: np.random.Generator) -> Camera:
    """A camera that nobody has: focal lengths from nothing to a telescope's, lenses that fold the picture."""
    wide, high = rng.choice([1e-4, 0.02, 1.0, 40.0, 1e5]), rng.choice([1.0, 1.0, 1e-3])
    K = camera.K * np.array([[wide], [high], [1.0]])
    K[:2, 2] = camera.K[:2, 2] + rng.normal(0, 1, 2) * rng.choice([0.0, 1e4])
    dist = rng.normal(0, 1, 5) * rng.choice([0.0, 0.3, 30.0])
    return Camera(K, camera.width, camera.height, camera.R, camera.t, dist)


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


def is_sound(covariance: np.ndarray) -> None:
    assert np.isfinite(covariance).all()
    assert np.linalg.eigvalsh(covariance).min() > -1e-6 * np.abs(covariance).max()


def is_said_how_sure(result: FitResult) -> None:
    """Where the body does not meet the keypoints, that is said; nothing is ever NaN."""
    is_a_body(result.params)
    assert np.isfinite(result.cost)
    is_sound(result.joint_covariance_mm2)
    is_sound(result.keypoint_covariance_mm2)
    near = np.sqrt(np.nanmedian((result.residual_px / result.sigma_px) ** 2))
    assert result.doubts or near < 10


@settings(wild, max_examples=20 * MORE)
@given(seeds)
def test_anything_at_all_in_one_view(seed: int) -> None:
    def attempt(rng: np.random.Generator) -> None:
        world = rng.normal(0, 0.5, (23, 3)).astype(np.float32) if rng.random() < 0.8 else None
        with suppress(NotEnoughKeypoints):
            is_said_how_sure(FITTER.fit(anything(rng), world, CAMERA))

    each("one view, anything", seed, attempt)


def start_for(word: str, rng: np.random.Generator) -> BodyParams | None:
    """A start that has nothing to do with the picture ("warm"), or whose limbs lie behind the camera."""
    if word not in ("warm", "near"):
        return None
    init = to_camera(BODY, random_body(BODY, rng), ROOM[1])
    near = np.array([0.0, 0.0, rng.uniform(0.1, 0.3)])
    return init if word == "warm" else BodyParams(init.betas, init.pose, near)


@settings(wild, max_examples=44 * MORE)
@given(st.sampled_from(KINDS), seeds)
def test_strange_people_in_one_view(kind: str, seed: int) -> None:
    def attempt(rng: np.random.Generator) -> None:
        kp, world = strange(kind, rng)
        word = rng.choice(["world", "warm", "near", "alone"], p=[0.4, 0.25, 0.2, 0.15])
        init = start_for(word, rng)
        with suppress(NotEnoughKeypoints):
            is_said_how_sure(
                FITTER.fit(kp, None if word == "alone" else world, CAMERA, init=init, temporal=init)
            )

    each("one view, strange", seed, attempt)


@settings(wild, max_examples=14 * MORE)
@given(seeds)
def test_absurd_cameras(seed: int) -> None:
    def attempt(rng: np.random.Generator) -> None:
        kp, world = strange(KINDS[int(rng.integers(len(KINDS)))], rng)
        init = start_for(str(rng.choice(["world", "near"])), rng)
        with suppress(NotEnoughKeypoints):
            is_said_how_sure(FITTER.fit(kp, world, absurd(CAMERA, rng), init=init))

    each("one view, absurd cameras", seed, attempt)


@settings(wild, max_examples=16 * MORE)
@given(seeds)
def test_several_views(seed: int) -> None:
    def attempt(rng: np.random.Generator) -> None:
        world = random_body(BODY, rng)
        seen = [seen_keypoints(BODY, world, c, rng, 2.0) for c in ROOM]
        room = list(ROOM)
        for v in range(3):
            if rng.random() < 0.6:
                seen[v] = strange(KINDS[int(rng.integers(len(KINDS)))], rng)[0]
            if rng.random() < 0.15:  # it looks the other way, or through another lens than is believed
                c, turn = room[v], np.diag([-1.0, 1.0, -1.0])
                away = Camera(c.K, c.width, c.height, turn @ c.R, turn @ c.t, c.dist)
                room[v] = away if rng.random() < 0.5 else absurd(c, rng)
        init = world if rng.random() < 0.2 else None
        with suppress(NotEnoughKeypoints):
            result = FITTER.fit_views(seen, room, init=init)
            is_a_body(result.params)
            assert np.isfinite(result.cost)
            is_sound(result.joint_covariance_mm2)

    each("several views", seed, attempt)


@settings(wild, max_examples=25 * MORE)
@given(seeds)
def test_batches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [strange(KINDS[int(rng.integers(len(KINDS)))], rng) for _ in range(60)]
    camera = CAMERA if rng.random() < 0.7 else absurd(CAMERA, rng)
    batch = fit_many(
        FITTER, np.stack([k.xy for k, _ in people]), np.stack([k.score for k, _ in people]),
        np.stack([w for _, w in people]), camera,
    )  # fmt: skip
    for i in range(len(people)):
        is_a_body(BodyParams(batch.betas[i], np.concatenate([batch.pose[i], FITTER.hands]), batch.transl[i]))
    assert (np.isfinite(batch.rms_px) == batch.fitted).all()
    TRIED["batch"] += len(people)


@settings(wild, max_examples=8 * MORE)
@given(seeds)
def test_clips(seed: int) -> None:
    def attempt(rng: np.random.Generator) -> None:
        observed = []
        for _ in range(int(rng.integers(4, 10))):
            kind = None if rng.random() < 0.15 else KINDS[int(rng.integers(len(KINDS)))]
            seen, world = strange(kind, rng) if kind else (None, None)
            observed.append(Observation((seen,), world if rng.random() < 0.7 else None))
        camera = CAMERA if rng.random() < 0.8 else absurd(CAMERA, rng)
        fps = float(rng.choice([25.0, 25.0, 0.1, 1000.0]))
        with suppress(NotEnoughKeypoints):
            clip = fit_clip(FITTER, observed, [camera], fps=fps, settings=ClipSettings(iterations=6))
            for params in clip.params:
                is_a_body(params)

    each("clip", seed, attempt, 8)


@settings(wild, max_examples=8 * MORE)
@given(seeds)
def test_contradictory_corrections(seed: int) -> None:
    def attempt(rng: np.random.Generator) -> None:
        motion = random_motion(BODY, rng, 6)
        seen = [seen_keypoints(BODY, p, ROOM[0], rng, 2.0) for p in motion.params]
        bodies: list[BodyParams | None] = [to_camera(BODY, p, ROOM[0]) for p in motion.params]
        at = int(rng.integers(6))
        k = seen[at]
        for i in rng.permutation(23)[: rng.integers(1, 13)]:
            k = k.moved(int(i), tuple(rng.uniform(-500, 2000, 2)))
        seen[at] = k
        single = FITTER.fit(k, None, ROOM[0], init=bodies[at])
        is_said_how_sure(single)
        corrected = at if rng.random() < 0.5 else (at + 2) % 6
        bodies[corrected] = single.params
        observed = [Observation((s,)) for s in seen]
        result = propagate(FITTER, observed, [ROOM[0]], bodies, [corrected], 0, 5, fps=25.0)
        assert result.params[corrected] is bodies[corrected]
        for params in result.params:
            is_a_body(params)

    each("corrected, carried along", seed, attempt, 8)


def test_thousands_were_tried() -> None:
    """Runs after the others of this file; a part of them alone says nothing."""
    if len(TRIED) < 7:
        pytest.skip("only some of the modes were run")
    assert sum(TRIED.values()) >= 3000
    print(", ".join(f"{mode}: {n}" for mode, n in TRIED.items()))


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
