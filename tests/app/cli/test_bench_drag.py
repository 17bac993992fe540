"""``bench drag``: the table, and what is said where the window cannot be driven."""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import system
from app.cli.bench import bench
from app.errors import UnderstudyError

drag = importlib.import_module("app.cli.bench.drag")


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drag, "_prepare", lambda clip, project: None)


def test_times_stand_beside_the_target(prepared: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def drive(project: Path, log: Path) -> None:
        times = {"shown_ms": [20.0] * 95 + [40.0] * 5, "fitted_ms": [6.0] * 100, "busy_ms": [30.0] * 100}
        log.write_text(json.dumps(times))

    monkeypatch.setattr(drag, "_drive", drive)
    done = CliRunner().invoke(bench, ["drag", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    assert rows[0]["target"] == "<= 33"
    assert rows[0]["reached"] == "yes"
    assert rows[0]["measured"] == pytest.approx(21.0, abs=1.5)


def test_a_window_that_fails_is_said(prepared: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(drag, "_drive", lambda project, log: log.write_text("{}"))
    with pytest.raises(UnderstudyError, match="no times"):
        drag.drag()
    monkeypatch.undo()
    monkeypatch.setattr(system, "needs_virtual_screen", lambda: False)
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(UnderstudyError, match="could not be driven"):
        drag._drive(tmp_path / "a.understudy", tmp_path / "log.json")
