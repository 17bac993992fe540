"""A batch: every file in safety from the others, resumed where it stopped, nothing of patients left lying."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import theatre
from pydicom import dcmread

from app.deidentify import batch, one_file
from app.deidentify.batch import FileOutcomeOrError, FileResult, exit_code_of, run_batch
from app.deidentify.editing import read_plan
from app.deidentify.inputs import find_inputs
from app.deidentify.ledger import LEDGER, Ledger
from app.deidentify.request import BatchRequest, FileOutcome
from app.deidentify.workplace import batches_folder, workplace
from app.errors import ExportError, StorageError
from app.footage import open_footage
from app.footage.writer import VideoWriter
from app.pipeline.engine import Engine
from app.pipeline.events import Event, Failed, FileEnded, FileStarted, Progress, StageStarted, Warned
from app.pipeline.job import Control
from app.project.store import ProjectStore
from app.review.types import DeidSettings

SOLID = DeidSettings(fill="solid", background="original")
Run = Callable[..., list[FileResult]]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)


@pytest.fixture
def request_(tmp_path: Path) -> BatchRequest:
    return BatchRequest(tmp_path / "out", SOLID, audit=False, report=False)


@pytest.fixture
def run(tmp_path: Path, engine: Engine) -> Run:
    def call(
        request: BatchRequest, *, listener: Callable[[Event], None] = lambda event: None
    ) -> list[FileResult]:
        inputs = find_inputs([str(tmp_path / "in")], request.out)
        return run_batch(inputs, request, Control(), listener, engine=lambda: engine)

    return call


def clip(path: Path, n: int = 6, *, people: tuple[int, ...] = (1, 2)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = VideoWriter(path, theatre.WIDTH, theatre.HEIGHT, theatre.stamps(n), theatre.TIME_BASE, crf=8)
    for i in range(n):
        writer.write(theatre.picture(i, people))
    writer.close()
    return path


def states(results: list[FileResult]) -> dict[str, str]:
    return {r.item.place.as_posix(): r.state for r in results}


def test_one_bad_file_never_ends_the_batch(tmp_path: Path, run: Run, request_: BatchRequest) -> None:
    good = [clip(tmp_path / "in" / "a.mp4"), clip(tmp_path / "in" / "ward" / "z.mp4")]
    (tmp_path / "in" / "cut.mp4").write_bytes(good[0].read_bytes()[:900])
    (tmp_path / "in" / "empty.avi").touch()
    (tmp_path / "in" / "hostile.dcm").write_bytes(bytes(128) + b"DICM" + bytes(range(256)) * 8)
    before = {p: p.read_bytes() for p in (tmp_path / "in").rglob("*.*") if p.is_file()}
    told: list[Event] = []
    results = run(request_, listener=told.append)
    assert states(results) == {
        "a": "done", "cut": "failed", "empty": "failed", "hostile": "failed", "ward/z": "done",
    }  # fmt: skip
    assert exit_code_of(results) == 3
    for result in results:
        assert (result.state == "failed") == bool(result.message)
    for name in ("a", "ward/z"):
        with open_footage(tmp_path / "out" / f"{name}_deidentified_unverified.mp4") as video:
            assert video.n_frames == 6
            assert not any(theatre.skin(image).any() for _, image in video.iter_frames())
    assert before == {p: p.read_bytes() for p in before}
    assert [e.name for e in told if isinstance(e, FileEnded)] == ["a", "cut", "empty", "hostile", "ward/z"]
    assert not batches_folder().exists() or list(batches_folder().iterdir()) == []
    written = {p.name for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert written == {
        LEDGER,
        "a_deidentified_unverified.mp4",
        "a_manifest.json",
        "z_deidentified_unverified.mp4",
        "z_manifest.json",
    }


def test_finished_files_are_known_by_hash_and_settings(
    tmp_path: Path, run: Run, request_: BatchRequest
) -> None:
    first, second = clip(tmp_path / "in" / "a.mp4"), clip(tmp_path / "in" / "b.mp4", 5)
    run(request_)
    stamp = (tmp_path / "out" / "a_deidentified_unverified.mp4").stat().st_mtime_ns
    assert states(run(request_)) == {"a": "kept", "b": "kept"}
    assert (tmp_path / "out" / "a_deidentified_unverified.mp4").stat().st_mtime_ns == stamp
    # Other settings: what is there is not replaced without a word.
    other = replace(request_, deid=replace(SOLID, fill="pixels"))
    results = run(other)
    assert states(results) == {"a": "failed", "b": "failed"}
    assert "other settings" in results[0].message
    assert states(run(replace(other, overwrite=True))) == {"a": "done", "b": "done"}
    # Other footage under the old name, and an output that was changed: made again.
    first.write_bytes(second.read_bytes())
    (tmp_path / "out" / "b_deidentified_unverified.mp4").write_bytes(b"spoilt")
    assert states(run(other)) == {"a": "done", "b": "done"}
    assert states(run(other)) == {"a": "kept", "b": "kept"}


def test_a_released_file_stays_finished_under_its_new_name(
    tmp_path: Path, run: Run, request_: BatchRequest
) -> None:
    video = tmp_path / "out" / "ward" / "a_deidentified_unverified.mp4"
    video.parent.mkdir(parents=True)
    video.write_bytes(b"pictures")
    ledger = Ledger(tmp_path / "out")
    digest = hashlib.sha256(b"pictures").hexdigest()
    name = "ward/a_deidentified_unverified.mp4"
    result = {"open_events": 2, "verified": False}
    ledger.finish("ward/a", "source", "settings", {name: digest}, result)
    assert Ledger(tmp_path / "out").finished("ward/a", "source", "settings") == {**result, "outputs": [name]}
    video.rename(video.with_name("a_deidentified.mp4"))
    kept = Ledger(tmp_path / "out").finished("ward/a", "source", "settings")
    assert kept == {"open_events": 0, "verified": True, "outputs": ["ward/a_deidentified.mp4"]}


def test_a_ledger_with_a_torn_line_is_read_and_gone_on_with(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.begin("a")
    with (tmp_path / LEDGER).open("a") as file:
        file.write('{"what": "done", "pla')
    again = Ledger(tmp_path)
    assert again.knows("a")
    again.begin("b")
    assert Ledger(tmp_path).knows("b")
    (tmp_path / LEDGER).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExportError, match=LEDGER):
        Ledger(tmp_path)


def test_a_killed_batch_goes_on_and_what_it_left_is_its_own(
    tmp_path: Path, run: Run, request_: BatchRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip(tmp_path / "in" / "a.mp4")
    clip(tmp_path / "in" / "b.mp4")
    export, killed = one_file.run_export, iter([False, True])

    def dies(*args: object, **kw: object) -> object:
        done = export(*args, **kw)  # type: ignore[arg-type]
        if next(killed):
            raise SystemExit  # the final name is there, the line in the ledger is not
        return done

    monkeypatch.setattr(one_file, "run_export", dies)
    with pytest.raises(SystemExit):
        run(request_)
    assert (tmp_path / "out" / "b_deidentified_unverified.mp4").exists()
    monkeypatch.setattr(one_file, "run_export", export)
    assert states(run(request_)) == {"a": "kept", "b": "done"}


def test_files_that_no_batch_made_are_not_replaced(tmp_path: Path, run: Run, request_: BatchRequest) -> None:
    clip(tmp_path / "in" / "a.mp4")
    own = tmp_path / "out" / "a_deidentified_unverified.mp4"
    own.parent.mkdir()
    own.write_bytes(b"somebody's")
    results = run(request_)
    assert states(results) == {"a": "failed"}
    assert "is there already" in results[0].message
    assert exit_code_of(results) == 6
    assert own.read_bytes() == b"somebody's"


def test_a_clip_with_nobody_in_it_is_finished_but_not_believed_without_a_search(
    tmp_path: Path, run: Run, request_: BatchRequest
) -> None:
    clip(tmp_path / "in" / "a.mp4", people=())
    (result,) = run(request_)
    assert result.state == "leaks"
    assert result.values["people"] == 0
    assert exit_code_of([result]) == 6


def test_a_full_disk_stops_the_batch_and_leaves_nothing_half_written(
    tmp_path: Path, run: Run, request_: BatchRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        clip(tmp_path / "in" / f"{name}.mp4")
    write, frames = VideoWriter.write, iter(range(1000))

    def fills(self: VideoWriter, frame: np.ndarray) -> None:
        if next(frames) == 8:
            raise StorageError("The disk is full. Free some space.")
        write(self, frame)

    monkeypatch.setattr(VideoWriter, "write", fills)
    results = run(request_)
    assert states(results) == {"a": "done", "b": "failed", "c": "waiting"}
    assert exit_code_of(results) == 7
    left = {p.name for p in (tmp_path / "out").iterdir()}
    assert left == {LEDGER, "a_deidentified_unverified.mp4", "a_manifest.json"}
    monkeypatch.setattr(VideoWriter, "write", write)
    assert states(run(request_)) == {"a": "kept", "b": "done", "c": "done"}


def test_stopping_keeps_what_is_finished_and_no_project(
    tmp_path: Path, engine: Engine, request_: BatchRequest
) -> None:
    for name in ("a", "b"):
        clip(tmp_path / "in" / f"{name}.mp4")
    control = Control()

    def listener(event: Event) -> None:
        if isinstance(event, FileStarted) and event.index == 2:
            control.stop()

    inputs = find_inputs([str(tmp_path / "in")], request_.out)
    results = run_batch(inputs, request_, control, listener, engine=lambda: engine)
    assert states(results) == {"a": "done", "b": "waiting"}
    assert list(batches_folder().iterdir()) == []


def test_a_part_of_the_footage_and_a_spared_person(tmp_path: Path, run: Run, request_: BatchRequest) -> None:
    clip(tmp_path / "in" / "a.mp4", 12)
    times = (theatre.stamps(12) - theatre.stamps(12)[0]) / 1e3
    request = replace(
        request_, between=(float(times[3]), float(times[8]) + 0.001), spare=(2,), reason="the surgeon agreed",
        projects=tmp_path / "projects",
    )  # fmt: skip
    (result,) = run(request)
    assert (result.state, result.values["frames"]) == ("done", 6)
    with open_footage(tmp_path / "out" / "a_deidentified_unverified.mp4") as video:
        np.testing.assert_allclose(video.times, times[3:9] - times[3], atol=1e-3)
    store = ProjectStore.open(tmp_path / "projects" / "a.understudy")
    (rule,) = read_plan(store).spared()
    assert (rule.track_id, rule.first, rule.last, rule.reason) == (2, 3, 8, "the surgeon agreed")
    assert read_plan(store).settings == SOLID
    store.close()
    (again,) = run(replace(request, between=(90.0, 95.0), overwrite=True))
    assert (again.state, "nothing lies in the span" in again.message) == ("failed", True)
    (unknown,) = run(replace(request, spare=(9,), overwrite=True))
    assert "no person 9" in unknown.message


def test_dicom_goes_in_and_out(tmp_path: Path, run: Run, request_: BatchRequest) -> None:
    from app.deidentify.plan import DeidPlan
    from app.export.dicom import write_dicom

    plain = clip(tmp_path / "plain.mp4")
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "case.dcm"
    write_dicom(plain, source, DeidPlan(SOLID), Control(), lambda n: None, verified=False)
    ds = dcmread(source)
    ds.PatientName = "Smith^John"
    ds.save_as(source)
    (result,) = run(replace(request_, dicom="video"))
    assert result.state == "done"
    target = tmp_path / "out" / "case_deidentified_unverified.dcm"
    assert b"Smith" not in target.read_bytes()
    assert dcmread(target).PatientIdentityRemoved == "YES"
    with open_footage(target) as video:
        assert video.n_frames == 6
        assert not any(theatre.skin(image).any() for _, image in video.iter_frames())


def test_no_name_of_a_source_is_inside_any_output(tmp_path: Path, run: Run, request_: BatchRequest) -> None:
    clip(tmp_path / "in" / "Smith John.mp4")
    run(replace(request_, dicom="frames"))
    media = [p for p in (tmp_path / "out").iterdir() if p.suffix in (".mp4", ".dcm")]
    assert len(media) == 2
    for path in media:
        assert b"Smith" not in path.read_bytes(), path.name


def test_two_batches_do_not_write_to_one_folder_and_abandoned_projects_go(tmp_path: Path) -> None:
    left = batches_folder() / "0123"
    left.mkdir(parents=True)
    (left / "a.understudy").write_bytes(b"a patient's")
    with workplace(tmp_path / "out", None) as place:
        assert not left.exists()
        with pytest.raises(ExportError, match="Another batch"), workplace(tmp_path / "out", None):
            pass
        with workplace(tmp_path / "other", tmp_path / "mine") as other:
            assert other == tmp_path / "mine"
        assert place.is_dir()
    assert not place.exists()


def test_progress_tells_the_file_and_the_time_left(tmp_path: Path, run: Run, request_: BatchRequest) -> None:
    clip(tmp_path / "in" / "a.mp4")
    told: list[Event] = []
    run(request_, listener=told.append)
    assert isinstance(told[0], FileStarted)
    assert (told[0].index, told[0].total, told[0].name) == (1, 1, "a.mp4")
    assert any(isinstance(e, StageStarted) and e.stage == "video" for e in told)
    assert any(isinstance(e, Progress) and e.stage == "check" for e in told)
    assert [e.text[:26] for e in told if isinstance(e, Warned)] == ["The video was not searched"]


def test_shares_are_even_and_in_order() -> None:
    assert batch._shared_out([0, 1, 2, 3], [50, 10, 10, 30], 2) == [[0], [1, 2, 3]]
    assert batch._shared_out([2], [0, 0, 5], 4) == [[2]]
    assert batch._shared_out([], [], 2) == []


def test_results_are_plain(tmp_path: Path, run: Run, request_: BatchRequest) -> None:
    clip(tmp_path / "in" / "ward" / "a.mp4")
    (result,) = run(request_)
    plain = json.loads(json.dumps(result.plain()))
    assert (plain["place"], plain["state"], plain["frames"], plain["people"]) == ("ward/a", "done", 6, 2)
    assert sorted(plain["outputs"]) == ["ward/a_deidentified_unverified.mp4", "ward/a_manifest.json"]
    assert str(tmp_path) not in json.dumps(plain)


def test_a_process_that_dies_costs_the_file_it_was_at(
    tmp_path: Path, request_: BatchRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        clip(tmp_path / "in" / f"{name}.mp4", 2)
    shares: list[list[int]] = []

    class Dying:
        """A process that is killed by what it reads in file b."""

        def __init__(
            self, name: str, task: object, arguments: tuple[Any, ...], listener: Any, *, polite: bool
        ) -> None:
            assert not polite
            items = arguments[0]
            shares.append([n for n, _ in items])
            for number, item in items:
                listener(FileStarted(number, 0, item.path.name))
                if item.path.name == "b.mp4":
                    listener(Failed("The work ended unexpectedly."))
                    return
                values = {"frames": 2, "people": 1, "open_events": 0, "uncovered": 0, "searched": True}
                outcome = FileOutcome(source=f"hash {number}", files={}, result=values)
                listener(FileEnded(number, 0, item.path.name, {"told": FileOutcomeOrError(outcome)}))

        def wait(self, timeout: float) -> bool:
            return True

    monkeypatch.setattr(batch, "ProcessJob", Dying)
    inputs = find_inputs([str(tmp_path / "in")], request_.out)
    results = run_batch(inputs, request_, Control(), lambda event: None)
    assert states(results) == {"a": "done", "b": "failed", "c": "done"}
    assert "ended unexpectedly" in results[1].message
    assert exit_code_of(results) == 3
    assert shares == [[0, 1, 2], [2]]


@pytest.mark.parametrize(
    ("verified", "audit", "state"),
    [
        (True, {"events": 2, "open": 0}, "done"),
        (False, {"events": 3, "open": 1}, "leaks"),
        (False, None, "leaks"),
    ],
)
def test_what_was_to_be_searched_and_is_not_verified_is_told(
    verified: bool, audit: dict[str, int] | None, state: str, tmp_path: Path, run: Run,
    request_: BatchRequest, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    clip(tmp_path / "in" / "a.mp4", 2)
    export = one_file.run_export

    def searched(*args: Any, **more: Any) -> dict[str, Any]:
        unsearched = replace(args[3], audit=False)
        summary = export(*args[:3], unsearched, *args[4:], **more)
        return {**summary, "audit": audit, "verified": verified, "why_unverified": "Somebody may be seen."}

    monkeypatch.setattr(one_file, "run_export", searched)
    for want in (state, {"done": "kept"}.get(state, state)):
        (result,) = run(replace(request_, audit=True))
        assert result.state == want
        assert exit_code_of([result]) == (0 if verified else 6)
        assert result.message == ("" if verified else "Somebody may be seen.")
