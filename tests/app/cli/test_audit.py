"""``understudy audit``: what it prints, and that nobody overlooks a finding in a script."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.audit import run
from app.audit.types import AuditResult, LeakEvent, Search
from app.cli.program import run as main


def finds(monkeypatch: pytest.MonkeyPatch, *events: LeakEvent) -> None:
    result = AuditResult(events, 40, 1.5, (Search("CenterFace", "centerface", "f" * 64),), 0, 39, 2, "a" * 64)
    monkeypatch.setattr(run, "audit_file", lambda path, **more: result)


def face() -> LeakEvent:
    frames = np.arange(4, 7)
    return LeakEvent(
        "1", "face", None, frames, np.tile(np.float32([10, 10, 40, 50]), (3, 1)), 4, 6, 0.8, 2, "CenterFace"
    )  # fmt: skip


def test_a_clean_video_ends_well(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    finds(monkeypatch)
    assert main(["audit", "x.mp4"]) == 0
    assert "Nobody was found in 40 frames" in capfd.readouterr().out


def test_findings_are_listed_and_the_exit_code_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    finds(monkeypatch, face())
    assert main(["audit", "x.mp4"]) == 6
    assert "Face visible for 3 frames" in capfd.readouterr().out
    assert main(["audit", "x.mp4", "--json"]) == 6
    told = json.loads(capfd.readouterr().out)
    assert told["frames"] == 40
    assert told["events"][0]["frames"] == [4, 5, 6]
    assert told["events"][0]["boxes"][0] == [10.0, 10.0, 40.0, 50.0]


def test_what_is_no_video_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from app.models.store import ModelStore

    if not all(ModelStore().has(n) for n in ("centerface", "face-detector-full-range", "blazepose-detector")):
        pytest.skip("the audit's networks are not installed")
    assert main(["audit", str(tmp_path / "nowhere.mp4")]) == 3
    assert "nowhere.mp4" in capfd.readouterr().err
