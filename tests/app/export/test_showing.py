"""What an export tells while it works: what is to come, and what has just been written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import theatre
from test_export import EVERYBODY, export
from theatre import make_theatre

from app.export import showing
from app.export.inpainters import remember_painter, remembered_painters
from app.pipeline.events import Event, FrameWritten, StagesPlanned, StageStarted
from app.review.types import DeidSettings, LearnedInpainter


def test_every_stage_is_announced_and_only_covered_frames_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_EVERY_S", 0.0)
    stage = make_theatre(tmp_path)
    stage.run(EVERYBODY)
    events: list[Event] = []
    export(stage, tmp_path / "out", "video", "coco", deid=DeidSettings(), events=events)
    planned = next(e for e in events if isinstance(e, StagesPlanned))
    assert [name for name, _ in planned.stages][:1] == ["plate"]
    begun = [(e.stage, e.text) for e in events if isinstance(e, StageStarted)]
    assert tuple(begun) == planned.stages
    shown = [e for e in events if isinstance(e, FrameWritten)]
    assert [e.frame for e in shown] == list(range(theatre.N))
    assert not any(theatre.skin(e.rgb).any() for e in shown)
    stage.store.close()


def test_of_many_frames_few_are_shown_and_large_ones_smaller() -> None:
    told: list[Event] = []
    show = showing.Showing("video", 10, told.append)
    for _ in range(50):
        show(np.zeros((1080, 1920, 3), np.uint8))
    assert 1 <= len(told) < 10
    assert isinstance(told[0], FrameWritten)
    assert told[0].frame == 10
    assert told[0].rgb.shape == (576, 1024, 3)


def test_a_network_that_has_painted_is_remembered_while_its_files_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_CONFIG", str(tmp_path / "config"))
    assert remembered_painters() == ()
    code, weights = tmp_path / "clone", tmp_path / "w.pth"
    code.mkdir()
    weights.write_bytes(b"x")
    remember_painter(LearnedInpainter("e2fgvi", code, weights))
    assert remembered_painters() == (LearnedInpainter("e2fgvi", code, weights),)
    weights.unlink()
    assert remembered_painters() == ()
    notes = tmp_path / "config" / "inpainters.json"
    for damaged in (
        "{",
        "[]",
        json.dumps({"e2fgvi": 3}),
        json.dumps({"nobody": {"code": "a", "weights": "b"}}),
    ):
        notes.write_text(damaged)
        assert remembered_painters() == ()
    monkeypatch.setenv("UNDERSTUDY_CONFIG", str(weights / "no folder"))
    weights.write_bytes(b"x")
    remember_painter(LearnedInpainter("e2fgvi", code, weights))  # cannot be written: no harm
