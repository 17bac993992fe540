"""Bodies that users bring: fitted by the same solver, in one view, as a clip, in several views."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from backends.body import BodyParams, load_body, posed_joints, posed_keypoints, posed_vertices
from backends.body.landmarks import landmark_regressor
from backends.body.skeleton import JOINT_INDEX, joint_limits
from backends.confidence.expected import make_sites
from backends.errors import WeightsError
from backends.fitting import BodyFitter, Observation, fit_clip, fit_many, propagate
from backends.fitting.hands import HandBender
from backends.fitting.problem import resting_hands
from backends.fitting.trial import (
    body_joints,
    random_body,
    random_motion,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
    to_camera,
)
from backends.keypoints.layout import INDEX, KEYPOINT_NAMES
from backends.metrics.pose3d import procrustes_errors_mm

_spec = importlib.util.spec_from_file_location(
    "like_smpl", Path(__file__).parents[1] / "body" / "like_smpl.py"
)
assert _spec is not None
assert _spec.loader is not None
like_smpl = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(like_smpl)

FREE = load_body()
ROOM = ring_of_cameras(4)


@pytest.fixture(scope="module", params=["smpl", "smplh", "smplx"])
def fitter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BodyFitter:
    path = tmp_path_factory.mktemp("any") / f"{request.param}.npz"
    return BodyFitter(like_smpl.smpl_like(path, request.param, own_mesh=True))


def test_keypoints_lie_where_they_do_on_the_body_that_they_were_learned_on(fitter: BodyFitter) -> None:
    """The made body is the shipped one with longer legs, so face and feet can be compared."""
    found = fitter.body.keypoint_regressor @ fitter.body.v_template
    true = FREE.keypoint_regressor @ FREE.v_template
    hips = FREE.J_template[JOINT_INDEX["left_hip"], 1]
    true[:, 1] = np.where(true[:, 1] < hips, hips + 1.06 * (true[:, 1] - hips), true[:, 1])
    true[:, 0] *= 1.05
    for k, name in enumerate(KEYPOINT_NAMES):
        if name not in JOINT_INDEX:
            assert np.linalg.norm(found[k] - true[k]) < 0.03, name


def test_one_picture_and_many_cameras(fitter: BodyFitter) -> None:
    body, rng = fitter.body, np.random.default_rng(3)
    one, several = [], []
    for _ in range(6):
        truth = random_body(body, rng)
        keypoints = seen_keypoints(body, truth, ROOM[0], rng, 1.0)
        result = fitter.fit(keypoints, seen_world(body, truth, ROOM[0], rng), ROOM[0])
        true = posed_joints(body, to_camera(body, truth, ROOM[0]))[:22]
        one.append(procrustes_errors_mm(posed_joints(body, result.params)[:22], true).mean())
        assert result.params.betas.shape == (10,)
        views = fitter.fit_views([seen_keypoints(body, truth, c, rng, 2.0) for c in ROOM], ROOM)
        several.append(1e3 * np.linalg.norm(views.joints_3d - body_joints(body, truth), axis=1).mean())
    assert np.mean(one) < 35
    assert np.mean(several) < 12


def test_batches_clips_and_carried_corrections(fitter: BodyFitter) -> None:
    body, rng = fitter.body, np.random.default_rng(4)
    motion = random_motion(body, rng, 8)
    true = [to_camera(body, p, ROOM[0]) for p in motion.params]
    seen = [seen_keypoints(body, p, ROOM[0], rng, 1.5) for p in motion.params]
    world = [seen_world(body, p, ROOM[0], rng) for p in motion.params]
    many = fit_many(
        fitter, np.stack([s.xy for s in seen]), np.stack([s.score for s in seen]), np.stack(world), ROOM[0]
    )
    assert many.fitted.all()
    assert np.median(many.rms_px) < 3
    clip = fit_clip(
        fitter, [Observation((s,), w) for s, w in zip(seen, world)], [ROOM[0]], fps=25.0,
    )  # fmt: skip
    joints = [posed_joints(body, t)[:22] for t in true]
    errors = [procrustes_errors_mm(a, b).mean() for a, b in zip(clip.joints, joints)]
    assert np.mean(errors) < 35
    carried = propagate(
        fitter, [Observation((s,), w) for s, w in zip(seen, world)], [ROOM[0]], list(clip.params), [3], 0, 7,
        fps=25.0,
    )  # fmt: skip
    assert carried.params[3] is clip.params[3]


def test_limits_and_prior_go_by_the_names_of_joints(fitter: BodyFitter) -> None:
    assert np.array_equal(fitter.body.joint_limits, joint_limits())
    assert np.array_equal(fitter.prior.mean, BodyFitter(FREE).prior.mean)
    assert np.allclose(fitter.prior.hinge_lower, BodyFitter(FREE).prior.hinge_lower, atol=0.15)
    weights = make_sites(fitter.body).vertex_weight
    assert np.allclose(weights.sum(axis=1), 1.0)


def test_fingers_follow_hand_points_where_the_body_has_fingers(fitter: BodyFitter) -> None:
    body = fitter.body
    bender = HandBender(body)
    assert bender.has_hands == (body.name != "SMPL")
    if not bender.has_hands:
        return
    pose = np.zeros((55, 3))
    pose[22:] = resting_hands()
    flat = BodyParams(np.zeros(10), np.zeros((55, 3)), np.zeros(3))
    curled = BodyParams(np.zeros(10), pose, np.zeros(3))
    wanted = {side: bender.points(curled, side) for side in ("left", "right")}
    bent = bender.bend_to_points(flat, wanted["left"], wanted["right"])
    for side, points in wanted.items():
        before = np.linalg.norm(bender.points(flat, side) - points, axis=1)
        after = np.linalg.norm(bender.points(bent, side) - points, axis=1)
        assert 1e3 * after.mean() < 8
        assert after.mean() < 0.4 * before.mean()


def test_a_mesh_without_feet_is_said() -> None:
    part = np.where(np.isin(FREE.part_of_vertex, [7, 8, 10, 11]), 0, FREE.part_of_vertex)
    nothing = sparse.csr_matrix((55, FREE.n_vertices))
    with pytest.raises(WeightsError, match="left ankle"):
        landmark_regressor("made.npz", FREE.v_template, part, nothing)


@pytest.mark.parametrize("spoil", ["no shapes", "other joints", "nan"])
def test_files_that_are_no_bodies(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "made.npz"
    like_smpl.smpl_like(path, "smpl", own_mesh=True)
    with np.load(path) as data:
        arrays = dict(data)
    if spoil == "no shapes":
        arrays["shapedirs"] = arrays["shapedirs"][:, :, :0]
    elif spoil == "other joints":
        arrays["weights"] = arrays["weights"][:, :20]
    else:
        arrays["v_template"][3] = np.nan
    np.savez(path, **arrays)
    with pytest.raises(WeightsError, match=r"made\.npz"):
        load_body(path)


def test_posed_keypoints_are_the_meshs_own(fitter: BodyFitter) -> None:
    """What the fit believes of a keypoint is where the drawn mesh has it, but for the corrections by pose."""
    rng = np.random.default_rng(5)
    params = random_body(fitter.body, rng)
    drawn = fitter.body.keypoint_regressor @ posed_vertices(fitter.body, params)
    gap = np.linalg.norm(drawn - posed_keypoints(fitter.body, params), axis=1)
    assert gap[INDEX["nose"]] < 0.03
    assert np.median(gap) < 0.02
