"""Pieces of a mask against OpenCV's labelling."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backends.deidentify.pieces import pieces


def by_labels(mask: np.ndarray, least: float, most: float) -> np.ndarray:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    kept = (stats[:, cv2.CC_STAT_AREA] >= least) & (stats[:, cv2.CC_STAT_AREA] <= most)
    kept[0] = False
    return kept[labels].view(np.uint8)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.42, 0.6, 0.95, 1.0])
@pytest.mark.parametrize("limits", [(0, np.inf), (1, 3), (4, np.inf), (7, 60), (1, 0)])
def test_pieces_are_those_of_a_labelling(share: float, limits: tuple[float, float]) -> None:
    rng = np.random.default_rng(round(100 * share))
    for shape in ((1, 1), (1, 40), (40, 1), (37, 53)):
        mask = (rng.random(shape) < share).astype(np.uint8) * np.uint8(255)
        assert np.array_equal(pieces(mask, *limits), by_labels(mask, *limits))


def test_a_spiral_is_one_piece_and_a_view_of_a_larger_picture_will_do() -> None:
    mask = np.zeros((41, 43), np.uint8)
    for r in range(0, 20, 4):  # rings, joined in a corner by a diagonal of pixels
        cv2.rectangle(mask, (1 + r, r), (41 - r, 40 - r), 1, 1)
        cv2.line(mask, (1 + r, r), (5 + r, r + 4), 1, 1)
    assert np.array_equal(pieces(mask, int(mask.sum())), mask)
    assert not pieces(mask, int(mask.sum()) + 1).any()
    part = mask[3:30, 5:20]
    assert np.array_equal(pieces(part, 5), by_labels(np.ascontiguousarray(part), 5, np.inf))


def test_nothing_in_a_mask_without_pixels() -> None:
    assert pieces(np.zeros((0, 5), np.uint8), 1).shape == (0, 5)
