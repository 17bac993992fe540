"""What may be where nothing was ever seen, from pieces of the same room: shelves go on, floors stay floors.

Wexler, Shechtman and Irani, Space-time completion of video, PAMI 29, 2007: every small patch that touches the
unknown shall look like one that was seen. Found by PatchMatch (Barnes et al., SIGGRAPH 2009) in pictures from
coarse to fine; the coarsest is filled patch by patch, edges first (Criminisi et al., 2004). Rooms are built
level by level, so patches are taken from the same height where they can be, and rather from nearby.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from backends.background.filling import fill, fill_along_edges
from backends.background.patches import Array, grow, lead, rebuild, search
from backends.background.types import F4, U1, BoolArray

_RADIUS = 2
"""Of a patch, pixels: 5x5."""
_COARSEST = 192
"""Longer side of the coarsest picture, pixels, at most: there, every patch is tried."""
_KNOWN = 0.7
"""A pixel of half the size is known where so much of it was."""
_LEAN = 5.0
"""Weight of what a patch in the coarsest picture differs, in the mean, from what smooth filling says: that
errs least where nothing tells better, and keeps a wall from growing where a shelf was."""
_DOWN, _ACROSS = 0.4, 0.02
"""What it costs to take a patch from above or below and from beside: squared levels for each pixel squared,
in a picture 1,000 pixels wide."""
_ROUNDS = (1, 2, 4)
"""Searching and putting together in turn: in the finest picture, in the next, and in coarser ones."""
_SWEEPS = 2
_NEAR = 12
"""A finer picture is searched so far about the place that the coarser one has found, pixels."""
_EDGE = 0.75
"""Weight of differences in brightness from pixel to pixel, beside colours: edges meet edges."""
_FADE = 0.93
"""What a patch is worth, for every pixel farther from what was seen."""
_BLEND, _BLEND_AT_LAST = 0.6, 0.08
"""How far above the best a patch may be to count, as a share: averages while it is being looked for, one
patch in the end, which is sharp."""
_MOST = 400_000
"""Unknown pixels; with more, the finest picture is put together without being searched."""


@dataclass(slots=True, eq=False)
class _Level:
    """One size of the picture.

    Attributes:
        rgb: (H, W, 3), unknown pixels as far as they are found; known: (H, W).
        source: (H, W) where whole patches are known.
        targets: (N, 2) rows and columns whose patch touches the unknown; unknown: (M, 2).
        worth: (H, W) of a patch by its place, 1 on what is known.
        place, cost: (H, W, 2), (H, W) the patch that stands for each target, and how little it suits.
        down, across: what distance costs here, see ``_DOWN``.
    """

    rgb: F4
    known: BoolArray
    source: BoolArray
    targets: Array
    unknown: Array
    worth: F4
    place: Array
    cost: F4
    down: float
    across: float


def complete(rgb: U1, known: BoolArray) -> U1:
    """Unknown pixels from patches of what is known, or by :func:`fill_along_edges` where it is too little.

    Args:
        rgb: (H, W, 3); known: (H, W). Nothing of what unknown pixels hold is used.

    Returns:
        (H, W, 3); known pixels as they are.
    """
    if known.all():
        return rgb
    levels = [_level(fill(rgb, known).astype(np.float32), known)]
    while max(levels[-1].known.shape) > _COARSEST:
        levels.append(_level(*_half(levels[-1])))
    coarse = levels[-1]
    if not coarse.source.any():
        return fill_along_edges(rgb, known)
    grow(
        coarse.rgb, coarse.known, coarse.source, coarse.place, _guess(coarse), _RADIUS, _LEAN,
        coarse.down, coarse.across,
    )  # fmt: skip
    for depth in range(len(levels) - 1, -1, -1):
        if depth < len(levels) - 1:
            _lead(levels[depth + 1], levels[depth])
        _refine(levels, depth)
    filled = np.clip(levels[0].rgb + 0.5, 0, 255).astype(np.uint8)
    return np.where(known[..., None], rgb, filled)


def _level(rgb: F4, known: BoolArray) -> _Level:
    unknown = (~known).astype(np.uint8)
    side = 2 * _RADIUS + 1
    touching = cv2.dilate(unknown, np.ones((side, side), np.uint8)) > 0
    source = np.zeros_like(known)
    inside = (slice(_RADIUS, -_RADIUS), slice(_RADIUS, -_RADIUS))
    source[inside] = ~touching[inside]
    far = cv2.distanceTransform(unknown, cv2.DIST_L2, 5)
    shrunk = 1000.0 / known.shape[1]
    return _Level(
        rgb=rgb, known=known, source=source,
        targets=np.argwhere(touching).astype(np.int32), unknown=np.argwhere(~known).astype(np.int32),
        worth=np.power(np.float32(_FADE), far).astype(np.float32),
        place=np.full((*known.shape, 2), -1, np.int32), cost=np.zeros(known.shape, np.float32),
        down=_DOWN * shrunk * shrunk, across=_ACROSS * shrunk * shrunk,
    )  # fmt: skip


def _half(level: _Level) -> tuple[F4, BoolArray]:
    """Half the size, from known pixels alone, and where it is known."""
    h, w = level.known.shape
    size = ((w + 1) // 2, (h + 1) // 2)
    weight = np.asarray(cv2.resize(level.known.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    sums = np.asarray(
        cv2.resize(level.rgb * np.float32(level.known[..., None]), size, interpolation=cv2.INTER_AREA)
    )
    return (sums / np.maximum(weight, 1e-6)[..., None]).astype(np.float32), weight > _KNOWN


def _guess(level: _Level) -> F4:
    """(H, W, 3) mean colours of patches, where unknown as smooth filling says."""
    whole = fill_along_edges(np.clip(level.rgb + 0.5, 0, 255).astype(np.uint8), level.known)
    side = 2 * _RADIUS + 1
    return np.asarray(cv2.blur(whole.astype(np.float32), (side, side)))


def _lead(coarse: _Level, fine: _Level) -> None:
    """Start the finer picture where the patches of the coarser one lie in it."""
    rows, columns = fine.targets[:, 0], fine.targets[:, 1]
    h, w = fine.known.shape
    found = coarse.place[rows // 2, columns // 2]
    place = 2 * found + np.stack([rows % 2, columns % 2], axis=1)
    place = np.clip(place, _RADIUS, np.array([h - 1 - _RADIUS, w - 1 - _RADIUS]))
    fits = (found[:, 0] >= 0) & fine.source[place[:, 0], place[:, 1]]
    fine.place[rows[fits], columns[fits]] = place[fits]
    lead(fine.rgb, fine.unknown, fine.place)


def _refine(levels: Sequence[_Level], depth: int) -> None:
    """Search and put together in turn."""
    level = levels[depth]
    rounds = _ROUNDS[min(depth, len(_ROUNDS) - 1)] if len(level.unknown) <= _MOST else 0
    reach = max(level.known.shape) if depth == len(levels) - 1 else _NEAR
    for turn in range(rounds):
        search(
            _features(level.rgb), level.source, level.targets, level.place, level.cost, _RADIUS, _SWEEPS,
            1 + turn + 100 * depth, reach, level.down, level.across,
        )  # fmt: skip
        last = depth == 0 and turn == rounds - 1
        rebuild(
            level.rgb, level.unknown, level.place, level.cost, level.worth, _RADIUS,
            _BLEND_AT_LAST if last else _BLEND,
        )  # fmt: skip


def _features(rgb: F4) -> F4:
    """(H, W, 5): colours, and how brightness changes across and down."""
    grey = rgb.mean(axis=2)
    out = np.zeros((*grey.shape, 5), np.float32)
    out[..., :3] = rgb
    out[:, 1:-1, 3] = (grey[:, 2:] - grey[:, :-2]) * np.float32(_EDGE)
    out[1:-1, :, 4] = (grey[2:] - grey[:-2]) * np.float32(_EDGE)
    return out
