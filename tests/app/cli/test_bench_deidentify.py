"""The benchmarks of de-identification: what they add up and compare, without running for minutes."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.cli import main
from app.errors import ModelError, UnderstudyError
from app.footage import open_footage
from app.footage.writer import VideoWriter
from app.pipeline.job import Control

# The package's names of the same words are the commands.
deface = importlib.import_module("app.cli.bench.deface")
deidentify = importlib.import_module("app.cli.bench.deidentify")
pipeline = importlib.import_module("app.cli.bench.pipeline")


def _process(path: Path) -> float:
    """The process that answers, which has not been here before."""
    return os.getpid() if path.exists() else 0.0


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clip.mp4"
    writer = VideoWriter(path, 64, 48, np.arange(30), Fraction(1, 10))
    for _ in range(30):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.close()
    for bench in (deface, deidentify):
        monkeypatch.setattr(bench, "clip_at_size", lambda *args: (path, "a clip"))
    return path


def test_the_whole_way_is_summed_with_and_without_the_search(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = [("Finding people and fitting bodies", 1.0), ("Writing the video", 0.5),
              ("Searching the finished video", 1.5)]  # fmt: skip
    monkeypatch.setattr(deidentify, "_whole_way", lambda *args: (30, 2, stages))
    monkeypatch.setattr("app.pipeline.engine.default_engine", lambda: None)
    monkeypatch.setattr(deidentify, "warm_up", lambda engine: None)
    monkeypatch.setattr(deidentify, "centerface", lambda *args: (24, 4.0))
    monkeypatch.setattr(deidentify, "_memory_alone", lambda path: 1234.0)
    assert main(["bench", "deidentify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rates = {row["what"]: row["frames_per_s"] for row in told["rows"]}
    assert rates["Understudy: everything, not searched (target 15)"] == pytest.approx(20.0)
    assert rates["Understudy: everything, searched (target 10)"] == pytest.approx(10.0)
    assert told["rows"][-1]["what"].startswith("baseline")
    assert told["rows"][-2]["ratio"] == pytest.approx(10.0 / 6.0)
    assert "Peak memory 1234 MB" in told["note"]


def test_memory_is_that_of_a_process_that_does_nothing_else(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deidentify, "_memory_of", _process)
    assert deidentify._memory_alone(clip) not in (0, os.getpid())
    asked: list[Path] = []
    monkeypatch.undo()
    monkeypatch.setattr("app.pipeline.engine.default_engine", lambda: None)
    monkeypatch.setattr(deidentify, "_whole_way", lambda path, *rest: asked.append(path))
    project = clip.with_suffix(".understudy")
    project.write_bytes(b"of an earlier run")
    assert deidentify._memory_of(clip) > 10
    assert asked == [clip]
    assert not project.exists()


def test_the_memory_of_whoever_started_a_process_is_not_its_own() -> None:
    held = np.ones(300_000_000, np.uint8)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        child = alone.submit(pipeline.peak_mb).result()
    assert held[-1] == 1
    assert 10 < child < pipeline.peak_mb() - 100


def test_the_warm_up_clip_is_the_beginning(clip: Path, tmp_path: Path) -> None:
    with open_footage(deidentify._beginning(clip, tmp_path / "warm.mp4")) as footage:
        assert footage.n_frames == 12


def test_deface_and_ours_are_judged_by_the_same_search(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], control: Control) -> float:
        commands.append(command)
        target = Path(command[command.index("-o") + 1])
        video = target if target.suffix else target / "clip_deidentified.mp4"
        video.parent.mkdir(exist_ok=True)
        shutil.copy(clip, video)
        return 6.0 if len(commands) == 1 else 3.0

    def search(path: Path, **rest: object) -> SimpleNamespace:
        n = {"clip.mp4": 20, "d.mp4": 5}.get(path.name, 0)
        faces = [SimpleNamespace(kind="face", frames=range(n))] if n else []
        return SimpleNamespace(events=(*faces, SimpleNamespace(kind="person", frames=range(9))))

    monkeypatch.setattr(deface, "environment", lambda control: Path("deface"))
    monkeypatch.setattr(deface, "_run", run)
    monkeypatch.setattr("app.audit.run.audit_file", search)
    assert main(["bench", "deface", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[1]["what"].startswith("baseline: deface 1.5.0")
    assert (rows[1]["covered_%"], rows[1]["leak_events"], rows[1]["frames_per_s"]) == (75.0, 1, 5.0)
    assert all((row["covered_%"], row["leak_events"], row["ratio"]) == (100.0, 0, 2.0) for row in rows[2:])
    assert commands[0][0] == "deface"
    assert all("app.cli" in command for command in commands[1:])


def test_the_environment_of_deface_is_made_once_and_apart_from_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    made: list[list[str]] = []

    def run(command: list[str], control: Control) -> float:
        made.append(command)
        (tmp_path / "understudy" / "deface-1.5.0" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "understudy" / "deface-1.5.0" / "bin" / "deface").touch()
        return 1.0

    monkeypatch.setattr(deface, "_run", run)
    monkeypatch.setattr(deface.os, "name", "posix")
    program = deface.environment(Control())
    assert program == deface.environment(Control())
    assert len(made) == 2
    assert made[0][:3] == [sys.executable, "-m", "venv"]
    assert Path(made[1][0]).is_relative_to(tmp_path)
    assert made[1][-1] == "deface==1.5.0"


def test_no_connection_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)

    def fails(command: list[str], control: Control) -> float:
        raise UnderstudyError("python ended with 1: no network")

    monkeypatch.setattr(deface, "_run", fails)
    with pytest.raises(ModelError, match="check the connection"):
        deface.environment(Control())


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    for code in ("raise SystemExit(6)", "print(1)"):  # 6: it found leaks, and has done its work
        assert deface._run([sys.executable, "-c", code], Control()) > 0
    with pytest.raises(UnderstudyError, match="ZeroDivisionError"):
        deface._run([sys.executable, "-c", "1/0"], Control())
