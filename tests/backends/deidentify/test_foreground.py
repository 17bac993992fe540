"""People whom nobody has found: before the empty room, and in it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from small_room import CAMERA, HEIGHT, WIDTH, changed, person, room, skin, standing, with_people

from backends.background import Plate, PlateBuilder, light_of
from backends.deidentify import Foreground, How, cover_frame
from backends.deidentify.left_in import LeftIn, without

NOBODY = np.zeros((HEIGHT, WIDTH), bool)


def plate() -> Plate:
    return Plate(room(), np.ones((HEIGHT, WIDTH), bool), 1.0)


def noisy(image: np.ndarray, seed: int = 0, gain: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 2.5, image.shape)
    return np.clip(image * gain + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("gain", [0.9, 1.0, 1.1])
def test_somebody_whom_nobody_has_found_is_found_before_the_empty_room(gain: float) -> None:
    _, real = person(standing())
    frame = noisy(with_people(room(), real), gain=gain)
    empty = plate()
    found = Foreground(empty).of(frame, light_of(frame, empty, NOBODY)).strange
    assert found[real].all()
    far = cv2.dilate(real.view(np.uint8), np.ones((25, 25), np.uint8)) == 0
    assert found[far].mean() < 0.001


def test_an_empty_picture_has_no_foreground_but_where_the_room_was_never_seen() -> None:
    seen = np.ones((HEIGHT, WIDTH), bool)
    seen[50:90, 60:100] = False
    empty = Plate(room(), seen, float(seen.mean()))
    frame = noisy(room(), 3)
    found = Foreground(empty).of(frame, light_of(frame, empty, NOBODY)).strange
    assert found[~seen].all()
    assert found[seen].mean() < 0.001


@pytest.mark.parametrize("fill", ["mesh", "solid"])
def test_a_stranger_beside_a_known_person_is_erased(fill: str) -> None:
    a, real = person(standing(-0.9, 4.5))
    _, stranger = person(standing(1.1, 5.5))
    frame = with_people(room(), real, stranger)
    empty = plate()
    known = changed(a, how=How("whole", fill))  # type: ignore[arg-type]
    open_to_view, _ = cover_frame(frame, [known], CAMERA, plate=empty)
    assert skin(open_to_view)[stranger].mean() > 0.9
    out, covered = cover_frame(frame, [known], CAMERA, plate=empty, foreground=Foreground(empty))
    assert covered[stranger].all()
    assert not skin(out).any()


def test_somebody_spared_or_covered_at_the_head_only_stays_though_they_are_not_in_the_room() -> None:
    a, real_a = person(standing(-1.2, 5.5))
    b, real_b = person(standing(1.2, 5.5))
    frame = with_people(room(), real_a, real_b)
    empty = plate()
    out, covered = cover_frame(
        frame, [changed(a, how=None), changed(b, how=How("head", "solid"))], CAMERA, plate=empty,
        foreground=Foreground(empty),
    )  # fmt: skip
    # Only where the other one's soft rim touches them.
    assert (out[real_a] == frame[real_a]).all(axis=1).mean() > 0.95
    assert 0.5 < (~covered)[real_b].mean() < 1.0


def pictures(lost: int, n: int = 12) -> tuple[Plate, LeftIn]:
    """Somebody stands still in ``n`` pictures and is not found in ``lost`` of them."""
    _, real = person(standing())
    builder, left_in = PlateBuilder(HEIGHT, WIDTH, max_samples=n), LeftIn(HEIGHT, WIDTH)
    for i in range(n):
        frame = noisy(with_people(room(), real), i)
        known = real if i >= lost else NOBODY
        builder.add(frame, cv2.dilate(known.view(np.uint8), np.ones((9, 9), np.uint8)) > 0)
        left_in.add(frame, known)
    return builder.finish(), left_in


def test_somebody_who_was_lost_in_a_few_pictures_does_not_stay_in_the_room() -> None:
    built, left_in = pictures(lost=3)
    assert skin(built.rgb).any()
    found = left_in.found(built)
    _, real = person(standing())
    assert found[real].all()
    clean = without(built, found)
    assert not skin(clean.rgb).any()
    assert not clean.seen[real].any()
    assert clean.seen_fraction == pytest.approx(clean.seen.mean())


def test_a_room_that_was_seen_behind_people_stays_as_it_is() -> None:
    builder, left_in = PlateBuilder(HEIGHT, WIDTH, max_samples=12), LeftIn(HEIGHT, WIDTH)
    for i in range(12):
        _, real = person(standing(-1.2 + 0.22 * i, 4.5))
        frame = noisy(with_people(room(), real), i)
        builder.add(frame, cv2.dilate(real.view(np.uint8), np.ones((9, 9), np.uint8)) > 0)
        left_in.add(frame, real)
    built = builder.finish()
    found = left_in.found(built)
    assert not found.any()
    assert without(built, found) is built


def test_of_eight_people_who_cross_nothing_is_left_though_three_were_not_found() -> None:
    people = [person(standing(-1.0 + 0.28 * i, 4.0 + 0.35 * (i % 4))) for i in range(8)]
    frame = with_people(room(), *(real for _, real in people))
    empty = plate()
    found = [cover for i, (cover, _) in enumerate(people) if i not in (1, 4, 7)]
    out, covered = cover_frame(frame, found, CAMERA, plate=empty, foreground=Foreground(empty))
    for _, real in people:
        assert covered[real].all()
    assert not skin(out).any()
