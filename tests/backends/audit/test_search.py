"""The search finds faces in every frame, wherever and however they come up, and not the cover's own."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from app.models.store import ModelStore
from backends.audit.blocks import grid_shape
from backends.audit.search import Searcher
from backends.audit.types import Finding
from backends.errors import WeightsError

pytestmark = pytest.mark.network_weights
H, W = 360, 480


@pytest.fixture
def searcher() -> Iterator[Searcher]:
    store = ModelStore()
    names = ("centerface", "face-detector-full-range", "blazepose-detector")
    if not all(store.has(n) for n in names):
        pytest.skip("the audit's networks are not installed")
    paths = [store.path(n) for n in names]
    with Searcher(paths[0], paths[1], paths[2], every=100) as made:
        yield made


@pytest.fixture(scope="session")
def head(two_faces: tuple[np.ndarray, list[np.ndarray]]) -> np.ndarray:
    """(h, w, 3) one head, cut out."""
    image, boxes = two_faces
    x0, y0, x1, y1 = (int(v) for v in boxes[0])
    return np.ascontiguousarray(image[y0:y1, x0:x1])


def room() -> np.ndarray:
    y, x = np.mgrid[:H, :W]
    image = np.stack([100 + x // 12, 120 + y // 12, 110 + (x + y) // 24], -1).astype(np.uint8)
    for k in range(5):
        cv2.rectangle(image, (20 + 90 * k, 30), (70 + 90 * k, 110), (150, 140, 90 + 20 * k), -1)
    return image


def with_head(image: np.ndarray, head: np.ndarray, x: int, y: int, height: int) -> np.ndarray:
    width = round(head.shape[1] * height / head.shape[0])
    image = image.copy()
    image[y : y + height, x : x + width] = cv2.resize(head, (width, height), interpolation=cv2.INTER_AREA)
    return image


def at(findings: list[Finding], x: float, y: float) -> bool:
    return any(f.kind == "face" and f.box[0] < x < f.box[2] and f.box[1] < y < f.box[3] for f in findings)


@pytest.mark.parametrize("height", [30, 44, 90, 180])
def test_a_face_of_one_frame_between_two_whole_searches_is_found(
    searcher: Searcher, head: np.ndarray, height: int
) -> None:
    assert searcher.search(room(), None) == []
    for x, y in ((300, 150), (5, 170), (200, 1)):
        assert searcher.search(room(), None) == []
        middle = (x + 0.5 * height * head.shape[1] / head.shape[0], y + 0.6 * height)
        assert at(searcher.search(with_head(room(), head, x, y, height), None), *middle)
    assert searcher.whole_searches == 1


def test_a_face_stays_found_while_nothing_changes_and_is_gone_with_it(
    searcher: Searcher, head: np.ndarray
) -> None:
    image = with_head(room(), head, 300, 150, 60)
    for _ in range(3):
        assert at(searcher.search(image, None), 325, 185)
    pixels = searcher.pixels_searched
    assert at(searcher.search(image, None), 325, 185)
    assert searcher.pixels_searched == pixels
    assert searcher.search(room(), None) == []


def test_a_face_that_lies_on_its_side_is_found(searcher: Searcher, head: np.ndarray) -> None:
    turned = np.ascontiguousarray(np.rot90(head))
    searcher.search(room(), None)
    image = room()
    image[150:200, 300:350] = cv2.resize(turned, (50, 50), interpolation=cv2.INTER_AREA)
    assert at(searcher.search(image, None), 325, 175)


def test_the_covers_own_face_does_not_count(searcher: Searcher, head: np.ndarray) -> None:
    image = with_head(room(), head, 300, 152, 64)
    replaced = np.zeros(grid_shape(H, W), np.bool_)
    replaced[18:28, 36:46] = True
    assert searcher.search(image, replaced) == []
    assert at(searcher.search(image, None), 325, 190)


def test_pictures_begun_ahead_give_what_they_give_one_by_one(searcher: Searcher, head: np.ndarray) -> None:
    store = ModelStore()
    paths = [store.path(n) for n in ("centerface", "face-detector-full-range", "blazepose-detector")]
    images = [room(), *(with_head(room(), head, 60 + 50 * k, 150, 40 + 9 * k) for k in range(4)), room()]
    one_by_one = [searcher.search(image, None) for image in images]
    with Searcher(paths[0], paths[1], paths[2], every=100) as other:
        looks = [other.begin(image, None) for image in images]
        together = [other.end(look) for look in looks]
    assert [len(found) for found in one_by_one] == [0, 1, 1, 1, 1, 0]
    for a, b in zip(one_by_one, together):
        assert [(f.kind, f.found_by, f.score, *f.box) for f in a] == [
            (f.kind, f.found_by, f.score, *f.box) for f in b
        ]


def test_missing_networks_are_named(tmp_path) -> None:
    with pytest.raises(WeightsError, match="centerface"):
        Searcher(tmp_path / "centerface.onnx", None, None)
