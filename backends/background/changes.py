"""When the room itself changes: a door opened, a lamp switched, a trolley moved, a camera knocked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.background.light import gains_to_one_light
from backends.background.median import masked_median
from backends.background.shots import cuts, same_place
from backends.background.types import U1, BoolArray

Array = Any
I8 = npt.NDArray[np.int64]

WIDTH = 160
"""Rooms are compared in pictures of about this width."""
_DIFFERENT = 18
"""Levels by which a place has changed, beyond what it varied before and after."""
_LEAST = 0.004
"""A change smaller than this share of the picture is none of the room."""
_SAME_HUE, _MOSTLY = 1.15, 0.7
"""Where channels change by the same factor, but for this, only the light of a part has changed ..."""
_LEAST_LIGHT = 0.04
"""... and what is smaller is somebody's shadow, not a lamp."""
_PERSISTS = 3
"""Looks for which a place has to stay as it is, before and after, to have changed."""
_REACH = 12
"""Looks within which that many have to be free of people."""
_SLOW = 12
"""A stretch of so many looks is also asked whether it changed slowly."""
_MOST_STATES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Small pictures, spread over the footage, those of a shot in one light.

    Attributes:
        rgb: (N, h, w, 3) uint8; hidden: (N, h, w) where people are or may be.
        cuts: looks with which another shot begins, ascending.
    """

    rgb: U1
    hidden: BoolArray
    cuts: tuple[int, ...] = ()

    @staticmethod
    def of(rgb: U1, hidden: BoolArray) -> Looks:
        """Bring the small pictures of each shot to one light."""
        found = tuple(cuts(rgb, hidden))
        gains = np.concatenate([
            gains_to_one_light(rgb[first:last], hidden[first:last], 1)
            for first, last in pairwise([0, *found, len(rgb)])
        ])  # fmt: skip
        levels = np.arange(256) * gains[..., None]
        table = np.clip(levels + 0.5, 0, 255).astype(np.uint8)
        lit = np.empty_like(rgb)
        for picture, channels, out in zip(rgb, table, lit):
            for c in range(3):
                out[..., c] = channels[c][picture[..., c]]
        return Looks(lit, hidden, found)

    def room(self, which: I8) -> tuple[U1, BoolArray]:
        """(h, w, 3) the small empty room of some looks and (h, w) where it was seen."""
        return masked_median(self.rgb, self.hidden, np.ones((len(self.rgb), 3), np.float32), which)


def shrink(rgb: U1, hidden: BoolArray) -> tuple[U1, BoolArray]:
    """A picture (H, W, 3) about ``WIDTH`` wide and where people touch its pixels."""
    h, w = hidden.shape
    scale = min(1.0, WIDTH / w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    touched = cv2.resize(hidden.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return small, cv2.dilate((np.asarray(touched) > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def changed(a: U1, b: U1, both_seen: BoolArray) -> BoolArray:
    """(h, w) places in which two small rooms differ, without specks; empty where they are the same room."""
    different = (cv2.absdiff(a, b).max(axis=2) > _DIFFERENT) & both_seen
    ratio = (b + np.float32(1.0)) / (a + np.float32(1.0))
    return _large_parts(different, ratio.max(axis=2) < _SAME_HUE * ratio.min(axis=2))


def _large_parts(different: BoolArray, as_light: BoolArray) -> BoolArray:
    """(h, w) the parts that are large enough; larger ones are asked for where only light differs."""
    opened = cv2.morphologyEx(different.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= _LEAST * different.size
    large[0] = False
    for part in np.flatnonzero(large):
        if as_light[labels == part].mean() > _MOSTLY:
            large[part] = stats[part, cv2.CC_STAT_AREA] >= _LEAST_LIGHT * different.size
    found: BoolArray = large[labels]
    return found


def find_states(looks: Looks) -> I8:
    """(N,) the state of the room in each look, 0, 1, ...: the same number wherever the room is the same.

    One state for all where the room is never the same for long: then the camera moves.
    """
    n = len(looks.rgb)
    stretches = []
    sudden = [at for at in _sudden(looks) if all(abs(at - cut) >= _PERSISTS for cut in looks.cuts)]
    edges = [0, *sorted([*looks.cuts, *sudden]), n]
    for first, last in pairwise(edges):
        stretches += _without_slow_change(looks, np.arange(first, last))
    states: list[I8] = []
    rooms: list[tuple[U1, BoolArray]] = []
    for stretch in stretches:
        room, seen = looks.room(stretch)
        differ = [_apart(room, r, seen & s) for r, s in rooms]
        alike = int(np.argmin(differ)) if differ else -1
        if differ and differ[alike] == 0:
            states[alike] = np.concatenate([states[alike], stretch])
            rooms[alike] = looks.room(states[alike])
        elif len(states) == _MOST_STATES:
            return np.zeros(n, np.int64)
        else:
            states.append(stretch)
            rooms.append((room, seen))
    result = np.zeros(n, np.int64)
    for state, which in enumerate(states):
        result[which] = state
    return result


def _apart(a: U1, b: U1, both_seen: BoolArray) -> int:
    """How many pixels of two small rooms differ, each in its own light."""
    if not both_seen.any():
        return both_seen.size
    if not same_place(a, b, both_seen):
        return both_seen.size
    gain = np.median((a[both_seen] + np.float32(1.0)) / (b[both_seen] + np.float32(1.0)), axis=0)
    lit = np.clip(b * gain.astype(np.float32) + np.float32(0.5), 0, 255).astype(np.uint8)
    return int(min(changed(a, b, both_seen).sum(), changed(a, lit, both_seen).sum()))


def _sudden(looks: Looks) -> list[int]:
    """Looks before which a part of the room changed, and stayed as it then was."""
    n = len(looks.rgb)
    sizes = np.zeros(n)
    different, as_light = np.zeros((2, *looks.hidden.shape[1:]), np.bool_)
    for at in range(_PERSISTS, n - _PERSISTS + 1):
        _changed_at(
            looks.rgb, looks.hidden, at, _PERSISTS, _REACH, _DIFFERENT, _SAME_HUE, different, as_light
        )
        sizes[at] = _large_parts(different, as_light).sum()
    found = []
    while sizes.max(initial=0.0) > 0:
        at = int(sizes.argmax())
        found.append(at)
        sizes[max(at - _PERSISTS + 1, 0) : at + _PERSISTS] = 0
    return sorted(found)


def _without_slow_change(looks: Looks, stretch: I8) -> list[I8]:
    """The stretch in parts in which light and things do not drift from beginning to end."""
    if len(stretch) < _SLOW:
        return [stretch]
    halves = np.array_split(stretch, 2)
    (a, seen_a), (b, seen_b) = (looks.room(half) for half in halves)
    if not changed(a, b, seen_a & seen_b).any():
        return [stretch]
    return [part for half in halves for part in _without_slow_change(looks, half)]


@numba.njit(cache=True, nogil=True)
def _changed_at(
    rgb: Array, hidden: Array, at: int, persists: int, reach: int, least: int, same_hue: float,
    out: Array, as_light: Array,
) -> None:  # fmt: skip
    """Where the last ``persists`` free values before look ``at`` and the next ones keep apart, and where all
    channels do so by the same factor, but for ``same_hue``."""
    n, height, width, _ = rgb.shape
    low = np.zeros((2, 3), np.int64)
    high = np.zeros((2, 3), np.int64)
    for y in range(height):
        for x in range(width):
            out[y, x] = False
            low[:], high[:] = 255, 0
            enough = True
            for side in range(2):
                count = 0
                for k in range(reach):
                    i = at - 1 - k if side == 0 else at + k
                    if i < 0 or i >= n or count == persists:
                        break
                    if not hidden[i, y, x]:
                        count += 1
                        for c in range(3):
                            value = int(rgb[i, y, x, c])
                            low[side, c] = min(low[side, c], value)
                            high[side, c] = max(high[side, c], value)
                enough = enough and count == persists
            if enough:
                smallest, largest = 1e9, 0.0
                for c in range(3):
                    ratio = (low[1, c] + high[1, c] + 2.0) / (low[0, c] + high[0, c] + 2.0)
                    smallest, largest = min(smallest, ratio), max(largest, ratio)
                    if low[1, c] - high[0, c] > least or low[0, c] - high[1, c] > least:
                        out[y, x] = True
                as_light[y, x] = largest < same_hue * smallest
