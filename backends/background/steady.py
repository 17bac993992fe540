"""Whether a camera stood still: the edges of its pictures are where the room's are."""

from __future__ import annotations

import numpy as np

from backends.background.types import F4, U1, BoolArray

_STRIDE = 6
"""Every n-th row is looked at."""
_ALIKE = 24.0
"""Levels by which one pixel of a steady background may differ: noise, leaves, a shadow passing."""
_EDGE = 30.0
_ENOUGH_EDGES = 50
_JUDGES = 16
"""So many pictures say whether the plate is a background of theirs."""


def agreement(frames: U1, masks: BoolArray, gains: F4, rgb: U1) -> float:
    """Median over pictures of the share of the background's edges within ``_ALIKE`` levels of the plate.

    Edges only: a plain wall looks alike however the camera moves.

    Args:
        frames: (N, H, W, 3); masks: (N, H, W) where people are; gains: (N, 3) to the plate's light;
            rgb: (H, W, 3) the plate.
    """
    plate = rgb[::_STRIDE].astype(np.float32)
    plate_steps = _steps(plate)
    shares = []
    every = max(1, len(frames) // _JUDGES)
    for frame, mask, gain in zip(frames[::every], masks[::every], gains[::every]):
        rows = frame[::_STRIDE] * gain
        edges = ~mask[::_STRIDE] & (np.maximum(plate_steps, _steps(rows)) > _EDGE)
        if int(edges.sum()) >= _ENOUGH_EDGES:
            shares.append(float((largest(np.abs(rows - plate))[edges] < _ALIKE).mean()))
    return float(np.median(shares)) if shares else 1.0


def _steps(rows: F4) -> F4:
    """(h, w) how much each pixel differs from its left neighbour, in the channel that differs most."""
    steps = np.zeros(rows.shape[:2], np.float32)
    steps[:, 1:] = largest(np.abs(rows[:, 1:] - rows[:, :-1]))
    return steps


def largest(values: F4) -> F4:
    """Largest of the three channels; many times faster than ``max(axis=2)``."""
    return np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])
