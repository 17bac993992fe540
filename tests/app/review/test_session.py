"""The session: what the window is told and what becomes of a person's edits."""

from __future__ import annotations

import importlib.util
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.errors import MissingFootage, ProjectError
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.project.store import ProjectStore
from app.review.opening import create_project
from app.review.session import Session
from app.review.types import COVERED, PREDICTED, DeidSettings, RunOptions

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).parents[1] / "pipeline" / "actors.py")
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip and its finished project."""
    folder = tmp_path_factory.mktemp("finished")
    store, footage = create_project(actors.write_clip(folder / "clip.mp4"), folder / "clip.understudy")
    run_pipeline(store, footage, actors.engine(actors.Script()), RunOptions(), Control(), lambda event: None)
    store.close()
    footage.close()
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    for file in finished.iterdir():
        shutil.copy(file, tmp_path / file.name)
    # The copy finds its footage beside itself.
    store = ProjectStore.open(tmp_path / "clip.understudy")
    store.move_footage(tmp_path / "clip.mp4")
    store.close()
    return tmp_path / "clip.understudy"


@pytest.fixture
def session(project: Path) -> Iterator[Session]:
    opened = Session.open_project(project)
    yield opened
    opened.close()


def test_it_tells_who_is_where_and_how_sure(session: Session) -> None:
    assert session.has_results
    assert session.complete
    people = session.people()
    assert [p.name for p in people] == ["Person 1", "Person 2"]
    assert people[1].n_gaps == 1
    scene = session.scene(30)
    assert len(scene.people) == 2
    person = scene.people[0]
    assert person.vertices is not None
    assert person.vertices.shape == (session.model.n_vertices, 3)
    assert person.vertex_rgb is not None
    assert person.vertex_rgb.shape == person.vertices.shape
    assert len(session.lanes()) == 2
    coverage = session.coverage()
    assert np.isin(coverage, (COVERED, PREDICTED)).all(), "the export bridges a short gap"
    predicted = session.lanes()[1].predicted_frames
    assert predicted.size >= 5, "the gap and what lies beyond the ends"
    assert (coverage[predicted] == PREDICTED).all()
    assert (coverage == COVERED).sum() > 0
    titles = [i.title for i in session.review_items()]
    assert "Person lost from sight" not in titles, "a gap of five frames is bridged"
    assert "Track begins in mid-picture" in titles


def test_frames_come_to_the_newest_request(session: Session) -> None:
    arrived: list[int] = []
    done = threading.Event()

    def got(index: int, image: np.ndarray) -> None:
        arrived.append(index)
        if index == 40:
            done.set()

    for index in range(41):
        session.request_frame(index, got)
    assert done.wait(20)
    assert arrived[-1] == 40


def test_a_drag_moves_the_body_and_is_one_edit(session: Session) -> None:
    before = session.scene(30).people[0]
    at = before.xy[9]
    session.begin_drag(30, 1, 9)
    for step in range(1, 9):
        moving = session.drag(float(at[0]) + 2 * step, float(at[1]) - 2 * step)
    assert moving.vertices is not None
    assert before.vertices is not None
    assert np.abs(moving.vertices - before.vertices).max() > 0.02, "the body follows while dragging"
    assert np.allclose(session.scene(30).people[0].xy, before.xy), "nothing is stored while dragging"
    session.end_drag()
    after = session.scene(30).people[0]
    assert np.allclose(after.xy[9], at + np.array([16, -16]))
    assert after.reviewed
    assert session.undo_label == "Move left wrist"
    label = session.undo()
    assert label is not None
    assert (label.frame, label.person_id) == (30, 1)
    assert np.allclose(session.scene(30).people[0].xy, before.xy)
    session.redo()
    assert np.allclose(session.scene(30).people[0].xy[9], at + np.array([16, -16]))


def test_a_cancelled_drag_leaves_no_trace(session: Session) -> None:
    before = session.scene(30).people[0].xy.copy()
    session.begin_drag(30, 1, 9)
    session.drag(5.0, 5.0)
    session.cancel_drag()
    assert np.allclose(session.scene(30).people[0].xy, before)
    assert not session.can_undo


def test_undo_survives_closing_the_program(project: Path) -> None:
    first = Session.open_project(project)
    before = first.scene(12).people[0].xy.copy()
    first.move_person(12, 1, 7.0, 3.0)
    first.set_visibility(12, 1, 10, 1)
    first.close()
    second = Session.open_project(project)
    assert second.undo_label == "Mark right wrist as occluded"
    second.undo()
    second.undo()
    assert np.allclose(second.scene(12).people[0].xy, before)
    assert not second.can_undo
    second.close()


def test_people_can_be_renamed_hidden_merged_swapped_and_deleted(session: Session) -> None:
    a, b = session.scene(40).people
    session.rename_person(1, "  Surgeon \n")
    assert session.people()[0].name == "Surgeon"
    session.set_hidden(2, True)
    assert session.people()[1].hidden
    session.swap_people(1, 2, 40)
    assert np.allclose(session.scene(40).people[0].xy, b.xy)
    assert np.allclose(session.scene(39).people[0].xy, session.scene(39).people[0].xy)
    session.undo()
    assert np.allclose(session.scene(40).people[0].xy, a.xy)
    session.delete_person(2)
    assert len(session.people()) == 1
    session.undo()
    assert len(session.people()) == 2
    with pytest.raises(ProjectError, match="different"):
        session.merge_people(1, 1)


def test_an_accepted_item_stays_accepted(project: Path) -> None:
    session = Session.open_project(project)
    item = session.review_items()[0]
    session.accept_item(item.item_id)
    session.close()
    session = Session.open_project(project)
    assert next(i for i in session.review_items() if i.item_id == item.item_id).done
    session.close()


def test_the_way_of_covering_is_an_edit_and_changes_the_preview(session: Session) -> None:
    got: dict[str, np.ndarray] = {}

    def preview(name: str) -> np.ndarray:
        done = threading.Event()

        def arrived(index: int, image: np.ndarray) -> None:
            got[name] = image
            done.set()

        session.preview_deidentified(30, arrived)
        assert done.wait(60)
        return got[name]

    session.set_deid(DeidSettings(cover="head", fill="solid", background="original"))
    head = preview("head")
    session.set_deid(DeidSettings(cover="whole", fill="solid", background="original"))
    whole = preview("whole")
    grey = np.array([104, 110, 118])
    n_head = int((np.abs(head.astype(int) - grey).max(axis=2) < 3).sum())
    n_whole = int((np.abs(whole.astype(int) - grey).max(axis=2) < 3).sum())
    assert 50 < n_head < n_whole / 2
    assert session.undo() is not None
    assert session.deid.cover == "head"


def test_learning_the_empty_room_tells_how_far_it_is(session: Session) -> None:
    shares: list[float] = []
    session.set_deid(DeidSettings(cover="whole", fill="mesh", background="plate"))
    shown = threading.Semaphore(0)
    for _ in range(2):
        session.preview_deidentified(30, lambda *_: shown.release(), shares.append)
        assert shown.acquire(timeout=60)
    assert shares == sorted(shares)
    assert shares.count(1.0) == 1  # the second time the room is known


def test_a_preview_that_would_cover_less_than_was_meant_is_told_and_not_shown(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_CONFIG", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "segmentations.json").write_text("{")
    told: list[str] = []
    ended = threading.Semaphore(0)

    def failed(message: str) -> None:
        told.append(message)
        ended.release()

    session.set_deid(DeidSettings(cover="head", fill="solid", background="original"))
    session.preview_deidentified(30, lambda *_: pytest.fail("shown"), failed=failed)
    assert ended.acquire(timeout=60)
    assert "is damaged" in told[0]


def test_footage_that_moved_is_asked_for_and_checked(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = (tmp_path / "clip.mp4").rename(elsewhere / "renamed.mp4")
    with pytest.raises(MissingFootage, match="not where it was"):
        Session.open_project(project)
    other = actors.write_clip(tmp_path / "other.mp4", 31)
    with pytest.raises(MissingFootage, match="not the footage"):
        Session.open_project(project, footage=other)
    session = Session.open_project(project, footage=moved)
    session.close()
    Session.open_project(project).close()


def test_a_project_of_a_newer_program_is_only_read(project: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(project)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {version + 1}")
    connection.commit()
    connection.close()
    session = Session.open_project(project)
    assert session.read_only
    assert session.scene(30).people
    with pytest.raises(ProjectError, match="reading only"):
        session.begin_drag(30, 1, 9)
    with pytest.raises(ProjectError, match="reading only"):
        session.run(lambda event: None)
    session.close()


def test_a_drag_step_is_far_below_what_an_eye_sees(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    at = session.scene(30).people[0].xy[9]
    session.begin_drag(30, 1, 9)
    session.drag(float(at[0]) + 1, float(at[1]))
    spent = []
    for step in range(40):
        begun = time.perf_counter()
        session.drag(float(at[0]) + step, float(at[1]) - step)
        spent.append(1e3 * (time.perf_counter() - begun))
    session.cancel_drag()
    with capsys.disabled():
        print(
            f"\n  drag step (fit, pose, colours): median {np.median(spent):.1f} ms, "
            f"95 % {np.percentile(spent, 95):.1f} ms"
        )
