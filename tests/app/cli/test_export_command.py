"""``understudy export`` covers people as the window has stored it, unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import app.cli.documents
import app.export.run
from app.cli import main
from app.project.records import FootageRecord
from app.project.store import ProjectStore
from app.review.deid import store_deid
from app.review.types import DeidSettings
from backends.camera import assumed_camera


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[DeidSettings]]:
    footage = FootageRecord(
        tmp_path / "a.mp4", "", "video", 64, 36, 5, 25.0, Fraction(1, 25), np.arange(5), False
    )
    store = ProjectStore.create(tmp_path / "a.understudy", footage, assumed_camera(64, 36))
    store_deid(store, DeidSettings("head", "solid", "original", True, "clothed", "h265"))
    seen: list[DeidSettings] = []

    @contextmanager
    def project(*_: object) -> Iterator[tuple[ProjectStore, None]]:
        yield store, None

    def export(_s: object, _f: object, _b: object, _r: object, deid: DeidSettings, *_: object) -> Any:
        seen.append(deid)
        return {"frames": 5, "seconds": 0.1, "files": []}

    monkeypatch.setattr(app.cli.documents, "existing_project", project)
    monkeypatch.setattr(app.export.run, "run_export", export)
    yield seen
    store.close()


def test_the_window_s_choice_holds_but_sound_is_asked_for_anew(asked: list[DeidSettings]) -> None:
    assert main(["export", "a.understudy"]) == 0
    assert asked == [DeidSettings("head", "solid", "original", False, "clothed", "h265")]


def test_what_is_said_here_holds_over_it(asked: list[DeidSettings]) -> None:
    said = ["--cover", "whole", "--fill", "mesh", "--look", "plain", "--codec", "h264", "--keep-audio"]
    assert main(["export", "a.understudy", *said]) == 0
    assert asked == [DeidSettings("whole", "mesh", "original", True, "plain", "h264")]
