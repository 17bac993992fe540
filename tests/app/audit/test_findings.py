"""Findings: stored, decided, undone, and known again when the video is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from app.audit.editing import AuditEditor, region_keys
from app.audit.match import is_same
from app.audit.store import last_audit, picture_of, read_events, store_result
from app.audit.types import AuditResult, LeakEvent, Search
from app.deidentify.editing import read_plan
from app.errors import ProjectError
from app.project.edits import EditLog
from app.project.records import FootageRecord
from app.project.store import ProjectStore
from backends.camera import assumed_camera

N = 60


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    footage = FootageRecord(
        tmp_path / "a.mp4", "", "video", 640, 360, N, 25.0, Fraction(1, 25), np.arange(N), False
    )
    made = ProjectStore.create(tmp_path / "a.understudy", footage, assumed_camera(640, 360))
    yield made
    made.close()


def event(first: int = 20, last: int = 29, x: float = 100.0, **more: object) -> LeakEvent:
    """A face of 30 pixels that walks to the right, two pixels a frame."""
    frames = np.arange(first, last + 1)
    left = x + 2.0 * (frames - first)
    boxes = np.stack([left, np.full_like(left, 50), left + 30, np.full_like(left, 85)], 1)
    found = LeakEvent("1", "face", None, frames, boxes.astype(np.float32), first, last, 0.9, 2, "CenterFace")
    return replace(found, **more)


def searched(*events: LeakEvent, sha: str = "aa") -> AuditResult:
    return AuditResult(
        events, N, 1.0, (Search("CenterFace", "centerface", "f" * 64),), 0, N - 1, 4, sha,
        {e.event_id: b"jpeg" + e.event_id.encode() for e in events},
    )  # fmt: skip


def test_findings_come_back_as_they_were_stored(store: ProjectStore) -> None:
    stored = store_result(store, searched(event(), event(40, 41, 300.0, event_id="2", kind="person")))
    read = read_events(store)
    assert [e.event_id for e in read] == [e.event_id for e in stored.events]
    np.testing.assert_array_equal(read[0].frames, np.arange(20, 30))
    np.testing.assert_array_equal(read[0].boxes, event().boxes)
    assert read[0].title == "Face visible for 10 frames"
    assert read[1].title == "Person visible for 2 frames"
    assert picture_of(store, read[1].event_id) == b"jpeg2"
    assert picture_of(store, "no such event") is None
    record = last_audit(store, "aa")
    assert record is not None
    assert set(record.events) == {e.event_id for e in read}
    assert last_audit(store, "another file") is None


def test_a_release_needs_a_reason_and_names_who_gave_it(store: ProjectStore) -> None:
    found = store_result(store, searched(event())).events[0]
    log = EditLog(store)
    with pytest.raises(ProjectError, match="why"):
        AuditEditor(store, log).release(found.event_id, " \n ")
    AuditEditor(store, log).release(found.event_id, "a  poster\non the wall")
    released = read_events(store)[0]
    assert (released.state, released.reason) == ("released", "a poster on the wall")
    assert released.who
    log.undo()
    assert read_events(store)[0].state == "open"
    assert read_events(store)[0].reason == ""


def test_a_cover_follows_the_event_and_is_undone_with_its_decision(store: ProjectStore) -> None:
    found = store_result(store, searched(event())).events[0]
    log = EditLog(store)
    editor = AuditEditor(store, log)
    editor.cover(found.event_id)
    assert read_events(store)[0].state == "covered"
    region = read_plan(store).regions[0]
    assert region.event_id == found.event_id
    for frame in (16, 20, 25, 29, 33):  # some frames before and after it too
        points = region.points_at(frame)
        assert points is not None
        box = found.boxes[np.clip(frame - 20, 0, 9)]
        assert (points.min(axis=0) < box[:2] - 8).all()
        assert (points.max(axis=0) > box[2:] + 8).all()
    with pytest.raises(ProjectError, match="already"):
        editor.cover(found.event_id)
    log.undo()
    assert read_events(store)[0].state == "open"
    assert not read_plan(store).regions
    log.redo()
    editor.reopen(found.event_id)
    assert read_events(store)[0].state == "open"
    assert not read_plan(store).regions
    log.undo()
    assert read_plan(store).regions[0].event_id == found.event_id


def test_straight_ways_need_two_keys_and_corners_stay_in_the_picture() -> None:
    keys = region_keys(event(), 640, 360)
    assert [k.frame for k in keys] == [20, 29]
    bent = event()
    bent.boxes[5:, 1::2] += 40
    assert {24, 25} <= {k.frame for k in region_keys(bent, 640, 360)}
    at_the_rim = replace(event(), boxes=np.tile(np.float32([600, -5, 650, 30]), (10, 1)))
    points = np.concatenate([k.points for k in region_keys(at_the_rim, 640, 360)])
    assert points.min() >= 0
    assert (points.max(axis=0) <= (639, 359)).all()


def test_what_was_released_stays_released_when_the_video_is_made_anew(store: ProjectStore) -> None:
    first = store_result(store, searched(event(), event(40, 45, 300.0, event_id="2"))).events
    AuditEditor(store, EditLog(store)).release(first[0].event_id, "a poster")
    again = store_result(store, searched(event(21, 30, 101.5), event(40, 45, 300.0, event_id="2"), sha="bb"))
    assert [(e.state, e.reason) for e in again.events] == [("released", "a poster"), ("open", "")]
    assert [e.event_id for e in read_events(store)] == [e.event_id for e in again.events]
    assert not {e.event_id for e in first} & {e.event_id for e in again.events}


def test_a_release_speaks_only_of_what_was_looked_at(store: ProjectStore) -> None:
    first = store_result(store, searched(event())).events
    AuditEditor(store, EditLog(store)).release(first[0].event_id, "a poster")
    longer = store_result(store, searched(event(20, 50)))
    assert longer.events[0].state == "open"
    assert {e.state for e in read_events(store)} == {"open", "released"}


def test_elsewhere_or_of_another_kind_is_something_else() -> None:
    assert is_same(event(), event())
    assert not is_same(event(x=200.0), event())
    assert not is_same(event(kind="person"), event())
    assert not is_same(event(40, 49), event())


def test_what_was_covered_and_is_seen_again_is_open(store: ProjectStore) -> None:
    first = store_result(store, searched(event())).events[0]
    AuditEditor(store, EditLog(store)).cover(first.event_id)
    store_result(store, searched(sha="bb"))
    assert [e.state for e in read_events(store)] == ["covered"]  # mended, on record
    store_result(store, searched(event(), sha="cc"))
    assert sorted(e.state for e in read_events(store)) == ["covered", "open"]


def test_a_decision_about_what_a_later_search_replaced_is_refused(store: ProjectStore) -> None:
    first = store_result(store, searched(event())).events[0]
    store_result(store, searched())
    with pytest.raises(ProjectError, match="later search"):
        AuditEditor(store, EditLog(store)).release(first.event_id, "a poster")
    assert read_events(store) == ()


def test_undoing_an_old_decision_leaves_a_later_search_alone(store: ProjectStore) -> None:
    log = EditLog(store)
    first = store_result(store, searched(event())).events[0]
    AuditEditor(store, log).release(first.event_id, "a poster")
    store_result(store, searched(event(), sha="bb"))
    log.undo()
    assert [(e.state, e.reason) for e in read_events(store)] == [("released", "a poster")]
