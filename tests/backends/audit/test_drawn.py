"""Whoever is really there is found beside, behind and without the bodies that we drew; drawings are not."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.models.store import ModelStore
from backends.audit.blocks import block_means, grid_shape
from backends.audit.drawn import beside, is_same_person, without_cover
from backends.audit.search import Searcher
from backends.audit.types import Finding
from backends.detection.tiles import Tile
from backends.detection.types import Region

H, W = 480, 640


def room() -> np.ndarray:
    y, x = np.mgrid[:H, :W]
    image = np.stack([100 + x // 16, 120 + y // 16, 110 + (x + y) // 32], -1).astype(np.uint8)
    for k in range(6):
        cv2.rectangle(image, (20 + 100 * k, 20), (70 + 100 * k, 90), (150, 140, 90 + 20 * k), -1)
    return image


def blocks_of(mask: np.ndarray) -> np.ndarray:
    h, w = grid_shape(H, W)
    return cv2.resize(mask.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA) >= 0.5


@pytest.fixture(scope="module")
def figure() -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) one rendered person who stands, and (h, w) which pixels these are."""
    from backends.synthetic import open_scene

    view = next(open_scene("walk", people=1, seconds=1, seed=4).frames()).views[0]
    rows, columns = np.nonzero(view.instances == 1)
    part = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    mask = (view.instances == 1)[part]
    scale = 320 / mask.shape[0]
    size = (round(mask.shape[1] * scale), 320)
    small = cv2.resize(view.image[part], size, interpolation=cv2.INTER_AREA)
    return small, cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


def put(image: np.ndarray, figure: tuple[np.ndarray, np.ndarray], x: int, share: float = 1.0) -> np.ndarray:
    """Paint the upper ``share`` of the figure at column ``x``; (H, W) where."""
    pixels, mask = figure
    rows = round(share * len(mask))
    where = np.zeros((H, W), np.bool_)
    where[120 : 120 + rows, x : x + mask.shape[1]] = mask[:rows]
    image[where] = pixels[:rows][mask[:rows]]
    return where


@pytest.fixture
def searcher() -> Searcher:
    store = ModelStore()
    names = ("centerface", "face-detector-full-range", "blazepose-detector")
    if not all(store.has(n) for n in names):
        pytest.skip("the audit's networks are not installed")
    paths = [store.path(n) for n in names]
    return Searcher(paths[0], paths[1], paths[2], every=100)


def people(findings: list[Finding], x: float, y: float) -> list[Finding]:
    """Those in whose box a point lies."""
    return [f for f in findings if f.kind == "person" and f.box[0] < x < f.box[2] and f.box[1] < y < f.box[3]]


@pytest.mark.network_weights
@pytest.mark.parametrize(
    ("apart", "share"), [(1.2, 1.0), (-1.2, 1.0), (0.6, 1.0), (1.3, 0.5)],
    ids=["beside", "other side", "behind", "upper body"],
)  # fmt: skip
def test_somebody_real_beside_a_drawn_body_is_found(
    searcher: Searcher, figure: tuple[np.ndarray, np.ndarray], apart: float, share: float
) -> None:
    image, width = room(), figure[1].shape[1]
    real = put(image, figure, round(270 + apart * width), share)
    drawn = put(image, figure, 270)
    with searcher:
        found = searcher.search(image, blocks_of(drawn))
    rows, columns = np.nonzero(real & ~drawn)
    assert people(found, float(columns.mean()), float(rows.min() + 40))


@pytest.mark.network_weights
@pytest.mark.parametrize("is_drawn", [True, False])
def test_a_drawn_body_is_nobody(
    searcher: Searcher, figure: tuple[np.ndarray, np.ndarray], is_drawn: bool
) -> None:
    image = room()
    shown = put(image, figure, 270)
    with searcher:
        found = searcher.search(image, blocks_of(shown) & is_drawn)
    assert bool(people(found, 320, 200)) != is_drawn


