"""The recipe, the stored evidence, the training and its scores, on small and made-up data."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.train_confidence import train_confidence
from app.train.alarms import EVERY, Alarm, Alarms, alarm_rows, alarms_of
from app.train.alignment import similarity
from app.train.dataset import read_split
from app.train.evaluate import Evaluation, as_plain, as_text, evaluate_model
from app.train.evidence import Collector, Evidence, EvidenceError, depth_at, load_evidence, save_evidence
from app.train.fits import fit_evidence, load_fits, save_fits
from app.train.generate import evidence_path, make_evidence
from app.train.network import TrainSettings
from app.train.recipe import (
    CALIBRATE,
    SPLITS,
    TEST,
    TRAIN,
    RecipeError,
    SceneRecipe,
    open_recipe,
    scene_recipe,
)
from app.train.samples import (
    OCCLUDED,
    TRUNCATED,
    VERTEX_STRIDE,
    Samples,
    joined,
    match_people,
    true_errors,
)
from app.train.train import TrainingError, calibrated_alone, train_model
from app.train.variants import ALONE, CORRECTED, DRAGGED, RUN
from backends.body import BodyParams, load_body, posed_joints, posed_keypoints
from backends.camera import assumed_camera
from backends.confidence.expected import N_SITES, Sites, load_model, make_sites
from backends.confidence.expected.features import FEATURE_NAMES, N_FEATURES
from backends.confidence.expected.model import N_ROWS, table_rows
from backends.confidence.expected.sites import KIND_OF_SITE
from backends.errors import InputError, WeightsError
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import encode_mask
from backends.synthetic import CameraFrame, PersonTruth, SceneFrame
from backends.tracking.types import TrackDecisions, TrackedPose

CAMERA = assumed_camera(480, 270)
FRAMES = 8


@lru_cache(maxsize=1)
def the_sites() -> Sites:
    return make_sites(load_body())


def person_at(t: int, who: int) -> BodyParams:
    pose = np.zeros((55, 3))
    pose[0] = (np.pi, 0.0, 0.0)
    pose[16], pose[17] = (0.0, -0.2, -0.95 + 0.02 * t), (0.0, 0.2, 0.95)
    return BodyParams(np.zeros(10), pose, np.array([-0.8 + 1.6 * who + 0.01 * t, 0.1, 6.0]))


def truth_at(t: int, who: int) -> PersonTruth:
    params = person_at(t, who)
    points = posed_keypoints(load_body(), params)
    xy = CAMERA.project(points)
    box = np.array([*xy.min(axis=0), *xy.max(axis=0)], np.float32)
    visible = np.full(23, 2, np.uint8)
    visible[9] = 1
    return PersonTruth(
        who + 1, params, posed_joints(load_body(), params), points, xy, visible, box, None, 1.0, None, 0.0,
        None, False,
    )  # fmt: skip


def frame_at(t: int) -> CameraFrame:
    blank = np.zeros((270, 480), np.uint8)
    people = (truth_at(t, 0), truth_at(t, 1))
    image = np.zeros((270, 480, 3), np.uint8)
    return CameraFrame(
        "cam01", CAMERA, image, blank.astype(np.float32), np.full((270, 480), 5900, np.uint16), blank,
        blank, people,
    )  # fmt: skip


def seen_at(t: int, who: int) -> PoseEstimate:
    truth = truth_at(t, who)
    rng = np.random.default_rng([t, who])
    xy = (truth.keypoints_2d + rng.normal(0, 0.7, (23, 2))).astype(np.float32)
    keypoints = Keypoints(xy, np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8), np.zeros(23, np.uint8))
    world = (truth.keypoints_3d - truth.keypoints_3d[11:13].mean(axis=0)).astype(np.float32)
    x0, y0 = (int(v) for v in truth.box[:2])  # type: ignore[index]
    mask = encode_mask(np.ones((60, 30), np.bool_), max(x0, 0), max(y0, 0)) if who == 0 else None
    assert truth.box is not None
    return PoseEstimate(keypoints, truth.box, 0.9, world, mask)


class Seer:
    """Sees both people, and somebody who is none."""

    def step(self, index: int, image_rgb: Any) -> list[TrackedPose]:
        ghost = seen_at(index, 0)
        away = replace(ghost, keypoints=Keypoints(ghost.keypoints.xy + 150, *_rest(ghost.keypoints)))
        return [TrackedPose(1, seen_at(index, 0)), TrackedPose(2 if index < 4 else 3, seen_at(index, 1)),
                TrackedPose(4, away), TrackedPose(5, away)]  # fmt: skip

    def finish(self) -> TrackDecisions:
        return TrackDecisions(frozenset({4}), {3: 2})

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Any) -> None:
        del state


def _rest(k: Keypoints) -> tuple[Any, Any, Any]:
    return k.score, k.visibility, k.source


class Drawn:
    """Stands for a scene."""

    fps = 25.0
    n_frames = FRAMES

    def frames(self) -> Any:
        for t in range(FRAMES):
            view = frame_at(t)
            yield SceneFrame(t, t / self.fps, (), (view,) * 3)


@lru_cache(maxsize=1)
def the_evidence() -> Evidence:
    collector, seer = Collector(25.0), Seer()
    for t in range(FRAMES):
        view = frame_at(t)
        collector.add(t, view, seer.step(t, view.image))
    return collector.finish(seer.finish())


# --- the recipe -----------------------------------------------------------------------------


def test_the_recipe_is_the_same_every_time_and_shares_no_seed() -> None:
    recipes = [scene_recipe(i) for i in range(64)]
    assert recipes == [scene_recipe(i) for i in range(64)]
    assert len({r.seed for r in recipes}) == 64
    assert {r.split for r in recipes} == set(SPLITS)
    for split in SPLITS:
        assert {r.preset for r in recipes if r.split == split} == {"or", "crowd", "interview", "walk"}
    assert sum(r.split == TRAIN for r in recipes) == 32
    with pytest.raises(RecipeError):
        scene_recipe(-1)


def test_cameras_of_a_scene_stay_in_the_room_and_differ_between_scenes() -> None:
    a, b = (open_recipe(scene_recipe(i)) for i in (4, 15))
    ours, theirs = a.camera(1, 0.0), b.camera(1, 0.0)
    assert np.abs(ours.K - theirs.K).max() > 1.0
    eye = -ours.R.T @ ours.t
    assert np.abs(eye[:2]).max() < 6.5
    assert 0.5 < eye[2] < 3.0


# --- evidence -------------------------------------------------------------------------------


def test_evidence_comes_back_as_it_was(tmp_path: Path) -> None:
    e = the_evidence()
    save_evidence(e, tmp_path / "e.npz")
    again = load_evidence(tmp_path / "e.npz")
    for name in Evidence.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(e, name), getattr(again, name))
    for row in range(len(e.frame)):
        mask = again.estimate(row).mask
        assert (mask is None) == (e.track[row] == 2)
        if mask is not None:
            assert mask.decode().sum() == 60 * 30


def test_false_tracks_are_left_out_and_broken_ones_joined() -> None:
    assert set(the_evidence().track.tolist()) == {1, 2, 5}


def test_depth_is_the_median_of_what_the_sensor_knows() -> None:
    depth = np.zeros((20, 20), np.uint16)
    depth[8:13, 8:11] = 3000
    xy = np.full((23, 2), -50.0, np.float32)
    xy[0], xy[1], xy[2] = (10, 10), (np.nan, 3), (0, 0)
    assert depth_at(depth, xy)[:4].tolist() == [3000, 0, 0, 0]


@pytest.mark.parametrize("content", [b"", b"no archive", pickle.dumps({"a": 1})])
def test_files_that_are_no_evidence_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(EvidenceError, match=r"bad\.npz"):
        load_evidence(path)
    with pytest.raises(EvidenceError, match=r"bad\.npz"):
        load_fits(path)


def test_evidence_with_objects_in_it_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, version=np.array(1), fps=np.array([{"code": 1}], dtype=object))
    with pytest.raises(EvidenceError, match="cannot be read"):
        load_evidence(path)


def test_making_evidence_goes_on_where_it_stopped(tmp_path: Path) -> None:
    drawn: list[int] = []

    def opened(recipe: SceneRecipe) -> Any:
        drawn.append(recipe.index)
        return Drawn()

    make_evidence(tmp_path, [0], Seer, open_scene=opened)
    files = make_evidence(tmp_path, [0, 7], Seer, open_scene=opened)
    assert drawn == [0, 7]
    assert len(files) == 6
    assert all(f.is_file() for f in files)
    evidence_path(tmp_path, scene_recipe(7), 1).unlink()
    make_evidence(tmp_path, [0, 7], Seer, open_scene=opened)
    assert drawn == [0, 7, 7]


# --- samples --------------------------------------------------------------------------------


def test_people_are_matched_to_the_truth_and_ghosts_to_nobody() -> None:
    e = the_evidence()
    person = match_people(e)
    assert (person[e.track == 1] == 0).all()
    assert (person[e.track == 2] == 1).all()
    assert (person[e.track == 5] == -1).all()


def test_errors_are_measured_after_the_body_as_a_whole_is_aligned() -> None:
    true = person_at(0, 0)
    moved = replace(true, transl=true.transl + np.array([0.5, 0.2, 1.0]))
    assert true_errors(the_sites(), moved, true)[0].max() < 1e-6
    bent = true.pose.copy()
    bent[18] = (0.0, -0.8, 0.0)
    error, vertex = true_errors(the_sites(), replace(true, pose=bent), true)
    assert error.argmax() in (20, 22)
    assert error[20] > 100 > error[21]
    assert vertex.shape == (len(range(0, load_body().n_vertices, VERTEX_STRIDE)),)


def test_alignment_finds_a_known_similarity() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9, 3))
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    scale, found, shift = similarity(points, 1.7 * points @ turn.T + (1.0, 2.0, 3.0))
    np.testing.assert_allclose((scale, *shift), (1.7, 1.0, 2.0, 3.0), atol=1e-9)
    np.testing.assert_allclose(found, turn, atol=1e-9)
    with pytest.raises(InputError):
        similarity(points, points[:3])
    with pytest.raises(InputError):
        similarity(points, points * np.nan)


def test_a_folder_of_evidence_becomes_samples_and_fits_are_kept(tmp_path: Path) -> None:
    save_evidence(the_evidence(), tmp_path / "train_0000_or_cam01.npz")
    split = read_split(tmp_path, TRAIN, the_sites())
    every = split.samples
    assert set(split.presets) == {"or"}
    assert len(split.presets) == len(every)
    s = every.only(every.kind == RUN)
    assert len(s) == 2 * 2 * FRAMES
    assert s.features.shape == (32, N_SITES, N_FEATURES)
    assert set(every.kind.tolist()) == {RUN, ALONE, CORRECTED, DRAGGED}
    step = FEATURE_NAMES.index("step")
    alone = (every.kind == ALONE) | (every.kind == DRAGGED)
    assert np.isnan(every.features[alone][..., step]).all()
    assert np.isfinite(every.features[~alone][..., step]).all()
    by_hand = every.kind == CORRECTED
    assert every.error_mm[by_hand].mean() < 1.5 * s.error_mm.mean()
    assert np.isfinite(s.error_mm).all()
    assert s.error_mm[:, :22].mean() < 80.0
    assert (s.state[:, 20] == OCCLUDED).all()
    assert not (s.state == TRUNCATED).any()
    kept = tmp_path / "fits" / "train_0000_or_cam01_known.npz"
    before = kept.stat().st_mtime_ns
    again = read_split(tmp_path, TRAIN, the_sites()).samples
    assert kept.stat().st_mtime_ns == before
    np.testing.assert_array_equal(every.error_mm, again.error_mm)
    with pytest.raises(EvidenceError, match="no evidence"):
        read_split(tmp_path, TEST, the_sites())
    with pytest.raises(EvidenceError, match="no split"):
        read_split(tmp_path, "all", the_sites())
    save_evidence(the_evidence(), tmp_path / "calibrate_or_cam01.npz")
    with pytest.raises(EvidenceError, match="not called"):
        read_split(tmp_path, CALIBRATE, the_sites())


def test_fits_with_the_assumed_camera_say_so(tmp_path: Path) -> None:
    fits = fit_evidence(load_body(), the_evidence(), assumed=True)
    save_fits(fits, tmp_path / "f.npz")
    again = load_fits(tmp_path / "f.npz")
    assert bool(again.assumed)
    assert len(again.row) == len(fits.row) > 0


# --- training -------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def made_up() -> Samples:
    """Errors that follow the posterior and the score, with noise: 30 scenes of one track."""
    rng = np.random.default_rng(0)
    n, scenes = 1500, 30
    features = rng.normal(size=(n, N_SITES, N_FEATURES)).astype(np.float32)
    features[..., FEATURE_NAMES.index("kind")] = KIND_OF_SITE
    features[..., FEATURE_NAMES.index("visible")] = rng.random((n, N_SITES)) > 0.3
    features[..., FEATURE_NAMES.index("outside")] = 0.0
    hard = features[..., FEATURE_NAMES.index("sigma")] - 0.6 * features[..., FEATURE_NAMES.index("score")]
    error = np.exp(4.0 + 0.5 * hard + 0.35 * rng.normal(size=hard.shape)).astype(np.float32)
    posterior = np.einsum("ns,nt->nst", error, error) * 0.2 + np.eye(N_SITES) * 100.0
    some = np.repeat(np.arange(scenes), n // scenes)
    few = the_sites().vertex_site[::VERTEX_STRIDE], the_sites().vertex_weight[::VERTEX_STRIDE]
    vertex = (error[:, few[0]] * few[1]).sum(axis=2)
    return Samples(
        features, error, posterior.astype(np.float32), (rng.random((n, N_SITES)) > 0.7).astype(np.uint8),
        vertex.astype(np.float32), some, some, np.arange(n), some % 3 == 0,
        (np.arange(n) % 7 == 0).astype(np.uint8),
    )  # fmt: skip


def chosen(samples: Samples, which: np.ndarray) -> Samples:
    return Samples(*(getattr(samples, name)[which] for name in Samples.__dataclass_fields__))


QUICK = TrainSettings(folds=3, hidden=24, epochs=4, dropout=0.1)


def test_training_learns_ranks_and_keeps_its_promise_on_other_scenes() -> None:
    s = made_up()
    model = train_model(chosen(s, np.flatnonzero(s.scene < 20)), the_sites(), QUICK)
    held_out = chosen(s, np.flatnonzero(s.scene >= 20))
    found = evaluate_model(model, held_out, the_sites(), ["or"] * len(held_out))
    every = found.rows[0]
    assert every.auroc > 0.85
    assert every.spearman > 0.6
    assert 0.86 < every.held < 0.94
    assert every.ece50 < 0.06
    assert abs(every.expected_mm - every.error_mm) < 0.1 * every.error_mm
    assert found.summary.risk_at[0] < found.summary.risk_at[2]
    assert found.vertex_spearman > 0.5
    text, plain = as_text(found), as_plain(found)
    assert "AUROC" in text
    assert "90% held" in text
    assert "scene: or" in text
    assert plain["rows"][0]["n"] == every.n
    assert plain["scenes"] == 10


def test_what_is_promised_of_single_frames_is_measured_anew() -> None:
    s = made_up()
    alone = s.kind == ALONE
    features = s.features.copy()
    features[alone, :, FEATURE_NAMES.index("step")] = np.nan
    worse = replace(s, features=features, error_mm=np.where(alone[:, None], 1.6 * s.error_mm, s.error_mm))
    model = train_model(chosen(s, np.flatnonzero(s.scene < 15)), the_sites(), QUICK)
    better = calibrated_alone(model, chosen(worse, np.flatnonzero((s.scene >= 15) & (s.scene < 22))))
    held_out = chosen(worse, np.flatnonzero(s.scene >= 22))
    before, after = (evaluate_model(m, held_out, the_sites()) for m in (model, better))

    def held(found: Evaluation) -> float:
        return next(r.held for r in found.rows if r.name == "one frame alone")

    assert held(before) < 0.8
    assert 0.84 < held(after) < 0.95
    assert before.rows[0].held == after.rows[0].held, "of frames with neighbours nothing has changed"
    with pytest.raises(TrainingError, match="judged by itself"):
        calibrated_alone(model, chosen(s, np.flatnonzero(~alone)))


def test_the_same_seed_gives_the_same_model() -> None:
    s = chosen(made_up(), np.arange(0, 1500, 5))
    a, b = (train_model(s, the_sites(), replace(QUICK, epochs=1)) for _ in range(2))
    np.testing.assert_array_equal(a.w1, b.w1)
    np.testing.assert_array_equal(a.table, b.table)


def test_too_few_scenes_are_refused() -> None:
    s = chosen(made_up(), np.flatnonzero(made_up().scene < 2))
    with pytest.raises(TrainingError, match="2 scenes"):
        train_model(s, the_sites(), QUICK)


# --- the command line -----------------------------------------------------------------------


def test_evaluate_prints_the_table_and_plain_values(tmp_path: Path) -> None:
    save_evidence(the_evidence(), tmp_path / "test_0001_or_cam01.npz")
    shown = CliRunner().invoke(train_confidence, ["evaluate", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    assert "AUROC" in shown.output
    assert "mean error of the surest 50 / 80 / 95 %" in shown.output
    assert "the review asks" in shown.output
    assert "ms a person-frame on one core" in shown.output
    result = CliRunner().invoke(train_confidence, ["evaluate", str(tmp_path), "--json"])
    plain = json.loads(result.output)
    assert plain["people"] == 2 * FRAMES
    assert plain["cost"]["frames"] == FRAMES
    assert 0.0 < plain["cost"]["batch_ms"] < plain["cost"]["single_ms"]
    assert plain["alarms"][-1]["name"] == EVERY


def test_calibrating_measures_single_frames_anew_and_leaves_the_rest(tmp_path: Path) -> None:
    folder, output = tmp_path / "evidence", tmp_path / "model.npz"
    folder.mkdir()
    for name in ("train_0000_or_cam01", "calibrate_0003_or_cam01"):
        save_evidence(the_evidence(), folder / f"{name}.npz")
    done = CliRunner().invoke(train_confidence, ["calibrate", str(folder), "-o", str(output)])
    assert done.exit_code == 0, done.output
    before, after = load_model(), load_model(output)
    half = N_ROWS // 2
    np.testing.assert_array_equal(before.w1, after.w1)
    np.testing.assert_array_equal(before.table[:half], after.table[:half])
    assert np.abs(before.table[half:] - after.table[half:]).max() > 0.1
    samples = [read_split(folder, split, the_sites()).samples for split in (TRAIN, CALIBRATE)]
    alone = joined([s.only(s.kind == ALONE) for s in samples])
    centre, scale = after.centre_and_scale(alone.features)
    bound = after.bound_mm(centre, scale, table_rows(alone.features))
    assert 0.85 < (alone.error_mm <= bound).mean() < 0.97, "on the same frames the promise is kept"


def test_calibrating_with_another_model_or_without_evidence_says_so(tmp_path: Path) -> None:
    for arguments in (["calibrate", str(tmp_path)], ["evaluate", str(tmp_path)]):
        failed = CliRunner().invoke(train_confidence, arguments)
        assert isinstance(failed.exception, EvidenceError)
    (tmp_path / "model.npz").write_bytes(b"no model")
    save_evidence(the_evidence(), tmp_path / "train_0000_or_cam01.npz")
    save_evidence(the_evidence(), tmp_path / "calibrate_0003_or_cam01.npz")
    failed = CliRunner().invoke(
        train_confidence, ["calibrate", str(tmp_path), "--model", str(tmp_path / "model.npz")]
    )
    assert isinstance(failed.exception, WeightsError)


# --- what the review asks -------------------------------------------------------------------


def test_alarms_are_judged_by_the_truth(tmp_path: Path) -> None:
    """Evidence of two people and of a track of nobody, about which every question is right."""
    save_evidence(the_evidence(), tmp_path / "test_0001_or_cam01.npz")
    alarms = alarms_of(tmp_path, TEST, the_sites())
    assert alarms.minutes == pytest.approx(3 * FRAMES / 25.0 / 60.0)
    rows = alarm_rows(alarms)
    assert rows[-1].name == EVERY
    assert rows[-1].n == len(alarms.items) == sum(r.n for r in rows[:-1])
    assert 0.0 < rows[-1].right <= 1.0
    assert all(r.cards <= r.a_minute for r in rows)


def test_folding_and_rates_are_counted_by_kind() -> None:
    items = (Alarm("Doubtful", "a", True, 0.2), Alarm("Doubtful", "a", False, 0.2),
             Alarm("Doubtful", "b", True, 0.2), Alarm("Sudden jump", "c", False, 0.1))  # fmt: skip
    doubtful, jump, every = alarm_rows(Alarms(items, 2.0))
    assert (doubtful.name, jump.name, every.name) == ("Doubtful", "Sudden jump", EVERY)
    assert doubtful.right == pytest.approx(2 / 3)
    assert (doubtful.a_minute, doubtful.cards) == (1.5, 1.0)
    assert (every.n, every.a_minute, every.cards) == (4, 2.0, 1.5)
