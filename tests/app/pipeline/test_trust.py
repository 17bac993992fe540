"""Confidence of stored people: alone, with neighbours, and of somebody of whom nothing can be used."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.pipeline.fit_stage import FitStage
from app.pipeline.trust import boxes_beside, track_times
from app.project.records import TrackRecord
from app.project.store import ProjectStore
from app.review.opening import create_project
from app.review.scene import UNKNOWN_MM, SceneBuilder
from backends.camera import assumed_camera
from backends.keypoints.types import Keypoints, PoseEstimate

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).with_name("actors.py"))
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)

CAMERA = assumed_camera(actors.WIDTH, actors.HEIGHT)


def nothing_seen(frame: int) -> PoseEstimate:
    whole = actors.standing(frame, 0.0)
    blank = np.zeros(23, np.uint8)
    keypoints = Keypoints(np.full((23, 2), np.nan, np.float32), np.zeros(23, np.float32), blank, blank)
    return replace(whole, keypoints=keypoints, world=None)


@pytest.fixture(scope="module")
def stage() -> FitStage:
    return FitStage(actors.BODY, CAMERA)


def test_without_any_keypoint_there_is_no_body_and_the_stated_confidence_is_low(stage: FitStage) -> None:
    person = stage.process(0, 1, nothing_seen(0))
    assert person.body is None
    assert person.confidence is None
    stored = SimpleNamespace(footage=lambda: SimpleNamespace(times=np.arange(4) / 25.0))
    builder = SceneBuilder(stored, actors.BODY, CAMERA)  # type: ignore[arg-type]
    shown = builder.person(person, TrackRecord(1, "Person 1", 0, False, "kept", None))
    assert shown.mean_mm == UNKNOWN_MM
    assert (shown.keypoint_mm == UNKNOWN_MM).all()
    assert shown.keypoint_bound_mm is not None
    assert np.isnan(shown.keypoint_bound_mm).all(), "no bound is made up"


def test_a_frame_that_says_too_little_is_passed_over_and_its_neighbours_are_judged(stage: FitStage) -> None:
    people = [stage.process(f, 7, actors.standing(f, 0.0)) for f in range(5)]
    people[2] = replace(people[2], estimate=nothing_seen(2))
    judged = stage.assess_track(people, [f / 25 for f in range(5)], {}, None)
    assert judged[2] is people[2]
    for i in (0, 1, 3, 4):
        confidence = judged[i].confidence
        assert confidence is not None
        assert confidence.sites is not None
        assert (confidence.sites.row < 6).all()
    assert stage.assess_track([people[2]], [0.0], {}, None) == [people[2]]


def test_somebody_in_front_makes_a_body_less_sure(stage: FitStage) -> None:
    people = [stage.process(f, 8, actors.standing(f, 0.0)) for f in range(5)]
    times = [f / 25 for f in range(5)]
    free = stage.assess_track(people, times, {}, None)[2].confidence
    x0, y0, x1, y1 = people[2].estimate.box
    over = {f: np.array([[x0 - 5, y0, x1 + 5, y1 + 5]], np.float32) for f in range(5)}
    crowded = stage.assess_track(people, times, over, None)[2].confidence
    assert free is not None
    assert crowded is not None
    assert crowded.mean_mm > free.mean_mm


def test_other_peoples_boxes_and_a_tracks_span_come_from_the_project(stage: FitStage, tmp_path: Path) -> None:
    store, footage = create_project(actors.write_clip(tmp_path / "c.mp4", 12), tmp_path / "c.understudy")
    people = [stage.process(f, t, actors.standing(f, t - 1.5)) for f in range(2, 8) for t in (1, 2)]
    store.store_chunk(0, 11, people, {})
    store.set_track_state([2], "kept")
    beside = boxes_beside(store, 1, 0, 11)
    assert sorted(beside) == list(range(2, 8))
    np.testing.assert_allclose(beside[4][0], people[5].estimate.box)
    assert track_times(store, 1, footage.times) == (footage.times[2], footage.times[7])
    assert track_times(store, 9, footage.times) is None
    store.set_track_state([2], "deleted")
    assert boxes_beside(store, 1, 0, 11) == {}
    assert isinstance(store, ProjectStore)
    store.close()
    footage.close()
