"""Masks of other segmentations and whose they are."""

from __future__ import annotations

import numpy as np

from backends.deidentify.sources import box_of, owners
from backends.masks import encode_mask


def test_a_mask_belongs_to_whose_box_holds_most_of_it() -> None:
    boxes = [np.array([0, 0, 20, 40], np.float32), np.array([50, 0, 70, 40], np.float32)]
    mine, between, nobodys = (encode_mask(np.ones((30, 10), bool), x, 5) for x in (52, 33, 120))
    assert owners([mine, between, nobodys], boxes) == [1, None, None]
    assert owners([mine], []) == [None]
    np.testing.assert_array_equal(box_of(mine), [52, 5, 62, 35])


def test_an_empty_mask_is_nobodys() -> None:
    empty = encode_mask(np.zeros((4, 4), bool), 2, 2)
    assert owners([empty], [np.array([0, 0, 20, 20], np.float32)]) == [None]
