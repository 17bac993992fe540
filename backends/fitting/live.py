"""Calms bodies that come one frame at a time, where nobody can wait for the clip: the 1-euro filter (Casiez,
Roussel, Vogel, 1 € Filter, CHI 2012) on rotations and places. Slow movement is smoothed, quick movement
passes with little delay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from backends.body import BodyParams
from backends.errors import InputError

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How calm.

    Attributes:
        turn_cutoff, place_cutoff: Hz, below which a joint or a body at rest may move.
        turn_gain: Hz more for each radian a second; place_gain: Hz more for each metre a second.
        depth_cutoff: Hz of the place along the line of sight, which one view hardly knows.
        speed_cutoff: Hz of the filter of the speeds.
        shape_seconds: a new shape replaces the old one in about this time.
        gap_seconds: after a longer gap the filter begins anew.
    """

    turn_cutoff: float = 2.0
    turn_gain: float = 2.5
    place_cutoff: float = 1.5
    place_gain: float = 4.0
    depth_cutoff: float = 0.7
    speed_cutoff: float = 2.0
    shape_seconds: float = 2.0
    gap_seconds: float = 0.5


class LiveFilter:
    """One person's bodies, frame by frame, in camera coordinates (z along the line of sight)."""

    def __init__(self, settings: LiveSettings | None = None) -> None:
        self.settings = settings or LiveSettings()
        self._time = -np.inf
        self._out: BodyParams | None = None
        self._turn_speed: F8 = np.zeros(0)
        self._speed: F8 = np.zeros(3)

    def reset(self) -> None:
        """Forget everything: the next body passes as it is."""
        self._out = None

    def step(self, params: BodyParams, time_s: float) -> BodyParams:
        """The next body, calmed.

        Args:
            params: camera coordinates, metres, axis-angles.
            time_s: seconds, growing.

        Raises:
            InputError: values that are not finite, another number of joints, or a time that does not grow.
        """
        arrays = (params.pose, params.transl, params.betas)
        if not np.isfinite(time_s) or not all(np.isfinite(a).all() for a in arrays):
            raise InputError("The live filter was given a body or a time that is not finite.")
        last = self._out
        if last is not None and time_s <= self._time:
            raise InputError(f"Live frames need growing times; {time_s:g} s came after {self._time:g} s.")
        dt, self._time = time_s - self._time, time_s
        if last is None or dt > self.settings.gap_seconds:
            self._turn_speed, self._speed = np.zeros_like(params.pose), np.zeros(3)
            self._out = params
            return params
        if params.pose.shape != last.pose.shape or params.betas.shape != last.betas.shape:
            raise InputError(f"The live filter was given {len(params.pose)} joints after {len(last.pose)}.")
        self._out = BodyParams(
            self._shape(params.betas, last.betas, dt),
            self._pose(params.pose, last.pose, dt),
            self._place(params.transl, last.transl, dt),
        )
        return self._out

    def _pose(self, pose: F8, last: F8, dt: float) -> F8:
        """Each joint turned towards its new rotation along the shortest way."""
        s = self.settings
        before = Rotation.from_rotvec(last)
        away = (before.inv() * Rotation.from_rotvec(pose)).as_rotvec()
        self._turn_speed = self._turn_speed + _share(s.speed_cutoff, dt) * (away / dt - self._turn_speed)
        speed = np.linalg.norm(self._turn_speed, axis=1, keepdims=True)
        share = _share(s.turn_cutoff + s.turn_gain * speed, dt)
        turned: F8 = (before * Rotation.from_rotvec(share * away)).as_rotvec()
        return turned

    def _place(self, place: F8, last: F8, dt: float) -> F8:
        s = self.settings
        away = place - last
        self._speed = self._speed + _share(s.speed_cutoff, dt) * (away / dt - self._speed)
        cutoff = np.array([s.place_cutoff, s.place_cutoff, s.depth_cutoff]) + s.place_gain * np.abs(
            self._speed
        )
        moved: F8 = last + _share(cutoff, dt) * away
        return moved

    def _shape(self, betas: F8, last: F8, dt: float) -> F8:
        mixed: F8 = last + min(dt / self.settings.shape_seconds, 1.0) * (betas - last)
        return mixed


def _share(cutoff: npt.ArrayLike, dt: float) -> F8:
    """How much of a step a first-order low-pass lets through (Casiez et al., eq. 5)."""
    rate = 2.0 * np.pi * np.asarray(cutoff, dtype=np.float64) * dt
    share: F8 = rate / (1.0 + rate)
    return share
