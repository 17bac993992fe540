"""The project file: what goes in comes out, edits can be undone for ever, bad files are refused."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from app.errors import ProjectError, StorageError
from app.project import database
from app.project.arrays import from_json, pack, to_json, unpack
from app.project.database import _migrate, translate
from app.project.edits import EditLog, RowChange
from app.project.records import FittedBody, FootageRecord, PersonRecord
from app.project.rows import observation_row
from app.project.schema import MIGRATIONS, VERSION
from app.project.store import VIEW, ProjectStore
from backends.body.params import BodyParams
from backends.camera import assumed_camera
from backends.confidence.types import BodyConfidence
from backends.keypoints.details import Details, FaceLandmarks, HandLandmarks
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import encode_mask


def make_store(folder: Path, n_frames: int = 50) -> ProjectStore:
    footage = FootageRecord(
        path=folder / "clip.mp4", sha256="0" * 64, kind="video", width=64, height=48, n_frames=n_frames,
        fps=25.0, time_base=Fraction(1, 25), pts=np.arange(n_frames, dtype=np.int64), has_audio=False,
    )  # fmt: skip
    return ProjectStore.create(folder / "clip.understudy", footage, assumed_camera(64, 48))


def make_person(frame: int, track: int, seed: int = 0) -> PersonRecord:
    rng = np.random.default_rng(seed)
    keypoints = Keypoints(
        rng.uniform(0, 40, (23, 2)).astype(np.float32), np.full(23, 0.5, np.float32),
        np.full(23, 2, np.uint8), np.zeros(23, np.uint8),
    )  # fmt: skip
    mask = rng.random((20, 10)) > 0.5
    estimate = PoseEstimate(
        keypoints, np.array([1, 2, 30, 40], np.float32), 0.9,
        rng.normal(size=(23, 3)).astype(np.float32), encode_mask(mask, 3, 4),
    )  # fmt: skip
    params = BodyParams(rng.normal(size=10), rng.normal(size=(55, 3)), np.array([0.1, 0.2, 3.0]))
    body = FittedBody(params, keypoints.xy + 1, 1.5)
    confidence = BodyConfidence(np.full(23, 20, np.float32), np.full(55, 30, np.float32), 25.0)
    return PersonRecord(frame, track, estimate, body, confidence)


def test_a_stored_person_comes_back_as_it_was(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    person = make_person(3, 1)
    store.store_chunk(0, 9, [person], {"tracker": {"ids": np.arange(3)}})
    (back,) = store.people(3)
    assert back.body is not None
    assert back.confidence is not None
    assert back.estimate.mask is not None
    assert person.body is not None
    assert person.estimate.mask is not None
    np.testing.assert_array_equal(back.estimate.keypoints.xy, person.estimate.keypoints.xy)
    np.testing.assert_array_equal(back.estimate.mask.decode(), person.estimate.mask.decode())
    np.testing.assert_allclose(back.body.params.pose, person.body.params.pose, atol=1e-6)
    assert back.confidence.mean_mm == 25.0
    assert store.people(4) == []
    store.close()


def test_a_run_resumes_after_the_last_chunk_with_its_state(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    assert store.resume_point() == (0, None)
    store.store_chunk(0, 9, [], {"a": np.arange(2)})
    store.store_chunk(10, 19, [], {"a": np.arange(5)})
    first, state = store.resume_point()
    assert first == 20
    assert state is not None
    np.testing.assert_array_equal(state["a"], np.arange(5))
    assert store.processed() == [(0, 9), (10, 19)]
    store.close()


def test_a_chunk_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    store = make_store(tmp_path)

    def people():
        yield make_person(0, 1)
        raise RuntimeError("worker died")

    with pytest.raises(RuntimeError):
        store.store_chunk(0, 9, people(), {})
    assert store.people(0) == []
    assert store.resume_point() == (0, None)
    store.close()


def test_what_a_person_corrected_survives_another_run(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.store_chunk(0, 9, [make_person(0, 1)], {})
    with store.transaction() as db:
        db.execute("UPDATE observations SET reviewed = 1")
    store.store_chunk(0, 9, [make_person(0, 1, seed=5)], {})
    np.testing.assert_array_equal(
        store.people(0)[0].estimate.keypoints.xy, make_person(0, 1).estimate.keypoints.xy
    )
    store.close()


def test_undo_and_redo_survive_closing_the_program(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.store_chunk(0, 9, [make_person(0, 1)], {})
    log = EditLog(store)
    original = store.people(0)[0].estimate.keypoints.xy.copy()
    for step in range(3):
        before = log.snapshot("observations", view_id=VIEW, frame=0, track_id=1)
        assert before is not None
        person = store.people(0)[0]
        moved = person.estimate.keypoints.moved(step, (step, step))
        changed = PersonRecord(
            0, 1, PoseEstimate(moved, person.estimate.box, person.estimate.score), None, None, True
        )
        after = {**before, **{k: observation_row(VIEW, changed)[k] for k in ("xy", "source", "reviewed")}}
        log.apply("move", f"Move {step}", [RowChange("observations", before, after)], frame=0, track_id=1)
    store.close()

    store = ProjectStore.open(tmp_path / "clip.understudy")
    log = EditLog(store)
    assert [log.undo().label for _ in range(3)] == ["Move 2", "Move 1", "Move 0"]  # type: ignore[union-attr]
    assert log.undo() is None
    np.testing.assert_array_equal(store.people(0)[0].estimate.keypoints.xy, original)
    assert not store.people(0)[0].reviewed
    store.close()

    store = ProjectStore.open(tmp_path / "clip.understudy")
    log = EditLog(store)
    assert log.redo().label == "Move 0"  # type: ignore[union-attr]
    assert log.next_redo is not None
    assert tuple(store.people(0)[0].estimate.keypoints.xy[0]) == (0, 0)
    assert store.query("SELECT count(*) FROM edits")[0][0] == 7
    store.close()


def test_the_log_of_edits_cannot_be_rewritten(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    EditLog(store).apply("x", "X", [], frame=None, track_id=None)
    with pytest.raises(ProjectError, match="log of edits"), store.transaction() as db:
        db.execute("DELETE FROM edits")
    with pytest.raises(ProjectError, match="log of edits"), store.transaction() as db:
        db.execute("UPDATE edits SET label = 'other'")
    store.close()


def test_an_edit_that_names_unknown_columns_is_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    log = EditLog(store)
    bad = [RowChange("settings", None, {"name": "a", "value": "1", "x); DROP TABLE edits; --": 1})]
    with pytest.raises(ProjectError, match="damaged"):
        log.apply("x", "X", bad, frame=None, track_id=None)
    assert store.query("SELECT count(*) FROM edits")[0][0] == 0
    store.close()


def test_joining_tracks_keeps_the_frames_of_both(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.store_chunk(0, 9, [make_person(0, 1), make_person(1, 1), make_person(1, 2), make_person(2, 2)], {})
    store.join_tracks(1, 2)
    assert [t.track_id for t in store.tracks()] == [1]
    assert [len(store.people(i)) for i in range(4)] == [1, 1, 1, 0]
    store.close()


def test_a_newer_project_opens_for_reading_only_and_says_so(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.close()
    path = tmp_path / "clip.understudy"
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version={VERSION + 1}")
    raw.close()
    newer = ProjectStore.open(path)
    assert newer.read_only
    assert newer.footage().n_frames == 50
    with pytest.raises(ProjectError, match="reading only"):
        newer.set_footage_hash("1" * 64)
    newer.close()


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000]
)
def test_other_files_are_refused_with_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.understudy"
    path.write_bytes(content)
    with pytest.raises(ProjectError, match=r"x\.understudy"):
        ProjectStore.open(path)
    assert path.read_bytes() == content


def test_a_missing_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="There is no project"):
        ProjectStore.open(tmp_path / "gone.understudy")


def test_an_existing_project_is_not_overwritten(tmp_path: Path) -> None:
    make_store(tmp_path).close()
    with pytest.raises(ProjectError, match="exists already"):
        make_store(tmp_path)


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    pages = store.query("PRAGMA page_count")[0][0]
    store.query(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StorageError, match="full"):
        store.store_chunk(0, 9, [make_person(i, 1) for i in range(50)], {})
    assert store.resume_point() == (0, None)
    store.close()
    assert isinstance(translate(sqlite3.OperationalError("database or disk is full"), tmp_path), StorageError)


def test_a_query_by_frame_and_by_track_uses_an_index(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for sql in (
        "SELECT * FROM observations WHERE view_id = 1 AND frame = 5",
        "SELECT frame, mean_mm FROM confidence WHERE view_id = 1 AND track_id = 2 ORDER BY frame",
        "SELECT * FROM bodies WHERE view_id = 1 AND track_id = 2 AND frame BETWEEN 1 AND 3",
    ):
        plan = " ".join(row["detail"] for row in store.query("EXPLAIN QUERY PLAN " + sql))
        assert "SEARCH" in plan
        assert "SCAN" not in plan
    store.close()


@given(
    npst.arrays(
        dtype=st.sampled_from(["<f2", "<f4", "<f8", "u1", "<i4"]), shape=npst.array_shapes(max_dims=3)
    )
)
def test_arrays_come_back_bit_for_bit(array: np.ndarray) -> None:
    back = unpack(pack(array))
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()
    assert from_json(to_json({"a": [array]}))["a"][0].tobytes() == array.tobytes()


@given(st.binary(max_size=64))
def test_damaged_arrays_are_refused_not_crashed_on(blob: bytes) -> None:
    with contextlib.suppress(ProjectError):
        unpack(blob)


def test_an_array_of_another_shape_is_refused() -> None:
    with pytest.raises(ProjectError, match="shape"):
        unpack(pack(np.zeros((3, 2))), shape=(23, 2))


def _details(seed: int = 0) -> Details:
    rng = np.random.default_rng(seed)
    hand = HandLandmarks(
        rng.uniform(0, 1900, (21, 2)).astype(np.float32),
        rng.normal(0, 0.05, (21, 3)).astype(np.float32), 0.75,
    )  # fmt: skip
    face = FaceLandmarks(rng.uniform(-40, 1900, (468, 3)).astype(np.float32), 0.5)
    return Details(None, hand, face)


def test_hands_and_face_are_stored_with_the_keypoints(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    person = make_person(3, 1)
    given = _details()
    store.store_chunk(0, 9, [replace(person, estimate=replace(person.estimate, details=given))], {})
    store.store_chunk(10, 19, [make_person(12, 1)], {})
    found = store.people(3)[0].estimate.details
    assert found is not None
    assert found.left_hand is None
    assert found.right_hand is not None
    assert found.face is not None
    assert given.right_hand is not None
    assert given.face is not None
    assert np.array_equal(found.right_hand.xy, given.right_hand.xy)
    assert np.array_equal(found.right_hand.world, given.right_hand.world)
    assert found.right_hand.score == 0.75
    assert np.abs(found.face.xyz - given.face.xyz).max() < 0.07
    assert found.face.score == pytest.approx(0.5, abs=1e-4)
    assert store.people(12)[0].estimate.details is None
    with store.transaction() as db:
        db.execute("UPDATE observations SET face = ? WHERE frame = 3", (pack(np.zeros((4, 3)), np.uint16),))
    with pytest.raises(ProjectError, match="shape"):
        store.people(3)
    store.close()


def _first_version(path: Path) -> None:
    """Turn a project into one as the first version wrote it."""
    raw = sqlite3.connect(path)
    for column in ("left_hand", "right_hand", "face", "depth_place", "depth_mm"):
        raw.execute(f"ALTER TABLE observations DROP COLUMN {column}")
    raw.execute("ALTER TABLE bodies DROP COLUMN single")
    for column in ("sites", "alike"):
        raw.execute(f"ALTER TABLE confidence DROP COLUMN {column}")
    for table in ("deid_rules", "deid_regions", "audits", "leaks", "leak_pictures", "findings"):
        raw.execute(f"DROP TABLE {table}")
    raw.execute("PRAGMA user_version=1")
    raw.commit()
    raw.close()


def test_a_project_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.store_chunk(0, 9, [make_person(3, 1)], {})
    store.close()
    _first_version(store.path)
    again = ProjectStore.open(store.path)
    assert not again.read_only
    assert again.query("PRAGMA user_version")[0][0] == VERSION
    assert again.people(3)[0].estimate.details is None
    assert again.people(3)[0].estimate.depth is None
    person = make_person(4, 1)
    again.store_chunk(10, 19, [replace(person, estimate=replace(person.estimate, details=_details()))], {})
    assert again.people(4)[0].estimate.details is not None
    again.close()


def test_a_project_of_the_first_version_that_may_not_be_written_can_be_read(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.store_chunk(0, 9, [make_person(3, 1)], {})
    store.close()
    _first_version(store.path)
    raw = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)
    raw.row_factory = sqlite3.Row
    reader = ProjectStore(store.path, raw, read_only=True)
    (person,) = reader.people(3)
    assert person.estimate.details is None
    assert person.estimate.depth is None
    assert person.body is not None
    assert person.body.single is None
    assert person.confidence is not None
    assert person.confidence.sites is None
    assert reader.track_people(1, 0, 9)[0].frame == 3
    reader.close()


def test_two_that_open_an_old_project_at_once_bring_it_up_to_date_once(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.store_chunk(0, 9, [make_person(3, 1)], {})
    store.close()
    _first_version(store.path)
    first = sqlite3.connect(store.path, isolation_level=None)
    late = sqlite3.connect(store.path, isolation_level=None)
    assert late.execute("PRAGMA user_version").fetchone()[0] == 1
    for connection in (first, late):
        _migrate(connection)  # the second one finds it done
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    first.close()
    late.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path)
    store.close()
    monkeypatch.setattr(database, "VERSION", VERSION + 1)
    monkeypatch.setattr(
        database, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE a (x INTEGER);\nCREATE TABLE a (x INTEGER);\n")
    )
    with pytest.raises(ProjectError):
        ProjectStore.open(store.path)
    monkeypatch.undo()
    again = ProjectStore.open(store.path)
    assert again.query("PRAGMA user_version")[0][0] == VERSION
    assert not again.query("SELECT name FROM sqlite_master WHERE name = 'a'")
    again.close()


def test_a_new_project_is_never_seen_half_made(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "new", isolation_level=None)
    seen: list[str] = []
    raw.set_trace_callback(seen.append)
    _migrate(raw)
    raw.close()
    assert seen[0] == "BEGIN IMMEDIATE"
    assert [s for s in seen if s == "COMMIT"] == ["COMMIT"]
    assert seen[-1] == "COMMIT"


def test_a_project_in_a_folder_that_cannot_be_written_opens_for_reading(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.close()
    for sidecar in database.sidecars(store.path):
        sidecar.unlink(missing_ok=True)
        sidecar.mkdir()  # SQLite cannot make its own files here; a folder's rights would not stop root
    again = ProjectStore.open(store.path)
    assert again.read_only
    assert again.footage().n_frames == 50
    with pytest.raises(ProjectError, match="reading only"):
        again.set_footage_hash("1" * 64)
    again.close()