class _Told:
    """Says that a person is in a square whenever the square shows enough of one colour."""

    def __init__(self, color: tuple[int, int, int], least: int) -> None:
        self.color, self.least = color, least

    def people(self, image: np.ndarray, tile: Tile, score: float = 0.85) -> Future[list[Region]]:
        y, x = max(int(tile.y0), 0), max(int(tile.x0), 0)
        part = image[y : int(tile.y0 + tile.side), x : int(tile.x0 + tile.side)]
        seen = (np.abs(part.astype(int) - self.color).max(axis=2) < 3).sum() >= self.least
        answer: Future[list[Region]] = Future()
        up, head = np.array([320.0, 100.0]), np.array([320.0, 160.0])
        answer.set_result([Region(np.array([320.0, 300.0]), up, 0.9, head)] if seen else [])
        return answer

    def upright(self, image: np.ndarray, scale: float) -> Future[list[object]]:
        return self.turned(image)

    def turned(self, image: np.ndarray) -> Future[list[object]]:
        answer: Future[list[object]] = Future()
        answer.set_result([])
        return answer

    surely = turned


@pytest.mark.parametrize(("least", "found"), [(3000, 0), (1500, 1)])
def test_what_was_drawn_is_no_evidence(monkeypatch: pytest.MonkeyPatch, least: int, found: int) -> None:
    """Two patches of a colour, one of them drawn: who needs both to be somebody is nobody."""
    told = _Told((200, 30, 30), least)
    monkeypatch.setattr("backends.audit.search.Networks", lambda *paths: told)
    image, drawn = room(), np.zeros((H, W), np.bool_)
    image[280:320, 280:320] = image[280:320, 336:376] = (200, 30, 30)
    drawn[280:320, 336:376] = True
    searcher = Searcher(Path("a"), None, Path("b"))
    assert len(searcher.search(image, blocks_of(drawn))) == found
    searcher = Searcher(Path("a"), None, Path("b"))
    assert len(searcher.search(image, np.zeros(grid_shape(H, W), np.bool_))) == 1


class _Once(_Told):
    """Sees somebody in the squares of the first look only, not in those beside."""

    def people(self, image: np.ndarray, tile: Tile, score: float = 0.85) -> Future[list[Region]]:
        if score < 0.85:
            answer: Future[list[Region]] = Future()
            answer.set_result([])
            return answer
        return super().people(image, tile, score)


def test_who_is_seen_in_one_square_alone_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    image = room()
    image[280:320, 280:320] = (200, 30, 30)
    for network, found in ((_Once, 0), (_Told, 1)):
        told = network((200, 30, 30), 1500)
        monkeypatch.setattr("backends.audit.search.Networks", lambda *paths, told=told: told)
        assert len(Searcher(Path("a"), None, Path("b")).search(image, None)) == found


def test_only_what_shows_a_cover_is_taken_out() -> None:
    image = room()
    drawn = np.zeros(grid_shape(H, W), np.bool_)
    drawn[20:30, 30:40] = True
    image[160:240, 240:320] = (255, 0, 0)
    taken = without_cover(image, drawn, block_means(image))
    outside = np.ones((H, W), np.bool_)
    outside[160:240, 240:320] = False
    np.testing.assert_array_equal(taken[outside], image[outside])
    assert np.abs(taken[160:240, 240:320].astype(int) - room()[160:240, 240:320]).max() < 12


def test_a_picture_whose_size_is_no_multiple_of_a_block_keeps_it() -> None:
    image, drawn = np.full((101, 77, 3), 90, np.uint8), np.zeros(grid_shape(101, 77), np.bool_)
    drawn[-2:, -2:] = True
    for blocks in (drawn, np.ones_like(drawn)):
        assert without_cover(image, blocks, block_means(image)).shape == (101, 77, 3)


def test_squares_beside_are_as_large() -> None:
    assert {t.side for t in beside(Tile(0.0, 0.0, 50.0))} == {50.0}
    assert all(0 < np.hypot(t.x0, t.y0) < 10 for t in beside(Tile(0.0, 0.0, 50.0)))


@pytest.mark.parametrize(
    ("other", "same"),
    [((10, 10, 50, 90), True), ((20, 20, 30, 40), True), ((60, 10, 90, 90), False), ((45, 10, 85, 90), False),
     ((10, 10, 10, 10), False)],
)  # fmt: skip
def test_two_boxes_are_one_person_where_one_lies_in_the_other(other: tuple[int, ...], same: bool) -> None:
    assert is_same_person(np.float32([10, 10, 50, 90]), np.float32(other)) == same
