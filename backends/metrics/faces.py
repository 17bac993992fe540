"""Is anybody's face still to be seen? Recall, coverage, leak events, and recall over all cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from backends.errors import InputError
from backends.metrics.pose2d import box_iou
from backends.metrics.score import Score, share_known

F8 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

COVERED = 0.9
"""Share of a head from which on it counts as hidden."""


def matched_faces(truth: npt.ArrayLike, found: npt.ArrayLike, least: float = 0.5) -> Bools:
    """(T,) which true face boxes (T, 4) have a found box (P, 4) of their own with IoU >= ``least``.

    The one-to-one choice that finds most (PASCAL VOC's criterion; WIDER FACE uses the same 0.5).
    """
    overlap = box_iou(truth, found)
    rows, columns = linear_sum_assignment(-(overlap + (overlap >= least)))
    hit = np.zeros(len(overlap), bool)
    hit[rows] = overlap[rows, columns] >= least
    return hit


def face_recall(
    frames: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]], least: float = 0.5
) -> tuple[Score, Score]:
    """Recall and precision of face boxes at an IoU, over frames of (true boxes, found boxes)."""
    hits = [matched_faces(t, f, least) for t, f in frames]
    n_true = sum(len(h) for h in hits)
    n_found = sum(len(np.reshape(f, (-1, 4))) for _, f in frames)
    n_hit = sum(int(h.sum()) for h in hits)
    return (
        Score(n_hit / n_true if n_true else float("nan"), n_true),
        Score(n_hit / n_found if n_found else float("nan"), n_found),
    )


def head_coverage(head: npt.ArrayLike, covered: npt.ArrayLike) -> float:
    """Share of a head that is hidden, in [0, 1]; NaN for a head without pixels in the picture.

    Args:
        head: (H, W) bool, the head's seen pixels, or a box (4,) x0 y0 x1 y1 in pixels, of which the
            pixels count whose centres lie inside (borders included).
        covered: (H, W) bool, the pixels that were replaced.

    Raises:
        InputError: a mask of another size than ``covered``, or a box that is not finite.
    """
    hidden, h = np.asarray(covered, bool), np.asarray(head)
    if h.shape == (4,):
        if not np.isfinite(h.astype(np.float64)).all():
            raise InputError("A head's box needs four finite values.")
        x0, y0 = (max(int(np.ceil(v)), 0) for v in h[:2])
        x1, y1 = (max(int(np.floor(v)), -1) for v in h[2:])
        part = hidden[y0 : y1 + 1, x0 : x1 + 1]
    elif h.shape == hidden.shape and h.ndim == 2:
        part = hidden[h.astype(bool)]
    else:
        raise InputError(f"A head is a mask of shape {hidden.shape} or a box (4,), got shape {h.shape}.")
    return float(part.mean()) if part.size else float("nan")


@dataclass(frozen=True, slots=True)
class Leak:
    """Frames ``first`` to ``last`` (inclusive) in which a seen head was not covered, and for how long."""

    first: int
    last: int
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Leaks:
    """The leak events of one track. ``frames`` leaking out of ``seen``; ``unknown`` could not be judged."""

    events: tuple[Leak, ...]
    frames: int
    seen: int
    unknown: int

    @property
    def longest_ms(self) -> float:
        """The longest event's duration; 0 without any."""
        return max((e.duration_ms for e in self.events), default=0.0)


def leak_events(
    coverage: npt.ArrayLike, seen: npt.ArrayLike, times_s: npt.ArrayLike, least: float = COVERED
) -> Leaks:
    """Maximal runs of frames in which one track's head is seen and less than ``least`` of it is hidden.

    An event lasts until the frame that ends it is shown; after the last frame, one median step more.

    Args:
        coverage: (F,) share of the head that is hidden. NaN where that is not known: such a frame ends
            a run, does not count as covered either, and is counted as unknown.
        seen: (F,) whether the head is to be seen in the original (a share above 0 counts as seen).
        times_s: (F,) when each frame is shown, seconds, increasing.

    Raises:
        InputError: arrays of different lengths, or times that do not increase.
    """
    c, t = np.asarray(coverage, np.float64), np.asarray(times_s, np.float64)
    visible = np.nan_to_num(np.asarray(seen, np.float64)) > 0
    if not c.shape == visible.shape == t.shape or c.ndim != 1:
        raise InputError(f"Leaks need three arrays (F,), got {c.shape}, {visible.shape} and {t.shape}.")
    if not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        raise InputError("The frames' times must increase.")
    known = ~np.isnan(c)
    leaking = visible & known & (np.where(known, c, 1.0) < least)
    step = float(np.median(np.diff(t))) if len(t) > 1 else 0.0
    ends = np.append(t[1:], t[-1] + step) if len(t) else t
    change = np.diff(np.concatenate([[0], leaking.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(change == 1), np.flatnonzero(change == -1) - 1
    events = tuple(Leak(int(a), int(b), float(1e3 * (ends[b] - t[a]))) for a, b in zip(starts, stops))
    return Leaks(events, int(leaking.sum()), int(visible.sum()), int((visible & ~known).sum()))


def holistic_recall(found: npt.ArrayLike, visible: npt.ArrayLike) -> Score:
    """Share of faces found in **every** camera in which they are at least partly visible.

    Bastian et al., DisguisOR: holistic face anonymization for the operating room, IJCARS 18, 2023,
    section 3. A face that no camera sees takes no part and is counted as unknown.

    Args:
        found, visible: (N, C) bool, one row for each person and moment, one column for each camera.

    Raises:
        InputError: of different shapes.
    """
    f, v = np.asarray(found, bool), np.asarray(visible, bool)
    if f.shape != v.shape or f.ndim != 2:
        raise InputError(f"Holistic recall needs (N, C) twice, got {f.shape} and {v.shape}.")
    return share_known(np.asarray((f | ~v).all(axis=1)), np.asarray(v.any(axis=1)))
