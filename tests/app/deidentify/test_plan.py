"""The plan: who is covered how in which frame; every change can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from app.deidentify.editing import PlanEditor, read_plan, with_key
from app.deidentify.plan import FreeRegion, Method, RegionKey
from app.errors import ProjectError
from app.project.edits import EditLog
from app.project.records import FootageRecord
from app.project.store import ProjectStore
from backends.camera import assumed_camera

SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    footage = FootageRecord(
        tmp_path / "a.mp4", "", "video", 640, 360, 50, 25.0, Fraction(1, 25), np.arange(50), False
    )
    store = ProjectStore.create(tmp_path / "a.understudy", footage, assumed_camera(640, 360))
    yield store
    store.close()


def test_the_newest_rule_that_speaks_of_a_frame_holds(store: ProjectStore) -> None:
    editor = PlanEditor(store, EditLog(store))
    editor.set_method(1, 0, 40, Method("head", "pixels"))
    editor.spare(1, 10, 20, "the lecturer")
    plan = read_plan(store)
    assert plan.method_for(1, 5) == Method("head", "pixels")
    assert plan.method_for(1, 15) is None
    assert plan.method_for(1, 45) == plan.default
    assert plan.method_for(2, 15) == plan.default
    assert [r.reason for r in plan.spared()] == ["the lecturer"]


def test_of_a_frame_only_one_exception_speaks_so_that_the_list_tells_what_holds(store: ProjectStore) -> None:
    log = EditLog(store)
    editor = PlanEditor(store, log)
    editor.spare(1, 0, 49, "the lecturer")
    editor.spare(2, 0, 49, "the nurse")
    editor.set_method(1, 10, 20, Method("head", "solid"))
    spans = [(r.first, r.last, r.method is None) for r in read_plan(store).rules if r.track_id == 1]
    assert sorted(spans) == [(0, 9, True), (10, 20, False), (21, 49, True)]
    assert all(r.reason == "the lecturer" for r in read_plan(store).spared() if r.track_id == 1)
    editor.set_method(1, 5, 49, Method("whole", "solid"))
    spans = [(r.first, r.last, r.method is None) for r in read_plan(store).rules if r.track_id == 1]
    assert sorted(spans) == [(0, 4, True), (5, 49, False)]
    editor.set_method(1, 0, 49, Method("whole", "mesh"))
    assert [r.track_id for r in read_plan(store).spared()] == [2], "nobody is said to be seen who is not"
    for _ in range(3):
        log.undo()
    assert [(r.first, r.last) for r in read_plan(store).rules if r.track_id == 1] == [(0, 49)]
    log.redo()
    assert len([r for r in read_plan(store).rules if r.track_id == 1]) == 3


def test_like_everybody_again_in_some_frames_only(store: ProjectStore) -> None:
    editor = PlanEditor(store, EditLog(store))
    editor.spare(1, 10, 40, "the lecturer")
    changes = editor.cleared(1, 30, 60)
    editor.apply_rules("Cover a person like everybody", changes, 1, 30)
    assert [(r.first, r.last) for r in read_plan(store).rules] == [(10, 29)]
    assert read_plan(store).method_for(1, 35) == read_plan(store).default
    assert not editor.cleared(1, 30, 60)
    with pytest.raises(ProjectError, match="empty"):
        editor.cleared(1, 9, 3)


def test_nobody_is_spared_without_a_reason(store: ProjectStore) -> None:
    with pytest.raises(ProjectError, match="why"):
        PlanEditor(store, EditLog(store)).spare(1, 0, 10, "  ")


def test_every_change_can_be_undone_and_done_again(store: ProjectStore) -> None:
    log = EditLog(store)
    editor = PlanEditor(store, log)
    editor.set_method(1, 0, 10, Method("head", "solid"))
    rule = read_plan(store).rules[0]
    editor.add_region("Clock", "solid", 0, 49, (RegionKey(0, SQUARE),))
    editor.apply_rules("Cover a person like everybody", editor.cleared(1, 0, 10), 1, 0)
    assert not read_plan(store).rules
    for _ in range(3):
        log.undo()
    assert not read_plan(store).rules
    assert not read_plan(store).regions
    editor.set_method(2, 0, 10, Method("head", "solid"))  # a number of its own, whatever was undone
    assert read_plan(store).rules[0].rule_id > rule.rule_id


def test_a_region_moves_from_key_to_key_and_survives_the_file(store: ProjectStore) -> None:
    editor = PlanEditor(store, EditLog(store))
    editor.add_region("Name tag", "pixels", 5, 30, (RegionKey(10, SQUARE),))
    region = with_key(read_plan(store).regions[0], RegionKey(20, SQUARE + 100))
    editor.change_region(region)
    stored = read_plan(store).regions[0]
    assert stored.points_at(4) is None
    np.testing.assert_allclose(stored.points_at(5), SQUARE)
    np.testing.assert_allclose(stored.points_at(15), SQUARE + 50)
    np.testing.assert_allclose(stored.points_at(30), SQUARE + 100)
    assert [r.label for r, _ in read_plan(store).regions_at(15)] == ["Name tag"]


@pytest.mark.parametrize(
    "keys",
    [
        (),
        (RegionKey(0, SQUARE[:2]),),
        (RegionKey(0, SQUARE), RegionKey(3, SQUARE[:3])),
        (RegionKey(3, SQUARE), RegionKey(0, SQUARE)),
        (RegionKey(0, np.full((4, 2), np.nan, np.float32)),),
    ],
)
def test_a_region_that_cannot_be_drawn_is_refused(store: ProjectStore, keys: tuple[RegionKey, ...]) -> None:
    with pytest.raises(ProjectError):
        PlanEditor(store, EditLog(store)).add_region("x", "solid", 0, 10, keys)
    assert not read_plan(store).regions


def test_words_of_a_newer_program_cover_more_and_not_less(store: ProjectStore) -> None:
    PlanEditor(store, EditLog(store)).set_method(1, 0, 10, Method("head", "pixels"))
    with store.transaction() as db:
        db.execute("UPDATE deid_rules SET fill = 'hologram'")
    assert read_plan(store).method_for(1, 3) == Method("whole", "solid")


def test_what_is_gone_cannot_be_changed(store: ProjectStore) -> None:
    editor = PlanEditor(store, EditLog(store))
    with pytest.raises(ProjectError, match="not there"):
        editor.remove_region(7)
    ghost = FreeRegion(7, "x", "solid", 0, 1, (RegionKey(0, SQUARE),))
    with pytest.raises(ProjectError, match="not there"):
        editor.change_region(replace(ghost, label="y"))
