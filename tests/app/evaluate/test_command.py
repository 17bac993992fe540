"""``understudy evaluate`` as a person or a script calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from measured_room import MemoryView, N, truth_of
from typer.testing import CliRunner

from app.cli.evaluate import evaluate
from app.datasets.types import TruthSet
from app.evaluate.errors import EvaluationError

command = typer.Typer()
command.command()(evaluate)


@pytest.fixture(autouse=True)
def truth_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: Path) -> TruthSet:
        return truth_of() if path.name == "truth" else truth_of(MemoryView(n_frames=N + 5))

    monkeypatch.setattr("app.datasets.open.open_truth", opened)


def call(*arguments: object) -> str:
    done = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_table_for_people(perfect_project: Path) -> None:
    said = call(perfect_project, "--truth", "truth", "--no-coverage")
    for words in ("PA-MPJPE", "Human3.6M, 14", "HOTA", "AUSE", f"{2 * N} found", "Not measured"):
        assert words in said


def test_json_for_scripts(perfect_project: Path) -> None:
    said = json.loads(call(perfect_project, "--truth", "truth", "--no-coverage", "--json"))
    assert said["schema"] == 1
    values = {m["key"]: m["value"] for m in said["metrics"]}
    assert values["pa_mpjpe"] == 0.0
    assert values["hota"] == 100.0


def test_a_page_with_and_without_pictures(perfect_project: Path, tmp_path: Path) -> None:
    with_pictures, without, numbers = (tmp_path / n for n in ("a.html", "b.html", "c.json"))
    call(perfect_project, "-t", "truth", "--no-coverage", "--html", with_pictures, "-o", numbers)
    call(perfect_project, "-t", "truth", "--no-coverage", "--html", without, "--no-pictures")
    assert "data:image/jpeg" in with_pictures.read_text(encoding="utf-8")
    assert "data:image" not in without.read_text(encoding="utf-8")
    assert json.loads(numbers.read_text(encoding="utf-8"))["kind"] == "understudy-evaluation"


def test_truth_of_another_length_is_an_error(perfect_project: Path) -> None:
    with pytest.raises(EvaluationError, match="17 frames"):
        call(perfect_project, "--truth", "other")
