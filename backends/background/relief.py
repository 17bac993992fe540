"""How far things stand out from a plane of the room: what makes near things pass before far ones.

Plane and parallax (Irani and Anandan, Parallax geometry of pairs of points for 3D scene analysis, ECCV 1996):
where a homography ``A`` takes the points of one plane from a picture to another, every point ``p`` of a still
room goes to ``A p + g e``. ``g``, its relief, is the same whatever the other picture is; ``e``, the epipole,
is the same for all points. So what is hidden in a picture goes where its relief, measured in pictures that
show it, says: not where its surroundings go.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backends.background.filling import spread
from backends.background.types import F4, U1, BoolArray

F8 = npt.NDArray[np.float64]

SHRUNK = 2
"""Relief is kept in pixels so many times as large as those of the picture that is measured."""
_STANDS_OUT = 0.8
"""Pixels by which a point has to miss the plane to tell of the epipole."""
_ENOUGH = 16
"""Points that have to: else the camera only turned, or everything is one plane."""
_LOOSE = 2.0
"""Pixels of a miss that halves a point's weight."""
_ROUNDS = 8
_TIGHT = 1e-4
"""How strongly the epipole is held at none where relief does not tell."""
_ALIKE = 20
"""Levels by which what flows together may differ."""
_RIM = 9
"""Flow is not believed so near to people, pixels."""
_MOST = 4.0
"""Relief beyond so many times the usual is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """Of one picture.

    Attributes:
        g: (h, w) float32, in pixels :data:`SHRUNK` times as large as those of the measured picture.
        known: (h, w) where it was measured; elsewhere it is that of the surroundings.
        usual: by what the measurements were divided.
    """

    g: F4
    known: BoolArray
    usual: float

    def at(self, points: F4) -> F4:
        """(N,) at points (N, 2) of the measured picture."""
        xy = (points - (SHRUNK - 1) / 2) / SHRUNK
        return np.asarray(
            cv2.remap(self.g, xy[:, 0].astype(np.float32), xy[:, 1].astype(np.float32), cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REPLICATE),
        ).reshape(-1)  # fmt: skip


def epipole(H: F8, start: F4, to: F4, size: tuple[int, int]) -> F8 | None:
    """(3,) where points miss ``H`` (3, 3) towards or away from, of unit length in units of ``size`` (h, w).

    None where too few points stand out from the plane.

    Args:
        start, to: (N, 2) points of one picture and where they are in another.
    """
    at = _project(np.hstack([H, np.zeros((3, 1))]), start, np.zeros(len(start)))
    beside = to - at
    far = np.hypot(*beside.T)
    out = (far > _STANDS_OUT) & (far < 0.2 * max(size))
    if int(out.sum()) < _ENOUGH:
        return None
    N = _to_unit(size)
    q = at[out] * N[0, 0] + N[:2, 2]
    d = beside[out] * N[0, 0]
    rows = np.stack([-d[:, 1], d[:, 0], d[:, 1] * q[:, 0] - d[:, 0] * q[:, 1]], axis=1)
    weight = np.ones(len(rows))
    e = np.array([1.0, 0.0, 0.0])
    for _ in range(_ROUNDS):
        _, _, Vt = np.linalg.svd(rows * weight[:, None], full_matrices=False)
        e = Vt[-1]
        v = e[:2] - e[2] * q
        miss = np.abs(rows @ e) / np.maximum(np.hypot(*v.T), 1e-6) / N[0, 0]
        weight = 1 / (1 + (miss / _LOOSE) ** 2)
    if float(np.median(miss)) > _LOOSE:
        return None
    found: F8 = np.linalg.inv(N) @ e
    return found


def resect(start: F4, g: F4, to: F4, H: F8, size: tuple[int, int]) -> F8:
    """(3, 4) takes points ``(x, y, 1, g)`` to another picture, from (N, 2) points, their relief, and where
    they are there; starting from the homography ``H``."""
    N = _to_unit(size)
    p, q = start * N[0, 0] + N[:2, 2], to * N[0, 0] + N[:2, 2]
    n = len(p)
    P = np.hstack([N @ H @ np.linalg.inv(N), np.zeros((3, 1))])
    P /= P[2, 2]
    one, none = np.ones((n, 1)), np.zeros((n, 4))
    known = np.hstack([p, one, g[:, None]])
    rows = np.concatenate([
        np.hstack([known, none, -q[:, :1] * known[:, [0, 1, 3]]]),
        np.hstack([none, known, -q[:, 1:] * known[:, [0, 1, 3]]]),
    ])  # fmt: skip
    want = np.concatenate([q[:, 0], q[:, 1]])
    hold = np.zeros(11)
    hold[[3, 7, 10]] = _TIGHT * n
    scale = 3.0
    for turn in range(_ROUNDS):
        miss = np.hypot(*(_project(P, p, g) - q).T) / N[0, 0]
        weight = np.tile(1 / (1 + (miss / (scale * _LOOSE if turn < 2 else _LOOSE)) ** 2), 2)
        normal = rows.T @ (rows * weight[:, None]) + np.diag(hold + 1e-12)
        found = np.linalg.solve(normal, rows.T @ (weight * want))
        P = np.array([
            [*found[:4]], [*found[4:8]], [found[8], found[9], 1.0, found[10]],
        ])  # fmt: skip
    P[:, :3] = np.linalg.inv(N) @ P[:, :3] @ N
    P[:, 3] = np.linalg.inv(N) @ P[:, 3]
    return np.asarray(P, np.float64)


def project(P: F8, points: F4, g: F4) -> F4:
    """(N, 2) where points with relief go."""
    return _project(P, points, g)


def misses(grey: U1, free: U1, other: U1, other_free: U1, H: F8) -> tuple[F4, F4, BoolArray]:
    """Dense flow, by which another picture misses the homography.

    Args:
        grey, free: (h, w) a picture, and 255 where nobody is; other, other_free: another.
        H: takes the first to it.

    Returns:
        (M, 2) every :data:`SHRUNK`-th place of the first picture, row by row; (M, 2) where it is in the
        other; (M,) which of them to believe.
    """
    size = grey.shape[::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    over = np.asarray(cv2.warpPerspective(other, H, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))
    shown = np.asarray(cv2.warpPerspective(other_free, H, size, flags=flags))
    fair = ((shown > 250) & (free > 250)).astype(np.uint8)
    fair = np.asarray(cv2.erode(fair, np.ones((_RIM, _RIM), np.uint8)))
    # Where somebody is in one of them, nothing shall pull.
    quiet = np.where(fair > 0, over, grey)
    flow = np.asarray(_dis().calc(grey, quiet, None))
    ys, xs = (np.arange((s + SHRUNK - 1) // SHRUNK) * SHRUNK + (SHRUNK - 1) / 2 for s in grey.shape)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)
    h, w = len(ys), len(xs)
    at = grid + np.asarray(cv2.resize(flow, (w, h), interpolation=cv2.INTER_AREA)).reshape(-1, 2)
    maps = at.reshape(h, w, 2)
    there = np.asarray(cv2.remap(over, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    here = cv2.resize(grey, (w, h), interpolation=cv2.INTER_AREA).reshape(-1)
    believed = np.asarray(cv2.resize(fair, (w, h), interpolation=cv2.INTER_NEAREST)).reshape(-1) > 0
    believed &= np.abs(there.reshape(-1).astype(np.float32) - here) < _ALIKE
    to = _project(np.hstack([H, np.zeros((3, 1))]), at, np.zeros(len(at)))
    return grid, to, believed


def standing_out(P: F8, points: F4, to: F4) -> tuple[F4, F4]:
    """(N,) relief of points that are at ``to`` in the picture of ``P`` (3, 4), and (N,) how many pixels one
    unit of it moves them there: how far it can be trusted."""
    A, e = P[:, :3], P[:, 3]
    flat = np.hstack([points, np.ones((len(points), 1))]) @ A.T
    w = flat[:, 2]
    q = flat[:, :2] / w[:, None]
    v = e[:2] - e[2] * q
    square = np.maximum((v * v).sum(axis=1), 1e-12)
    share = ((to - q) * v).sum(axis=1) / square
    g = share * w / np.where(np.abs(1 - share * e[2]) < 0.1, 1.0, 1 - share * e[2])
    return g.astype(np.float32), np.sqrt(square).astype(np.float32)


def assemble(g: F4, weight: F4, size: tuple[int, int]) -> Relief | None:
    """A relief from measurements (N,) with weights (N,) on the grid of :func:`misses`; None where it is flat.

    Args:
        size: (h, w) of the measured picture.
    """
    h, w = ((s + SHRUNK - 1) // SHRUNK for s in size)
    known = (weight > 0).reshape(h, w)
    if not known.any():
        return None
    usual = float(np.quantile(np.abs(g[weight > 0]), 0.9))
    if usual <= 0:
        return None
    values = np.clip(g / usual, -_MOST, _MOST).reshape(h, w).astype(np.float32)
    filled = spread(values[..., None], known)[..., 0]
    return Relief(np.asarray(cv2.medianBlur(np.ascontiguousarray(filled), 5), np.float32), known, usual)


def _to_unit(size: tuple[int, int]) -> F8:
    """Pixels to about [-1, 1]."""
    h, w = size
    return np.array([[2 / w, 0, -1.0], [0, 2 / w, -h / w], [0, 0, 1.0]])


def _project(P: F8, points: npt.ArrayLike, g: npt.ArrayLike) -> F4:
    xy = np.asarray(points, np.float64)
    to = xy @ P[:, :2].T + P[:, 2] + np.outer(np.asarray(g, np.float64), P[:, 3])
    return np.asarray(to[:, :2] / to[:, 2:], np.float32)


def _dis() -> cv2.DISOpticalFlow:
    found = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    found.setFinestScale(1)
    return found
