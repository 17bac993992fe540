"""The empty room that is built while bodies are smoothed is the one that the export would build."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from theatre import N, Theatre, make_theatre

from app.errors import Cancelled
from app.export.ahead import RoomAhead
from app.export.plate import build_plate
from app.pipeline.events import Event, StageStarted
from app.pipeline.job import Control


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    stage = make_theatre(tmp_path_factory.mktemp("ahead"))
    stage.run({1: range(N), 2: range(N)})
    return stage


def ahead_of(stage: Theatre, control: Control | None = None) -> RoomAhead:
    return RoomAhead(stage.store.path, stage.footage.path, control or Control())


def test_the_room_is_the_one_that_the_export_would_build(stage: Theatre) -> None:
    expected = build_plate(stage.store, stage.footage, Control(), lambda event: None)
    events: list[Event] = []
    with ahead_of(stage) as ahead:
        ahead.begin()
        room = ahead.room(events.append)
    assert room is not None
    np.testing.assert_array_equal(room.plates[0].rgb, expected.plates[0].rgb)
    assert all(isinstance(e, StageStarted) and e.stage == "plate" for e in events)


def test_a_run_that_fails_ends_the_building(stage: Theatre) -> None:

    ahead = ahead_of(stage)

    def fails() -> None:
        with ahead:
            ahead.begin()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()

    assert ahead._thread is not None
    assert not ahead._thread.is_alive()


def test_who_waits_for_the_room_can_be_stopped(stage: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    control = Control()

    def waits(store: object, footage: object, inner: Control, listener: object) -> None:
        control.stop()
        while True:
            inner.check()

    monkeypatch.setattr("app.export.ahead.build_plate", waits)
    with ahead_of(stage, control) as ahead:
        ahead.begin()
        with pytest.raises(Cancelled):
            ahead.room(lambda event: None)


def test_what_fails_is_left_to_the_export(stage: Theatre, tmp_path: Path) -> None:
    with RoomAhead(stage.store.path, tmp_path / "no.mp4", Control()) as ahead:
        ahead.begin()
        assert ahead.room(lambda event: None) is None
