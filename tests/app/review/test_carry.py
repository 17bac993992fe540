"""Corrections carried to the frames around them: who follows, who stays, one undo, nothing stale."""

from __future__ import annotations

import importlib.util
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.errors import ProjectError
from app.pipeline.events import CancelledByUser, Event, Failed, Finished, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.project.findings import findings_of
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from app.review.guess import moved_between
from app.review.opening import create_project
from app.review.session import Session
from app.review.types import BY_MODEL, BY_PERSON, CARRIED, CarryRange, RunOptions

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).parents[1] / "pipeline" / "actors.py")
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)

WRIST = 9
AT = 30


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    store, footage = create_project(actors.write_clip(folder / "clip.mp4"), folder / "clip.understudy")
    run_pipeline(
        store, footage, actors.engine(actors.Script(people=1)), RunOptions(), Control(), lambda event: None
    )
    store.close()
    footage.close()
    return folder


@pytest.fixture
def session(finished: Path, tmp_path: Path) -> Iterator[Session]:
    for file in finished.iterdir():
        shutil.copy(file, tmp_path / file.name)
    store = ProjectStore.open(tmp_path / "clip.understudy")
    store.move_footage(tmp_path / "clip.mp4")
    store.close()
    opened = Session.open_project(tmp_path / "clip.understudy")
    yield opened
    opened.close()


def _correct(session: Session, frame: int, dx: float, dy: float) -> None:
    x, y = session.scene(frame).people[0].xy[WRIST]
    session.begin_drag(frame, 1, WRIST)
    session.drag(float(x) + dx, float(y) + dy)
    session.end_drag()


def _carry(session: Session, frame: int, reach: CarryRange) -> list[Event]:
    events: list[Event] = []
    job = session.carry(frame, 1, reach, events.append)
    assert job.wait(60)
    return events


def _vertices(session: Session, frame: int) -> np.ndarray:
    vertices = session.scene(frame).people[0].vertices
    assert vertices is not None
    return np.asarray(vertices)


def test_the_frames_around_follow_and_one_undo_takes_all_back(session: Session) -> None:
    frames = list(range(session.n_frames))
    at_first = {f: session.scene(f).people[0] for f in frames}
    _correct(session, AT, 12.0, -14.0)
    corrected = _vertices(session, AT)
    events = _carry(session, AT, CarryRange(0.5, 0.5))
    assert isinstance(events[-1], Finished)
    assert any(isinstance(e, StageStarted) for e in events)
    progress = [e for e in events if isinstance(e, Progress)]
    half = round(0.5 * session.fps)
    assert progress[-1].done == progress[-1].total >= 2 * half + 1
    label = session.keep_carried()
    assert label is not None
    assert (label.text, label.frame, label.person_id) == ("Carry left wrist along", AT, 1)
    assert np.array_equal(_vertices(session, AT), corrected), "what a person fixed does not move"
    beside = session.scene(AT + 1).people[0]
    moved = beside.xy[WRIST] - at_first[AT + 1].xy[WRIST]
    assert np.linalg.norm(moved - [12.0, -14.0]) < 6.0, "the keypoint goes along"
    assert beside.source[WRIST] == CARRIED
    assert beside.reasons[WRIST] == "follows a correction nearby"
    assert (np.delete(beside.source, WRIST) == BY_MODEL).all()
    assert not beside.reviewed
    assert np.abs(_vertices(session, AT + 1) - at_first[AT + 1].vertices).max() > 0.05
    shift = [np.linalg.norm(session.scene(f).people[0].xy[WRIST] - at_first[f].xy[WRIST]) for f in frames]
    inside = range(AT - half, AT + half + 1)
    assert all(shift[f] == 0 for f in frames if f not in inside), "nothing beyond the range moves"
    assert shift[AT - half] < 0.4 * shift[AT - 1], "it fades towards the ends"
    lane = session.lanes()[0]
    assert lane.corrected_frames.tolist() == [AT]
    assert set(lane.carried_frames.tolist()) <= set(inside) - {AT}
    assert len(lane.carried_frames) > half
    assert session.undo_label == "Carry left wrist along"
    session.undo()
    assert session.lanes()[0].carried_frames.size == 0
    for f in (AT - 3, AT + 1, AT + half):
        assert np.allclose(_vertices(session, f), at_first[f].vertices, atol=1e-6)
    assert np.array_equal(_vertices(session, AT), corrected)
    session.redo()
    assert session.scene(AT + 1).people[0].source[WRIST] == CARRIED
    assert session.keep_carried() is None


def test_between_two_corrections_it_goes_from_one_to_the_other(session: Session) -> None:
    _correct(session, 20, 12.0, -14.0)
    _correct(session, 40, 12.0, -14.0)
    fixed = [_vertices(session, f) for f in (20, 40)]
    before = session.scene(30).people[0].xy[WRIST].copy()
    outside = session.scene(41).people[0].xy[WRIST].copy()
    _carry(session, 40, CarryRange(None, 0.0))
    session.keep_carried()
    moved = session.scene(30).people[0].xy[WRIST] - before
    assert 0.5 < moved @ [12.0, -14.0] / (12.0**2 + 14.0**2) < 1.6, "what lies between follows both"
    assert all(np.array_equal(_vertices(session, f), v) for f, v in zip((20, 40), fixed))
    assert (session.scene(20).people[0].source[WRIST], session.scene(40).people[0].source[WRIST]) == (
        BY_PERSON, BY_PERSON,
    )  # fmt: skip
    assert np.array_equal(session.scene(41).people[0].xy[WRIST], outside)


