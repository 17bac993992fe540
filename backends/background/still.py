"""The empty room before a fixed camera, in as many states as the room was in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from backends.background.changes import Looks, changed, find_states, shrink
from backends.background.filling import spread
from backends.background.light import gains_to_one_light, light_of
from backends.background.median import masked_median
from backends.background.plate import most_samples
from backends.background.shade import complete_in_shade
from backends.background.shots import same_place
from backends.background.steady import agreement
from backends.background.types import U1, BoolArray, MaskedFrame, Plate
from backends.errors import InputError

I8 = npt.NDArray[np.int64]
Look = Callable[[int], MaskedFrame]

SAMPLES = 60
"""Pictures from which one state of the room is made, at most."""
_ENOUGH = 16
"""A state with fewer pictures at hand is looked at again, where there is more of it."""
_MOST_BISECTIONS = 96
"""So many pictures may be read to find out when exactly the room changed."""


@dataclass(frozen=True, slots=True, eq=False)
class StillRoom:
    """The room of a fixed camera. Fills the contract of :class:`backends.background.types.Inpainter`.

    Attributes:
        plates: (S) one for each state of the room.
        starts: first frames of the spans in which the room stays as it is, ascending, from 0 on.
        states: the state of each span.
    """

    plates: tuple[Plate, ...]
    starts: tuple[int, ...]
    states: tuple[int, ...]

    def at(self, index: int) -> Plate:
        """The room as it was in frame ``index``, in its own light."""
        return self.plates[self.states[max(bisect_right(self.starts, index) - 1, 0)]]

    def rooms(self, frames: Iterable[MaskedFrame]) -> Iterator[Plate]:
        """The room of each picture, in that picture's light; holds no picture."""
        for frame in frames:
            plate = self.at(frame.index)
            if frame.rgb.shape != plate.rgb.shape:
                raise InputError(f"the room is {plate.rgb.shape}, frame {frame.index} {frame.rgb.shape}")
            light = light_of(frame.rgb, plate, frame.hidden)
            h, w = frame.hidden.shape
            yield replace(plate, rgb=light.on(plate.rgb, (slice(0, h), slice(0, w))), lit=True)

    @property
    def agreement(self) -> float:
        """See :class:`Plate`; of the state that fits its pictures least."""
        return min(p.agreement for p in self.plates)

    @property
    def steady(self) -> bool:
        """False where the camera moved."""
        return all(p.steady for p in self.plates)

    @property
    def seen_fraction(self) -> float:
        """Share of the picture that was ever seen, in the state in which it is least."""
        return min(p.seen_fraction for p in self.plates)


def survey(indices: Sequence[int], look: Look, *, samples: int = SAMPLES) -> StillRoom:
    """Find out what room a fixed camera looks at.

    Args:
        indices: frames to look at, ascending, spread over the footage.
        look: gives a frame; called for each of ``indices`` in order, then for a few again.
        samples: pictures that make one state of the room, at most. Memory is bounded by this number and by
            400 MB, whatever the length.

    Raises:
        InputError: no frame to look at, or pictures of several sizes.
    """
    if not len(indices):
        raise InputError("a background needs at least one picture")
    first = look(indices[0])
    kept = _Kept(first, len(indices), samples)
    small = []
    for place, index in enumerate(indices):
        frame = first if place == 0 else look(index)
        if frame.rgb.shape != first.rgb.shape or frame.hidden.shape != first.hidden.shape:
            raise InputError(f"the first picture is {first.rgb.shape}, frame {index} {frame.rgb.shape}")
        kept.add(place, frame)
        small.append(shrink(frame.rgb, frame.hidden))
    looks = Looks.of(np.stack([s[0] for s in small]), np.stack([s[1] for s in small]))
    states = find_states(looks)
    n = int(states.max()) + 1
    plates = [_plate(np.flatnonzero(states == s), indices, kept, look) for s in range(n)]
    rooms = [looks.room(np.flatnonzero(states == s)) for s in range(n)]
    plates = [replace(p, rgb=complete_in_shade(p.rgb, p.seen)) for p in _borrowed(plates, rooms)]
    starts, order = _spans(indices, states, rooms, look)
    return StillRoom(tuple(plates), tuple(starts), tuple(order))


class _Kept:
    """Full pictures of some of the looks, evenly spread."""

    def __init__(self, first: MaskedFrame, n: int, samples: int) -> None:
        height, width = first.hidden.shape
        self.limit = min(most_samples(height, width, samples), n)
        self._places = np.unique(np.linspace(0, n - 1, self.limit).round().astype(int)).tolist()
        self.frames = np.empty((self.limit, height, width, 3), np.uint8)
        self.masks = np.empty((self.limit, height, width), np.bool_)
        self.row: dict[int, int] = {}

    def add(self, place: int, frame: MaskedFrame) -> None:
        """Keep a picture if it is one of those to be kept."""
        if len(self.row) < len(self._places) and self._places[len(self.row)] == place:
            row = len(self.row)
            self.frames[row], self.masks[row] = frame.rgb, frame.hidden
            self.row[place] = row


