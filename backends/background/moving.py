"""The empty room before a moving camera: what is hidden in one picture is taken from others, moved there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backends.background.filling import fill
from backends.background.motion import Motion, Sight, motion, step
from backends.background.take import take
from backends.background.types import F4, U1, BoolArray, MaskedFrame, Plate
from backends.errors import InputError

F8 = npt.NDArray[np.float64]

EVERY = 5
"""Hidden places are looked for in every n-th picture."""
AHEAD, BEHIND = 40, 40
"""In pictures up to this far ahead and behind; behind, through rooms already found, as far as they reach."""
_BYTES = 400 << 20
_VIEWS = 3
"""So many pictures agree on one pixel, where so many show it."""
_ALIKE = 28
"""Levels by which a second opinion on a pixel may differ from the first."""
_SAME = 20
"""Levels by which what is put in somebody's place has to differ from them: else it is them, not found."""
_MARGIN = 12
_SMALLER = 8
_WORTH = 3
"""A picture that shows less of what is wanted is not asked, small pixels."""
_WHOLE, _HALF = 250, 127


@dataclass(slots=True, eq=False)
class _Held:
    """A picture in the window.

    Attributes:
        chain: (3, 3) from the first picture after the last cut to this one; shot: number of cuts before.
        free: (h, w) 255 where nobody is, small.
        room: what it is once people are out; seen: where that was seen somewhere.
    """

    frame: MaskedFrame
    sight: Sight
    chain: F8
    shot: int
    free: U1
    room: U1 | None = None
    seen: BoolArray | None = None


