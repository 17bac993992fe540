from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from app.cli.confidence import confidence
from app.confidence.arrays import Split
from app.confidence.benchmark import OURS, evaluate_all, train_all
from app.confidence.reference import PUBLISHED
from app.confidence.report import as_text, targets
from app.confidence.scores import Row, ause_100, mesh_figures, over_runs, top_k
from app.confidence.weights import load_networks, load_trained, model_and_networks, save_trained
from app.datasets.errors import DataSetError
from app.errors import ModelError
from app.pipeline.events import Event, Warned
from app.pipeline.job import Control
from backends.confidence.train_agreement import TrainSettings

QUICK = TrainSettings(epochs=25, batch=64, rate=5e-3, context=16, width=16, attention_width=8)
F8 = npt.NDArray[np.float64]


def split(name: str, n: int = 900) -> Split:
    rng = np.random.default_rng(len(name))
    se = rng.gamma(1.5, 0.04, (n, 14))
    confidence = rng.uniform(0.2, 1.0, (n, 14))
    ed = se * np.exp(rng.normal(0, 1.0 - confidence))
    se[0, 3] = 189_818.0
    return Split(name, ed, se, confidence)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained folder."""
    path = tmp_path_factory.mktemp("networks")
    told: list[Event] = []
    trained = train_all([split("train")], Control(), told.append, runs=2, settings=QUICK, in_time=True)
    rows = evaluate_all(trained, [split("test")], Control(), told.append)
    save_trained(path, trained, rows, {"data": "train", "runs": 2, "seed": 0})
    assert any(isinstance(e, Warned) and "1 of 900" in e.text for e in told)
    return path


def test_what_is_trained_can_be_read_and_evaluated_again(folder: Path) -> None:
    trained = load_trained(folder)
    rows = evaluate_all(trained, [split("test")], Control(), lambda event: None)
    again = {r["model"]: r["mean"] for r in json.loads((folder / "table.json").read_text())["rows"]}
    averaged = next(r for r in rows if r.model.startswith("ours, average"))
    assert averaged.mean["joint_auroc"] == pytest.approx(again[averaged.model]["joint_auroc"], abs=1e-3)
    assert averaged.mean["joint_auroc"] > 0.75
    card = (folder / "MODEL_CARD.md").read_text()
    assert "non-commercial" in card
    assert "ours, 28 inputs" in card


def test_the_table_shows_ours_beside_the_literature(folder: Path) -> None:
    rows = [over_runs(PUBLISHED, "test", [{"mc_accuracy": 0.79}, {"mc_accuracy": 0.81}])]
    text = as_text([*rows, Row(OURS, "test", {"joint_auroc": 0.91})])
    lines = [line for line in text.splitlines() if PUBLISHED in line]
    assert "x 2" in lines[0]
    assert "0.800 +-0.014" in lines[0]
    assert "(lit.)" in lines[1]
    assert "0.797" in lines[1]
    found = {line["figure"]: line for line in targets([Row(OURS, "test", {"joint_auroc": 0.91})])}
    assert found["joint wrong: AUROC"]["one_run_reached"] is True


def test_a_folder_gives_its_own_model_and_without_one_the_shipped_model(folder: Path) -> None:
    own, networks = model_and_networks(folder)
    assert networks is not None
    assert len(own.members) == 4  # a pair a run
    shipped, none = model_and_networks(None)
    assert none is None
    said = shipped.predict(np.full((1, 14), 0.05), np.full((1, 14), 0.9))
    worse = shipped.predict(np.full((1, 14), 0.5), np.full((1, 14), 0.3))
    assert (said.error < worse.error).all()
    nobody = shipped.predict(np.full((1, 14), np.nan), np.zeros((1, 14)))
    assert nobody.good[0] < 0.05
    assert nobody.error.mean() > 3 * said.error.mean()


def test_a_damaged_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("classifier.pt", "classifier_wj.pt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert load_networks(tmp_path).good(np.full((1, 14), 0.05)).shape == (1,)
    for text in ("{", '{"mean": [1]}', "[]", '{"mean": [0], "named_std": [0], "spread": "x"}'):
        (tmp_path / "standardise.json").write_text(text)
        with pytest.raises(ModelError, match=r"standardise\.json"):
            load_networks(tmp_path)
    (tmp_path / "standardise.json").unlink()
    (tmp_path / "classifier.pt").unlink()
    with pytest.raises(ModelError, match="no file"):
        model_and_networks(tmp_path)


def test_the_worst_joint_is_among_the_first_k() -> None:
    se = np.zeros((2, 14))
    se[0, 3], se[1, 5] = 1.0, 1.0
    score = np.zeros((2, 14))
    score[0, 3], score[1, 6], score[1, 5] = 0.9, 0.9, 0.8
    assert top_k(se, score, 1) == 0.5
    assert top_k(se, score, 3) == 1.0


def test_a_perfect_ranking_has_no_sparsification_error_and_chance_has_some() -> None:
    error = np.random.default_rng(0).gamma(1.0, 1.0, 5000)
    assert ause_100(error, error) == pytest.approx(0.0, abs=1e-12)
    assert ause_100(error, np.random.default_rng(1).uniform(size=5000)) > 0.3


def test_accuracy_of_the_majority_is_told_apart_from_knowledge() -> None:
    se = np.full((10, 14), 0.5)
    se[:2] = 0.05
    figures = mesh_figures(se, np.zeros(10))
    assert figures["mc_accuracy"] == 0.8
    assert figures["mc_balanced"] == 0.5


def test_train_and_evaluate_from_the_command_line(tmp_path: Path) -> None:
    data, networks = tmp_path / "data", tmp_path / "networks"
    from app.confidence.arrays import write_arrays

    for name in ("train", "test"):
        write_arrays(data, split(name))
    run = CliRunner()
    done = run.invoke(
        confidence, ["train", str(data), "-o", str(networks), "--runs", "1", "--epochs", "1", "--json"]
    )
    assert done.exit_code == 0, done.output
    table = json.loads(done.stdout)
    assert {r["test"] for r in table["rows"]} == {"test"}
    assert (networks / "classifier_wj.pt").is_file()
    again = run.invoke(confidence, ["evaluate", str(data), "-n", str(networks), "--json"])
    assert again.exit_code == 0, again.output
    assert any(r["model"].startswith("ours") for r in json.loads(again.stdout)["rows"])


def test_arrays_that_are_not_there_end_with_a_clear_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(confidence, ["train", str(tmp_path)])
    assert isinstance(done.exception, DataSetError)
    assert "no correlation arrays" in str(done.exception)
