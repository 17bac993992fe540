"""What no picture of a moving camera shows: thought up once, and carried along as the camera moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from backends.background.completion import complete
from backends.background.filling import fill, fill_along_edges
from backends.background.motion import Motion, Sight
from backends.background.patch import Layer, met_at_rim, rim
from backends.background.steady import largest
from backends.background.types import F4, U1, BoolArray, MaskedFrame

_KEPT = 3
"""So many pictures with something that was thought up are kept."""
_OLD = 40
"""Frames after which the newest room takes an older one's place."""
_LITTLE = 1500
"""Fewer pixels are filled smoothly, until there are more."""
_ABOUT = 0.25
"""Pieces are taken from so far about what is missing, share of the picture's width."""
_OTHER = 40
"""Levels by which something else differs from what was expected about a place that was thought up ..."""
_MUCH = 0.15
"""... and the share of its surroundings which do so: then it is thought up again."""
_PIECES = 0.4
"""Weight of pieces of the room, which are sharp and may be the wrong ones, beside colours led along edges."""

Moves = Callable[[Sight, Sight], Motion | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Anchor:
    """A picture without people: ``ours`` (H, W) is where there is nothing of the picture itself."""

    index: int
    sight: Sight
    rgb: U1
    ours: BoolArray


class Imagined:
    """Fills what is never seen, the same way in every picture."""

    def __init__(self) -> None:
        self._anchors: list[_Anchor] = []

    def fill(
        self, frame: MaskedFrame, sight: Sight, moves: Moves, window: tuple[slice, slice], colors: F4,
        known: BoolArray,
    ) -> F4:  # fmt: skip
        """The window of a picture, complete.

        Args:
            moves: how one picture moves to another.
            colors: (h, w, 3) the window as far as it is ``known`` (h, w).
        """
        self._anchors = [a for a in self._anchors if a.sight.shot == sight.shot]
        if known.all():
            return colors
        layer = Layer(frame, window)
        nobody = np.zeros(frame.hidden.shape, np.bool_)
        missing = ~known
        ring = rim(missing) & known
        for anchor in self._anchors:
            if not (missing & (layer.count == 0)).any():
                break
            moved = moves(anchor.sight, sight)
            if moved is not None:
                # Of what it showed itself nothing is put anywhere: somebody may be there who was not found.
                layer.add(anchor.rgb, ~anchor.ours, moved, missing)
                layer.add(anchor.rgb, nobody, moved, ring)
        had = layer.count > 0
        values, out = layer.mean, colors
        had &= ~_contradicted(values, had, colors, missing)
        if had.any():
            met = met_at_rim(values, had, colors, missing)
            out = np.where((missing & had)[..., None], met, colors)
        left = missing & ~had
        n = int(left.sum())
        if n:
            bytes_ = np.clip(out + 0.5, 0, 255).astype(np.uint8)
            bytes_ = fill(bytes_, ~left) if n < _LITTLE else _completed(bytes_, ~left, frame)
            out = np.where(left[..., None], bytes_.astype(np.float32), out)
        old = not self._anchors or frame.index - self._anchors[0].index > _OLD
        if n >= _LITTLE or old:
            rgb = frame.rgb.copy()
            rgb[window] = np.clip(out + 0.5, 0, 255).astype(np.uint8)
            self._anchors = [_Anchor(frame.index, sight, rgb, frame.hidden), *self._anchors[: _KEPT - 1]]
        return out


def _contradicted(values: F4, had: BoolArray, colors: F4, missing: BoolArray) -> BoolArray:
    """(h, w) missing parts about which other things have come into sight since they were filled."""
    wrong = np.zeros_like(missing)
    ring = rim(missing) & had
    differs = ring & (largest(np.abs(values - colors)) > _OTHER)
    if not differs.any():
        return wrong
    _, parts, stats, _ = cv2.connectedComponentsWithStats(missing.view(np.uint8))
    near = np.asarray(cv2.dilate(parts.astype(np.float32), np.ones((19, 19), np.uint8))).astype(np.int64)
    of = np.bincount(near[ring], minlength=len(stats))
    other = np.bincount(near[differs], minlength=len(stats))
    again = other > _MUCH * np.maximum(of, 1)
    again[0] = False
    return np.asarray(again[parts], np.bool_)


def _completed(rgb: U1, known: BoolArray, frame: MaskedFrame) -> U1:
    """Missing pixels from pieces of what is about them."""
    rows, columns = np.flatnonzero((~known).any(axis=1)), np.flatnonzero((~known).any(axis=0))
    margin = round(_ABOUT * frame.hidden.shape[1])
    about = (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )
    out = rgb.copy()
    crop, seen = np.ascontiguousarray(rgb[about]), np.ascontiguousarray(known[about])
    pieces, smooth = complete(crop, seen).astype(np.float32), fill_along_edges(crop, seen)
    out[about] = np.clip(smooth + _PIECES * (pieces - smooth) + 0.5, 0, 255).astype(np.uint8)
    return out