class MovingRoom:
    """Fills the contract of :class:`backends.background.types.Inpainter` for a camera that moves.

    Pictures before and after are moved onto each one: by a homography that points of the room give, and by
    how near things depart from it. Memory: the pictures of the window, at most 400 MB.

    Args:
        ahead, behind: how far to look, frames; every: only at every n-th.
    """

    def __init__(self, *, ahead: int = AHEAD, behind: int = BEHIND, every: int = EVERY) -> None:
        self._ahead, self._behind, self._every = ahead, behind, max(every, 1)

    def rooms(self, frames: Iterable[MaskedFrame]) -> Iterator[Plate]:
        """See :class:`backends.background.types.Inpainter`."""
        window = _Window(self._every, self._behind)
        for frame in frames:
            ahead = self._fitting(frame)
            window.push(frame)
            while window.waiting > ahead:
                yield window.next()
        while window.waiting:
            yield window.next()

    def room_of(self, frames: Iterable[MaskedFrame], index: int) -> Plate:
        """The room of frame ``index`` alone, from it and the frames about it.

        Raises:
            InputError: it is not among them.
        """
        window = _Window(self._every, self._behind)
        for frame in frames:
            window.push(frame)
        return window.only(index)

    def _fitting(self, frame: MaskedFrame) -> int:
        """How many pictures of this size may wait."""
        each = frame.hidden.size * 5
        return max(2, min(self._ahead, _BYTES // each - self._behind // self._every))


class _Window:
    def __init__(self, every: int, behind: int) -> None:
        self._every, self._behind = every, behind
        self._waiting: deque[_Held] = deque()
        self._past: deque[_Held] = deque()
        self._last: _Held | None = None
        self._pushed = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def push(self, frame: MaskedFrame) -> None:
        last = self._last
        if last is not None and frame.rgb.shape != last.frame.rgb.shape:
            raise InputError(f"the first picture is {last.frame.rgb.shape}, this one {frame.rgb.shape}")
        sight = Sight.of(frame.rgb, frame.hidden)
        chain, shot = np.eye(3), 0
        if last is not None:
            H = step(last.sight, sight)
            shot = last.shot if H is not None else last.shot + 1
            chain = H @ last.chain if H is not None else chain
            chain = chain / chain[2, 2]
        self._last = _Held(frame, sight, chain, shot, _small(~frame.hidden))
        self._waiting.append(self._last)
        self._pushed += 1

    def next(self) -> Plate:
        """The room of the picture that has waited longest."""
        held = self._waiting.popleft()
        plate = self._room(held)
        if held.frame.index % self._every == 0:
            held.room, held.seen = plate.rgb, plate.seen
            self._past.append(held)
        while self._past and self._past[0].frame.index < held.frame.index - self._behind:
            self._past.popleft()
        return plate

    def only(self, index: int) -> Plate:
        held = next((h for h in self._waiting if h.frame.index == index), None)
        if held is None:
            raise InputError(f"frame {index} is not among the pictures that were given")
        return self._room(held)

    def _room(self, held: _Held) -> Plate:
        frame = held.frame
        if not frame.hidden.any():
            return Plate(frame.rgb, ~frame.hidden, 1.0, lit=True)
        at, shot = frame.index, held.shot
        others = [
            h for h in (*self._past, *self._waiting)
            if h.frame.index % self._every == 0 and h.shot == shot and h is not held
        ]  # fmt: skip
        others.sort(key=lambda h: abs(h.frame.index - at))
        patch = _Patch(frame)
        motions: dict[int, Motion | None] = {}
        for second_hand in (False, True):
            for other in others:
                if patch.done:
                    break
                if second_hand and other.room is None:
                    continue
                number = other.frame.index
                about = held.chain @ np.linalg.inv(other.chain)
                free = _small(other.seen) if second_hand and other.seen is not None else other.free
                if not patch.gains(free, about):
                    continue
                if number not in motions:
                    motions[number] = motion(other.sight, held.sight, about / about[2, 2])
                found = motions[number]
                if found is None:
                    continue
                if second_hand and other.room is not None and other.seen is not None:
                    patch.add(other.room, ~other.seen, found)
                else:
                    patch.add(other.frame.rgb, other.frame.hidden, found)
        return patch.plate()


def _small(mask: BoolArray) -> U1:
    """A mask (H, W) an eighth as large: 255 where all of a pixel is set."""
    h, w = mask.shape
    size = (max(w // _SMALLER, 1), max(h // _SMALLER, 1))
    return np.asarray(cv2.resize(mask.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA))


class _Patch:
    """What is put where people are in one picture."""

    def __init__(self, frame: MaskedFrame) -> None:
        self._frame = frame
        rows, columns = np.flatnonzero(frame.hidden.any(axis=1)), np.flatnonzero(frame.hidden.any(axis=0))
        self._window = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
        self._hidden = frame.hidden[self._window]
        surely = frame.surely
        self._surely = np.zeros_like(self._hidden) if surely is None else surely[self._window]
        self._sum: F4 = np.zeros((*self._hidden.shape, 3), np.float32)
        self._count = np.zeros(self._hidden.shape, np.float32)
        self._views = 0
        self._wanted: BoolArray | None = None

    @property
    def done(self) -> bool:
        """Nothing is missing and several pictures have had their say."""
        return self._views >= _VIEWS and bool((self._count[self._hidden] > 0).all())

    def gains(self, free: U1, about: F8) -> bool:
        """Whether another picture shows something of what is wanted, by a small picture of where it is free.

        Args:
            free: (h, w) 255 where it is; about: (3, 3) how it moves to this one, pixels.
        """
        h, w = self._frame.hidden.shape
        down = np.diag([free.shape[1] / w, free.shape[0] / h, 1.0])
        moved = cv2.warpPerspective(free, down @ about @ np.linalg.inv(down), free.shape[::-1])
        return int(((np.asarray(moved) > _WHOLE) & self._wanted_small()).sum()) >= _WORTH

    def _wanted_small(self) -> BoolArray:
        if self._wanted is None:
            wanted = np.zeros(self._frame.hidden.shape, np.bool_)
            wanted[self._window] = self._hidden & (self._count < self._most)
            self._wanted = _small(wanted) > _HALF
        return self._wanted

    @property
    def _most(self) -> int:
        return _VIEWS if self._views < _VIEWS else 1

    def add(self, rgb: U1, hidden: BoolArray, moved: Motion) -> None:
        """Another picture's pixels, where they are missing or confirm what is there."""
        top, left = self._window[0].start, self._window[1].start
        back = np.linalg.inv(moved.H)
        shown = take(
            rgb, hidden, back, moved.departs, moved.cell, moved.gain, self._hidden,
            self._frame.rgb[self._window], self._surely, _SAME, top, left, self._most, _ALIKE, self._sum,
            self._count,
        )  # fmt: skip
        self._views += shown > 0
        self._wanted = None

    def plate(self) -> Plate:
        """The room; what no picture showed is filled from around."""
        frame = self._frame
        known = self._count > 0
        rgb = frame.rgb.copy()
        mean = self._sum / np.maximum(self._count, 1)[..., None]
        crop = rgb[self._window]
        put = known & self._hidden
        crop[put] = np.clip(mean[put] + 0.5, 0, 255).astype(np.uint8)
        seen = ~frame.hidden
        seen[self._window] |= put
        if not seen.all():
            rows, columns = np.flatnonzero((~seen).any(axis=1)), np.flatnonzero((~seen).any(axis=0))
            about = (
                slice(max(int(rows[0]) - _MARGIN, 0), int(rows[-1]) + _MARGIN + 1),
                slice(max(int(columns[0]) - _MARGIN, 0), int(columns[-1]) + _MARGIN + 1),
            )
            rgb[about] = fill(rgb[about], seen[about])
        return Plate(rgb, seen, float(seen.mean()), lit=True)
