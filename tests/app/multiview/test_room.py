"""Projects of one room know each other: the same moment, the same people, everybody once."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import Cancelled
from app.multiview.numbering import renumber
from app.multiview.people import moment_of
from app.multiview.projects import with_room_body
from app.multiview.run import run_views
from app.multiview.task import views_task
from app.multiview.types import Seen, ViewInput, ViewsRequest
from app.pipeline.events import Event, Progress, StagesPlanned, StageStarted
from app.pipeline.job import Control
from app.pipeline.run import TrackedPose
from app.project.notes import finished
from app.project.records import PersonRecord
from app.project.room import room_note, room_people
from app.project.store import ProjectStore
from app.review.eye import Peek
from app.review.opening import open_project
from app.review.room import Room
from app.review.session import Session
from backends.fitting import BodyFitter
from backends.keypoints.types import PoseEstimate
from tests.app.multiview import room as scene


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three cameras of one room."""
    return scene.make_projects(tmp_path_factory.mktemp("cameras"))


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture
def looked(place: Path) -> Iterator[Callable[[str], tuple[Session, Room]]]:
    opened: list[tuple[Session, Room]] = []

    def look(name: str) -> tuple[Session, Room]:
        session = Session.open_project(place / f"{name}.understudy")
        found = Room.of(session, lambda: None)
        assert found is not None
        wait_for(lambda: found.looked_up)
        opened.append((session, found))
        return session, found

    yield look
    for session, found in opened:
        found.close()
        session.close()


def test_projects_of_one_room_know_each_other(made: Path) -> None:
    notes, numbers = [], []
    for name in scene.NAMES:
        store = ProjectStore.open(made / f"{name}.understudy")
        notes.append(room_note(store))
        numbers.append(room_people(store))
        store.close()
    assert all(n is not None and n.room == notes[0].room for n in notes)
    assert [n.camera for n in notes] == list(scene.NAMES)
    assert [c.offset for c in notes[0].cameras] == [0, 2, 0]
    assert numbers == [{1: 1, 2: 2}] * 3, "also where a camera counted people the other way round"


def test_the_moment_and_the_person_stay(looked: Callable[[str], tuple[Session, Room]]) -> None:
    session, found = looked("cam01")
    assert found.names == scene.NAMES
    assert found.troubles == (("", ""),) * 3
    assert [found.frame_in(i, 5) for i in range(3)] == [5, 7, 5]
    for person in session.scene(8).people:
        other = found.person_in(1, person.person_id)
        assert other is not None
        second = found.switch(1)
        same = next(p for p in second.scene(10).people if p.person_id == other)
        here, there = session.camera, second.camera
        mine = (person.vertices - here.t) @ here.R
        theirs = (same.vertices - there.t) @ there.R
        assert np.abs(mine - theirs).max() < 2e-3, "the same body stands in the same place"
        assert found.switch(0) is session
    assert found.person_in(1, None) is None
    assert found.person_in(1, 99) is None


def test_small_pictures_of_the_moment_come_from_all(looked: Callable[[str], tuple[Session, Room]]) -> None:
    _, found = looked("cam01")
    peeks: dict[int, Peek] = {}
    found.peek(0, lambda i, p: peeks.__setitem__(i, p))
    wait_for(lambda: len(peeks) == 3)
    assert [peeks[i].frame for i in range(3)] == [0, 2, 0]
    for peek in peeks.values():
        assert peek.rgb is not None
        assert peek.rgb.shape[0] <= 126
        assert len(peek.people) == 2
        for person in peek.people:
            inside = person.xy[person.there]
            assert (inside >= 0).all()
            assert (inside <= (peek.rgb.shape[1], peek.rgb.shape[0])).all()
    assert [p.seen for p in peeks[2].people].count(False) == 1, "one is known from the other cameras only"
    peeks.clear()
    found.peek(scene.N, lambda i, p: peeks.__setitem__(i, p))
    wait_for(lambda: len(peeks) == 3)
    assert all(p.rgb is None for p in peeks.values()), "no camera has a frame after its last"


