"""Findings of the audit in the review queue: shown first, settled with a reason, taken back by undo."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from app.audit.store import store_result
from app.audit.types import AuditResult, LeakEvent, Search
from app.deidentify.editing import read_plan
from app.errors import ProjectError
from app.project.edits import Edit, EditLog
from app.project.records import FootageRecord, TrackRecord
from app.project.store import ProjectStore
from app.review.leaks import Leaks, with_leaks
from app.review.types import LEAK_ITEM, EditLabel, ReviewItem
from backends.camera import assumed_camera

TRACKS = {2: TrackRecord(2, "Person 2", 1, False, "kept", None)}


def _event(name: str, track: int | None, first: int, last: int) -> LeakEvent:
    frames = np.arange(first, last + 1)
    boxes = np.tile(np.array([100, 80, 140, 130], np.float32), (len(frames), 1))
    return LeakEvent(name, "face", track, frames, boxes, first, last, 0.9, 2, "CenterFace")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    footage = FootageRecord(
        tmp_path / "a.mp4", "", "video", 640, 360, 50, 25.0, Fraction(1, 25), np.arange(50), False
    )
    made = ProjectStore.create(tmp_path / "a.understudy", footage, assumed_camera(640, 360))
    found = (_event("1", None, 10, 12), _event("2", 2, 30, 30))
    store_result(made, AuditResult(found, 50, 1.0, (Search("CenterFace"),), 0, 49, 1, "ab", {"1": b"jpeg"}))
    yield made
    made.close()


@pytest.fixture
def log(store: ProjectStore) -> EditLog:
    return EditLog(store)


@pytest.fixture
def leaks(store: ProjectStore, log: EditLog) -> Leaks:
    def after(edit: Edit | None) -> EditLabel | None:
        return None

    return Leaks(store, lambda: log, after, lambda: None)


def test_findings_say_whose_and_when(leaks: Leaks) -> None:
    items = leaks.items(TRACKS)
    assert [i.title for i in items] == ["Face visible for 3 frames", "Face visible for 1 frame"]
    assert [i.detail for i in items] == ["Somebody not tracked · frames 11–13", "Person 2 · frame 31"]
    assert [i.person_id for i in items] == [0, 2]
    assert leaks.picture(items[0].item_id) == b"jpeg"
    assert leaks.picture(items[1].item_id) is None


def test_open_findings_come_before_everything_else(leaks: Leaks) -> None:
    doubt = ReviewItem("1:left-leg:0", 2, "Left leg doubtful", "", 1, 0, 9, None, False)
    found = leaks.items(TRACKS)
    assert [i.kind == LEAK_ITEM for i in with_leaks([doubt], found)] == [True, True, False]
    leaks.release(found[0].item_id, "a poster")
    leaks.release(found[1].item_id, "a poster")
    assert [i.done for i in with_leaks([doubt], leaks.items(TRACKS))] == [False, True, True]


def test_marks_and_frames_are_of_what_is_open(leaks: Leaks) -> None:
    assert len(leaks.marks(11)) == 1
    assert not leaks.marks(20)
    assert np.flatnonzero(leaks.open_frames(50)).tolist() == [10, 11, 12, 30]
    leaks.cover(leaks.items(TRACKS)[0].item_id)
    assert np.flatnonzero(leaks.open_frames(50)).tolist() == [30]
    assert leaks.to_export_again
    assert leaks.n_open == 1


def test_covering_makes_a_region_and_undo_takes_both_back(
    leaks: Leaks, log: EditLog, store: ProjectStore
) -> None:
    leaks.cover(leaks.items(TRACKS)[0].item_id)
    region = read_plan(store).regions[0]
    assert region.first <= 10 <= 12 <= region.last
    assert region.points_at(11) is not None
    log.undo()
    leaks.forget()
    assert not read_plan(store).regions
    assert leaks.n_open == 2


def test_a_release_needs_a_reason_and_can_be_opened_again(leaks: Leaks) -> None:
    item = leaks.items(TRACKS)[1]
    with pytest.raises(ProjectError, match="why"):
        leaks.release(item.item_id, " ")
    leaks.release(item.item_id, "a poster on the wall")
    settled = leaks.items(TRACKS)[1]
    assert settled.done
    assert settled.detail == "released: a poster on the wall"
    leaks.reopen(item.item_id)
    assert leaks.n_open == 2


def test_what_is_gone_says_so(leaks: Leaks) -> None:
    with pytest.raises(ProjectError, match="not there"):
        leaks.cover("leak:99-1")
