"""A picture in blocks of 8x8 pixels: which were replaced, and what a box holds of them."""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Array = Any

BLOCK = 8
"""Pixels. A face of 24 pixels fills at least four whole blocks."""

_ALTERED = 2.5
"""Mean difference of a block's pixels, grey levels of the channel that differs most, from which on it does
not show what the camera saw. A face under any cover differs by 10 and more."""


def grid_shape(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of blocks, the last ones possibly cut by the border."""
    return -(-height // BLOCK), -(-width // BLOCK)


def block_means(image: npt.NDArray[np.generic]) -> U1:
    """(h, w, C) or (h, w) mean of each block of an (H, W, C) or (H, W) uint8 picture."""
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    h, w = grid_shape(height, width)
    if (h * BLOCK, w * BLOCK) != (height, width):
        pixels = cv2.copyMakeBorder(
            pixels, 0, h * BLOCK - height, 0, w * BLOCK - width, cv2.BORDER_REPLICATE
        )  # fmt: skip
    return np.asarray(cv2.resize(pixels, (w, h), interpolation=cv2.INTER_AREA), np.uint8)


def replaced_blocks(source: U1, covered: U1, mask: Bools) -> tuple[Bools, Bools]:
    """Which blocks a cover claims, and which of these really show something else than the source.

    Not taking the cover's word for it: a mask can be right while what was drawn is not.

    Args:
        source, covered: (H, W, 3) uint8, before and after.
        mask: (H, W) the pixels that were meant to be replaced.

    Returns:
        (h, w) claimed: at least half of the block; and (h, w) replaced: claimed and altered.
    """
    claimed, replaced = np.empty((2, *grid_shape(*mask.shape)), np.bool_)
    _compare(source, covered, mask, claimed, replaced)
    return claimed, replaced


@numba.njit(cache=True, nogil=True)
def _compare(source: Array, covered: Array, mask: Array, claimed: Array, replaced: Array) -> None:
    """Fill (h, w) ``claimed`` and ``replaced``; at the border the last row and column count again."""
    height, width = mask.shape
    counts, far = np.empty(claimed.shape[1], np.int32), np.empty(3, np.int32)
    whole = width // BLOCK
    for j in range(claimed.shape[0]):
        counts[:] = 0
        for v in range(j * BLOCK, (j + 1) * BLOCK):
            y = min(v, height - 1)
            for i in range(whole):
                n = np.int32(0)
                for k in range(BLOCK):
                    n += mask[y, i * BLOCK + k]
                counts[i] += n
            for u in range(whole * BLOCK, claimed.shape[1] * BLOCK):
                counts[u // BLOCK] += mask[y, min(u, width - 1)]
        for i in range(claimed.shape[1]):
            far[:] = 0
            claimed[j, i] = 2 * counts[i] >= BLOCK * BLOCK
            replaced[j, i] = False
            if not claimed[j, i]:
                continue
            for v in range(j * BLOCK, (j + 1) * BLOCK):
                y = min(v, height - 1)
                for u in range(i * BLOCK, (i + 1) * BLOCK):
                    x = min(u, width - 1)
                    for c in range(3):
                        far[c] += abs(np.int32(source[y, x, c]) - np.int32(covered[y, x, c]))
            replaced[j, i] = far.max() > _ALTERED * BLOCK * BLOCK


def share_in(blocks: Bools, box: F4) -> float:
    """Share of a box (x0 y0 x1 y1 pixels) that lies in ``blocks`` (h, w); 0 for a box out of the picture."""
    h, w = blocks.shape
    x0, y0, x1, y1 = (float(v) / BLOCK for v in box)
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(w)), min(y1, float(h))
    if x1 <= x0 or y1 <= y0:
        return 0.0
    rows, columns = _weights(y0, y1), _weights(x0, x1)
    part = blocks[int(y0) : int(y0) + len(rows), int(x0) : int(x0) + len(columns)]
    rows, columns = rows[: part.shape[0]], columns[: part.shape[1]]
    return float(rows @ part.astype(np.float64) @ columns / (rows.sum() * columns.sum()))


def _weights(low: float, high: float) -> npt.NDArray[np.float64]:
    """How much of each block between ``low`` and ``high`` (in blocks) lies between them."""
    edges = np.arange(int(low), int(np.ceil(high)) + 1, dtype=np.float64)
    weights: npt.NDArray[np.float64] = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
    return weights


def around(box: F4, share: float) -> F4:
    """The box grown (or shrunk, below 1) about its middle."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * share
    return np.concatenate([middle - half, middle + half]).astype(np.float32)