def test_without_a_correction_there_is_nothing_to_carry(session: Session) -> None:
    with pytest.raises(ProjectError, match="correct a keypoint"):
        session.carry(AT, 1, CarryRange(), lambda event: None)
    _correct(session, AT, 5.0, 5.0)
    with pytest.raises(ProjectError, match="longer range"):
        session.carry(AT, 1, CarryRange(0.0, 0.0), lambda event: None)


def test_what_was_edited_in_the_meantime_is_not_overwritten(session: Session) -> None:
    _correct(session, AT, 12.0, -14.0)
    _carry(session, AT, CarryRange())
    _correct(session, AT + 2, -4.0, 4.0)
    mine = _vertices(session, AT + 2)
    with pytest.raises(ProjectError, match="in the meantime"):
        session.keep_carried()
    assert np.array_equal(_vertices(session, AT + 2), mine)
    assert session.lanes()[0].carried_frames.size == 0


def test_it_can_be_stopped_and_leaves_no_trace(session: Session) -> None:
    _correct(session, AT, 12.0, -14.0)
    undo = session.undo_label
    before = _vertices(session, AT + 1)
    events: list[Event] = []
    told = threading.Event()
    go_on = threading.Event()

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, StageStarted):
            told.set()
            go_on.wait(20)

    job = session.carry(AT, 1, CarryRange(), listen)
    assert told.wait(20)
    with pytest.raises(ProjectError, match="running already"):
        session.carry(AT, 1, CarryRange(), lambda event: None)
    job.cancel()
    go_on.set()
    assert job.wait(20)
    assert isinstance(events[-1], CancelledByUser)
    assert session.keep_carried() is None
    assert session.undo_label == undo
    assert np.array_equal(_vertices(session, AT + 1), before)


def test_bodies_that_are_missing_are_told(session: Session) -> None:
    for keypoint in range(20):
        session.set_visibility(AT, 1, keypoint, 0)
    store = ProjectStore.open(session.project_path)
    store.connection.execute("DELETE FROM bodies WHERE frame = ?", (AT,))
    store.close()
    events = _carry(session, AT, CarryRange())
    assert isinstance(events[-1], Failed)
    assert "no bodies" in events[-1].message


def test_a_read_only_project_is_left_alone(session: Session) -> None:
    session.read_only = True
    with pytest.raises(ProjectError, match="reading only"):
        session.carry(AT, 1, CarryRange(), lambda event: None)


def test_a_corrected_frame_is_expected_to_be_no_worse_than_those_beside(session: Session) -> None:
    _correct(session, AT, 6.0, -6.0)
    errors = [session.scene(f).people[0].mean_mm for f in (AT - 1, AT, AT + 1)]
    assert errors[1] < 1.5 * max(errors[0], errors[2])


def test_what_was_only_declared_hidden_is_not_carried(session: Session) -> None:
    before = session.scene(AT + 1).people[0].xy.copy()
    session.set_visibility(AT, 1, 10, 1)
    _correct(session, AT, 12.0, -14.0)
    _carry(session, AT, CarryRange(0.5, 0.5))
    label = session.keep_carried()
    assert label is not None
    assert label.text == "Carry left wrist along"
    beside = session.scene(AT + 1).people[0]
    assert beside.source[10] == BY_MODEL
    assert np.array_equal(np.delete(beside.xy, WRIST, axis=0), np.delete(before, WRIST, axis=0))


def _people(session: Session, first: int, last: int) -> dict[int, PersonRecord]:
    store = ProjectStore.open(session.project_path)
    people = {p.frame: p for p in store.track_people(1, first, last)}
    store.close()
    return people


def test_between_corrections_keypoints_are_guessed_as_far_off_as_they_were(session: Session) -> None:
    _correct(session, 20, 12.0, -14.0)
    _correct(session, 30, 6.0, -7.0)
    found = _people(session, 15, 35)
    only = np.zeros(23, np.bool_)
    only[WRIST] = True
    guessed = moved_between(found, (20, 30), {20: only, 30: only})
    shift = guessed[25].estimate.keypoints.xy - found[25].estimate.keypoints.xy
    assert np.linalg.norm(shift[WRIST] - [9.0, -10.5]) < 3.0
    assert not np.delete(shift, WRIST, axis=0).any()
    assert guessed[20] is found[20]
    assert guessed[32] is found[32]
    other = np.zeros(23, np.bool_)
    other[10] = True
    assert moved_between(found, (20, 30), {20: only, 30: other}) == found, "only what both correct"
    alone = {f: p for f, p in found.items() if f in (20, 25, 30)}
    assert moved_between(alone, (20, 30), {20: only, 30: only}) == alone, "nothing beside tells how far"


def _noted(session: Session) -> set[tuple[int, str]]:
    store = ProjectStore.open(session.project_path)
    try:
        return {(f.frame, f.kind) for f in findings_of(store)}
    finally:
        store.close()


def test_reasons_follow_what_a_person_does_and_takes_back(session: Session) -> None:
    assert not _noted(session)
    _correct(session, AT, 90.0, 0.0)
    assert (AT, "keypoint-far") in _noted(session)
    session.undo()
    assert not _noted(session)


def test_after_a_long_carry_the_reasons_are_looked_for_beside(session: Session) -> None:
    told = threading.Event()
    session.changed = told.set
    _correct(session, AT, 12.0, -14.0)
    _carry(session, AT, CarryRange(0.5, 0.5))
    told.clear()
    session.keep_carried()
    assert told.wait(60)
    assert isinstance(session.review_items(), list)
