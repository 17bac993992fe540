"""The room of a fixed camera, also one that changes: doors, lamps, things put elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from backends.background import MaskedFrame, StillRoom, survey
from backends.errors import InputError

HEIGHT, WIDTH = 144, 256
DOOR = (slice(30, 120), slice(180, 220))


def room(*, door: bool = False, lamp: bool = False) -> np.ndarray:
    rng = np.random.default_rng(4)
    image = cv2.GaussianBlur(rng.integers(30, 200, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 4)
    image = cv2.normalize(image, None, 60, 170, cv2.NORM_MINMAX)
    for _ in range(20):
        a, b = rng.integers(0, WIDTH, 2), rng.integers(0, HEIGHT, 2)
        cv2.line(image, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), rng.integers(40, 200, 3).tolist(), 2)
    if door:
        image[DOOR] = (25, 30, 45)
    if lamp:
        x = np.arange(WIDTH)[None, :, None]
        image = np.clip(image * (1 + 0.6 * np.exp(-(((x - 50) / 40.0) ** 2))), 0, 255)
    return np.asarray(image, np.uint8)


def person_at(x: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, (x, 90), (12, 45), 0, 0, 360, 1, -1)
    return mask > 0


class Recording:
    """A clip that is drawn when it is looked at; counts the looks."""

    def __init__(
        self, room_of: Callable[[int], np.ndarray], where: Callable[[int], int], n: int = 120
    ) -> None:
        self.room_of, self.where, self.n = room_of, where, n
        self.looks: list[int] = []

    def look(self, index: int) -> MaskedFrame:
        self.looks.append(index)
        rng = np.random.default_rng(index)
        light = 1.0 + 0.05 * np.sin(index / 7.0)
        frame = np.clip(self.room_of(index) * light + rng.normal(0, 1.5, (HEIGHT, WIDTH, 3)), 0, 255)
        mask = person_at(self.where(index))
        frame[mask] = (240, 20, 120)
        wide = cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
        return MaskedFrame(index, frame.astype(np.uint8), wide)

    def survey(self, every: int = 3) -> StillRoom:
        return survey(range(0, self.n, every), self.look)


def walking(index: int) -> int:
    return 20 + (index * 3) % (WIDTH - 40)


def apart(found: np.ndarray, truth: np.ndarray, where: np.ndarray | tuple[slice, slice]) -> float:
    """Mean difference after evening out light, levels."""
    gain = np.median(truth[where] / np.maximum(found[where], 1.0), axis=tuple(range(truth[where].ndim - 1)))
    return float(np.abs(found[where] * gain - truth[where]).mean())


def test_a_room_that_stays_as_it_is_has_one_state() -> None:
    still = Recording(lambda i: room(), walking).survey()
    assert len(still.plates) == 1
    assert still.starts == (0,)
    assert still.steady
    assert still.seen_fraction == 1.0
    assert apart(still.at(50).rgb, room(), np.ones((HEIGHT, WIDTH), bool)) < 1.5


def test_a_door_that_opens_and_closes_gives_two_states_and_the_frames_of_the_change() -> None:
    clip = Recording(lambda i: room(door=40 <= i < 85), walking)
    still = clip.survey()
    assert len(still.plates) == 2
    assert still.starts == (0, 40, 85)
    assert still.states == (0, 1, 0)
    for index in (10, 39, 40, 60, 84, 85, 110):
        assert apart(still.at(index).rgb, room(door=40 <= index < 85), DOOR) < 2.5
    assert still.steady


def test_a_lamp_that_is_switched_on_lights_the_room_it_is_shown_in() -> None:
    still = Recording(lambda i: room(lamp=i >= 60), walking).survey()
    whole = np.ones((HEIGHT, WIDTH), bool)
    assert apart(still.at(20).rgb, room(), whole) < 2.5
    assert apart(still.at(100).rgb, room(lamp=True), whole) < 2.5
    assert still.steady


def test_light_that_drifts_slowly_is_followed() -> None:
    def sun(index: int) -> np.ndarray:
        image = room().astype(float)
        image[:, :90] *= 1.0 - 0.5 * index / 119
        return image.astype(np.uint8)

    still = Recording(sun, walking).survey()
    assert len(still.plates) > 1
    left = (slice(20, 140), slice(10, 80))
    assert np.abs(still.at(5).rgb[left].mean() / sun(5)[left].mean() - 1) < 0.12
    assert np.abs(still.at(115).rgb[left].mean() / sun(115)[left].mean() - 1) < 0.15


def test_what_one_state_hides_another_shows() -> None:
    # Somebody stands before the wall until the door opens, then elsewhere.
    clip = Recording(lambda i: room(door=i >= 60), lambda i: 60 if i < 60 else 120)
    still = clip.survey()
    assert len(still.plates) == 2
    assert still.seen_fraction > 0.995
    for index in (10, 110):
        behind = person_at(60 if index < 60 else 120)
        assert apart(still.at(index).rgb, room(door=index >= 60), behind) < 2.5


def another_room() -> np.ndarray:
    rng = np.random.default_rng(99)
    soft = cv2.GaussianBlur(rng.integers(30, 200, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 6)
    image = cv2.normalize(soft, None, 70, 200, cv2.NORM_MINMAX)
    for _ in range(15):
        a, b = rng.integers(0, WIDTH, 2), rng.integers(0, HEIGHT, 2)
        color = rng.integers(40, 200, 3).tolist()
        cv2.rectangle(image, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), color, -1)
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize("cut", [5, 61, 113])
def test_after_a_cut_nothing_of_one_room_is_shown_in_the_other(cut: int) -> None:
    first, second = room(), another_room()
    # Somebody sits in each all the time, before what the other room shows plainly.
    clip = Recording(lambda i: first if i < cut else second, lambda i: 100 if i < cut else 180)
    still = clip.survey()
    assert still.starts == (0, cut)
    assert still.states == (0, 1)
    assert still.steady
    for index, own, x in ((0, first, 100), (cut - 1, first, 100), (cut, second, 180), (119, second, 180)):
        plate = still.at(index)
        assert not plate.seen[person_at(x)].any()
        assert apart(plate.rgb, own, plate.seen) < 1.5


def test_a_room_that_is_cut_back_to_is_the_same_room() -> None:
    first, second = room(), another_room()
    still = Recording(lambda i: second if 40 <= i < 80 else first, walking).survey()
    assert still.starts == (0, 40, 80)
    assert still.states == (0, 1, 0)
    assert still.seen_fraction == 1.0


def test_somebody_nobody_found_who_passes_by_does_not_change_the_room() -> None:
    def with_a_passer(index: int) -> np.ndarray:
        image = room()
        if 50 <= index < 56:
            image[20:140, 100:140] = (200, 60, 60)
        return image

    still = Recording(with_a_passer, walking).survey()
    assert len(still.plates) == 1
    assert apart(still.at(52).rgb, room(), (slice(20, 140), slice(100, 140))) < 1.5


def test_a_camera_that_moves_has_no_steady_room() -> None:
    wide = np.tile(room(), (3, 3, 1))

    def panned(index: int) -> np.ndarray:
        return wide[index : index + HEIGHT, 2 * index : 2 * index + WIDTH]

    assert not Recording(panned, walking).survey().steady


def test_each_room_comes_in_the_light_of_its_picture() -> None:
    clip = Recording(lambda i: room(door=i >= 60), walking)
    still = clip.survey()
    frames = [clip.look(i) for i in (3, 62, 90)]
    rooms = list(still.rooms(iter(frames)))
    assert len(rooms) == 3
    for frame, found in zip(frames, rooms):
        truth = room(door=frame.index >= 60) * (1.0 + 0.05 * np.sin(frame.index / 7.0))
        assert found.lit
        assert np.abs(found.rgb - truth)[frame.hidden].mean() < 2.0


def test_no_frame_is_looked_at_twice_where_one_look_is_enough() -> None:
    clip = Recording(lambda i: room(), walking)
    clip.survey()
    assert clip.looks == list(range(0, clip.n, 3))


def test_pictures_are_read_again_only_as_long_as_memory_holds_them() -> None:
    clip = Recording(lambda i: room(door=i >= 100), walking)
    still = survey(range(0, clip.n, 2), clip.look, samples=6)
    assert len(still.plates) == 2
    assert apart(still.at(110).rgb, room(door=True), DOOR) < 3.0


def test_nothing_to_look_at_and_changing_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        survey([], Recording(lambda i: room(), walking).look)

    def shrinking(index: int) -> MaskedFrame:
        size = (HEIGHT - index, WIDTH)
        return MaskedFrame(index, np.zeros((*size, 3), np.uint8), np.zeros(size, np.bool_))

    with pytest.raises(InputError, match="frame 4"):
        survey([0, 4], shrinking)
    clip = Recording(lambda i: room(), walking)
    small = MaskedFrame(0, np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.bool_))
    with pytest.raises(InputError, match="frame 0"):
        list(clip.survey(10).rooms([small]))
