"""People whom nobody has found, covered over the picture: the room is known, and not shown."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from small_room import CAMERA, HEIGHT, WIDTH, changed, person, room, skin, standing, with_people

from backends.background import Plate
from backends.deidentify import Foreground, How, PersonCover, cover_frame, head_region

EMPTY = Plate(room(), np.ones((HEIGHT, WIDTH), bool), 1.0)
FOREGROUND = Foreground(EMPTY)


def covered_in(
    frame: np.ndarray, covers: list[PersonCover], rest: str = "solid"
) -> tuple[np.ndarray, np.ndarray]:
    return cover_frame(
        frame, covers, CAMERA, plate=None, foreground=FOREGROUND, room=EMPTY, rest=rest,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("rest", ["solid", "pixels", "blur", "mesh"])
@pytest.mark.parametrize("what", ["whole", "head", "face"])
def test_a_stranger_is_covered_whatever_is_covered_of_those_who_were_found(what: str, rest: str) -> None:
    a, real = person(standing(-0.9, 4.5))
    _, stranger = person(standing(1.1, 5.5))
    frame = with_people(room(), real, stranger)
    known = changed(a, how=How(what, rest))  # type: ignore[arg-type]
    open_to_view, _ = cover_frame(frame, [known], CAMERA, plate=None)
    assert (open_to_view[stranger] == frame[stranger]).all()
    out, covered = covered_in(frame, [known], rest)
    assert covered[stranger].all()
    if rest == "solid":
        assert not skin(out)[stranger].any()


def test_of_somebody_whose_head_is_covered_the_body_stays_to_be_seen() -> None:
    a, real = person(standing(0.0, 3.2))
    frame = with_people(room(), real)
    _, covered = covered_in(frame, [changed(a, how=How("head", "solid"))])
    head = head_region(a, WIDTH, HEIGHT)
    assert head is not None
    below = real.copy()
    below[: head.y0 + head.mask.shape[0]] = False
    assert covered[below].mean() < 0.05
    far = cv2.dilate(real.view(np.uint8), np.ones((25, 25), np.uint8)) == 0
    far[head.window] = False
    assert covered[far].mean() < 0.001


def test_a_head_beside_a_known_persons_neck_is_covered_too() -> None:
    a, front = person(standing(0.0, 4.0))
    b, behind = person(standing(0.3, 4.0))
    frame = with_people(room(), front, behind)
    known = changed(a, how=How("head", "solid"))
    head = head_region(b, WIDTH, HEIGHT)
    assert head is not None
    place = np.zeros((HEIGHT, WIDTH), bool)
    place[head.window] = head.mask > 0
    _, alone = cover_frame(frame, [known], CAMERA, plate=None)
    _, covered = covered_in(frame, [known])
    assert alone[place & behind].mean() < 0.8
    assert covered[place & behind].mean() > 0.98


def test_a_body_whose_face_is_where_nobody_is_was_said_wrong() -> None:
    a, _ = person(standing(0.0, 4.0))
    _, real = person(standing(0.0, 4.0, lift=-0.45))
    assert a.keypoints is not None
    frame = with_people(room(), real)
    _, covered = covered_in(frame, [changed(a, how=How("head", "solid"))])
    assert covered[real].mean() > 0.98


def test_where_two_people_are_said_to_be_in_one_place_it_is_covered() -> None:
    a, real = person(standing(0.0, 4.0))
    frame = with_people(room(), real)
    known = changed(a, how=How("head", "solid"))
    middle = np.zeros((HEIGHT, WIDTH), bool)
    assert a.keypoints is not None
    x, y = np.round(a.keypoints.xy[[5, 6, 11, 12]].mean(axis=0)).astype(int)
    middle[y - 8 : y + 9, x - 4 : x + 5] = True
    assert not covered_in(frame, [known])[1][middle].any()
    assert covered_in(frame, [known, known])[1][middle].all()


def test_beside_a_stranger_the_clothes_about_known_bones_are_covered_and_elsewhere_not() -> None:
    a, real = person(standing(0.0, 3.2))
    _, stranger = person(standing(0.55, 3.6))
    frame = with_people(room(), real, stranger)
    known = changed(a, how=How("head", "solid"))
    _, covered = covered_in(frame, [known])
    assert covered[stranger & ~real].mean() > 0.995
    assert a.keypoints is not None
    x, y = np.round(a.keypoints.xy[[5, 6, 11, 12]].mean(axis=0)).astype(int)
    assert not covered[y - 8 : y + 9, x - 4 : x + 5].any()


def test_where_a_head_is_guessed_no_other_body_explains_what_is_there() -> None:
    a, real = person(standing(0.0, 3.2))
    frame = with_people(room(), real)
    known = changed(a, how=How("head", "solid"))
    assert a.keypoints is not None
    x, y = np.round(a.keypoints.xy[[5, 6, 11, 12]].mean(axis=0)).astype(int)
    corners = np.array([[x - 6, y - 6], [x + 6, y - 6], [x + 6, y + 6], [x - 6, y + 6]], np.float32)
    box = np.array([x - 6, y - 6, x + 6, y + 6], np.float32)
    guess = PersonCover(box, None, (), None, None, corners, 40.0, 1.0, How("head", "solid"), drawn=False)
    ring = np.zeros((HEIGHT, WIDTH), bool)
    ring[y - 12 : y + 13, x - 12 : x + 13] = True
    assert not covered_in(frame, [known])[1][ring].any()
    assert covered_in(frame, [known, guess])[1][ring & real].all()


def test_who_is_spared_stays_to_be_seen() -> None:
    a, real = person(standing(-0.9, 4.5))
    _, stranger = person(standing(1.1, 5.5))
    frame = with_people(room(), real, stranger)
    out, covered = covered_in(frame, [changed(a, how=None)])
    assert (out[real] == frame[real]).all(axis=1).mean() > 0.98
    assert covered[stranger].all()


@pytest.mark.parametrize("darker", [0.6, 0.8])
def test_a_shadow_on_the_floor_is_nobody(darker: float) -> None:
    frame = room().astype(np.float32)
    frame[280:330, 100:300] *= darker
    _, covered = covered_in(frame.astype(np.uint8), [])
    assert not covered.any()


def test_an_empty_room_and_a_hand_of_somebody_known_are_nobody() -> None:
    _, covered = covered_in(room(), [])
    assert not covered.any()
    frame = room()
    frame[200:204, 200:204] = (255, 0, 255)
    assert not covered_in(frame, [])[1].any()


def test_keypoints_that_are_nowhere_explain_nothing() -> None:
    a, real = person(standing(0.0, 4.0))
    assert a.keypoints is not None
    xy = np.full_like(a.keypoints.xy, np.nan)
    xy[5:7] = 1e9
    lost = replace(a.keypoints, xy=xy)
    frame = with_people(room(), real)
    _, covered = covered_in(frame, [changed(a, keypoints=lost, how=How("head", "solid"))])
    assert covered[real].all()


@pytest.mark.parametrize("doubted", [False, True])
def test_where_the_room_was_seen_and_doubted_its_filling_makes_nobody(doubted: bool) -> None:
    a, real = person(standing(-0.9, 4.5))
    frame = with_people(room(), real)
    place = np.zeros((HEIGHT, WIDTH), bool)
    place[40:130, 300:380] = True
    assert not (place & real).any()
    thought_up = room()
    thought_up[place] = 255 - thought_up[place]
    filled = Plate(thought_up, ~place, float((~place).mean()), doubted=place if doubted else None)
    known = changed(a, how=How("head", "solid"))
    _, covered = cover_frame(
        frame, [known], CAMERA, plate=None, foreground=Foreground(filled), room=filled, rest="solid"
    )
    inner = place.copy()
    inner[:50] = inner[120:] = inner[:, :310] = inner[:, 370:] = False
    assert not covered[place].any() if doubted else covered[inner].all()
