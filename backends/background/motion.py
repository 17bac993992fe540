"""How the picture of a still room moves when the camera does, from points that are followed through it."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from backends.background.relief import Relief, project, resect
from backends.background.types import F4, U1, BoolArray

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_WIDTH = 640
"""Motion is measured in pictures of about this width."""
_POINTS = 500
_APART = 9
_QUALITY = 0.004
_LEAST = 12
"""Fewer points that move together tell of no camera: a cut, or nothing to hold on to."""
_TOGETHER = 0.3
"""So many of the points that were found again have to fit one homography, nearly, from picture to picture."""
_NEAR = 2.0
"""Pixels (of the measured picture) by which a point may miss the homography."""
_LOCAL = 9.0
"""Points that miss by less than this tell how places depart from what the camera does."""
_BACK = 0.7
"""A point must come back to within so many pixels when followed there and back."""
_SLID = 6.0
"""Pixels by which a point may have slid while it was followed."""
_CLEARLY = 0.5
"""Relief is believed where points miss their places by less than this share of what they do without."""
_CELL = 20
"""Departures are kept in cells of so many pixels (of the measured picture)."""
_HELD = 0.05
"""What so many points a cell depart is believed by half: far from all points nothing departs."""
_SPREAD = 2.5
"""Cells over which departures are averaged."""
_FEW = 0.6
"""Where fewer of the points are found again, the pictures are compared too: is it the same room?"""
_LIKE = 0.5
"""Pictures of one room correlate at least so well once the camera's motion is taken out."""
_THUMB = (64, 36)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What is kept of a picture to measure motion.

    Attributes:
        grey: (h, w) uint8, small; free: (h, w) 255 where nobody is.
        points: (N, 2) float32 followed points of the room in it; ids: (N,) their numbers, ascending.
        colors: (N, 3) float32 about each point; scale: small / full.
        chain: (3, 3) about how the first picture after the last cut moved to this one, full size.
        shot: number of cuts before.
    """

    grey: U1
    free: U1
    points: F4
    ids: I8
    colors: F4
    scale: float
    chain: F8
    shot: int

    def about(self, other: Sight) -> F8:
        """(3, 3) roughly how this picture moves to another of the same shot, full size."""
        H = other.chain @ np.linalg.inv(self.chain)
        return np.asarray(H / H[2, 2], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """From one picture to another.

    Attributes:
        P: (3, 4) takes ``(x, y, 1, relief)`` of the first to the second, pixels (full size).
        relief: of the first, or None where it is flat.
        departs: (rows, columns, 2) by how many pixels (full size) places of the **second** picture are
            beside where ``P`` puts them.
        gain: (3,) light of the second against the first.
        scale: small / full.
        miss: pixels (small) by which points usually miss all that.
    """

    P: F8
    relief: Relief | None
    departs: F4
    gain: F4
    scale: float
    miss: float

    @property
    def cell(self) -> float:
        """Width of a cell of ``departs``, pixels (full size)."""
        return _CELL / self.scale


@dataclass(slots=True, eq=False)
class Follower:
    """Follows points of the room from picture to picture, never on people, and notices cuts."""

    _last: Sight | None = None
    _next_id: int = 0
    _soft: U1 = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))

    def see(self, rgb: U1, hidden: BoolArray) -> Sight:
        """The next picture (H, W, 3) and where people are in it (H, W)."""
        h, w = hidden.shape
        scale = min(1.0, _WIDTH / w)
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        whole = np.where(hidden, np.uint8(0), np.uint8(255))
        free = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
        room = np.asarray(cv2.erode((free == 255).astype(np.uint8), np.ones((7, 7), np.uint8)))
        points, ids, chain, shot = np.zeros((0, 2), np.float32), np.zeros(0, np.int64), np.eye(3), 0
        last = self._last
        if last is not None:
            shot = last.shot + 1
            found = _follow(last, grey, room)
            if found is not None:
                points, ids, H = found
                chain, shot = _resized(H, 1 / scale) @ last.chain, last.shot
                chain = chain / chain[2, 2]
        points, ids = self._with_new(grey, room, points, ids)
        soft = np.asarray(cv2.blur(small, (5, 5)), np.uint8)
        self._last = Sight(grey, free, points, ids, _colors(soft, points), scale, chain, shot)
        return self._last

    def _with_new(self, grey: U1, room: U1, points: F4, ids: I8) -> tuple[F4, I8]:
        wanted = _POINTS - len(points)
        if wanted < _POINTS // 10:
            return points, ids
        free = room.copy()
        for x, y in np.rint(points).astype(int):
            cv2.circle(free, (int(x), int(y)), _APART, (0,), -1)
        corners = cv2.goodFeaturesToTrack(grey, wanted, _QUALITY, _APART, mask=free)
        if corners is None:
            return points, ids
        new = corners.reshape(-1, 2).astype(np.float32)
        numbers = np.arange(self._next_id, self._next_id + len(new), dtype=np.int64)
        self._next_id += len(new)
        return np.concatenate([points, new]), np.concatenate([ids, numbers])


def shared(a: Sight, b: Sight) -> tuple[F4, F4, I8, I8]:
    """(N, 2) points that both pictures show, in the first and in the second, and (N,) their places in each.

    What was followed from picture to picture has slid along edges and shades a little: here it is put where
    the second picture looks as the first does, and left out where that cannot be told.
    """
    _, i, j = np.intersect1d(a.ids, b.ids, assume_unique=True, return_indices=True)
    start = a.points[i]
    if len(i) < _LEAST:
        return start, b.points[j], i, j
    to, there = _tracked(a.grey, b.grey, start[:, None], b.points[j][:, None], 1)
    back, here = _tracked(b.grey, a.grey, to, start[:, None], 1)
    good = (there.ravel() > 0) & (here.ravel() > 0) & (np.hypot(*(back[:, 0] - start).T) < _BACK)
    h, w = b.grey.shape
    to = to[:, 0]
    good &= (to >= 0).all(axis=1) & (to <= (w - 1, h - 1)).all(axis=1)
    good &= np.hypot(*(to - b.points[j]).T) < _SLID
    return start[good], to[good], i[good], j[good]


def plane(start: F4, to: F4) -> tuple[F8, BoolArray] | None:
    """(3, 3) the homography that most points follow, and (N,) which; None where there is none."""
    if len(start) < _LEAST:
        return None
    H, inside = cv2.findHomography(start, to, cv2.RANSAC, _NEAR, maxIters=300)
    if H is None or not np.isfinite(H).all() or int(inside.sum()) < _LEAST:
        return None
    return H, inside.ravel() > 0


def motion(a: Sight, b: Sight, relief: Relief | None) -> Motion | None:
    """From ``a``, whose relief is given where it has one, to ``b``, of the same shot."""
    start, to, i, j = shared(a, b)
    found = plane(start, to)
    if found is None:
        return None
    H, inside = found
    P, g = np.hstack([H, np.zeros((3, 1))]), np.zeros(len(start), np.float32)
    beside = to - project(P, start, g)
    if relief is not None:
        raised, height = resect(start, relief.at(start), to, H, _size(a)), relief.at(start)
        nearer = to - project(raised, start, height)
        if _usual(nearer) < _CLEARLY * _usual(beside):
            P, beside = raised, nearer
        else:
            relief = None
    if relief is None and inside.sum() < _TOGETHER * len(inside):
        return None
    far = np.hypot(*beside.T)
    near = far < _LOCAL
    colors, before = b.colors[j], a.colors[i]
    fair = (np.minimum(colors, before).min(axis=1) > 8) & (np.maximum(colors, before).max(axis=1) < 247)
    gain = np.ones(3, np.float32)
    if int(fair.sum()) >= _LEAST:
        gain = np.clip(np.median(colors[fair] / before[fair], axis=0), 0.5, 2.0).astype(np.float32)
    return Motion(
        _full(P, a.scale), relief, _departures(to[near], beside[near], b.grey.shape) / np.float32(a.scale),
        gain, a.scale, _usual(beside),
    )  # fmt: skip


def _size(sight: Sight) -> tuple[int, int]:
    return sight.grey.shape[0], sight.grey.shape[1]


def _usual(beside: F4) -> float:
    """Pixels by which three of four points miss less."""
    return float(np.quantile(np.hypot(*beside.T), 0.75))


def by_chain(a: Sight, b: Sight) -> Motion:
    """From ``a`` to ``b`` of the same shot by what is roughly known: where no points are shared."""
    rows, columns = (-(-s // _CELL) for s in a.grey.shape)
    P = np.hstack([a.about(b), np.zeros((3, 1))])
    return Motion(P, None, np.zeros((rows, columns, 2), np.float32), np.ones(3, np.float32), a.scale, 0.0)


def _follow(a: Sight, grey: U1, room: U1) -> tuple[F4, I8, F8] | None:
    """The points of ``a`` that are found again, their numbers, and the homography; None after a cut."""
    if len(a.points) < _LEAST or a.grey.shape != grey.shape:
        return None
    start = a.points[:, None]
    to, there = _tracked(a.grey, grey, start, start, 3)
    back, here = _tracked(grey, a.grey, to, start, 3)
    good = (there.ravel() > 0) & (here.ravel() > 0) & (np.hypot(*(back - start)[:, 0].T) < _BACK)
    h, w = grey.shape
    to = to[:, 0]
    good &= (to >= 0).all(axis=1) & (to <= (w - 1, h - 1)).all(axis=1)
    again = float(good.mean())
    at = np.clip(np.rint(np.nan_to_num(to)).astype(int), 0, (w - 1, h - 1))
    good &= room[at[:, 1], at[:, 0]] > 0
    found = plane(a.points[good], to[good])
    if found is None or found[1].sum() < _TOGETHER * good.sum():
        return None
    if again < _FEW and _likeness(a.grey, grey, found[0]) < _LIKE:
        return None
    return to[good], a.ids[good], found[0]


def _likeness(before: U1, now: U1, H: F8) -> float:
    """Correlation of two pictures, the first moved onto the second, without fine detail."""
    size = before.shape[::-1]
    moved = cv2.warpPerspective(before, H, size)
    shown = cv2.warpPerspective(np.full_like(before, 255), H, size)
    a, b, fair = (
        np.asarray(cv2.resize(p, _THUMB, interpolation=cv2.INTER_AREA), np.float64)
        for p in (moved, now, shown)
    )
    both = fair > 250
    if int(both.sum()) < _LEAST:
        return 0.0
    a, b = a[both] - a[both].mean(), b[both] - b[both].mean()
    return float((a * b).sum() / np.sqrt(max(float((a * a).sum() * (b * b).sum()), 1e-9)))


def _tracked(a: U1, b: U1, start: F4, guess: F4, levels: int) -> tuple[F4, U1]:
    """(N, 1, 2) where points of ``a`` are in ``b`` and (N, 1) which were found, by Lucas and Kanade."""
    to, found, _ = cv2.calcOpticalFlowPyrLK(
        a, b, start, guess.copy(), winSize=(15, 15), maxLevel=levels, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.02),
    )  # fmt: skip
    return np.asarray(to, np.float32), np.asarray(found, np.uint8)


def _departures(at: F4, beside: F4, size: tuple[int, ...]) -> F4:
    """(rows, columns, 2) by how much places are beside where they should be; none where nothing tells."""
    rows, columns = (-(-s // _CELL) for s in size)
    sums, count = np.zeros((rows, columns, 2), np.float32), np.zeros((rows, columns), np.float32)
    cell = np.clip((at // _CELL).astype(int), 0, (columns - 1, rows - 1))
    np.add.at(sums, (cell[:, 1], cell[:, 0]), beside)
    np.add.at(count, (cell[:, 1], cell[:, 0]), 1)
    soft_sums = np.asarray(cv2.GaussianBlur(sums, (0, 0), _SPREAD), np.float32)
    soft_count = np.asarray(cv2.GaussianBlur(count, (0, 0), _SPREAD), np.float32)
    return soft_sums / (soft_count + np.float32(_HELD))[..., None]


def _colors(soft: U1, points: F4) -> F4:
    if not len(points):
        return np.zeros((0, 3), np.float32)
    at = np.clip(np.round(points).astype(int), 0, np.array(soft.shape[1::-1]) - 1)
    return np.asarray(soft[at[:, 1], at[:, 0]], np.float32)


def _resized(H: F8, scale: float) -> F8:
    """The same homography between pictures ``scale`` times as large; pixel centres are whole numbers."""
    S = _larger(scale)
    resized: F8 = S @ H @ np.linalg.inv(S)
    return resized


def _full(P: F8, scale: float) -> F8:
    """(3, 4) between small pictures, between full ones."""
    S = _larger(1 / scale)
    return np.hstack([S @ P[:, :3] @ np.linalg.inv(S), S @ P[:, 3:]])


def _larger(scale: float) -> F8:
    shift = 0.5 * scale - 0.5
    return np.array([[scale, 0, shift], [0, scale, shift], [0, 0, 1.0]])