def _plate(places: I8, indices: Sequence[int], kept: _Kept, look: Look) -> Plate:
    """The room of one state, black where it was never seen."""
    rows = np.array([kept.row[p] for p in places.tolist() if p in kept.row], np.int64)
    frames, masks = kept.frames, kept.masks
    if len(rows) < min(_ENOUGH, len(places)):
        some = places[np.unique(np.linspace(0, len(places) - 1, kept.limit).round().astype(int))]
        rows = np.arange(min(len(some), 2 * _ENOUGH))
        frames, masks = np.empty((len(rows), *frames.shape[1:]), np.uint8), np.empty_like(masks[: len(rows)])
        for row in rows.tolist():
            again = look(indices[some[row]])
            frames[row], masks[row] = again.rgb, again.hidden
    own = (frames, masks) if len(rows) == len(frames) else (frames[rows], masks[rows])
    gains = np.ones((len(frames), 3), np.float32)
    gains[rows] = gains_to_one_light(*own)
    rgb, seen = masked_median(frames, masks, gains, rows)
    return Plate(rgb, seen, float(seen.mean()), agreement(*own, gains[rows], rgb))


def _borrowed(plates: list[Plate], rooms: list[tuple[U1, BoolArray]]) -> list[Plate]:
    """What was not seen in one state but in another, where both are the same room there."""
    result = []
    for s, plate in enumerate(plates):
        rgb, seen = plate.rgb, plate.seen
        others = sorted((o for o in range(len(plates)) if o != s), key=lambda o: -plates[o].seen_fraction)
        for o in others:
            other = plates[o]
            both = plate.seen & other.seen
            if not same_place(rooms[s][0], rooms[o][0], rooms[s][1] & rooms[o][1]):
                continue  # after a cut: what looks alike there is another wall
            new = (
                ~seen
                & other.seen
                & ~_about(changed(rooms[s][0], rooms[o][0], rooms[s][1] & rooms[o][1]), seen)
            )
            if new.any() and both.any():
                # What differs in light around a place differs in the place too.
                light = spread(plate.rgb.astype(np.float32) - other.rgb, both)
                lent = np.clip(other.rgb + light + 0.5, 0, 255).astype(np.uint8)
                rgb, seen = np.where(new[..., None], lent, rgb), seen | new
        result.append(replace(plate, rgb=rgb, seen=seen, seen_fraction=float(seen.mean())))
    return result


def _about(small: BoolArray, like: BoolArray) -> BoolArray:
    """A small mask, wider, in the size of ``like``."""
    wide = cv2.dilate(small.astype(np.uint8), np.ones((9, 9), np.uint8))
    return np.asarray(cv2.resize(wide, like.shape[::-1], interpolation=cv2.INTER_NEAREST)) > 0


def _spans(
    indices: Sequence[int], states: I8, rooms: list[tuple[U1, BoolArray]], look: Look
) -> tuple[list[int], list[int]]:
    """First frames of the spans and their states; when a change came is found by halving."""
    starts, order = [0], [int(states[0])]
    turns = np.flatnonzero(states[1:] != states[:-1]) + 1
    left = _MOST_BISECTIONS
    for place in turns.tolist():
        low, high = int(indices[place - 1]), int(indices[place])
        before, after = int(states[place - 1]), int(states[place])
        while high - low > 1 and left > 0:
            middle = (low + high) // 2
            left -= 1
            if _nearer_second(look(middle), rooms[before], rooms[after]):
                high = middle
            else:
                low = middle
        starts.append(high if high - low == 1 else (low + high + 1) // 2)
        order.append(after)
    return starts, order


def _nearer_second(frame: MaskedFrame, a: tuple[U1, BoolArray], b: tuple[U1, BoolArray]) -> bool:
    """Whether a picture shows the second of two rooms, by the places in which they differ."""
    small, hidden = shrink(frame.rgb, frame.hidden)
    seen = a[1] & b[1] & ~hidden
    differs = changed(a[0], b[0], a[1] & b[1])
    fair = seen & ~differs
    small_f = small.astype(np.float32)
    if fair.any():
        small_f *= np.median((a[0][fair] + 1.0) / (small[fair] + 1.0), axis=0).astype(np.float32)
    where = differs & seen
    if not where.any():
        return False
    far = [float(np.abs(small_f - room.astype(np.float32))[where].mean()) for room in (a[0], b[0])]
    return far[1] < far[0]
