"""Heads where the run did not know of them yet, or no more: followed, reckoned, and found by the search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.audit.followed import FollowedHeads
from app.audit.heads import core_of_head
from app.audit.known import ARITHMETIC, FOLLOWED, KnownPeople
from app.audit.record import CoverageRecord
from app.deidentify.plan import DeidPlan, PersonRule
from app.project.notes import set_faces
from app.review.types import DeidSettings
from tests.app.export.theatre import HEIGHT, WIDTH, N, Theatre, make_theatre, record

FPS = 20.0
SOLID = DeidPlan(DeidSettings(fill="solid"))
KNOWN = range(10, 18)
"""The frames in which the run knew of somebody."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    made = make_theatre(tmp_path, people=())
    yield made
    made.store.close()
    made.footage.close()


def head_in(frame: int) -> np.ndarray:
    """(2,) where somebody's head is: person 2's, who here also sways to the side."""
    core = core_of_head(record(2, KNOWN[0]).estimate.keypoints)
    assert core is not None
    return core.reshape(2, 2).mean(axis=0) + np.float32([0.8 * (frame - KNOWN[0]), 0])


def found_in(frame: int) -> object:
    """What a run would have found of them."""
    person = record(2, KNOWN[0])
    keypoints = person.estimate.keypoints
    shift = np.float32([0.8 * (frame - KNOWN[0]), 0])
    estimate = replace(
        person.estimate, keypoints=replace(keypoints, xy=keypoints.xy + shift),
        box=person.estimate.box + np.concatenate([shift, shift]),
    )  # fmt: skip
    return replace(person, frame=frame, estimate=estimate)


