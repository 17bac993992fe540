"""What a cover claims and what it really changes, block by block."""

from __future__ import annotations

import numpy as np
import pytest

from backends.audit.blocks import block_means, replaced_blocks


@pytest.mark.parametrize(("height", "width"), [(64, 96), (61, 83), (13, 7)])
def test_blocks_are_claimed_and_replaced_by_their_means(height: int, width: int) -> None:
    rng = np.random.default_rng(height)
    source = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    change = rng.integers(-9, 10, (height, width, 3)) * (rng.random((height, width, 1)) < 0.6)
    covered = np.clip(source + change, 0, 255).astype(np.uint8)
    mask = np.repeat(np.repeat(rng.random((8, 12)) < 0.7, 8, 0), 8, 1)[:height, :width] | (
        rng.random((height, width)) < 0.2
    )
    claimed, replaced = replaced_blocks(source, covered, mask)
    far = np.abs(source.astype(np.int16) - covered).astype(np.uint8)
    np.testing.assert_array_equal(claimed, block_means(mask * np.uint8(255)) >= 128)
    np.testing.assert_array_equal(replaced, claimed & (block_means(far).max(axis=2) >= 3))
    assert claimed.any()
