"""The run: overlapped stages, chunks, cancel, resume, damage."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from app.errors import Cancelled, ModelError
from app.footage import open_footage
from app.footage.writer import VideoWriter
from app.models.store import ModelStore
from app.pipeline.device import AdaptiveBatch, DeviceError, choose_device
from app.pipeline.events import ChunkStored, Event, Failed, Progress, Warned
from app.pipeline.job import Control, ThreadJob
from app.pipeline.run import CHUNK, run_pipeline
from app.project.store import ProjectStore
from app.review.opening import create_project, open_project
from app.review.types import RunOptions

REPOSITORY = Path(__file__).resolve().parents[3]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


actors = _load("actors")


def _run(store: ProjectStore, footage, script, **options: object) -> tuple[dict, list[Event]]:
    events: list[Event] = []
    summary = run_pipeline(
        store, footage, actors.engine(script), RunOptions(**options), Control(), events.append
    )
    return summary, events


def _everything(store: ProjectStore) -> list[tuple]:
    rows = []
    for table in ("observations", "bodies", "confidence", "tracks"):
        rows += [tuple(r) for r in store.query(f"SELECT * FROM {table} ORDER BY 1, 2, 3")]
    return rows


def test_a_run_stores_people_with_bodies_and_confidence(tmp_path: Path) -> None:
    store, footage = create_project(actors.write_clip(tmp_path / "clip.mp4"), tmp_path / "p.understudy")
    summary, events = _run(store, footage, actors.Script())
    assert summary["people"] == 2
    assert summary["frames"] == 60
    people = store.people(30)
    assert [p.track_id for p in people] == [1, 2]
    for person in people:
        assert person.body is not None
        assert person.body.rms_px < 2.0
        assert person.confidence is not None
        assert person.confidence.mean_mm < 80
    assert [(e.first, e.last) for e in events if isinstance(e, ChunkStored)] == [(0, 23), (24, 47), (48, 59)]
    progress = [e for e in events if isinstance(e, Progress) and e.stage == "run"]
    assert progress[-1].done == progress[-1].total == 60
    shapes = [p.body.params.betas for f in (12, 30, 50) for p in store.people(f) if p.track_id == 2]
    assert max(np.abs(s - shapes[0]).max() for s in shapes) < 2e-3, "one person has one shape"
    store.close()
    footage.close()


def test_a_run_that_nobody_watches_judges_at_its_end_and_finds_the_same(tmp_path: Path) -> None:
    clip = actors.write_clip(tmp_path / "clip.mp4", 30)
    watched, footage = create_project(clip, tmp_path / "watched.understudy")
    _run(watched, footage, actors.Script())
    store, footage2 = create_project(clip, tmp_path / "p.understudy")
    early: list[bool] = []

    def look(event: Event) -> None:
        if isinstance(event, ChunkStored) and not early:
            early.extend(p.confidence is not None for p in store.people(event.first))

    options = RunOptions(watched=False)
    run_pipeline(store, footage2, actors.engine(actors.Script()), options, Control(), look)
    assert early
    assert not any(early)
    assert _everything(store) == _everything(watched)
    for thing in (watched, store, footage, footage2):
        thing.close()


def test_nobody_watches_and_a_track_is_too_short_for_a_clip(tmp_path: Path) -> None:
    clip = actors.write_clip(tmp_path / "clip.mp4", 4)
    store, footage = create_project(clip, tmp_path / "p.understudy")
    _run(store, footage, actors.Script(), watched=False)
    people = [p for frame in range(4) for p in store.people(frame) if p.body is not None]
    assert len(people) == 4
    assert all(p.confidence is not None and p.confidence.mean_mm < 150 for p in people)
    store.close()
    footage.close()


def test_a_cancelled_run_goes_on_where_it_stopped_and_ends_the_same(tmp_path: Path) -> None:
    clip = actors.write_clip(tmp_path / "clip.mp4")
    store, footage = create_project(clip, tmp_path / "whole.understudy")
    _run(store, footage, actors.Script())
    control = Control()
    half, footage2 = create_project(clip, tmp_path / "half.understudy")

    def stop_after_first(event: Event) -> None:
        if isinstance(event, ChunkStored):
            control.stop()

    with pytest.raises(Cancelled):
        run_pipeline(half, footage2, actors.engine(actors.Script()), RunOptions(), control, stop_after_first)
    assert half.resume_point()[0] == CHUNK
    again = actors.Script()
    _run(half, footage2, again)
    assert again.steps[0] == CHUNK
    assert half.processed() == store.processed()
    assert len(_everything(half)) == len(_everything(store))
    for frame in (5, 23, 24, 40, 59):
        for a, b in zip(store.people(frame), half.people(frame)):
            assert a.body is not None
            assert b.body is not None
            assert np.abs(a.body.reprojected - b.body.reprojected).max() < 1.0
    for thing in (store, half, footage, footage2):
        thing.close()


def test_a_second_run_does_nothing_and_a_restart_does_all(tmp_path: Path) -> None:
    store, footage = create_project(actors.write_clip(tmp_path / "clip.mp4", 30), tmp_path / "p.understudy")
    _run(store, footage, actors.Script())
    again, anew = actors.Script(), actors.Script()
    _run(store, footage, again)
    assert again.steps == []
    _run(store, footage, anew, restart=True)
    assert anew.steps == list(range(30))
    store.close()
    footage.close()


def test_footage_without_people_says_so(tmp_path: Path) -> None:
    store, footage = create_project(actors.write_clip(tmp_path / "clip.mp4", 20), tmp_path / "p.understudy")
    summary, events = _run(store, footage, actors.Script(people=0))
    assert summary["people"] == 0
    assert any(isinstance(e, Warned) and "No people" in e.text for e in events)
    store.close()
    footage.close()


def test_memory_that_runs_out_is_told_and_keeps_what_is_done(tmp_path: Path) -> None:
    store, footage = create_project(actors.write_clip(tmp_path / "clip.mp4"), tmp_path / "p.understudy")
    store.close()
    events: list[Event] = []

    def work(control: Control) -> dict:
        own = ProjectStore.open(tmp_path / "p.understudy")
        try:
            script = actors.Script(fail_at=40)
            return run_pipeline(own, footage, actors.engine(script), RunOptions(), control, events.append)
        finally:
            own.close()

    job = ThreadJob("run", work, events.append)
    assert job.wait(60)
    assert isinstance(events[-1], Failed)
    assert "memory" in events[-1].message
    store, _ = open_project(tmp_path / "p.understudy")
    assert store.resume_point()[0] == CHUNK
    store.close()
    footage.close()


def test_pause_holds_and_cancel_ends_within_a_second(tmp_path: Path) -> None:
    store, footage = create_project(actors.write_clip(tmp_path / "clip.mp4", 400), tmp_path / "p.understudy")
    store.close()
    events: list[Event] = []

    def work(control: Control) -> dict:
        own = ProjectStore.open(tmp_path / "p.understudy")
        try:
            return run_pipeline(
                own, footage, actors.engine(actors.Script()), RunOptions(), control, events.append
            )
        finally:
            own.close()

    job = ThreadJob("run", work, events.append)
    deadline = time.monotonic() + 30
    while not any(isinstance(e, Progress) for e in events) and time.monotonic() < deadline:
        time.sleep(0.01)
    job.pause()
    time.sleep(0.4)
    held = len(events)
    time.sleep(0.4)
    assert len(events) <= held + 2
    begun = time.monotonic()
    job.cancel()
    assert job.wait(10)
    assert time.monotonic() - begun < 1.5
    footage.close()


def test_batches_shrink_when_memory_runs_out() -> None:
    sizes: list[int] = []

    def work(batch: list[int]) -> list[int]:
        sizes.append(len(batch))
        if len(batch) > 3:
            raise MemoryError
        return [2 * v for v in batch]

    assert list(AdaptiveBatch(16).run(list(range(10)), work)) == [2 * v for v in range(10)]
    assert sizes[:4] == [10, 8, 4, 2]


def test_a_device_that_is_not_there_is_said_plainly() -> None:
    assert choose_device("cpu").kind == "cpu"
    with pytest.raises(DeviceError, match="no device"):
        choose_device("toaster")


@pytest.mark.network_weights
def test_a_killed_run_is_resumed_from_its_last_chunk(tmp_path: Path, footage_folder: Path) -> None:
    if not all(ModelStore().has(m) for m in ("blazepose-detector", "blazepose-landmarks")):
        pytest.skip("the default networks are not installed (understudy models install)")
    import cv2

    clip = tmp_path / "walk.mp4"
    with open_footage(footage_folder / "side_walk.mp4") as source:
        writer = VideoWriter(clip, 640, 360, source.pts[60:180], source.time_base)
        for _, image in source.iter_frames(60, 180):
            writer.write(np.asarray(cv2.resize(image, (640, 360), interpolation=cv2.INTER_AREA)))
        writer.close()
    project = tmp_path / "walk.understudy"
    command = [sys.executable, "-m", "app.cli", "run", str(clip), "-o", str(project)]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    stored = 0
    while stored < CHUNK and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
        if project.exists():
            try:
                store = ProjectStore.open(project)
            except Exception:
                continue
            stored = store.resume_point()[0]
            store.close()
    assert process.poll() is None, "it was done before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    store, footage = open_project(project)
    first, state = store.resume_point()
    assert CHUNK <= first < 120
    assert state is not None
    before = [p.track_id for p in store.people(10)]
    store.close()
    footage.close()
    subprocess.run(
        command, cwd=REPOSITORY, check=True, capture_output=True, timeout=240,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    store, footage = open_project(project)
    assert store.processed()[-1][1] == 119
    assert [p.track_id for p in store.people(10)] == before
    people = store.tracks()
    assert people
    spans = [store.track_span(t.track_id) for t in people]
    assert any(s is not None and s[0] < first <= s[1] for s in spans), "a track goes on across the kill"
    store.close()
    footage.close()


def test_networks_that_are_missing_are_named(tmp_path: Path) -> None:
    from app.pipeline.engine import default_engine

    with pytest.raises(ModelError, match="install"):
        default_engine(ModelStore(tmp_path))