def image_of(frame: int, *, hidden: bool = False) -> np.ndarray:
    """A wall, and a head with a look of its own."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = np.stack([90 + x // 8, 110 + y // 8, 100 + (x + y) // 16], -1).astype(np.uint8)
    rng = np.random.default_rng(5)
    look = cv2.resize(rng.integers(10, 245, (6, 6, 3)).astype(np.uint8), (18, 18))
    mx, my = (head_in(frame) - 8.5).tolist()
    if not hidden:
        matrix = np.float32([[1, 0, mx], [0, 1, my]])
        moved = cv2.warpAffine(look, matrix, (WIDTH, HEIGHT))
        on = cv2.warpAffine(np.full(look.shape[:2], 255, np.uint8), matrix, (WIDTH, HEIGHT)) > 128
        image[on] = moved[on]
    return image


def watched(
    stage: Theatre, *, hidden: range = range(0), fps: float = FPS, last: int = N - 1
) -> FollowedHeads:  # fmt: skip
    stage.store.store_chunk(0, N - 1, [found_in(f) for f in KNOWN], {})  # type: ignore[misc]
    followed = FollowedHeads(stage.store, fps, 0, last)
    for i in range(last + 1):
        followed.see(i, image_of(i, hidden=i in hidden))
    return followed


def test_a_head_is_followed_backwards_and_onwards_to_where_it_was(stage: Theatre) -> None:
    followed = watched(stage)
    for frame in range(N):
        places = followed.at(frame)
        assert [t for t, _ in places] == ([] if frame in KNOWN else [2])
        for _, box in places:
            np.testing.assert_allclose(box.reshape(2, 2).mean(axis=0), head_in(frame), atol=1.5)


def test_pictures_are_kept_only_while_somebody_is_going_to_be_followed_back_into_them(stage: Theatre) -> None:
    stage.store.store_chunk(0, N - 1, [found_in(f) for f in KNOWN], {})  # type: ignore[misc]
    followed = FollowedHeads(stage.store, FPS, 0, N - 1)
    kept = []
    for i in range(N):
        followed.see(i, image_of(i))
        kept.append(len(followed._kept))
    assert kept[: KNOWN[-1]] == list(range(1, KNOWN[-1] + 1))
    assert set(kept[KNOWN[-1] + 1 :]) == {0}


def test_beyond_where_it_is_hidden_nothing_is_said(stage: Theatre) -> None:
    followed = watched(stage, hidden=range(5, 7))
    assert [f for f in range(N) if followed.at(f)] == [*range(7, 10), *range(18, N)]


def test_of_more_frames_than_are_looked_at_the_others_are_filled_in(stage: Theatre) -> None:
    followed = watched(stage, fps=60.0)  # every second is looked at
    assert {f for f in range(N) if followed.at(f)} >= {*range(2, 10), *range(18, N - 2)}
    assert not any(followed.at(f) for f in KNOWN)
    for frame in range(2, 10):
        ((_, box),) = followed.at(frame)
        np.testing.assert_allclose(box.reshape(2, 2).mean(axis=0), head_in(frame), atol=3)


def test_what_lies_outside_of_the_exported_frames_is_not_waited_for(stage: Theatre) -> None:
    followed = watched(stage, last=9)
    assert not any(followed.at(f) for f in range(N))


def test_a_head_that_was_followed_has_to_be_covered(stage: Theatre) -> None:
    followed, image = watched(stage), image_of(4)
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    x, y = head_in(4).astype(int)
    mask[y - 24 : y + 24, x - 24 : x + 24] = True
    covered = np.where(mask[..., None], np.uint8(0), image)
    for shown, claimed, is_open in ((image, mask & False, True), (image, mask, True), (covered, mask, False)):
        noted = CoverageRecord(HEIGHT, WIDTH)
        noted.add(4, image, shown, claimed)
        known = KnownPeople(stage.store, FPS, SOLID, noted, followed)
        assert known.follows
        heads = known.heads(4)
        assert [(h.track_id, h.found_by) for h in heads] == ([(2, FOLLOWED)] if is_open else [])
        for head in heads:
            assert (head.box[:2] < head_in(4)).all()
            assert (head_in(4) < head.box[2:]).all()
        assert not KnownPeople(stage.store, FPS, SOLID, noted).heads(4)
        # The place is somebody's, so that looking as it does now is no proof that nobody is there.
        assert not known.is_free(4, np.float32([x - 2, y - 2, x + 2, y + 2]))
        spared = replace(SOLID, rules=(PersonRule(1, 2, 0, N - 1, None, "asked to be seen"),))
        assert not KnownPeople(stage.store, FPS, spared, noted, followed).heads(4)


def test_somebody_who_was_found_in_the_same_place_is_reckoned_once(stage: Theatre) -> None:
    followed = watched(stage)
    stage.store.store_chunk(
        0,
        N - 1,
        [replace(found_in(4), track_id=1), *(found_in(f) for f in KNOWN)],
        {},  # type: ignore[misc]
    )
    image, noted = image_of(4), CoverageRecord(HEIGHT, WIDTH)
    noted.add(4, image, image, np.zeros((HEIGHT, WIDTH), np.bool_))
    heads = KnownPeople(stage.store, FPS, SOLID, noted, followed).heads(4)
    assert [(h.track_id, h.found_by) for h in heads] == [(1, ARITHMETIC)]


def test_a_face_that_belonged_to_nobody_has_to_be_covered_between_its_sightings(stage: Theatre) -> None:
    once = [14, 100, 100, 110, 110, 0.6]
    set_faces(stage.store, [[2, 50, 40, 70, 60, 0.6], [8, 56, 40, 76, 60, 0.6], once])
    image, noted = image_of(4), CoverageRecord(HEIGHT, WIDTH)
    for frame in range(N):
        noted.add(frame, image, image, np.zeros((HEIGHT, WIDTH), np.bool_))
    known = KnownPeople(stage.store, FPS, SOLID, noted)
    assert [f for f in range(N) if known.heads(f)] == list(range(2, 9)), "one that was seen once is none"
    (head,) = known.heads(5)
    assert (head.track_id, head.found_by) == (None, ARITHMETIC)
    np.testing.assert_allclose(head.box.reshape(2, 2).mean(axis=0), [63, 50], atol=0.5)
    assert not known.is_free(5, np.float32([60, 45, 64, 49]))
    covered, mask = np.zeros_like(image), np.ones((HEIGHT, WIDTH), np.bool_)
    noted.add(5, image, covered, mask)
    assert not known.heads(5)
    # Where the empty room is shown, a thing that was taken for a face looks as it did: to claim it is enough.
    noted.add(5, image, image, mask)
    room = DeidPlan(DeidSettings(fill="mesh", background="plate"))
    for plan, is_open in ((SOLID, True), (room, False)):
        assert bool(KnownPeople(stage.store, FPS, plan, noted).heads(5)) == is_open
    assert KnownPeople(stage.store, FPS, room, noted).heads(6), "not even claimed"
    # Beside somebody spared it is theirs, as it is for the export.
    x0, y0 = record(2, 4).estimate.box[:2].tolist()
    set_faces(stage.store, [[4, x0 + 2, y0 + 2, x0 + 16, y0 + 16, 0.9]])
    stage.store.store_chunk(0, N - 1, [record(2, 4)], {})
    assert None in [h.track_id for h in KnownPeople(stage.store, FPS, SOLID, noted).heads(4)]
    spared = replace(SOLID, rules=(PersonRule(1, 2, 0, N - 1, None, "asked to be seen"),))
    assert not KnownPeople(stage.store, FPS, spared, noted).heads(4)
