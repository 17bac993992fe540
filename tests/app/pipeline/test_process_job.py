"""Work in a process of its own: events, the end, and what happens when it dies."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import pytest

from app.pipeline.events import CancelledByUser, Event, Failed, Finished, Progress
from app.pipeline.job import Control
from app.pipeline.process_job import ProcessJob
from app.pipeline.run import run_pipeline
from app.pipeline.tasks import export_task
from app.review.opening import create_project
from app.review.types import DeidSettings, ExportRequest, RunOptions

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).with_name("actors.py"))
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project and its footage."""
    folder = tmp_path_factory.mktemp("work")
    store, footage = create_project(actors.write_clip(folder / "clip.mp4"), folder / "clip.understudy")
    run_pipeline(store, footage, actors.engine(actors.Script()), RunOptions(), Control(), lambda event: None)
    store.close()
    footage.close()
    return folder / "clip.understudy", folder / "clip.mp4"


def _export(finished: tuple[Path, Path], folder: Path, events: list[Event], kind: str = "csv") -> ProcessJob:
    request = ExportRequest(folder, (kind,), overwrite=True)
    settings = DeidSettings(background="original")
    return ProcessJob("export", export_task, (*finished, request, settings, None), events.append)


def test_events_arrive_and_the_end_comes_once(finished: tuple[Path, Path], tmp_path: Path) -> None:
    events: list[Event] = []
    job = _export(finished, tmp_path / "out", events)
    assert job.wait(60)
    assert not job.running
    assert isinstance(events[-1], Finished)
    assert events[-1].summary["outputs"][0]["count"] > 60
    assert sum(isinstance(e, Finished | Failed | CancelledByUser) for e in events) == 1
    assert any(isinstance(e, Progress) and e.done == e.total for e in events)


def test_an_error_there_is_told_in_its_own_words(finished: tuple[Path, Path], tmp_path: Path) -> None:
    events: list[Event] = []
    job = _export((finished[0], tmp_path / "gone.mp4"), tmp_path / "out", events)
    assert job.wait(60)
    assert isinstance(events[-1], Failed)
    assert "gone.mp4" in events[-1].message


def test_a_process_that_dies_is_told_and_leaves_nothing_half_written(
    finished: tuple[Path, Path], tmp_path: Path
) -> None:
    events: list[Event] = []
    job = _export(finished, tmp_path / "out", events, "meshes_obj")
    deadline = time.monotonic() + 60
    while not any(isinstance(e, Progress) for e in events) and time.monotonic() < deadline:
        time.sleep(0.01)
    job._process.kill()
    assert job.wait(30)
    assert isinstance(events[-1], Failed)
    assert "unexpectedly" in events[-1].message
    assert not [p for p in (tmp_path / "out").iterdir() if not p.name.startswith(".")]


def test_cancel_ends_it_and_says_so(finished: tuple[Path, Path], tmp_path: Path) -> None:
    events: list[Event] = []
    job = _export(finished, tmp_path / "out", events, "meshes_ply")
    deadline = time.monotonic() + 60
    while not any(isinstance(e, Progress) for e in events) and time.monotonic() < deadline:
        time.sleep(0.01)
    job.pause()
    assert job.paused
    job.cancel()
    assert job.wait(10)
    assert isinstance(events[-1], CancelledByUser)
    assert not (tmp_path / "out").exists()
