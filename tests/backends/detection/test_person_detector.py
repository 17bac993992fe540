"""The person detector's network on real pictures, and its files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.models.store import ModelStore
from backends.detection.blazepose import PersonDetector
from backends.detection.tiles import Tile, make_tiles
from backends.detection.types import suppress
from backends.errors import WeightsError

pytestmark = pytest.mark.network_weights


@pytest.fixture(scope="module")
def detector() -> PersonDetector:
    store = ModelStore()
    if not store.has("blazepose-detector"):
        pytest.skip("the network is not installed: understudy models install blazepose-detector")
    return PersonDetector(store.path("blazepose-detector"), threads=1)


@pytest.fixture(scope="module")
def skier(footage_folder: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(footage_folder / "coco" / "000000000785.jpg"))[:, :, ::-1])


def test_a_person_who_fills_the_picture_is_found_about_the_hips(
    detector: PersonDetector, skier: np.ndarray
) -> None:
    best = suppress(detector.detect(skier, make_tiles(640, 425, (1.0,))[0], 0.5))[0]
    assert np.hypot(*(best.centre - (408, 215))) < 30
    assert abs(best.angle) < 0.6
    assert 120 < best.radius < 280


def test_a_tile_in_the_picture_finds_the_same_place(detector: PersonDetector, skier: np.ndarray) -> None:
    whole = suppress(detector.detect(skier, make_tiles(640, 425, (1.0,))[0], 0.5))[0]
    part = suppress(detector.detect(skier, Tile(200, 0, 425), 0.5))[0]
    assert np.hypot(*(whole.centre - part.centre)) < 25


def test_a_large_picture_gives_what_a_small_one_gives(detector: PersonDetector, skier: np.ndarray) -> None:
    large = np.repeat(np.repeat(skier, 4, axis=0), 4, axis=1)
    small = suppress(detector.detect(skier, make_tiles(640, 425, (1.0,))[0], 0.5))[0]
    found = suppress(detector.detect(large, make_tiles(2560, 1700, (1.0,))[0], 0.5))[0]
    assert np.hypot(*(found.centre / 4 - small.centre)) < 12


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_holds_nobody(detector: PersonDetector, level: int) -> None:
    picture = np.full((200, 300, 3), level, np.uint8)
    assert detector.detect(picture, make_tiles(300, 200, (1.0,))[0], 0.5) == []


def test_answers_that_are_no_numbers_are_nobody(
    detector: PersonDetector, skier: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [np.full((2254, 12), np.nan, np.float32), np.full((2254, 1), np.nan, np.float32)]
    monkeypatch.setattr(detector._network, "run", lambda image: answer)
    assert detector.detect(skier, Tile(0, 0, 425), 0.5) == []
    answer[1][:3] = 5.0
    assert detector.detect(skier, Tile(0, 0, 425), 0.5) == []


def test_a_missing_file_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="understudy models install"):
        PersonDetector(tmp_path / "gone.tflite")


@pytest.mark.parametrize("content", [b"", b"not a network at all", bytes(5000)])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        PersonDetector(path)


def test_another_network_is_refused(detector: PersonDetector) -> None:
    store = ModelStore()
    if not store.has("blazepose-landmarks"):
        pytest.skip("the network is not installed: understudy models install blazepose-landmarks")
    with pytest.raises(WeightsError, match="another network"):
        PersonDetector(store.path("blazepose-landmarks"))
