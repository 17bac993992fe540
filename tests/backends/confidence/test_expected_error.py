"""Expected errors: sites, their spread, the model file, and what comes out for good and bad evidence."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from backends.body import load_body, posed_keypoints
from backends.body.pose import posed_joints, posed_vertices
from backends.body.skeleton import JOINT_INDEX
from backends.confidence.expected import (
    N_SITES,
    SITE_INDEX,
    ErrorModel,
    Group,
    Sighting,
    expected_errors,
    keypoint_bounds,
    load_model,
    save_model,
    shipped_model,
    site_probability,
    summarise,
    unknown_error,
    vertex_errors,
    vertex_probability,
)
from backends.confidence.expected.features import FEATURE_NAMES, track_features
from backends.confidence.expected.gather import site_places
from backends.confidence.expected.spread import carry_to_vertices, scaled_spread, site_posterior
from backends.confidence.types import BodyConfidence, SiteErrors
from backends.errors import InputError, WeightsError
from backends.fitting.assess import assess
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Keypoints

from .reasons_track import CAMERA, body_at, sightings, the_fitter, the_sites


@lru_cache(maxsize=1)
def track() -> tuple[Sighting, ...]:
    """With a usual noise: no estimator ever was as exact as none, and nothing was learned about that."""
    return tuple(sightings(12, noise_px=2.0))


@lru_cache(maxsize=1)
def errors() -> tuple[BodyConfidence, ...]:
    return tuple(expected_errors(the_sites(), track()))


def of(confidence: BodyConfidence) -> SiteErrors:
    assert confidence.sites is not None
    return confidence.sites


def without(s: Sighting, *names: str) -> Sighting:
    """The sighting with keypoints that were hardly seen, judged again."""
    k = s.estimate.keypoints
    which = [INDEX[n] for n in names]
    score, visibility = k.score.copy(), k.visibility.copy()
    score[which], visibility[which] = 0.05, 1
    estimate = replace(s.estimate, keypoints=Keypoints(k.xy, score, visibility, k.source))
    result = assess(the_fitter(), s.result.params, estimate.keypoints, estimate.world, CAMERA)
    return replace(s, estimate=estimate, result=result)


# --- sites ----------------------------------------------------------------------------------


def test_every_share_adds_up_to_one() -> None:
    sites = the_sites()
    for shares in (sites.vertex_weight, sites.keypoint_weight, sites.joint_weight):
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-9)


def test_sites_lie_where_the_body_has_them() -> None:
    params = body_at(0.2)
    X = site_places(the_sites(), params)
    joints, points = posed_joints(load_body(), params), posed_keypoints(load_body(), params)
    np.testing.assert_allclose(X[:22], joints[:22], atol=1e-9)
    np.testing.assert_allclose(X[SITE_INDEX["nose"]], points[INDEX["nose"]], atol=1e-6)
    np.testing.assert_allclose(X[SITE_INDEX["left_toe"]], points[INDEX["left_big_toe"]], atol=1e-6)


def test_a_forearm_hangs_between_elbow_and_wrist() -> None:
    sites, body = the_sites(), load_body()
    elbow, wrist = JOINT_INDEX["left_elbow"], JOINT_INDEX["left_wrist"]
    middle = (body.J_template[elbow] + body.J_template[wrist]) / 2
    v = int(np.argmin(np.linalg.norm(body.v_template - middle, axis=1)))
    mine = dict(zip(sites.vertex_site[v].tolist(), sites.vertex_weight[v]))
    assert 0.3 < mine[elbow] < 0.7
    assert 0.3 < mine[wrist] < 0.7


def test_the_spread_of_joints_is_the_posterior_of_the_fit() -> None:
    result = track()[0].result
    _, together, deep = site_posterior(the_sites(), result)
    expected = np.trace(result.joint_covariance_mm2, axis1=1, axis2=2)
    np.testing.assert_allclose(np.diag(together)[:22], expected, rtol=1e-6)
    assert (deep <= np.diag(together) * (1 + 1e-9)).all()
    assert np.linalg.eigvalsh(together).min() > -1e-6 * together.max()


def test_vertices_err_as_the_sites_that_carry_them() -> None:
    sites = the_sites()
    site = np.linspace(20.0, 150.0, N_SITES)
    rigid = carry_to_vertices(sites, np.outer(site, site))
    shares = np.zeros((load_body().n_vertices, N_SITES))
    np.put_along_axis(shares, sites.vertex_site, sites.vertex_weight, axis=1)
    np.testing.assert_allclose(rigid, shares @ site, rtol=1e-5)
    loose = carry_to_vertices(sites, np.diag(site**2))
    assert (loose <= rigid + 1e-4).all()
    with pytest.raises(InputError):
        carry_to_vertices(sites, np.zeros((3, 3)))


def test_scaling_keeps_the_expected_errors_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(N_SITES, 40))
    mm = rng.uniform(10, 200, N_SITES)
    for together in (0.0, 0.4, 1.0):
        out = scaled_spread(a @ a.T, mm, together)
        np.testing.assert_allclose(np.sqrt(np.diag(out)), mm, rtol=1e-9)


# --- estimates ------------------------------------------------------------------------------


def test_figures_are_finite_positive_and_bounds_lie_above() -> None:
    for e in errors():
        for values, shape in ((of(e).mm, 27), (e.joint_mm, 55), (e.keypoint_mm, 23), (of(e).bound_mm, 27)):
            assert values.shape == (shape,)
            assert np.isfinite(values).all()
            assert (values > 0).all()
        assert (of(e).bound_mm > of(e).mm).all()
        np.testing.assert_allclose(e.joint_mm[:22], of(e).mm[:22], rtol=1e-4)
        np.testing.assert_allclose(e.mean_mm, of(e).mm[:22].mean(), rtol=1e-5)
        bounds = keypoint_bounds(the_sites(), e)
        assert (bounds > e.keypoint_mm).all()
        np.testing.assert_allclose(
            bounds[INDEX["left_wrist"]], of(e).bound_mm[SITE_INDEX["left_wrist"]], rtol=0.2
        )


def test_a_hidden_arm_is_believed_less_and_the_legs_are_not_touched_much() -> None:
    hidden = expected_errors(the_sites(), [without(s, "left_elbow", "left_wrist") for s in track()])
    wrist, knee = SITE_INDEX["left_wrist"], SITE_INDEX["right_knee"]
    before, after = errors()[6], hidden[6]
    assert of(after).mm[wrist] > 1.2 * of(before).mm[wrist]
    assert of(after).mm[wrist] / of(before).mm[wrist] > of(after).mm[knee] / of(before).mm[knee]
    assert of(after).row[wrist] % 3 == Group.HIDDEN
    assert of(before).row[wrist] % 3 == Group.SEEN


def test_vertices_of_a_hidden_arm_turn_red() -> None:
    hidden = expected_errors(the_sites(), [without(s, "left_elbow", "left_wrist") for s in track()])[6]
    body = load_body()
    hand = body.part_of_vertex == JOINT_INDEX["left_wrist"]
    before, after = vertex_errors(the_sites(), of(errors()[6])), vertex_errors(the_sites(), of(hidden))
    assert after.shape == (body.n_vertices,)
    assert np.isfinite(after).all()
    assert after[hand].mean() > 1.2 * before[hand].mean()
    near, far = (vertex_probability(the_sites(), of(e), 50.0)[hand].mean() for e in (errors()[6], hidden))
    assert 0.0 <= far < near <= 1.0


def test_probabilities_rise_with_the_tolerance_and_meet_the_bound() -> None:
    e = errors()[3]
    grid = [site_probability(of(e), mm) for mm in (5.0, 20.0, 50.0, 100.0, 500.0)]
    assert (np.diff(grid, axis=0) >= 0).all()
    assert (grid[-1] > 0.9).all()
    at_bound = np.array([site_probability(of(e), float(b))[i] for i, b in enumerate(of(e).bound_mm)])
    np.testing.assert_allclose(at_bound, 0.9, atol=0.01)


def test_one_frame_alone_is_judged_too() -> None:
    (e,) = expected_errors(the_sites(), track()[:1])
    assert np.isfinite(of(e).mm).all()
    assert 1.0 < e.mean_mm < 500.0


def test_windows_of_a_track_say_the_same_as_the_whole() -> None:
    span = (track()[0].time, track()[-1].time)
    # The median time between frames and the movement need neighbours: the middle of the window has all.
    part = expected_errors(the_sites(), track()[1:12], span=span)
    np.testing.assert_allclose(of(part[9]).mm, of(errors()[10]).mm, rtol=0.05)


def test_without_world_landmarks_mask_and_neighbours() -> None:
    bare = [replace(s, estimate=replace(s.estimate, world=None, mask=None)) for s in track()]
    assert all(np.isfinite(of(e).mm).all() for e in expected_errors(the_sites(), bare))


def test_depth_and_other_people_are_taken_in() -> None:
    s = track()[5]
    z = 1e3 * posed_keypoints(load_body(), s.result.params)[:, 2]
    depth = z.copy()
    depth[0] = 0.0
    other = np.array([[0, 0, 960, 540]], np.float32)
    features, _ = track_features(the_sites(), [replace(s, depth_mm=depth, others=other)])
    assert np.abs(features[0, 7, FEATURE_NAMES.index("depth")]) < 1e-3
    assert (features[0, :, FEATURE_NAMES.index("covered")] == 1.0).all()
    plain, _ = track_features(the_sites(), [s])
    assert np.isnan(plain[0, :, FEATURE_NAMES.index("depth")]).all()


def test_a_person_of_whom_nothing_is_known_is_not_to_be_believed() -> None:
    e = unknown_error()
    assert (of(e).mm == 500.0).all()
    assert e.mean_mm == 500.0
    assert (vertex_errors(the_sites(), of(e)) > 400.0).all()
    assert (site_probability(of(e), 50.0) < 0.05).all()


def test_broken_input_is_refused() -> None:
    s = track()[0]
    with pytest.raises(InputError, match="without frames"):
        expected_errors(the_sites(), [])
    with pytest.raises(InputError, match="rise"):
        expected_errors(the_sites(), [s, s])
    with pytest.raises(InputError, match="finite times"):
        expected_errors(the_sites(), [replace(s, time=np.nan)])
    with pytest.raises(InputError, match="Depths"):
        expected_errors(the_sites(), [replace(s, depth_mm=np.zeros(4))])
    with pytest.raises(InputError, match="boxes"):
        expected_errors(the_sites(), [replace(s, others=np.zeros((2, 3), np.float32))])
    with pytest.raises(InputError, match="World"):
        expected_errors(
            the_sites(), [replace(s, estimate=replace(s.estimate, world=np.zeros((5, 3), np.float32)))]
        )
    with pytest.raises(InputError, match="positive"):
        site_probability(of(errors()[0]), 0.0)


def test_scores_that_are_not_numbers_count_as_none() -> None:
    s = track()[0]
    k = s.estimate.keypoints
    broken = replace(
        s, estimate=replace(s.estimate, keypoints=Keypoints(k.xy, k.score * np.nan, k.visibility, k.source))
    )
    (e,) = expected_errors(the_sites(), [broken])
    assert np.isfinite(of(e).mm).all()


# --- the file -------------------------------------------------------------------------------


def arrays_of(model: ErrorModel, path: Path) -> dict[str, np.ndarray]:
    save_model(model, path)
    with np.load(path, allow_pickle=False) as stored:
        return {n: stored[n] for n in stored.files}


def test_a_model_comes_back_as_it_was(tmp_path: Path) -> None:
    model = shipped_model()
    save_model(model, tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    for f in fields(ErrorModel):
        np.testing.assert_array_equal(getattr(model, f.name), getattr(again, f.name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", np.array(99)), ("features", np.array(["x"])), ("w1", np.zeros((1, 2, 3), np.float32)),
        ("b3", np.full((5, 2), np.nan, np.float32)), ("width", None), ("table", "falling"),
    ],
)  # fmt: skip
def test_damaged_models_are_refused(tmp_path: Path, name: str, value: object) -> None:
    arrays = arrays_of(shipped_model(), tmp_path / "m.npz")
    if value is None:
        del arrays[name]
    elif isinstance(value, str):
        arrays[name] = arrays[name][:, ::-1]
    else:
        arrays[name] = np.asarray(value)
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(WeightsError, match=r"bad\.npz"):
        load_model(tmp_path / "bad.npz")


def test_a_model_with_code_in_it_is_refused_unread(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    (tmp_path / "code.npz").write_bytes(pickle.dumps(Bomb()))
    arrays = arrays_of(shipped_model(), tmp_path / "m.npz")
    arrays["middle"] = np.array([Bomb()], dtype=object)
    np.savez(tmp_path / "object.npz", **arrays)
    for name in ("code.npz", "object.npz", "missing.npz"):
        with pytest.raises(WeightsError):
            load_model(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_other_numbers_of_features_are_refused() -> None:
    with pytest.raises(InputError, match="features"):
        shipped_model().centre_and_scale(np.zeros((3, 4), np.float32))


# --- the summary ----------------------------------------------------------------------------


def test_a_summary_of_errors_that_are_as_expected() -> None:
    rng = np.random.default_rng(0)
    expected = rng.uniform(10, 200, 4000)
    error = expected * rng.exponential(1.0, 4000)
    within = 1.0 - np.exp(-50.0 / expected)
    bounds = np.stack([-np.log(1 - q) * expected for q in (0.5, 0.9)])
    s = summarise(
        expected, error_mm=error, probability=within, bounds_mm=bounds, levels=(0.5, 0.9), tolerance_mm=50.0
    )
    assert s.histogram.sum() == s.n == 4000
    assert s.ece < 0.03
    np.testing.assert_allclose(s.held, (0.5, 0.9), atol=0.03)
    assert s.risk_at[0] < s.risk_at[1] < s.risk_at[2]
    assert len(s.coverage) == len(s.risk_mm)
    assert s.coverage[-1] == 1.0


def test_a_summary_without_a_truth_has_no_calibration() -> None:
    s = summarise([10.0, 60.0, 400.0])
    assert s.histogram.sum() == 3
    assert np.isnan(s.ece)
    assert not len(s.held)
    with pytest.raises(InputError):
        summarise([])
    with pytest.raises(InputError):
        summarise([1.0, 2.0], error_mm=[1.0])
    with pytest.raises(InputError):
        summarise([1.0], error_mm=[1.0], bounds_mm=[[1.0]], levels=(0.5, 0.9))


def test_posed_vertices_and_sites_share_their_coordinates() -> None:
    params = body_at(0.0)
    v = posed_vertices(load_body(), params)
    X = site_places(the_sites(), params)
    assert np.linalg.norm(v[:, None] - X[None, :22], axis=2).min(axis=0).max() < 0.2
