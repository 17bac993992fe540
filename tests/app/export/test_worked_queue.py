"""The bench works on the review queue with the program's own commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from theatre import BODY, N, make_theatre

from app.audit.store import read_events, store_result
from app.audit.types import AuditResult, LeakEvent
from app.cli.bench import cover_queue
from app.deidentify.editing import read_plan
from app.pipeline.job import Control
from app.review.types import DeidSettings

BOX = np.array([[20.0, 20.0, 40.0, 40.0]], np.float32)


@pytest.mark.parametrize("until", [1, 99])
def test_findings_are_covered_until_nothing_is_found_and_all_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: int
) -> None:
    stage = make_theatre(tmp_path / "q")
    stage.run({1: range(N), 2: range(N)})
    exports = []

    def exported(store: object, *args: object, **named: object) -> None:
        exports.append(len(read_plan(stage.store).regions))
        found = LeakEvent("1", "face", None, np.array([3]), BOX, 3, 3, 0.9, 2, "CenterFace")
        events = (found,) if len(exports) <= until else ()
        store_result(stage.store, AuditResult(events, N, 1.0, (), 0, N - 1))

    monkeypatch.setattr(cover_queue, "run_export", exported)
    with cover_queue.worked_queue(
        stage.store, stage.footage, BODY, DeidSettings(), None, tmp_path, Control(), lambda event: None
    ) as (covered, left):
        assert len(read_plan(stage.store).regions) == covered
    assert (covered, left) == ((1, 0) if until == 1 else (4, 1))
    assert exports == ([0, 1] if until == 1 else [0, 1, 2, 3])
    assert read_plan(stage.store).regions == ()
    assert all(e.state == "open" for e in read_events(stage.store))
    stage.store.close()
    stage.footage.close()