def test_the_room_holds_everybody_once(looked: Callable[[str], tuple[Session, Room]]) -> None:
    session, found = looked("cam01")
    alone = session.scene(8)
    assert len(found.whole(alone, session.camera).people) == 2, "whom this camera shows is not added again"
    # The second person is taken out of this camera's project: the others still know where they stand.
    second = next(p.person_id for p in session.people() if p.name == "Person 2")
    where = next(p.vertices for p in alone.people if p.person_id == second)
    session.delete_person(second)
    found.forget()
    whole = found.whole(session.scene(8), session.camera)
    assert len(session.scene(8).people) == 1
    assert len(whole.people) == 2
    added = next(p for p in whole.people if p.person_id < 0)
    assert np.abs(added.vertices - where).max() < 2e-3
    before = next(p.normals for p in alone.people if p.person_id == second)
    cosine = (added.normals * before).sum(axis=1) / np.linalg.norm(added.normals, axis=1)
    assert (cosine / np.linalg.norm(before, axis=1) > 0.99).all()


def test_siblings_that_are_missing_foreign_or_no_project(
    place: Path, looked: Callable[[str], tuple[Session, Room]], tmp_path: Path
) -> None:
    (place / "cam02.understudy").unlink()
    store = ProjectStore.open(place / "cam03.understudy")
    with store.transaction() as db:
        said = {"id": "other", "camera": "cam03", "cameras": [{"name": "cam03", "project": "a", "offset": 0}]}
        db.execute("UPDATE settings SET value = ? WHERE name = 'room'", (json.dumps(said),))
    store.close()
    session, found = looked("cam01")
    assert [t for t, _ in found.troubles] == ["", "missing", "other recording"]
    assert "cam02.understudy is not in this project's folder" in found.troubles[1][1]
    assert [found.usable(i) for i in range(3)] == [True, False, False]
    assert len(found.whole(session.scene(8), session.camera).people) == 2
    (place / "cam02.understudy").write_bytes(b"no project at all" * 300)
    session2 = Session.open_project(place / "cam01.understudy")
    again = Room.of(session2, lambda: None)
    assert again is not None
    wait_for(lambda: again.looked_up)
    assert again.troubles[1][0] == "cannot be opened"
    again.close()
    session2.close()


