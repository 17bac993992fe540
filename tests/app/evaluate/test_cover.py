"""Whether a head that was covered shows nobody any more."""

from __future__ import annotations

import numpy as np

from app.datasets.types import TrueFrame, TruePerson
from app.evaluate.cover import HeadScore, hidden
from backends.masks import encode_mask

H, W = 40, 60


def truth(index: int, *people: int) -> TrueFrame:
    found = []
    for person in people:
        mask = encode_mask(np.ones((10, 10), bool), 20 * (person - 1) + 4, 6)
        found.append(TruePerson(person_id=person, head_mask=mask))
    return TrueFrame(index=index, people=tuple(found))


def pictures() -> tuple[np.ndarray, np.ndarray]:
    room = np.full((H, W, 3), 90, np.uint8)
    original = room.copy()
    original[6:16, 4:14] = (200, 150, 120)
    original[6:16, 24:34] = (60, 40, 30)
    return room, original


def test_a_head_counts_as_hidden_where_it_was_replaced_by_something_else() -> None:
    room, original = pictures()
    replaced = np.zeros((H, W), bool)
    replaced[:, :20] = True
    covered = original.copy()
    covered[replaced] = room[replaced]
    score = HeadScore()
    score.add(truth(0, 1, 2), original, covered, replaced, room)
    assert score.shares == [1.0, 0.0]
    assert score.leaks == {2: [0]}
    assert (score.coverage, score.whole, score.leaking) == (0.5, 0.5, 1)


def test_a_head_that_came_into_the_empty_room_is_not_hidden_though_it_was_replaced() -> None:
    room, original = pictures()
    everything = np.ones((H, W), bool)
    score = HeadScore()
    score.add(truth(3, 1), original, original.copy(), everything, room)
    assert score.shares == [0.0]
    assert score.leaks == {1: [3]}
    unknown = HeadScore()
    unknown.add(truth(3, 1), original, original.copy(), everything, None)
    assert unknown.shares == [1.0]


def test_the_share_that_is_nobody_is_counted_and_of_heads_the_faces_alone_where_asked() -> None:
    _, original = pictures()
    head = encode_mask(np.ones((10, 10), bool), 4, 6)
    face = np.array([4, 11, 13, 15], float)
    seen = TruePerson(person_id=1, mask=head, head_mask=head, face_box=face, face_seen=0.8)
    away = TruePerson(person_id=2, head_mask=head, face_box=face, face_seen=0.2)
    replaced = np.zeros((H, W), bool)
    replaced[11:16, :20] = True
    score, faces = HeadScore(), HeadScore(faces=True)
    for s in (score, faces):
        s.add(TrueFrame(index=0, people=(seen, away)), original, original, replaced, None)
    assert score.shares == [0.5, 0.5]
    assert faces.shares == [1.0]
    assert faces.people == {1}
    assert score.nobody == [(5 * 20 - 5 * 10) / (H * W)]


def test_a_place_of_the_rooms_own_colour_hides_nobody_and_shows_nobody() -> None:
    room, _ = pictures()
    assert hidden(room, room, np.ones((H, W), bool), room).all()
    assert not hidden(room, room, np.zeros((H, W), bool), room).any()


def test_a_pixel_that_has_a_bodys_colour_by_chance_is_hidden() -> None:
    room, original = pictures()
    covered = room.copy()
    covered[6:16, 4:14] = (60, 40, 200)
    covered[9:11, 8:10] = original[9:11, 8:10]
    assert hidden(original, covered, np.ones((H, W), bool), room)[6:16, 4:14].all()


def test_without_heads_there_is_no_number() -> None:
    score = HeadScore()
    assert np.isnan(score.coverage)
    assert np.isnan(score.whole)
