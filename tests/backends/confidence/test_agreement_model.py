from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from backends.confidence.agreement.model import AgreementModel, load_agreement
from backends.confidence.agreement.neighbours import N_EXTRA, over_time, runs
from backends.confidence.agreement.network import N_CHANNELS, THRESHOLDS, channels
from backends.confidence.train_agreement import TrainSettings, train_agreement
from backends.errors import InputError, WeightsError

F8 = npt.NDArray[np.float64]
QUICK = TrainSettings(epochs=8, batch=128, context=32, width=32, attention_width=16)


def people(n: int, seed: int = 0) -> tuple[F8, F8, F8]:
    """Distances that tell the error the better the surer the detector is; a tenth of joints is missing."""
    rng = np.random.default_rng(seed)
    se = rng.gamma(1.5, 0.05, (n, 14))
    confidence = rng.uniform(0.3, 1.0, (n, 14))
    ed = se * np.exp(rng.normal(0, 1.0 - confidence))
    missing = rng.uniform(size=ed.shape) < 0.1
    return np.where(missing, np.nan, ed), se, np.where(missing, 0.0, confidence)


@pytest.fixture(scope="module")
def model() -> AgreementModel:
    ed, se, confidence = people(6000)
    return train_agreement(ed, se, confidence, QUICK, seed=1)


def test_predicted_errors_rank_true_errors(model: AgreementModel) -> None:
    ed, se, confidence = people(1000, seed=9)
    said = model.predict(ed, confidence)
    order = np.argsort(said.error, axis=None)
    half = order.size // 2
    assert se.ravel()[order[:half]].mean() < 0.6 * se.ravel()[order[half:]].mean()
    assert (said.worst.argmax(axis=1) == se.argmax(axis=1)).mean() > 0.4
    assert abs(said.wrong.mean() - (se > 0.1).mean()) < 0.05
    assert abs(said.error.mean() - se.mean()) < 0.02


def test_probabilities_are_probabilities(model: AgreementModel) -> None:
    ed, _, confidence = people(200, seed=2)
    said = model.predict(ed, confidence)
    assert said.worst.sum(axis=1) == pytest.approx(np.ones(200), abs=1e-5)
    for values in (said.wrong, said.good):
        assert values.min() >= 0
        assert values.max() <= 1
    assert said.error.shape == (200, 14)


def test_a_body_in_the_mirror_is_judged_the_same(model: AgreementModel) -> None:
    from backends.confidence.agreement import MIRROR

    ed, _, confidence = people(50, seed=3)
    one = model.predict(ed, confidence)
    other = model.predict(ed[:, MIRROR], confidence[:, MIRROR])
    by_both = one.error / model.sides
    assert other.error / model.sides == pytest.approx(by_both[:, MIRROR], abs=1e-5)
    assert other.good == pytest.approx(one.good, abs=1e-5)


def test_a_side_that_is_always_more_wrong_is_said_to_be() -> None:
    ed, se, confidence = people(3000)
    lopsided = se.copy()
    lopsided[:, 3] *= 1.3  # the left hip; nothing in the inputs tells
    short = TrainSettings(epochs=2, context=16, width=16, attention_width=8)
    model = train_agreement(ed, lopsided, confidence, short)
    assert model.sides[3] / model.sides[2] == pytest.approx(1.3, rel=0.07)
    assert np.prod(model.sides) == pytest.approx(1.0)  # what both sides share is left to the networks
    alike = train_agreement(ed, se, confidence, short)
    assert alike.sides == pytest.approx(np.ones(14), abs=0.06)


def test_models_together_say_the_mean_of_what_each_says() -> None:
    ed, se, confidence = people(600)
    short = TrainSettings(epochs=1, context=16, width=16, attention_width=8)
    runs_ = [train_agreement(ed, se, confidence, short, seed=s) for s in (1, 2)]
    both = AgreementModel.together(runs_)
    assert len(both.members) == 4
    worst = np.mean([m.predict(ed, confidence).worst for m in runs_], axis=0)
    assert both.predict(ed, confidence).worst == pytest.approx(worst, abs=1e-6)
    assert both.sides == pytest.approx(np.sqrt(runs_[0].sides * runs_[1].sides))


def test_nobody_to_judge_gives_empty_answers(model: AgreementModel) -> None:
    said = model.predict(np.zeros((0, 14)), np.zeros((0, 14)))
    assert said.error.shape == (0, 14)
    assert said.good.shape == (0,)


def test_a_person_without_any_keypoint_gets_finite_answers(model: AgreementModel) -> None:
    said = model.predict(np.full((1, 14), np.nan), np.zeros((1, 14)))
    assert np.isfinite(said.error).all()
    assert np.isfinite(said.good).all()


def test_a_missing_joint_speaks_by_its_mark_alone() -> None:
    ed, _, confidence = people(20, seed=4)
    ed[0, 3], confidence[0, 3] = np.nan, 0.0
    own = channels(ed, confidence)[0, 3]
    assert own[2] == 1.0
    assert own[1] == 0.0
    assert own[4] == 0.0  # at the body's median
    assert channels(ed, confidence).shape == (20, 14, N_CHANNELS)


def test_the_same_seed_trains_the_same_model() -> None:
    ed, se, confidence = people(600)
    short = TrainSettings(epochs=1, context=16, width=16, attention_width=8)
    first, again = (train_agreement(ed, se, confidence, short, seed=5) for _ in range(2))
    assert np.array_equal(first.predict(ed, confidence).error, again.predict(ed, confidence).error)


