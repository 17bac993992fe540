"""What lies between a mask before and one after."""

from __future__ import annotations

import numpy as np

from backends.deidentify.closing import between_masks
from backends.masks import encode_mask


def test_only_what_both_sides_hold_is_kept() -> None:
    rng = np.random.default_rng(0)
    crops = rng.random((3, 12, 20)) > 0.5
    places = [(5, 7), (9, 4), (6, 6)]
    masks = [encode_mask(c, *p) for c, p in zip(crops, places)]
    full = np.zeros((3, 40, 50), bool)
    for canvas, mask in zip(full, masks):
        mask.paint(canvas)
    found = np.zeros((40, 50), bool)
    between = between_masks(masks[:1], masks[1:])
    assert between is not None
    between.paint(found)
    np.testing.assert_array_equal(found, full[0] & (full[1] | full[2]))


def test_nothing_on_one_side_or_nothing_in_common_adds_nothing() -> None:
    a, b = encode_mask(np.ones((3, 3), bool), 0, 0), encode_mask(np.ones((3, 3), bool), 9, 9)
    assert between_masks([], [a]) is None
    assert between_masks([a], []) is None
    assert between_masks([a], [b]) is None
