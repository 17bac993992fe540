"""While a run goes on, bodies of single frames are calmed as they are played; corrections are not."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import Cancelled
from app.pipeline.events import ChunkStored, Event
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.project.records import FittedBody, PersonRecord
from app.review.live import LivePlay
from app.review.opening import create_project
from app.review.session import Session
from app.review.types import RunOptions
from backends.body import BodyParams, posed_vertices

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).parents[1] / "pipeline" / "actors.py")
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)


def person(frame: int, track: int = 1, *, betas: int = 10, reviewed: bool = False) -> PersonRecord:
    """Somebody who trembles."""
    rng = np.random.default_rng([frame, track])
    params = BodyParams(np.zeros(betas), rng.normal(0, 0.05, (55, 3)), np.array([0.0, 0.0, 4.0]))
    body = FittedBody(params, np.zeros((23, 2), np.float32), 1.0)
    return PersonRecord(frame, track, actors.standing(frame, 0.0), body, None, reviewed)


def pose(record: PersonRecord) -> np.ndarray:
    assert record.body is not None
    return record.body.params.pose


def test_successive_frames_are_calmed_each_person_by_themselves() -> None:
    live = LivePlay()
    raw = {t: [pose(person(f, t)) for f in range(30)] for t in (1, 2)}
    shown: dict[int, list[np.ndarray]] = {1: [], 2: []}
    for f in range(30):
        for t in (1, 2):
            shown[t].append(pose(live.show(person(f, t), f / 25)))
    for t in (1, 2):
        assert np.array_equal(shown[t][0], raw[t][0])
        before, after = (np.abs(np.diff(x, n=2, axis=0)).mean() for x in (raw[t], shown[t]))
        assert after < 0.5 * before


@pytest.mark.parametrize("to", [3, 400])
def test_a_jump_begins_anew(to: int) -> None:
    live = LivePlay()
    for f in range(10):
        live.show(person(f), f / 25)
    assert np.array_equal(pose(live.show(person(to), to / 25)), pose(person(to)))


def test_what_a_person_has_corrected_is_shown_as_it_is_and_the_next_begins_anew() -> None:
    live = LivePlay()
    for f in range(5):
        live.show(person(f), f / 25)
    corrected = person(5, reviewed=True)
    assert live.show(corrected, 5 / 25) is corrected
    assert np.array_equal(pose(live.show(person(6), 6 / 25)), pose(person(6)))


def test_what_cannot_be_calmed_is_shown_as_it_is() -> None:
    live = LivePlay()
    live.show(person(0), 0.0)
    other = person(1, betas=7)
    assert live.show(other, 0.04) is other
    nobody = replace(person(2), body=None)
    assert live.show(nobody, 0.08) is nobody


def test_a_session_is_live_until_the_run_has_come_to_its_end(tmp_path: Path) -> None:
    project = tmp_path / "p.understudy"
    store, footage = create_project(actors.write_clip(tmp_path / "clip.mp4", 60), project)
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, ChunkStored):
            control.stop()

    engine = actors.engine(actors.Script(people=1))
    with pytest.raises(Cancelled):
        run_pipeline(store, footage, engine, RunOptions(), control, stop)
    session = Session.open_project(project)
    try:
        stored = [store.people(f)[0].body for f in (10, 11)]
        shown = [session.scene(f).people[0].vertices for f in (10, 11)]
        gaps = [
            float(np.abs(posed_vertices(session._body, s.params) - v).max())
            for s, v in zip(stored, shown)
            if s is not None and v is not None
        ]
        assert gaps[0] < 1e-6
        assert gaps[1] > 1e-6
        run_pipeline(store, footage, engine, RunOptions(), Control(), lambda event: None)
        session.refresh()
        done = store.people(11)[0].body
        assert done is not None
        vertices = session.scene(11).people[0].vertices
        assert vertices is not None
        session.scene(10)
        assert np.abs(posed_vertices(session._body, done.params) - vertices).max() < 1e-6
    finally:
        session.close()
        store.close()
        footage.close()
