"""Bodies that come one at a time are calmed, and quick movement is not held back."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import BodyParams, load_body
from backends.errors import InputError
from backends.fitting import LiveFilter
from backends.fitting.trial import body_joints, random_body, random_motion, ring_of_cameras, to_camera

BODY = load_body()
CAMERA = ring_of_cameras(4)[0]
FPS = 25.0


def noisy(params: BodyParams, rng: np.random.Generator) -> BodyParams:
    pose = params.pose + rng.normal(0, 0.03, params.pose.shape)
    return BodyParams(
        params.betas + rng.normal(0, 0.3, params.betas.shape), pose,
        params.transl + rng.normal(0, 1, 3) * [0.004, 0.004, 0.05],
    )  # fmt: skip


def played(bodies: list[BodyParams]) -> list[BodyParams]:
    live = LiveFilter()
    return [live.step(b, i / FPS) for i, b in enumerate(bodies)]


def joints(bodies: list[BodyParams]) -> np.ndarray:
    found = np.stack([body_joints(BODY, b) for b in bodies])
    return found - found[:, :1]


def shake(x: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(x, n=2, axis=0), axis=2).mean())


def test_somebody_at_rest_stops_trembling() -> None:
    rng = np.random.default_rng(0)
    still = to_camera(BODY, random_body(BODY, rng), CAMERA)
    raw = [noisy(still, rng) for _ in range(50)]
    calm = played(raw)
    assert shake(joints(calm)) < 0.35 * shake(joints(raw))
    depth = np.array([[b.transl[2] for b in bodies] for bodies in (raw, calm)])
    assert np.abs(np.diff(depth[1])).mean() < 0.35 * np.abs(np.diff(depth[0])).mean()
    shape = np.array([[b.betas for b in bodies] for bodies in (raw, calm)])
    assert np.abs(np.diff(shape[1], axis=0)).mean() < 0.1 * np.abs(np.diff(shape[0], axis=0)).mean()


def test_people_who_move_are_shaken_less_and_not_much_late() -> None:
    rng = np.random.default_rng(1)
    true = [to_camera(BODY, p, CAMERA) for p in random_motion(BODY, rng, 75, FPS).params]
    raw = [noisy(p, rng) for p in true]
    goal, before, after = joints(true), joints(raw), joints(played(raw))
    assert shake(after - goal) < 0.6 * shake(before - goal)
    wrong = [np.linalg.norm(x - goal, axis=2).mean() for x in (before, after)]
    assert wrong[1] < 1.6 * wrong[0]


def test_turning_through_half_a_turn_goes_the_short_way() -> None:
    body = to_camera(BODY, random_body(BODY, np.random.default_rng(2)), CAMERA)
    bodies = []
    for angle in np.linspace(2.8, 3.5, 15):
        pose = body.pose.copy()
        wrapped = angle if angle <= np.pi else angle - 2 * np.pi
        pose[0] = [0.0, wrapped, 0.0]
        bodies.append(BodyParams(body.betas, pose, body.transl))
    found = [b.pose[0, 1] % (2 * np.pi) for b in played(bodies)]
    assert np.all(np.diff(found) >= 0)
    assert min(found) >= 2.8
    assert max(found) <= 3.5


def test_it_begins_anew_after_a_gap_and_when_told() -> None:
    rng = np.random.default_rng(3)
    a, b = (to_camera(BODY, random_body(BODY, rng), CAMERA) for _ in range(2))
    live = LiveFilter()
    assert live.step(a, 0.0) is a
    assert live.step(b, 0.04) is not b
    assert live.step(b, 1.0) is b
    live.step(a, 1.04)
    live.reset()
    assert live.step(b, 0.0) is b


def test_what_is_no_body_is_refused() -> None:
    a = to_camera(BODY, random_body(BODY, np.random.default_rng(4)), CAMERA)
    live = LiveFilter()
    live.step(a, 1.0)
    with pytest.raises(InputError, match="growing"):
        live.step(a, 1.0)
    with pytest.raises(InputError, match="finite"):
        live.step(a, np.nan)
    with pytest.raises(InputError, match="finite"):
        live.step(BodyParams(a.betas, a.pose, a.transl * np.nan), 1.1)
    with pytest.raises(InputError, match="joints"):
        live.step(BodyParams(a.betas, a.pose[:22], a.transl), 1.1)
    assert live.step(a, 1.2) is not None
