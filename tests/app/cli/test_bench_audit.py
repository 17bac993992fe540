"""bench audit: which findings where nothing was planted an export would raise, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.audit.followed import FollowedHeads
from app.audit.known import ARITHMETIC
from app.audit.types import LeakEvent
from app.cli.bench.audit import _raised_by_export
from app.export.frames import FrameCoverer
from app.pipeline.job import Control
from app.review.types import DeidSettings
from tests.app.export.theatre import HEIGHT, WIDTH, N, make_theatre, record


def event(number: str, found_by: str, frames: list[int]) -> LeakEvent:
    boxes = np.tile(np.float32([20, 20, 40, 40]), (len(frames), 1))
    return LeakEvent(
        number, "head", 2, np.array(frames), boxes, frames[0], frames[-1], 0.9, 2, found_by
    )  # fmt: skip


def test_what_an_export_covers_it_does_not_raise_and_what_a_network_sees_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_theatre(tmp_path, people=(2,))
    stage.store.store_chunk(0, N - 1, [record(2, f) for f in range(N)], {})
    followed = FollowedHeads(stage.store, 20.0, 0, N - 1)
    events = [
        event("1", ARITHMETIC, [4, 5]), event("2", "CenterFace", [7]),
        event("3", f"{ARITHMETIC}, CenterFace", [9]),
    ]  # fmt: skip

    def raised() -> set[str]:
        settings = DeidSettings(fill="solid")
        return _raised_by_export(stage.store, stage.footage, settings, followed, events, Control())

    assert raised() == {"2", "3"}
    open_to_view = np.zeros((HEIGHT, WIDTH), np.bool_)
    monkeypatch.setattr(FrameCoverer, "cover_with_mask", lambda self, index, rgb: (rgb, open_to_view))
    assert raised() == {"1", "2", "3"}
    stage.store.close()
    stage.footage.close()
