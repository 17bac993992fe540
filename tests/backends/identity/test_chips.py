"""Faces and persons are cut out upright, of one size, without the room; what cannot be seen is not shown."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backends.identity import face_chip, person_crop
from backends.identity.chips import similarity

NOSE_LEFT_RIGHT = np.array([(100.0, 110.0), (120.0, 90.0), (80.0, 90.0)])


def marked(points: np.ndarray, size: int = 200) -> np.ndarray:
    picture = np.zeros((size, size, 3), np.uint8)
    for (x, y), colour in zip(points, ((255, 0, 0), (0, 255, 0), (0, 0, 255))):
        cv2.circle(picture, (round(x), round(y)), 3, colour, -1)
    return picture


def centres(chip: np.ndarray) -> np.ndarray:
    return np.array([np.argwhere(chip[..., c] > 100).mean(axis=0)[::-1] for c in range(3)])


@pytest.mark.parametrize("turn", [0.0, 25.0, -40.0])
@pytest.mark.parametrize("scale", [0.6, 1.0, 2.2])
def test_eyes_and_nose_come_to_the_same_places(turn: float, scale: float) -> None:
    change = cv2.getRotationMatrix2D((100, 100), turn, scale) + np.array([[0, 0, 100.0], [0, 0, 100.0]])
    points = NOSE_LEFT_RIGHT @ change[:, :2].T + change[:, 2]
    chip = face_chip(marked(points, 400), points, 150)
    assert chip is not None
    plain = face_chip(marked(NOSE_LEFT_RIGHT), NOSE_LEFT_RIGHT, 150)
    assert plain is not None
    np.testing.assert_allclose(centres(chip), centres(plain), atol=1.5)
    nose, left, right = centres(plain)
    assert right[0] < nose[0] < left[0]
    assert nose[1] > left[1]


def test_similarity_brings_points_onto_each_other() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 2))
    c, s = 1.3 * np.cos(0.7), 1.3 * np.sin(0.7)
    target = points @ np.array([[c, s], [-s, c]]) + (3, -2)
    found = similarity(points, target)
    np.testing.assert_allclose(points @ found[:, :2].T + found[:, 2], target, atol=1e-12)


@pytest.mark.parametrize(
    "points",
    [
        NOSE_LEFT_RIGHT * np.nan,
        NOSE_LEFT_RIGHT - 95,
        NOSE_LEFT_RIGHT + 95,
        NOSE_LEFT_RIGHT[[0, 2, 1]],
        NOSE_LEFT_RIGHT * 0.1,
        NOSE_LEFT_RIGHT + np.array([[60, 0], [0, 0], [0, 0]]),
    ],
    ids=["unknown", "left of the picture", "right of it", "from behind", "tiny", "from the side"],
)
def test_no_face_where_none_can_be_seen(points: np.ndarray) -> None:
    assert face_chip(np.zeros((200, 200, 3), np.uint8), points, 150) is None


def test_a_person_is_shown_without_the_room() -> None:
    picture = np.full((300, 300, 3), (255, 0, 0), np.uint8)
    mask = np.zeros((300, 300), np.bool_)
    mask[50:250, 120:180] = True
    picture[mask] = (0, 0, 255)
    crop = person_crop(picture, mask, 224)
    assert crop is not None
    assert crop.shape == (224, 224, 3)
    assert int(crop[..., 0].max()) <= 127, "nothing of the red room"
    assert (crop[100, 112] == (0, 0, 255)).all()
    assert (crop[100, 5] == 127).all()


@pytest.mark.parametrize("rows", [0, 40])
def test_whoever_is_too_small_is_not_shown(rows: int) -> None:
    mask = np.zeros((300, 300), np.bool_)
    mask[:rows, :rows] = True
    assert person_crop(np.zeros((300, 300, 3), np.uint8), mask, 224) is None
