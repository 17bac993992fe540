"""Where a clip cuts from one place to another: nothing of one shall be shown in the other."""

from __future__ import annotations

import cv2
import numpy as np

from backends.background.types import F4, U1, BoolArray

_BLOCK = 12
"""Small pictures are compared in squares of so many pixels."""
_FREE = 0.6
"""A square tells something where so much of it is free of people in both pictures ..."""
_STRUCTURE = 3.0
"""... and has structure of so many levels in one of them."""
_LIKE = 0.5
"""Squares of the same place correlate at least so well, whatever the light."""
_LEAST = 8
_MOSTLY = 0.35
"""Of the same place at least so many squares are alike, whatever moved and whoever passes."""


def same_place(a: U1, b: U1, free: BoolArray) -> bool:
    """Whether two small pictures (h, w, 3) of cameras that stand still may show the same place.

    Light does not count, nor does what covers a part. True where too little can be compared.

    Args:
        free: (h, w) what both show of it.
    """
    weight = free.astype(np.float32)
    share = _means(weight)
    grey_a, grey_b = (np.asarray(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), np.float32) * weight for p in (a, b))
    n = np.maximum(share, 1e-6)
    mean_a, mean_b = _means(grey_a) / n, _means(grey_b) / n
    var_a = np.maximum(_means(grey_a * grey_a) / n - mean_a**2, 0)
    var_b = np.maximum(_means(grey_b * grey_b) / n - mean_b**2, 0)
    both = _means(grey_a * grey_b) / n - mean_a * mean_b
    tells = (share > _FREE) & (np.maximum(var_a, var_b) > _STRUCTURE**2)
    if int(tells.sum()) < _LEAST:
        return True
    alike = both > _LIKE * np.sqrt(np.maximum(var_a * var_b, 1e-6))
    return float(alike[tells].mean()) >= _MOSTLY


def cuts(rgb: U1, hidden: BoolArray) -> list[int]:
    """With which of N small pictures (N, h, w, 3), people (N, h, w) in them, another shot begins."""
    return [
        at for at in range(1, len(rgb)) if not same_place(rgb[at - 1], rgb[at], ~hidden[at - 1] & ~hidden[at])
    ]


def _means(values: F4) -> F4:
    """Mean of each square."""
    h, w = values.shape
    size = (max(w // _BLOCK, 1), max(h // _BLOCK, 1))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
