"""A correction in one camera is one of all: the body changes everywhere, and one undo takes it back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.deidentify.editing import read_plan
from app.deidentify.plan import Method
from app.errors import ProjectError, StorageError
from app.project.store import ProjectStore
from app.review.privacy import method_text
from app.review.room import Room
from app.review.session import Session
from app.review.together import mark_of, plain_kind
from backends.body import posed_joints
from backends.body.skeleton import JOINT_INDEX
from tests.app.multiview import room as scene

FRAME, WRIST = 8, 9
Look = Callable[[str], tuple[Session, Room]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scene.make_projects(tmp_path_factory.mktemp("cameras"))


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture
def look(place: Path) -> Iterator[Look]:
    opened: list[tuple[Session, Room]] = []

    def open_at(name: str) -> tuple[Session, Room]:
        session = Session.open_project(place / f"{name}.understudy")
        found = Room.of(session, lambda: None)
        assert found is not None
        until = time.monotonic() + 30
        while not found.looked_up:
            assert time.monotonic() < until
            time.sleep(0.01)
        opened.append((session, found))
        return session, found

    yield open_at
    for session, found in opened:
        found.close()
        session.close()


def joints(place: Path, person: int, frame: int = FRAME) -> list[np.ndarray]:
    """World joints of somebody as each project has them at one moment."""
    found = []
    for v, name in enumerate(scene.NAMES):
        store = ProjectStore.open(place / f"{name}.understudy")
        record = store.person(frame + (2 if v == 1 else 0), person)
        assert record is not None
        assert record.body is not None
        c = store.camera()
        found.append((posed_joints(scene.BODY, record.body.params)[:22] - c.t) @ c.R)
        store.close()
    return found


def labels(place: Path) -> list[list[str]]:
    found = []
    for name in scene.NAMES:
        store = ProjectStore.open(place / f"{name}.understudy")
        found.append([row["label"] for row in store.query("SELECT label FROM edits ORDER BY id")])
        store.close()
    return found


def drag(session: Session, person: int, dx: float, dy: float, frame: int = FRAME) -> None:
    xy = next(p for p in session.scene(frame).people if p.person_id == person).xy[WRIST]
    session.begin_drag(frame, person, WRIST)
    session.drag(float(xy[0]) + dx, float(xy[1]) + dy)
    session.end_drag()


def test_the_body_changes_in_every_camera_and_stays_one(look: Look, place: Path) -> None:
    session, found = look("cam01")
    told: list[tuple[str, ...]] = []
    found.fitted_together = lambda names: told.append(tuple(names))
    before, neighbour = joints(place, 1), joints(place, 2)
    drag(session, 1, 60.0, -40.0)
    after = joints(place, 1)
    assert told == [("cam02", "cam03")]
    assert max(np.abs(a - after[0]).max() for a in after) < 2e-3, "one body in all of them"
    wrist = JOINT_INDEX["left_wrist"]
    moved = [np.linalg.norm(b[wrist] - a[wrist]) for a, b in zip(before, after)]
    assert min(moved) > 0.02
    still = JOINT_INDEX["right_ankle"]
    assert np.linalg.norm(after[0][still] - before[0][still]) < 0.5 * min(moved)
    assert all(np.abs(a - b).max() == 0 for a, b in zip(joints(place, 2), neighbour))
    assert labels(place) == [
        ["Move left wrist"], ["Move left wrist, in cam01"], ["Move left wrist, in cam01"],
    ]  # fmt: skip
    person = next(p for p in session.scene(FRAME).people if p.person_id == 1)
    assert person.reviewed
    second = found.switch(1)
    other = next(p for p in second.scene(FRAME + 2).people if p.person_id == 1)
    assert not other.reviewed, "nobody has looked at it in this camera"
    seen = (other.vertices - second.camera.t) @ second.camera.R
    here = (person.vertices - session.camera.t) @ session.camera.R
    assert np.abs(seen - here).max() < 2e-3, "what is open there shows it at once"


def test_under_the_hand_the_body_is_already_that_of_all_cameras(look: Look, place: Path) -> None:
    session, _ = look("cam01")
    xy = next(p for p in session.scene(FRAME).people if p.person_id == 1).xy[WRIST]
    session.begin_drag(FRAME, 1, WRIST)
    for step in (0.3, 0.7, 1.0):
        held = session.drag(float(xy[0]) + 60 * step, float(xy[1]) - 40 * step)
    assert labels(place) == [[], [], []], "nothing is stored yet"
    session.end_drag()
    let_go = next(p for p in session.scene(FRAME).people if p.person_id == 1)
    assert np.abs(held.vertices - let_go.vertices).max() < 3e-3, "it does not jump when it is let go"


def test_one_undo_takes_it_back_everywhere_and_redo_does_it_again(look: Look, place: Path) -> None:
    session, _ = look("cam01")
    before = joints(place, 1)
    drag(session, 1, 60.0, -40.0)
    after = joints(place, 1)
    assert session.undo() is not None
    assert all(np.array_equal(a, b) for a, b in zip(joints(place, 1), before))
    assert session.redo() is not None
    assert all(np.array_equal(a, b) for a, b in zip(joints(place, 1), after))
    assert labels(place)[2][-2:] == ["Undo Move left wrist, in cam01", "Redo Move left wrist, in cam01"]


def test_it_can_be_taken_back_in_another_camera(look: Look, place: Path) -> None:
    session, found = look("cam01")
    before = joints(place, 1)
    drag(session, 1, 60.0, -40.0)
    second = found.switch(1)
    assert second.undo_label == "Move left wrist, in cam01"
    second.undo()
    assert all(np.array_equal(a, b) for a, b in zip(joints(place, 1), before))
    first = found.switch(0)
    assert first is session
    assert not first.can_undo
    assert first.can_redo, "the open project has noticed"


def test_what_was_edited_since_must_be_taken_back_first(look: Look, place: Path) -> None:
    session, found = look("cam01")
    drag(session, 1, 60.0, -40.0)
    second = found.switch(1)
    second.set_reviewed(FRAME, 1, True)
    first = found.switch(0)
    after = joints(place, 1)
    with pytest.raises(ProjectError, match="cam02 has been edited since"):
        first.undo()
    assert all(np.array_equal(a, b) for a, b in zip(joints(place, 1), after)), "nothing was changed"
    found.switch(1).undo()
    assert found.switch(0).undo() is not None
    assert labels(place)[0][-1] == "Undo Move left wrist"


def test_whom_no_other_camera_knows_is_corrected_alone(look: Look, place: Path) -> None:
    session, found = look("cam01")
    for name in scene.NAMES[1:]:
        store = ProjectStore.open(place / f"{name}.understudy")
        with store.transaction() as db:
            db.execute("UPDATE settings SET value = '{}' WHERE name = 'run:room_people'")
        store.close()
    found.forget()
    drag(session, 1, 30.0, 0.0)
    assert labels(place) == [["Move left wrist"], [], []]
    assert mark_of(session._log.next_undo) == ""
    assert session.undo() is not None


def test_looking_and_accepting_stay_in_their_camera(look: Look, place: Path) -> None:
    session, _ = look("cam01")
    session.set_reviewed(FRAME, 1, True)
    session.set_visibility(FRAME, 2, WRIST, 1)
    told = labels(place)
    assert told[0] == ["Mark as reviewed", "Mark left wrist as occluded"]
    assert told[1] == told[2] == ["Mark left wrist as occluded, in cam01"]
    edit = session._log.next_undo
    assert edit is not None
    assert plain_kind(edit) == "visibility"
    assert len(mark_of(edit)) == 12


def test_somebody_who_is_hidden_from_a_camera_moves_there_too(look: Look, place: Path) -> None:
    session, found = look("cam01")
    before = joints(place, 2, 3)
    drag(session, 2, 50.0, 30.0, frame=3)
    after = joints(place, 2, 3)
    assert max(np.abs(a - after[0]).max() for a in after) < 2e-3
    assert np.abs(after[2] - before[2]).max() > 0.02, "the third camera does not see them in this frame"
    third = found.switch(2)
    person = next(p for p in third.scene(3).people if p.person_id == 2)
    assert person.score.max() < 0.5, "their keypoints there are still only known from the others"


def test_a_name_is_one_for_all_cameras(look: Look, place: Path) -> None:
    def names() -> list[set[str]]:
        found = []
        for name in scene.NAMES:
            store = ProjectStore.open(place / f"{name}.understudy")
            found.append({t.name for t in store.tracks()})
            store.close()
        return found

    session, found = look("cam01")
    session.rename_person(1, "Surgeon")
    assert names() == [{"Surgeon", "Person 2"}] * 3
    second = found.switch(1)
    assert {p.name for p in second.people()} == {"Surgeon", "Person 2"}
    second.undo()
    assert names() == [{"Person 1", "Person 2"}] * 3
    assert {p.name for p in found.switch(0).people()} == {"Person 1", "Person 2"}


def _rules(place: Path) -> list[list[tuple[int, int, str, str]]]:
    """Track, and what was said of which frames, in every camera."""
    found = []
    for name in scene.NAMES:
        store = ProjectStore.open(place / f"{name}.understudy")
        rules = read_plan(store).rules
        found.append([(r.track_id, r.first, r.last, method_text(r.method)) for r in rules])
        store.close()
    return found


def test_how_somebody_is_covered_holds_in_all_cameras_at_the_same_moments(look: Look, place: Path) -> None:
    session, found = look("cam01")
    told: list[tuple[str, ...]] = []
    found.covered_together = lambda names: told.append(tuple(names))
    session.privacy.spare(1, 3, 6, "has given consent")
    spans = [rules[0][1:3] for rules in _rules(place)]
    assert spans == [(3, 6), (5, 8), (3, 6)], "the second camera began two frames earlier"
    assert told == [("cam02", "cam03")]
    session.privacy.set_method(1, 0, session.n_frames - 1, Method("whole", "solid"))
    ends = [rules[0][1:] for rules in _rules(place)]
    assert [(first, words) for first, _, words in ends] == [(0, "solid colour")] * 3, "all frames of each"
    assert [len(rules) for rules in _rules(place)] == [1, 1, 1]
    second = found.switch(1)
    assert [r.title for r in second.plan_rows()] == ["Person 1: solid colour"]
    assert second.plan_rows()[0].detail == "all frames"
    second.privacy.remove_rule(second.plan_rows()[0].row_id)
    assert _rules(place) == [[], [], []]
    assert not found.switch(0).plan_rows(), "what was open before has noticed"


def test_one_undo_takes_an_exception_back_in_all_cameras(look: Look, place: Path) -> None:
    session, found = look("cam01")
    session.privacy.spare(2, 0, session.n_frames - 1, "has given consent")
    assert found.switch(2).undo_label == "Spare a person, in cam01"
    session = found.switch(0)
    assert session.undo() is not None
    assert _rules(place) == [[], [], []]
    assert session.redo() is not None
    assert all(len(rules) == 1 for rules in _rules(place))
    second = found.switch(1)
    second.set_reviewed(FRAME, 1, True)
    with pytest.raises(ProjectError, match="cam02 has been edited since"):
        found.switch(0).undo()
    assert all(len(rules) == 1 for rules in _rules(place))


def test_moments_that_another_camera_has_no_picture_of_change_nothing_there(look: Look, place: Path) -> None:
    _, found = look("cam01")
    second = found.switch(1)
    second.privacy.spare(1, 0, 1, "has given consent")
    assert _rules(place) == [[], [(1, 0, 1, "may be seen")], []], "it began two frames before the others"
    second.undo()
    second.privacy.spare(1, 0, 4, "has given consent")
    assert _rules(place)[0] == [(1, 0, 2, "may be seen")]


def test_where_one_project_cannot_be_written_nothing_is_left_half_done(
    look: Look, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, found = look("cam01")
    told: list[tuple[str, ...]] = []
    found.fitted_together = lambda names: told.append(tuple(names))
    before = joints(place, 1)

    def full(*_: object, **__: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(session._editor.log, "apply", full)
    with pytest.raises(StorageError, match="The disk is full"):
        drag(session, 1, 60.0, -40.0)
    assert all(np.array_equal(a, b) for a, b in zip(joints(place, 1), before))
    assert labels(place)[0] == []
    assert labels(place)[1] == ["Move left wrist, in cam01", "Undo Move left wrist, in cam01"]
    assert told == []
