"""What was searched and looks the same is settled; nothing that shows anew is."""

from __future__ import annotations

import numpy as np
import pytest

from backends.audit.blocks import around, block_means, grid_shape, replaced_blocks, share_in
from backends.audit.changes import ChangeMemory

H, W = 160, 240


def room(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 190, (H // 16, W // 16, 3), np.uint8)
    return np.ascontiguousarray(np.repeat(np.repeat(coarse, 16, 0), 16, 1))


def noisy(image: np.ndarray, seed: int) -> np.ndarray:
    """With the noise of coding, up to three grey levels."""
    noise = np.random.default_rng(seed).integers(-3, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def with_patch(image: np.ndarray, x: int, y: int, side: int = 24, seed: int = 7) -> np.ndarray:
    image = image.copy()
    image[y : y + side, x : x + side] = np.random.default_rng(seed).integers(0, 255, (side, side, 3))
    return image


@pytest.fixture
def memory() -> ChangeMemory:
    made = ChangeMemory(H, W)
    assert made.look(room(), None).all()
    made.searched_whole()
    return made


def test_noise_is_no_change(memory: ChangeMemory) -> None:
    for i in range(5):
        assert not memory.look(noisy(room(), i), None).any()


@pytest.mark.parametrize(("x", "y"), [(0, 0), (100, 61), (W - 24, H - 24), (37, 99)])
def test_a_patch_of_24_pixels_is_searched_wherever_it_appears(memory: ChangeMemory, x: int, y: int) -> None:
    blocks = memory.look(with_patch(noisy(room(), 1), x, y), None)
    places = memory.places(blocks)
    assert len(places) == 1
    place = places[0]
    assert place.x0 <= x
    assert place.y0 <= y
    assert place.x1 >= x + 24
    assert place.y1 >= y + 24
    assert place.area < 0.6 * H * W


def test_it_stays_settled_until_it_goes_away_and_that_is_no_news(memory: ChangeMemory) -> None:
    there = with_patch(room(), 80, 60)
    memory.searched(memory.look(there, None))
    assert not memory.look(noisy(there, 3), None).any()
    assert not memory.look(noisy(room(), 4), None).any()  # as at the last search of the whole


def test_what_comes_to_light_behind_a_cover_is_searched_unless_it_was_before(memory: ChangeMemory) -> None:
    covered = np.zeros(grid_shape(H, W), np.bool_)
    covered[5:12, 5:12] = True
    hidden = room()
    hidden[40:96, 40:96] = 90
    assert not memory.look(hidden, covered).any()
    assert not memory.look(noisy(room(), 2), None).any()  # the room, known from the first search
    memory.look(hidden, covered)
    leak = with_patch(room(), 56, 56)
    assert memory.look(leak, None).any()


def test_a_face_that_is_never_whole_at_once_in_a_search_is_not_settled_in_halves() -> None:
    """Left half seen while the right one was covered, then the other way round, then both."""
    memory = ChangeMemory(H, W)
    face = with_patch(room(), 80, 60, 32)
    left, right = np.zeros(grid_shape(H, W), np.bool_), np.zeros(grid_shape(H, W), np.bool_)
    left[:, :12], right[:, 12:] = True, True
    for cover in (right, left):
        assert memory.look(face, cover).any()
        memory.searched_whole()
    assert memory.look(face, None)[7:11, 10:14].any()


def test_slow_changes_are_searched_too() -> None:
    memory = ChangeMemory(H, W)
    memory.look(room(), None)
    memory.searched_whole()
    target = with_patch(room(), 80, 60, 40)
    searched = 0
    for share in np.linspace(0, 1, 40):
        image = ((1 - share) * room() + share * target).astype(np.uint8)
        blocks = memory.look(image, None)
        memory.searched(blocks)
        searched += bool(blocks.any())
    assert searched >= 5


def test_replaced_is_what_is_claimed_and_shows() -> None:
    source = room()
    covered = source.copy()
    covered[16:48, 16:48] = 255 - covered[16:48, 16:48] // 2
    mask = np.zeros((H, W), np.bool_)
    mask[16:48, 16:80] = True
    claimed, replaced = replaced_blocks(source, covered, mask)
    assert claimed[2:6, 2:10].all()
    assert claimed.sum() == 32
    assert replaced[2:6, 2:6].all()
    assert replaced.sum() == 16


def test_shares_of_boxes_count_parts_of_blocks() -> None:
    blocks = np.zeros((4, 4), np.bool_)
    blocks[1, 1] = True
    box = np.float32([8, 8, 16, 16])
    assert share_in(blocks, box) == pytest.approx(1.0)
    assert share_in(blocks, box + 4) == pytest.approx(0.25)
    assert share_in(blocks, around(box, 2.0)) == pytest.approx(0.25)
    assert share_in(blocks, box - 100) == 0.0
    assert share_in(blocks, np.float32([28, 28, 60, 60])) == 0.0


def test_odd_sizes_have_their_last_blocks() -> None:
    image = np.full((21, 37, 3), 200, np.uint8)
    means = block_means(image)
    assert means.shape == (3, 5, 3)
    assert (means == 200).all()
