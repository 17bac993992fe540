"""Shadows of people who always stood in one place: found about them, and led on softly where they were."""

from __future__ import annotations

import cv2
import numpy as np

from backends.background.completion import complete
from backends.background.filling import fill, spread
from backends.background.types import F4, U1, BoolArray

_BAND = 0.045
"""Shadows reach so far about people, share of the picture's width."""
_DARKER = 0.93
_DARKEST = 0.3
_SAME_HUE = 1.12
"""All channels are darker by the same factor, but for this."""
_SOFT = 0.1
"""A shadow's brightness changes by less than this share from pixel to pixel, nearly everywhere ..."""
_SHARP = 0.15
"""... an object's changes by more on so much of its outline."""
_LEAST = 2e-4
"""Share of the picture that a shadow covers, at least."""
_COARSE = 4
_LIT = 0.995


def shade(rgb: U1, known: BoolArray) -> F4:
    """(H, W) by what factor people's shadows darken the room, 1 where there are none.

    A shadow is darker than what lies farther off, by the same factor in all colours, has no sharp edge, and
    touches what is not known. There its darkness is led on from around.

    Args:
        rgb: (H, W, 3); known: (H, W), elsewhere people always were.
    """
    h, w = known.shape
    ones = np.ones((h, w), np.float32)
    if known.all() or not known.any():
        return ones
    size = (max(w // _COARSE, 1), max(h // _COARSE, 1))
    weight = np.asarray(cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    sums = cv2.resize(rgb * known[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = (np.asarray(sums) / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    seen = weight > 0.99
    side = 2 * max(round(_BAND * size[0]), 2) + 1
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
    away = np.asarray(cv2.dilate((~seen).astype(np.uint8), disc)) == 0
    if not away.any():
        return ones
    around = fill(np.clip(small, 0, 255).astype(np.uint8), away).astype(np.float32)
    ratio = (small + 1) / (around + 1)
    low, high = ratio.min(axis=2), ratio.max(axis=2)
    dark = seen & ~away & (high < _DARKER) & (low > _DARKEST) & (high < _SAME_HUE * low)
    bright = np.log(fill(np.clip(small, 0, 255).astype(np.uint8), seen).astype(np.float32).mean(axis=2) + 8)
    steep = np.hypot(*np.gradient(np.asarray(cv2.GaussianBlur(bright, (0, 0), 0.8)))) > _SOFT
    _, parts, stats, _ = cv2.connectedComponentsWithStats(dark.view(np.uint8))
    touching = np.unique(
        parts[np.asarray(cv2.dilate((~seen).astype(np.uint8), np.ones((3, 3), np.uint8))) > 0]
    )
    inner = np.asarray(cv2.erode(dark.view(np.uint8), np.ones((3, 3), np.uint8))) > 0
    near = np.asarray(cv2.dilate((~seen).astype(np.uint8), np.ones((7, 7), np.uint8))) > 0
    outline = dark & ~inner & ~near
    n = len(stats)
    rim = np.maximum(np.bincount(parts[outline], minlength=n), 1)
    sharp = np.bincount(parts[outline & steep], minlength=n) / rim
    soft = (stats[:, cv2.CC_STAT_AREA] > _LEAST * dark.size) & (sharp < _SHARP)
    soft &= np.isin(np.arange(n), touching)
    soft[0] = False
    mine = soft[parts]
    if not mine.any():
        return ones
    factor = np.where(mine, ratio.mean(axis=2), 1).astype(np.float32)
    # Only what is seen has a say, not the rim's own guess of what is not.
    sure = seen.astype(np.float32)
    total = np.asarray(cv2.GaussianBlur(factor * sure, (0, 0), 1.0), np.float32)
    total /= np.maximum(np.asarray(cv2.GaussianBlur(sure, (0, 0), 1.0), np.float32), 1e-3)
    led = spread(total[..., None], seen)[..., 0]
    return np.minimum(np.asarray(cv2.resize(led, (w, h), interpolation=cv2.INTER_LINEAR), np.float32), 1)


def complete_in_shade(rgb: U1, known: BoolArray) -> U1:
    """As :func:`backends.background.completion.complete`; people's shadows run out softly where they stood.

    The room is completed as it would be in full light, and darkened again: no piece of a shadow is repeated
    elsewhere, none ends where pieces meet.
    """
    factor = shade(rgb, known)
    if float(factor.min()) > _LIT:
        return complete(rgb, known)
    factor3 = factor[..., None]
    bright = np.clip(rgb / factor3 + np.float32(0.5), 0, 255).astype(np.uint8)
    whole = complete(bright, known) * factor3 + np.float32(0.5)
    return np.where(known[..., None], rgb, whole.astype(np.uint8))
