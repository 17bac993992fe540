"""Faces that are watched for while people are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.pipeline.faces import WatchedPeople, as_sightings, owner_of
from backends.deidentify.strays import EVERY
from backends.detection.faces import Face
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.tracking.stream import TrackDecisions, TrackedPose

PICTURE = np.zeros((120, 200, 3), np.uint8)


def somebody(track: int, x: float, y: float) -> TrackedPose:
    xy = np.full((23, 2), (x, y), np.float32)
    visibility = np.full(23, 2, np.uint8)
    keypoints = Keypoints(xy, np.ones(23, np.float32), visibility, np.zeros(23, np.uint8))
    return TrackedPose(track, PoseEstimate(keypoints, np.array([x, y, x + 9, y + 40], np.float32), 0.9))


class People:
    """Tracks 1 and 2 stand still; both are said to be no people at the end."""

    def __init__(self) -> None:
        self.restored: Mapping[str, Any] = {}

    def step(self, index: int, image_rgb: Any) -> list[TrackedPose]:
        return [somebody(1, 40, 30), somebody(2, 150, 30)]

    def finish(self) -> TrackDecisions:
        return TrackDecisions(frozenset({1, 2}), {})

    def state(self) -> dict[str, Any]:
        return {"people": 1}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.restored = state


class Faces:
    """One face on track 1, one beside everybody."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, image: Any, threshold: float, scales: tuple[float, ...]) -> list[Face]:
        self.looks += 1
        own, strange = np.array([35, 25, 47, 37], np.float32), np.array([95, 80, 105, 92], np.float32)
        return [Face(own, 0.9), Face(strange, 0.75)]


def test_faces_beside_everybody_are_kept_and_whoever_shows_one_is_a_person() -> None:
    faces = Faces()
    watched = WatchedPeople(People(), faces)
    for frame in range(4 * EVERY):
        assert len(watched.step(frame, PICTURE)) == 2
    assert [s.frame for s in watched.sightings] == [0, EVERY, 2 * EVERY, 3 * EVERY]
    assert faces.looks == 4
    assert watched.sightings[0].box == (95, 80, 105, 92)
    assert watched.finish().discarded == frozenset({2})


def test_a_state_brings_everything_back() -> None:
    watched, people = WatchedPeople(People(), Faces()), People()
    for frame in range(3 * EVERY):
        watched.step(frame, PICTURE)
    again = WatchedPeople(people, Faces())
    again.restore(watched.state())
    assert people.restored["people"] == 1
    assert again.sightings == watched.sightings
    assert again.followed == watched.followed
    assert again.finish().discarded == watched.finish().discarded


def test_the_owner_is_whose_head_is_there() -> None:
    people = [somebody(1, 40, 30), somebody(2, 150, 30)]
    assert owner_of(np.array([142, 22, 158, 38], np.float32), people) == 2
    assert owner_of(np.array([90, 22, 102, 38], np.float32), people) is None
    hidden = somebody(3, 90, 30)
    hidden.estimate.keypoints.visibility[:5] = 0
    assert owner_of(np.array([84, 22, 96, 38], np.float32), [hidden]) is None


def test_rows_that_make_no_sense_are_left_out() -> None:
    assert as_sightings([[1, 2, 3, 4, 5, 0.9], [1, 2], "x", None, [1, 2, 3, 4, float("nan"), 0.5]]) == (
        as_sightings([[1, 2, 3, 4, 5, 0.9]])
    )
