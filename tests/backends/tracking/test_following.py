"""Heads are followed to where the tracker does not have their people."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backends.keypoints.types import Keypoints, PoseEstimate
from backends.tracking.following import LONGEST, HeadFollower, as_followed
from backends.tracking.types import TrackedPose

HEIGHT, WIDTH, SIZE = 240, 320, 160
RNG = np.random.default_rng(4)
WALL = cv2.GaussianBlur(RNG.integers(60, 200, (HEIGHT, WIDTH, 3)).astype(np.uint8), (9, 9), 0)
HEAD = cv2.GaussianBlur(RNG.integers(0, 255, (40, 40, 3)).astype(np.uint8), (5, 5), 0)


def place(frame: int, pace: float = 3.0) -> np.ndarray:
    return np.array([60 + pace * frame, 80 + 0.5 * frame])


def picture(at: np.ndarray | None) -> np.ndarray:
    """A head on its way before a wall."""
    image = WALL.copy()
    if at is not None:
        x, y = np.round(at).astype(int) - 20
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + 40, WIDTH), min(y + 40, HEIGHT)
        if x1 > x0 and y1 > y0:
            image[y0:y1, x0:x1] = HEAD[y0 - y : y1 - y, x0 - x : x1 - x]
    return image


def somebody(at: np.ndarray, *, face: bool = True, size: float = SIZE) -> TrackedPose:
    xy = np.tile(at, (23, 1)).astype(np.float32)
    visibility = np.full(23, 2, np.uint8)
    if not face:
        visibility[:5] = 0
    box = np.array([at[0] - 30, at[1] - 20, at[0] + 30, at[1] - 20 + size], np.float32)
    keypoints = Keypoints(xy, np.ones(23, np.float32), visibility, np.zeros(23, np.uint8))
    return TrackedPose(1, PoseEstimate(keypoints, box, 0.9))


def followed(found: range | list[int], n: int = 24, *, pace: float = 3.0, gone: int = 999) -> HeadFollower:
    """Somebody goes through ``n`` frames and is found in some; from frame ``gone`` on nobody is there."""
    follower = HeadFollower()
    for frame in range(n):
        at = place(frame, pace)
        people = [somebody(at)] if frame in found else []
        follower.step(frame, picture(at if frame < gone else None), people)
    return follower


def test_a_head_is_followed_back_to_where_it_came_from() -> None:
    steps = followed(range(12, 24)).followed
    assert [s.frame for s in steps] == list(range(11, -1, -1))
    for s in steps:
        assert (s.track_id, s.origin) == (1, 12)
        assert np.abs(place(12) + np.array([s.dx, s.dy]) - place(s.frame)).max() < 1.5


def test_a_head_is_followed_on_after_it_was_lost_and_until_it_is_found_again() -> None:
    steps = followed([*range(8), *range(16, 24)]).followed
    forwards = [s for s in steps if s.origin == 7]
    backwards = [s for s in steps if s.origin == 16]
    assert [s.frame for s in forwards] == list(range(8, 16))
    assert [s.frame for s in backwards] == list(range(15, 7, -1))
    for s in forwards:
        assert np.abs(place(7) + np.array([s.dx, s.dy]) - place(s.frame)).max() < 1.5


def test_nobody_is_followed_who_is_always_found_or_shows_no_face() -> None:
    assert followed(range(24)).followed == []
    follower = HeadFollower()
    for frame in range(8):
        at = place(frame)
        follower.step(frame, picture(at), [somebody(at, face=False)] if frame == 4 else [])
    assert follower.followed == []


def test_it_ends_where_the_head_is_hidden_and_where_it_leaves_the_picture() -> None:
    hidden = followed(range(6), gone=10).followed
    assert max(s.frame for s in hidden) <= 10
    left = followed(range(6), n=40, pace=10.0).followed
    assert left
    assert max(s.frame for s in left) <= (WIDTH - 60) / 10.0 + 1


def test_it_ends_at_a_cut_and_where_frames_are_missing() -> None:
    other = cv2.GaussianBlur(RNG.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8), (9, 9), 0)
    follower = HeadFollower()
    for frame in range(10):
        image = other if frame < 5 else picture(place(frame))
        follower.step(frame, image, [somebody(place(frame))] if frame >= 7 else [])
    assert {s.frame for s in follower.followed} == {5, 6}
    follower = HeadFollower()
    for frame in (0, 1, 2, 9, 10):
        follower.step(frame, picture(place(frame)), [somebody(place(frame))] if frame == 10 else [])
    assert {s.frame for s in follower.followed} == {9}


def test_nobody_is_followed_for_longer_than_makes_sense() -> None:
    follower = followed(range(LONGEST + 10, LONGEST + 11), n=2 * LONGEST + 20, pace=0.0)
    frames = [s.frame for s in follower.followed]
    assert min(frames) == 10
    assert max(frames) == 2 * LONGEST + 10


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH, 3), (1440, 1920, 3)])
def test_places_are_pixels_of_the_picture_whatever_its_size(shape: tuple[int, int, int]) -> None:
    scale = shape[1] / WIDTH
    follower = HeadFollower()
    for frame in range(6):
        image = cv2.resize(picture(place(frame)), (shape[1], shape[0]))
        follower.step(frame, image, [somebody(scale * place(frame), size=scale * SIZE)] if frame == 5 else [])
    first = follower.followed[-1]
    assert first.frame == 0
    assert np.abs(np.array([first.dx, first.dy]) / scale - (place(0) - place(5))).max() < 1.5


def test_a_state_brings_back_what_was_followed_and_senseless_rows_are_left_out() -> None:
    follower = followed(range(12, 24))
    again = HeadFollower()
    again.restore(follower.state())
    assert again.followed == follower.followed
    assert as_followed([[1, 2, 3], "x", None, [1, 2, 3, float("nan"), 0.0], [1, 2, 3, 0.5, 1.0]]) == [
        *as_followed([[1, 2, 3, 0.5, 1.0]])
    ]
