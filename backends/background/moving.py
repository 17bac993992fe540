"""The empty room before a moving camera: what is hidden in one picture is taken from others, moved there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from backends.background.imagined import Imagined
from backends.background.motion import Follower, Motion, Sight, by_chain, motion
from backends.background.patch import Layer, Patch, small_mask
from backends.background.relief import Relief
from backends.background.surveyed import relief_of
from backends.background.types import F4, U1, BoolArray, MaskedFrame, Plate
from backends.errors import InputError

EVERY = 5
"""Hidden places are looked for in every n-th picture."""
AHEAD, BEHIND = 40, 40
"""In pictures up to this far ahead and behind; behind, through rooms already found, as far as they reach."""
_BYTES = 400 << 20
_MISS = 2.0
"""A picture whose points usually miss their places by more is not asked, small pixels."""
_WIDE = 2
"""At first nothing is taken from so near to people, in pixels of small masks: shadows are there."""
_KEEP = 0.6
"""How much of a pixel's colour is that of the picture before: nothing flickers, nothing jumps."""


@dataclass(slots=True, eq=False)
class _Held:
    """A picture in the window.

    Attributes:
        sight: for its motion; free: (h, w) 255 where nobody is, small; wide: the same, without what is near.
        relief: once it was looked for; sure: it was looked for with pictures before and after.
        room: what it is once people are out; seen: where that was seen somewhere.
    """

    frame: MaskedFrame
    sight: Sight
    free: U1
    wide: U1
    relief: Relief | None = None
    looked: bool = False
    sure: bool = False
    room: U1 | None = None
    seen: BoolArray | None = None


class MovingRoom:
    """Fills the contract of :class:`backends.background.types.Inpainter` for a camera that moves.

    Pictures before and after are moved onto each one: by what the camera does and how far things stand out
    from the plane of most. What none shows is thought up once and moved along. Memory: the pictures of the
    window, at most 400 MB.

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
        return max(2, min(self._ahead, _BYTES // each - 2 * self._behind // self._every))


class _Window:
    def __init__(self, every: int, behind: int) -> None:
        self._every, self._behind = every, behind
        self._waiting: deque[_Held] = deque()
        self._past: deque[_Held] = deque()
        self._size: tuple[int, ...] | None = None
        self._follower = Follower()
        self._imagined = Imagined()
        self._before: _Held | None = None
        self._room_before: U1 | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def push(self, frame: MaskedFrame) -> None:
        self._size = self._size or frame.rgb.shape
        if frame.rgb.shape != self._size:
            raise InputError(f"the first picture is {self._size}, this one {frame.rgb.shape}")
        free = small_mask(~frame.hidden)
        side = 2 * _WIDE + 1
        wide = np.asarray(cv2.erode(free, np.ones((side, side), np.uint8)), np.uint8)
        self._waiting.append(_Held(frame, self._follower.see(frame.rgb, frame.hidden), free, wide))

    def next(self) -> Plate:
        """The room of the picture that has waited longest."""
        held = self._waiting.popleft()
        plate = self._room(held, self._imagined)
        if held.frame.index % self._every == 0:
            held.room, held.seen = plate.rgb, plate.seen
            self._past.append(held)
        while self._past and self._past[0].frame.index < held.frame.index - self._behind:
            self._past.popleft()
        self._before, self._room_before = held, plate.rgb
        return plate

    def only(self, index: int) -> Plate:
        held = next((h for h in self._waiting if h.frame.index == index), None)
        if held is None:
            raise InputError(f"frame {index} is not among the pictures that were given")
        return self._room(held, Imagined())

    def _room(self, held: _Held, imagined: Imagined) -> Plate:
        frame = held.frame
        if not frame.hidden.any():
            return Plate(frame.rgb, ~frame.hidden, 1.0, lit=True)
        patch = self._gathered(held)
        colors, known = patch.colors()
        window = patch.window
        whole = imagined.fill(frame, held.sight, self._moves, window, colors, known)
        whole = self._steadied(held, window, whole, patch.hidden)
        rgb = frame.rgb.copy()
        rgb[window] = np.where(
            patch.hidden[..., None], np.clip(whole + 0.5, 0, 255).astype(np.uint8), rgb[window]
        )
        seen = ~frame.hidden
        seen[window] |= known
        return Plate(rgb, seen, float(seen.mean()), lit=True)

    def _gathered(self, held: _Held) -> Patch:
        """What other pictures show: first far from people, then near to them, then what others found."""
        frame = held.frame
        patch = Patch(frame)
        others = [
            h for h in (*self._past, *self._waiting)
            if h.frame.index % self._every == 0 and h.sight.shot == held.sight.shot and h is not held
        ]  # fmt: skip
        others.sort(key=lambda h: abs(h.frame.index - frame.index))
        motions: dict[int, Motion | None] = {}
        for how in ("wide", "near", "room"):
            for other in others:
                if patch.done:
                    return patch
                if how == "room":
                    if other.room is None or other.seen is None:
                        continue
                    free, source, hidden = small_mask(other.seen), other.room, ~other.seen
                else:
                    free = other.wide if how == "wide" else other.free
                    source, hidden = other.frame.rgb, other.frame.hidden
                if not patch.gains(free, other.sight.about(held.sight)):
                    continue
                number = other.frame.index
                if number not in motions:
                    motions[number] = motion(other.sight, held.sight, self._relief(other))
                found = motions[number]
                if found is None or found.miss > _MISS:
                    continue
                if how == "wide":
                    hidden = _full(other.wide, hidden.shape)
                patch.add(source, hidden, found)
        return patch

    def _steadied(
        self, held: _Held, window: tuple[slice, slice], colors: F4, hidden: BoolArray
    ) -> F4:  # fmt: skip
        """Nearer to the room before, moved here."""
        before, room = self._before, self._room_before
        if before is None or room is None or before.sight.shot != held.sight.shot:
            return colors
        moved = motion(before.sight, held.sight, None)
        if moved is None:
            return colors
        layer = Layer(held.frame, window)
        # Only what was made there, too: in the picture itself somebody may be who was not found.
        layer.add(room, ~before.frame.hidden, moved, hidden)
        share = np.where(layer.count > 0, np.float32(_KEEP), np.float32(0.0))[..., None]
        return colors + (layer.mean - colors) * share

    def _moves(self, a: Sight, b: Sight) -> Motion | None:
        found = motion(a, b, None)
        return found if found is not None and found.miss <= _MISS else by_chain(a, b)

    def _relief(self, held: _Held) -> Relief | None:
        """Looked for when it is first needed, and again once pictures on both sides are there."""
        if held.sure:
            return held.relief
        others = [h for h in (*self._past, *self._waiting) if h.sight.shot == held.sight.shot]
        both = any(h.frame.index > held.frame.index + self._every * 3 for h in others)
        if not held.looked or both:
            held.relief = relief_of(
                held.sight, {h.frame.index - held.frame.index: h.sight for h in others if h is not held}
            )
            held.looked, held.sure = True, both
        return held.relief


def _full(free: U1, shape: tuple[int, ...]) -> BoolArray:
    """(H, W) where a small mask of what is free is not."""
    large = cv2.resize(free, shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(large) < 255
