"""Which frames the empty room is made of, and what is shown of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import theatre
from theatre import N, Theatre, make_theatre, skin

from app.export.background import SeenCount, background_record
from app.export.plate import Hidden, build_plate, room_of_frame, with_rooms
from app.export.plate_looks import choose_looks
from app.export.run import run_export
from app.footage import open_footage
from app.pipeline.events import Event, Progress, StageStarted
from app.pipeline.job import Control
from app.review.never_seen import never_seen_overlay, room_words
from app.review.types import DeidSettings, ExportRequest, LearnedInpainter
from backends.background import MaskedFrame, MovingRoom, Plate, StillRoom

EVERYBODY = {1: range(N), 2: range(N)}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    stage = make_theatre(tmp_path_factory.mktemp("plate"))
    stage.run(EVERYBODY)
    return stage


def test_short_footage_is_looked_at_whole(stage: Theatre) -> None:
    assert choose_looks(stage.store, stage.footage) == list(range(N))


def test_more_frames_are_looked_at_where_somebody_steps_aside_for_a_moment(
    stage: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.export.plate_looks._FEWEST", 3)
    monkeypatch.setattr("app.export.plate_looks._SHOWN", 2)
    looks = choose_looks(stage.store, stage.footage)
    assert {0, 12, 23} < set(looks) or {0, 11, 23} < set(looks)
    assert len(looks) < N
    # Person 1 walks across: what they hide in the middle is shown at the ends, and the other way round.
    extra = set(looks) - {0, 11, 12, 23}
    assert extra
    monkeypatch.setattr("app.export.plate_looks._EXTRA", 0)
    assert len(choose_looks(stage.store, stage.footage)) == 3


def test_frames_that_were_not_processed_are_not_chosen_for_the_rest(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path)
    stage.run(EVERYBODY, last=7)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("app.export.plate_looks._FEWEST", 2)
        looks = choose_looks(stage.store, stage.footage)
    assert all(index <= 7 or index == N - 1 for index in looks)


def test_the_room_is_found_and_its_progress_told(stage: Theatre) -> None:
    events: list[Event] = []
    room = build_plate(stage.store, stage.footage, Control(), events.append)
    assert room.steady
    seen = room.at(0).seen
    assert np.abs(room.at(0).rgb.astype(int) - theatre.room())[seen].mean() < 3
    assert not skin(room.at(0).rgb).any()
    ends = [(e.done, e.total) for e in events if isinstance(e, Progress)]
    assert ends[-1] == (N, N)


def test_frames_come_with_their_own_room_in_order(stage: Theatre) -> None:
    hidden = Hidden(stage.store, stage.footage)
    frames = list(with_rooms(stage.footage.iter_frames(), hidden, MovingRoom(ahead=5)))
    assert [index for index, _, _ in frames] == list(range(N))
    for index, image, room in frames:
        np.testing.assert_array_equal(image, stage.footage.frame(index))
        assert not skin(room.rgb).any()


def test_one_frame_of_a_moving_camera_is_shown_without_the_rest(stage: Theatre) -> None:
    room = room_of_frame(stage.store, stage.footage, 12, Control())
    assert room.lit
    assert not skin(room.rgb).any()
    assert np.abs(room.rgb.astype(int) - theatre.room())[room.seen].mean() < 4


def test_the_overlay_marks_what_nobody_saw_and_nothing_else() -> None:
    seen = np.ones((40, 60), np.bool_)
    seen[10:30, 20:40] = False
    overlay = never_seen_overlay(Plate(np.zeros((40, 60, 3), np.uint8), seen, float(seen.mean())))
    assert overlay.shape == (40, 60, 4)
    assert (overlay[..., 3][seen] == 0).all()
    assert (overlay[..., 3][~seen] > 0).all()
    assert len(np.unique(overlay[..., 3][~seen])) == 2


def test_the_background_is_told_in_words() -> None:
    plate = Plate(np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.bool_), 0.96)
    assert room_words(plate) == "Plate, 96 % seen"
    assert room_words(StillRoom((plate, plate), (0, 9), (0, 1))) == "Plate, 96 % seen, 2 states"
    assert "Moving camera" in room_words(replace(plate, agreement=0.3))


def test_what_was_never_seen_is_counted_among_what_was_replaced() -> None:
    seen = np.ones((10, 10), np.bool_)
    seen[:5] = False
    room = Plate(np.zeros((10, 10, 3), np.uint8), seen, 0.5)
    replaced = np.zeros((10, 10), np.bool_)
    replaced[4:8] = True
    count = SeenCount()
    assert background_record(room, count)["never_seen_share_of_replaced_pixels"] == 0.0
    count.add(replaced, room)
    assert count.never_seen_share == pytest.approx(0.25)
    moving = background_record(replace(room, agreement=0.2), count)
    assert moving == {"camera": "moving", "never_seen_share_of_replaced_pixels": 0.25}


def test_hidden_reaches_beyond_a_person(stage: Theatre) -> None:
    frame = MaskedFrame(5, stage.footage.frame(5), Hidden(stage.store, stage.footage).in_frame(5))
    assert not (skin(frame.rgb) & ~frame.hidden).any()
    assert frame.hidden.mean() < 0.7


class _Grey:
    """Paints everything grey."""

    def rooms(self, frames):
        for frame in frames:
            grey = np.where(frame.hidden[..., None], np.uint8(90), frame.rgb)
            yield Plate(grey, ~frame.hidden, float(1 - frame.hidden.mean()), lit=True)


def test_a_network_may_paint_what_is_behind_people(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path, Path]] = []

    def open_grey(name: str, code: Path, weights: Path) -> _Grey:
        opened.append((code, weights))
        return _Grey()

    monkeypatch.setattr("app.export.inpainters.open_inpainter", open_grey)
    choice = LearnedInpainter("grey", Path("code"), Path("weights"))
    request = ExportRequest(tmp_path, ("video",), audit=False, report=False, inpainter=choice)
    heard: list[Event] = []
    summary = run_export(
        stage.store,
        stage.footage,
        theatre.BODY,
        request,
        DeidSettings(fill="remove"),
        Control(),
        heard.append,
    )
    assert opened == [(Path("code"), Path("weights"))]
    assert summary["background"]["inpainter"] == "grey"
    assert summary["background"]["never_seen_share_of_replaced_pixels"] > 0.8
    assert next(e.stage for e in heard if isinstance(e, StageStarted)) == "video"
    with open_footage(Path(summary["outputs"][0]["path"])) as video:
        frame = video.frame(5)
    person = theatre.silhouette(theatre.body_at(1, 5))
    assert np.abs(frame[person].astype(int) - 90).mean() < 8
