"""Many people at once: threads and torch against one fit after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backends.body import BodyParams, load_body
from backends.errors import InputError
from backends.fitting import BodyFitter, fit_many
from backends.fitting.assemble import evaluate
from backends.fitting.evidence import gather, weigh, weigh_bones
from backends.fitting.torch_lm import TorchFitter
from backends.fitting.torch_terms import Terms
from backends.fitting.trial import (
    body_joints,
    random_body,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
)

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERA = ring_of_cameras(4)[0]


def crowd(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, list]:
    rng = np.random.default_rng(seed)
    xy, score, world, single = [], [], [], []
    for _ in range(n):
        params = random_body(BODY, rng)
        k = seen_keypoints(BODY, params, CAMERA, rng, 2.0)
        w = seen_world(BODY, params, CAMERA, rng)
        xy.append(np.where(k.visibility[:, None] > 0, k.xy, np.nan))
        score.append(k.score)
        world.append(w)
        single.append((k, w))
    return np.stack(xy), np.stack(score), np.stack(world), single


def joints(pose: np.ndarray, transl: np.ndarray, betas: np.ndarray) -> np.ndarray:
    full = np.concatenate([pose, FITTER.hands])
    return body_joints(BODY, BodyParams(betas, full, transl))


def test_threads_give_what_single_fits_give() -> None:
    xy, score, world, single = crowd(20)
    batch = fit_many(FITTER, xy, score, world, CAMERA)
    assert batch.fitted.all()
    for i, (k, w) in enumerate(single):
        one = FITTER.fit(k, w, CAMERA)
        np.testing.assert_allclose(batch.pose[i], one.params.pose[:22], atol=1e-9)
        np.testing.assert_allclose(batch.betas[i], one.params.betas, atol=1e-9)
        assert batch.rms_px[i] == pytest.approx(one.rms_px, rel=1e-5)
        assert batch.cost[i] == pytest.approx(one.cost, rel=1e-9)


GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@pytest.mark.parametrize(
    ("device", "dtype"),
    [
        ("cpu", torch.float32), ("cpu", torch.float64), pytest.param("cuda", torch.float32, marks=GPU),
    ],
)  # fmt: skip
def test_torch_agrees_within_a_millimetre(device: str, dtype: torch.dtype) -> None:
    xy, score, world, _ = crowd(24, seed=1)
    a = fit_many(FITTER, xy, score, world, CAMERA)
    b = TorchFitter(FITTER, device=device, dtype=dtype).fit_many(xy, score, world, CAMERA)
    assert b.fitted.all()
    relative = []
    for i in range(24):
        gap = joints(a.pose[i], a.transl[i], a.betas[i]) - joints(b.pose[i], b.transl[i], b.betas[i])
        # Along the line of sight the place is known to centimetres only: about the pelvis, then.
        relative.append(1e3 * np.linalg.norm(gap - gap[0], axis=1))
    assert np.median(relative) < 0.2
    assert np.mean([r.max() < 1.0 for r in relative]) > 0.95
    np.testing.assert_allclose(b.cost, a.cost, rtol=1e-3)


def test_torch_has_the_same_terms_and_derivatives() -> None:
    """Three views with lens distortion, depths, places in space and bones, out of and within the bounds."""
    rng = np.random.default_rng(5)
    room = ring_of_cameras(3)
    n = 69 + FITTER.body.n_betas
    known, x = [], []
    for _ in range(4):
        truth = random_body(BODY, rng)
        views = [weigh(seen_keypoints(BODY, truth, c, rng, 6.0), FITTER.settings) for c in room]
        bones = weigh_bones(views[0], seen_world(BODY, truth, room[0], rng), room[0], FITTER.settings)
        depth, points = rng.uniform(2, 4, (3, 23)), rng.normal(0, 1, (45, 3))
        known.append(
            gather(
                views, room, own_axes=False, bones=bones, bone_cut=2.0, points=points,
                points_sigma=np.where(rng.random(45) < 0.4, 0.3, np.inf), points_cut=3.0, depth=depth,
                depth_sigma=np.where(rng.random((3, 23)) < 0.5, 0.4, np.inf), depth_cut=2.0,
            )
        )  # fmt: skip
        x.append(FITTER.pack(truth, 10) + rng.normal(0, 0.1, n))
    names = "xy sigma cuts depth depth_sigma points points_sigma target frame bone_weight"
    stack = {name: np.stack([getattr(k, name) for k in known]) for name in names.split()}
    many = TorchFitter(FITTER, device="cpu", dtype=torch.float64)
    prior = FITTER.prior_for(10)
    together = known[0]._replace(**stack)
    terms = Terms(many._whole, many._evidence(together), prior, many._tensor)
    costs, H, g = terms.normal_equations(torch.as_tensor(np.stack(x)), 1.0)
    for i, (one, at) in enumerate(zip(known, x)):
        X, dX, own_H, own_g = np.empty((45, 3)), np.empty((45, 3, n)), np.zeros((n, n)), np.zeros(n)
        cost = evaluate(at, np.zeros(10), 10, FITTER.arrays, one, prior, X, dX, own_H, own_g, True)
        assert float(costs[i]) == pytest.approx(cost, rel=1e-9)
        np.testing.assert_allclose(g[i].numpy(), own_g, rtol=1e-7, atol=1e-6)
        np.testing.assert_allclose(np.tril(H[i].numpy()), np.tril(own_H), rtol=1e-7, atol=1e-6)
    found, ends = many.descend(together, np.stack(x), in_front=False)
    for i, (one, at) in enumerate(zip(known, x)):
        _, cost, _ = FITTER.descend(at, np.zeros(10), 10, one, prior, 40, in_front=False)
        assert ends[i] == pytest.approx(cost, rel=0.02)
    assert found.shape == (4, n)


def test_people_without_enough_keypoints_are_left_out_of_a_batch() -> None:
    xy, score, world, _ = crowd(6, seed=2)
    xy[1, 4:] = np.nan
    score[2] = 0
    xy[3] = 7.0
    world[4] = np.nan
    for batch in (
        fit_many(FITTER, xy, score, world, CAMERA),
        TorchFitter(FITTER, device="cpu").fit_many(xy, score, world, CAMERA),
    ):
        assert batch.fitted.tolist() == [True, False, False, False, True, True]
        assert np.isfinite(batch.pose).all()
        assert np.isfinite(batch.transl).all()
        assert np.isnan(batch.rms_px[1:4]).all()
        assert np.isinf(batch.cost[1:4]).all()


def test_wrong_shapes_are_refused() -> None:
    xy, score, world, _ = crowd(2)
    with pytest.raises(InputError, match="batch"):
        fit_many(FITTER, xy, score, world[:1], CAMERA)
    with pytest.raises(InputError, match="batch"):
        TorchFitter(FITTER, device="cpu").fit_many(xy[:, :5], score, world, CAMERA)
    nobody = fit_many(FITTER, xy[:0], score[:0], world[:0], CAMERA)
    assert len(nobody.pose) == 0