def test_outliers_are_left_out_of_training() -> None:
    ed, se, confidence = people(1200)
    short = TrainSettings(epochs=1, context=16, width=16, attention_width=8)
    broken = se.copy()
    broken[:600] = np.where(np.arange(14) == 3, 189_818.0, broken[:600])
    half = train_agreement(ed[600:], se[600:], confidence[600:], short)
    with_outliers = train_agreement(ed, broken, confidence, short)
    assert with_outliers.predict(ed, confidence).error == pytest.approx(half.predict(ed, confidence).error)
    with pytest.raises(InputError, match="rows can be used"):
        train_agreement(ed[:600], broken[:600], confidence[:600], short)


def test_arrays_of_other_shapes_and_infinite_values_are_refused(model: AgreementModel) -> None:
    ed, se, confidence = people(5)
    with pytest.raises(InputError, match="length"):
        model.predict(ed, confidence[:3])
    with pytest.raises(InputError, match="14"):
        model.predict(ed[:, :13], confidence[:, :13])
    with pytest.raises(InputError, match="infinite"):
        model.predict(np.where(np.isnan(ed), np.inf, ed), confidence)
    with pytest.raises(InputError, match="further inputs"):
        model.predict(ed, confidence, np.zeros((5, 14, 2), np.float32))
    with pytest.raises(InputError, match="one length"):
        train_agreement(ed, se[:3], confidence)


def test_training_can_be_stopped() -> None:
    ed, se, confidence = people(600)

    def stop(share: float) -> None:
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_agreement(ed, se, confidence, QUICK, check=stop)


def test_a_model_that_is_written_says_the_same_when_read(model: AgreementModel, tmp_path: Path) -> None:
    ed, _, confidence = people(100, seed=6)
    model.save(tmp_path / "agreement.npz", {"seed": 1})
    again = load_agreement(tmp_path / "agreement.npz")
    assert again.predict(ed, confidence).error == pytest.approx(model.predict(ed, confidence).error, abs=2e-3)


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.mkdir, (self.path,)


def test_a_model_file_with_code_in_it_is_refused_and_nothing_is_run(
    model: AgreementModel, tmp_path: Path
) -> None:
    path, made = tmp_path / "agreement.npz", tmp_path / "made_by_the_file"
    model.save(path)
    hostile = np.array([Malicious(made)], dtype=object)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **{**arrays, "0.bad.bias": hostile})
    with pytest.raises(WeightsError, match="damaged"):
        load_agreement(path)
    path.write_bytes(pickle.dumps(Malicious(made)))
    with pytest.raises(WeightsError):
        load_agreement(path)
    assert not made.exists()


def test_broken_model_files_are_refused_by_name(model: AgreementModel, tmp_path: Path) -> None:
    path = tmp_path / "agreement.npz"
    model.save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    broken: dict[str, dict[str, Any]] = {
        "no format": {k: v for k, v in arrays.items() if k != "format"},
        "another format": {**arrays, "format": np.array("something else")},
        "no shape": {k: v for k, v in arrays.items() if k != "shape"},
        "silly shape": {**arrays, "shape": np.array([[14, 10**9, 32], [14, 16, 2]])},
        "heads that do not fit": {**arrays, "shape": np.array([[7, 32, 32], [7, 16, 3]])},
        "one shape for two": {**arrays, "shape": arrays["shape"][:1]},
        "unknown kind": {**arrays, "kinds": np.array(["context", "tree"])},
        "no sides": {k: v for k, v in arrays.items() if k != "sides"},
        "sides of nothing": {**arrays, "sides": np.zeros(14, np.float32)},
        "a weight less": {k: v for k, v in arrays.items() if k != "0.bad.bias"},
        "not a number": {**arrays, "0.bad.bias": np.array([np.nan], np.float16)},
        "text": {**arrays, "0.bad.bias": np.array(["x"])},
    }
    for name, content in broken.items():
        np.savez(path, **content)
        with pytest.raises(WeightsError, match=r"agreement\.npz"):
            pytest.fail(f"{name} was loaded: {load_agreement(path)}")
    for content_bytes in (b"", b"PK", path.read_bytes()[:200]):
        path.write_bytes(content_bytes)
        with pytest.raises(WeightsError, match=r"agreement\.npz"):
            load_agreement(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_agreement(tmp_path / "nowhere.npz")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "agreement.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("format.npy", b"\0" * 150_000_000)
    with pytest.raises(WeightsError, match="far larger"):
        load_agreement(path)


def test_thresholds_rise() -> None:
    assert list(THRESHOLDS) == sorted(THRESHOLDS)


def test_a_run_ends_where_most_joints_jump_at_once() -> None:
    log = np.zeros((10, 14))
    log[6:] += 2.0
    log[3, 5] += 3.0  # one joint alone is no cut
    assert runs(log).tolist() == [0] * 6 + [1] * 4
    assert runs(log[:1]).tolist() == [0]


def test_neighbours_in_time_know_means_gaps_and_unrest_and_do_not_cross_a_cut() -> None:
    ed, confidence = np.full((40, 14), 0.1), np.full((40, 14), 0.8)
    ed[20:], confidence[20:] = 1.0, 0.4
    ed[5, 2], confidence[5, 2] = np.nan, 0.0
    extra = over_time(ed, confidence)
    assert extra.shape == (40, 14, N_EXTRA)
    assert extra[19, 0, 0] == pytest.approx(np.log(0.1), abs=1e-5)  # not mixed with what follows the cut
    assert extra[20, 0, 1] == pytest.approx(0.4, abs=1e-5)
    assert extra[5, 2, 2] == pytest.approx(1 / 9, abs=1e-5)
    assert extra[5, 2, 1] == pytest.approx(0.8, abs=1e-5)  # of the frames in which it was found
    assert extra[:, 7, -1] == pytest.approx(np.zeros(40), abs=1e-6)
