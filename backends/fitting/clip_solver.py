"""Levenberg-Marquardt on all frames of a clip at once: a banded system with the shape as its border."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.fitting.arrays import BodyArrays, Evidence, Prior
from backends.fitting.banded import solve_banded_inplace
from backends.fitting.clip_kernels import (
    BANDS,
    FOLLOWED,
    N_FOLLOWED,
    N_FRAME,
    angles_term,
    fill_band,
    frames_cost,
    ground_term,
    points_acceleration_term,
    slide_term,
)
from backends.fitting.clip_types import ClipSettings
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_TORSO_POINTS, _LIMB_POINTS = (0, 1, 2, 7, 8, 9, 10, 15), (3, 4, 11, 12)
_SHAPE_FLOOR = 1e-3


@dataclass(slots=True, eq=False)
class ClipProblem:
    """Everything that a clip's cost depends on, but the unknowns.

    Attributes:
        clip: evidence with a row a frame (:func:`backends.fitting.clip_kernels.one_frame`).
        prior: of one frame's 69 unknowns and a free shape's (which has none here: it counts once).
        frozen: (T,) bool: frames that may not move.
        loose: (T, F) how many times looser the followed points are held than at rest; turn_loose (T, 22)
            the same of joints' angles.
        slide: (T - 1, 6), ground: (T, 6) weights of the feet's points, 1 / m^2; height: of the ground.
    """

    body: BodyArrays
    clip: Evidence
    prior: Prior
    settings: ClipSettings
    fps: float
    frozen: npt.NDArray[np.bool_]
    loose: F8
    turn_loose: F8
    slide: F8
    ground: F8
    height: float
    across: F8


class ClipSystem:
    """The cost of a clip, its normal equations, and their solution."""

    def __init__(self, problem: ClipProblem, nb: int) -> None:
        self.problem = problem
        self.nb = nb
        n_frames = len(problem.frozen)
        n = N_FRAME + nb
        self._P = np.empty((n_frames, N_FOLLOWED, 3))
        self._D = np.empty((n_frames, N_FOLLOWED, 3, n))
        self._H = np.empty((n_frames, n, n))
        self._g = np.zeros((n_frames, n))
        self._band = np.empty((n_frames * N_FRAME, BANDS))
        self._factor = np.empty_like(self._band)
        self._border = np.empty((n_frames * N_FRAME, nb))
        self._corner = np.empty((nb, nb))
        self._pull = np.zeros(nb)
        self._columns, self._counts = _columns(problem.body)
        s, step = problem.settings, 1.0 / problem.fps**2
        inverse = np.full(N_FOLLOWED, 1.0 / (s.end * step))
        inverse[list(_LIMB_POINTS)] = 1.0 / (s.limb * step)
        inverse[list(_TORSO_POINTS)] = 1.0 / (s.torso * step)
        self._inverse = inverse / problem.loose
        self._turn = (
            1.0 / (s.turn_speed / problem.fps * problem.turn_loose),
            1.0 / (s.turn_acceleration * step * problem.turn_loose),
        )

    def cost(self, x: F8, betas: F8, want: bool) -> float:
        """The cost at ``x`` (T, 69) and ``betas``; with ``want`` the normal equations are made ready."""
        p = self.problem
        cost = self._frames(x, betas, want)
        if not np.isfinite(cost):
            return np.inf
        if want:
            fill_band(self._H, p.frozen, self.nb, self._band, self._border, self._corner)
        shared = (self._columns, self._counts, p.frozen, self._band, self._g, want)
        cost += points_acceleration_term(
            self._P, self._D, self._inverse, p.settings.acceleration_cut, *shared
        )
        cost += slide_term(self._P, self._D, p.slide, p.across, *shared)
        cost += ground_term(self._P, self._D, p.ground, p.height, *shared)
        cost += angles_term(x, *self._turn, p.frozen, self._band, self._g, want)
        if self.nb:
            cost += 0.5 * float(betas @ betas)  # the shape prior counts once
            if want:
                self._corner[np.diag_indices(self.nb)] += 1.0
                self._pull = self._g[:, N_FRAME:].sum(axis=0) + betas
        return float(cost)

    @property
    def gradient(self) -> F8:
        """(T, 69) by the frames' unknowns, as of the last :meth:`cost` with ``want``."""
        return self._g[:, :N_FRAME]

    @property
    def shape_gradient(self) -> F8:
        """(nb,) by the shape."""
        return self._pull

    def _frames(self, x: F8, betas: F8, want: bool) -> float:
        p = self.problem

        def part(first: int, last: int) -> float:
            value: float = frames_cost(
                x, betas, self.nb, p.body, p.clip, p.prior, first, last, p.frozen, self._P, self._D, self._H,
                self._g, want,
            )  # fmt: skip
            return value

        return float(sum(in_parts(part, len(x))))

    def step(self, damping: float) -> tuple[F8, F8] | None:
        """Steps of the frames (T, 69) and the shape, or None where the system is not positive."""
        band = self._factor
        band[:] = self._band
        band[:, 0] += damping * (band[:, 0] + 1e-3)
        solved = np.empty((len(band), 1 + self.nb), order="F")
        solved[:, 0], solved[:, 1:] = -self._g[:, :N_FRAME].reshape(-1), self._border
        if not solve_banded_inplace(band, solved):
            return None
        if not self.nb:
            return solved[:, 0].reshape(-1, N_FRAME), np.zeros(0)
        corner = self._corner - self._border.T @ solved[:, 1:]
        corner[np.diag_indices(self.nb)] += damping * (np.diag(self._corner) + _SHAPE_FLOOR)
        try:
            pull = -self._pull - self._border.T @ solved[:, 0]
            shape = np.asarray(np.linalg.solve(corner, pull), np.float64)
        except np.linalg.LinAlgError:
            return None
        return (solved[:, 0] - solved[:, 1:] @ shape).reshape(-1, N_FRAME), shape


