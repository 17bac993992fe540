"""Which picture of depth belongs to which frame: by order, by number, or by time stamp."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.errors import FootageError
from app.footage.base import Footage

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_NUMBER = re.compile(r"\d+\.\d+|\d+")
_LEAST = 0.1
"""Of the footage: with fewer frames that have depth, names or times do not belong together."""
_UNITS = (1.0, 1e-3, 1e-6, 1e-9)
"""Seconds, milliseconds, microseconds, nanoseconds."""


def match(n: int, files: Sequence[Path], times: F8 | None, footage: Footage, name: str) -> I8:
    """(N,) for each frame of ``footage`` the number of its picture of depth, -1 where there is none.

    Args:
        n: how many pictures there are; files: theirs, where each has one; times: (n,) seconds by the file's
            time stamps.

    Raises:
        FootageError: they do not belong to this footage.
    """
    if n == footage.n_frames:
        return np.arange(n, dtype=np.int64)
    if files:
        found = _by_name(files, footage)
    elif times is not None:
        found = _nearest(times, footage.times, footage.fps)
    else:
        found = None
    if found is None or (found >= 0).sum() < max(1, _LEAST * footage.n_frames):
        raise FootageError(
            f"{name} holds depth for {n} frames, but the footage has {footage.n_frames}, and neither numbers "
            "nor time stamps say which belong together. Give one picture a frame, or name pictures by "
            "frame number or time stamp."
        )
    return found


def _by_name(files: Sequence[Path], footage: Footage) -> I8 | None:
    said = [_number(p.stem) for p in files]
    if any(s is None for s in said):
        return None
    numbers = np.array([float(s) for s in said if s is not None])
    own = footage.files() if footage.kind == "pictures" else []
    colour = [_number(p.stem) for p in own]
    count = footage.n_frames
    if len(colour) == count and None not in colour:
        frames = np.array([float(c) for c in colour if c is not None])
        if np.isin(frames, numbers).mean() >= _LEAST:  # named alike
            return _equal(numbers, frames)
        if any("." in s for s in said if s):  # recordings of one clock
            return _nearest(numbers, frames, footage.fps)
    if any("." in s for s in said if s) or numbers.max() > 2 * count + 1:
        unit = _unit(numbers, footage)
        return None if unit is None else _nearest((numbers - numbers[0]) * unit, footage.times, footage.fps)
    first = 1 if numbers.min() >= 1 and numbers.max() == count else 0
    return _equal(numbers, np.arange(count, dtype=np.float64) + first)


def _number(stem: str) -> str | None:
    """The last number in a name."""
    found = _NUMBER.findall(stem)
    return found[-1] if found else None


def _equal(numbers: F8, frames: F8) -> I8:
    place = {float(v): i for i, v in enumerate(numbers)}
    return np.array([place.get(float(f), -1) for f in frames], np.int64)


def _unit(numbers: F8, footage: Footage) -> float | None:
    """Seconds a step of the time stamps: so that both recordings last about as long."""
    long, whole = float(numbers[-1] - numbers[0]), float(footage.times[-1])
    if long <= 0 or whole <= 0:
        return None
    unit = min(_UNITS, key=lambda u: abs(np.log(long * u / whole)))
    return unit if 0.2 < long * unit / whole < 5.0 else None


def _nearest(stamps: F8, times: F8, fps: float) -> I8:
    """For each time the stamp nearest to it, -1 where none is within half a frame and a little."""
    order = np.argsort(stamps, kind="stable")
    at = np.clip(np.searchsorted(stamps[order], times), 1, max(len(stamps) - 1, 1))
    low, high = order[at - 1], order[np.minimum(at, len(order) - 1)]
    nearer = np.where(np.abs(stamps[low] - times) <= np.abs(stamps[high] - times), low, high)
    return np.where(np.abs(stamps[nearer] - times) <= 0.6 / fps, nearer, -1).astype(np.int64)