@pytest.mark.parametrize(
    "value",
    [
        [], {"id": 3}, {"id": "a", "camera": "x", "cameras": []}, {"id": "a", "camera": "x", "cameras": {}},
        {"id": "a", "camera": "x", "cameras": [{"name": "x", "project": "../../x.understudy", "offset": 0}]},
        {"id": "a", "camera": "x", "cameras": [{"name": "x", "project": "C:\\x", "offset": 0}]},
        {"id": "a", "camera": "x", "cameras": [{"name": "x", "project": "..", "offset": 0}, 7]},
        {"id": "a", "camera": "x", "cameras": [{"name": "x", "project": "x", "offset": "0"}]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_no_room(place: Path, value: object) -> None:
    store = ProjectStore.open(place / "cam01.understudy")
    with store.transaction() as db:
        db.execute("UPDATE settings SET value = ? WHERE name = 'room'", (json.dumps(value),))
        db.execute("UPDATE settings SET value = ? WHERE name = 'run:room_people'", (json.dumps(value),))
    assert room_note(store) is None
    assert room_people(store) == {}
    store.close()
    session = Session.open_project(place / "cam01.understudy")
    assert Room.of(session, lambda: None) is None
    session.close()


def test_stages_are_told_and_a_stopped_start_goes_on(tmp_path: Path) -> None:
    videos = scene.write_videos(tmp_path)
    calibration = scene.own_json(tmp_path / "calibration.json")
    request = ViewsRequest(tuple(videos), calibration, tmp_path / "out", names=scene.NAMES)
    control, events = Control(), []

    def stop_in_the_second(event: Event) -> None:
        events.append(event)
        if isinstance(event, Progress) and event.stage == "camera cam02" and event.done >= 3:
            control.stop()

    with pytest.raises(Cancelled):
        views_task(
            control, stop_in_the_second, request, engine=scene.engine([scene.Perception(v) for v in range(3)])
        )
    planned = next(e for e in events if isinstance(e, StagesPlanned)).stages
    assert [name for name, _ in planned] == [
        *(f"camera {n}" for n in scene.NAMES),
        "views",
        "motion",
        "projects",
    ]
    told = {e.stage for e in events if isinstance(e, StageStarted | Progress)}
    assert told == {"camera cam01", "camera cam02"}
    assert not (tmp_path / "out" / "people.npz").exists()
    store, footage = open_project(tmp_path / "out" / "cam01.understudy")
    assert finished(store), "what was done of the first camera is kept"
    store.close()
    footage.close()
    events.clear()
    left = [scene.Perception(1), scene.Perception(2)]
    told_people = views_task(Control(), events.append, request, engine=scene.engine(left))["people"]
    assert told_people == 2
    stages = [e.stage for e in events if isinstance(e, StageStarted)]
    assert stages[-3:] == ["views", "motion", "projects"]
    assert {n for n, _ in planned} >= set(stages)


def numbered(path: Path) -> tuple[set[int], list[tuple[int, int]]]:
    """Tracks with their names' numbers, and everybody by frame."""
    store = ProjectStore.open(path)
    names = {(t.track_id, t.name) for t in store.tracks()}
    rows = [(p.frame, p.track_id) for f in range(scene.N) for p in store.people(f)]
    store.close()
    return {n for n, _ in names}, rows


def test_whom_one_camera_alone_knows_gets_a_number_of_their_own(tmp_path: Path) -> None:
    class Crowd(scene.Perception):
        """Sees somebody else besides, whom no other camera does, and calls them 1."""

        def step(self, index: int, image_rgb: object) -> list[TrackedPose]:
            found = [TrackedPose(p.track_id + 1, p.estimate) for p in super().step(index, image_rgb)]
            if not found:
                return found
            pose = found[0].estimate
            far = replace(pose.keypoints, xy=pose.keypoints.xy * np.float32(0.3) + np.float32(self.view * 40))
            box = np.array([*far.xy.min(axis=0), *far.xy.max(axis=0)], np.float32)
            return [*found, TrackedPose(1, replace(pose, keypoints=far, box=box, world=None))]

    videos = scene.write_videos(tmp_path)
    request = ViewsRequest(tuple(videos), scene.own_json(tmp_path / "calibration.json"), tmp_path / "out")
    scripts: list[scene.Perception] = [Crowd(0), Crowd(1), scene.Perception(2)]
    run_views(request, Control(), lambda event: None, engine=scene.engine(scripts))
    first, second, third = (numbered(tmp_path / "out" / f"{n}.understudy") for n in scene.NAMES)
    assert third[0] == {1, 2}
    assert {1, 2} < first[0]
    assert {1, 2} < second[0]
    assert not (first[0] & second[0]) - {1, 2}, "nobody else has that number in another camera"
    assert all(sum(1 for f, t in first[1] if t == n) == scene.N for n in first[0])


def test_a_project_that_somebody_has_worked_on_keeps_its_numbers(place: Path) -> None:
    path = place / "cam01.understudy"
    session = Session.open_project(path)
    session.set_reviewed(3, 1, True)
    session.close()
    before = numbered(path)
    store = ProjectStore.open(path)
    assert renumber(store, {1: 2, 2: 1}) == {1: 1, 2: 2}
    store.close()
    assert numbered(path) == before
    other = ProjectStore.open(place / "cam03.understudy")
    assert renumber(other, {1: 2, 2: 7}) == {1: 2, 2: 7}
    assert {t.track_id for t in other.tracks()} == {2, 7}
    assert {p.track_id for p in other.people(9)} == {2, 7}
    assert other.resume_point()[1] is None
    other.close()


def test_a_body_that_no_camera_sees_like_that_is_not_believed() -> None:
    fitter = BodyFitter(scene.BODY)
    inputs = [ViewInput(n, c, None) for n, c in zip(scene.NAMES, scene.CAMERAS)]
    expected = []
    for apart in (0.0, 120.0):  # pixels along the lines of sight of the first: limbs that fit nobody
        other = scene.keypoints_of(1, 0, 3)
        aside = np.random.default_rng(0).normal(size=len(other.xy)) * apart
        wrong = other.xy + np.stack([aside, np.zeros_like(aside)], axis=1).astype(np.float32)
        seen = {0: Seen(scene.keypoints_of(0, 0, 3)), 1: Seen(replace(other, xy=wrong))}
        fit = fitter.fit_views([s.keypoints for s in seen.values()], scene.CAMERAS[:2])
        moment = moment_of(scene.BODY, scene.CAMERAS, seen, fit)
        estimate = PoseEstimate(seen[0].keypoints, np.array([0, 0, 9, 9], np.float32), 0.9)
        record = with_room_body(PersonRecord(3, 1, estimate, None, None), scene.BODY, inputs, 0, moment)
        assert record.confidence is not None
        expected.append(record.confidence.mean_mm)
    assert expected[0] < 80
    assert expected[1] > 3 * expected[0]