def solve_clip(
    system: ClipSystem, x: F8, betas: F8, bounds: F8, iterations: int, tolerance: float = 1e-5
) -> tuple[F8, F8, float, int]:
    """Unknowns of the frames (T, 69), betas, cost (inf where the start lies behind a camera), steps tried.

    ``bounds`` (69 + nb, 2) is where steps end.
    """
    lam, grow = 1e-4, 2.0
    cost = system.cost(x, betas, True)
    count = 0
    frozen = system.problem.frozen
    while count < iterations and np.isfinite(cost):
        count += 1
        step = system.step(lam)
        new = np.inf
        if step is not None:
            trial = np.clip(x + step[0], bounds[:N_FRAME, 0], bounds[:N_FRAME, 1])
            trial[frozen] = x[frozen]
            shape = np.clip(betas + step[1], *bounds[N_FRAME:].T) if system.nb else betas
            # Nearly every step is taken: its normal equations come with its cost.
            new = system.cost(trial, shape, count < iterations)
        if new < cost:
            drop = cost - new
            x, betas = trial, shape
            lam, grow = max(lam * 0.2, 1e-8), 2.0
            cost = new
            if drop < tolerance * (cost + 1.0):
                break
        else:
            lam *= grow
            grow *= 2.0
            if lam > 1e8:
                break
            if count < iterations and step is not None:
                system.cost(x, betas, True)
    return x, betas, float(cost), count


def in_parts(work: Callable[[int, int], float], n: int) -> list[float]:
    """``work(first, last)`` over 0 to n on all cores; the work must let go of Python's lock."""
    parts = max(1, min(os.cpu_count() or 1, n // 8))
    edges = [n * i // parts for i in range(parts + 1)]
    if parts == 1:
        return [work(0, n)]
    with ThreadPoolExecutor(parts) as pool:
        return list(pool.map(work, edges[:-1], edges[1:]))


def _columns(body: BodyArrays) -> tuple[I8, I8]:
    """(F, 69), (F,): which unknowns of a frame move each followed point."""
    columns, counts = np.zeros((N_FOLLOWED, N_FRAME), dtype=np.int64), np.zeros(N_FOLLOWED, dtype=np.int64)
    for k, point in enumerate(FOLLOWED):
        joints = set()
        for j in range(N_FIT_JOINTS):
            if body.weight[point, j] != 0.0:
                up = j
                while up >= 0:
                    joints.add(up)
                    up = int(body.parents[up])
        own = [3 * j + c for j in sorted(joints) for c in range(3)] + [N_POSE, N_POSE + 1, N_POSE + 2]
        columns[k, : len(own)] = own
        counts[k] = len(own)
    return columns, counts
