"""Walking to and fro: footsteps first, then the body that they carry."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, minimum_filter1d, uniform_filter1d

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.synthetic.motion import hands
from backends.synthetic.motion.arms import carry_clipboard, hang
from backends.synthetic.motion.footsteps import Plan, to_and_fro
from backends.synthetic.motion.gait import FootTrack, foot_tracks
from backends.synthetic.motion.goal import Goal, heading_frame, turn
from backends.synthetic.motion.noise import Wander
from backends.synthetic.motion.rig import Rig, make_rig
from backends.synthetic.motion.stance import stand_height
from backends.synthetic.motion.types import Hold

F8 = npt.NDArray[np.float64]

_GRID_S = 0.02
_KNEE_RAD = 0.02
_HIP_TURN = 0.14
"""Turn of the pelvis, radians, for each metre that one foot is before the other."""


class Walk:
    """Walks along a way, stands, turns on the spot, walks back, and so on for ever; feet do not slide.

    Footsteps are planned along the rounded way; the pelvis follows the feet's mean, sways over the foot that
    stands and is as high as both legs allow; arms swing against the legs.

    Args:
        body, betas: whose body.
        rng: seeds phase, swing and glances.
        way: (N, 2) polyline in the world, metres.
        speed: metres a second.
        ends: seconds to stand at the far end and at the start; one number for both.
        carry: a clipboard held in the left arm, or nothing.
        start: seconds that have been walked at time 0.

    Raises:
        InputError: a way, a speed or betas that cannot be used.
    """

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        rng: np.random.Generator,
        way: npt.ArrayLike,
        speed: float = 1.0,
        ends: float | tuple[float, float] = 2.0,
        carry: Literal["clipboard"] | None = None,
        start: float = 0.0,
    ) -> None:
        self.rig = make_rig(body, betas)
        self._carry = carry
        pauses = (float(ends), float(ends)) if isinstance(ends, (int, float)) else ends
        plan = to_and_fro(self.rig, way, speed, pauses, int(rng.integers(2)), bool(rng.integers(2)))
        self.period = plan.period
        self._tracks = foot_tracks(self.rig, plan)
        self._phase = start + float(rng.uniform(0.0, 0.6))
        self._vigour = float(rng.uniform(0.8, 1.15))
        self._sway = Wander(rng, 6, 3.0)
        self._breath = float(rng.uniform(3.2, 4.2))
        self._carried = _carried(self.rig, plan, self._tracks)

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        return self.goal(t).solved(self.rig)

    def holds(self, t: float) -> tuple[Hold, ...]:
        """The clipboard, where one is carried."""
        return (Hold("clipboard", "left"),) if self._carry else ()

    def goal(self, t: float) -> Goal:
        """Where the body's ends are at ``t`` seconds."""
        rig = self.rig
        now = (t + self._phase) % self.period
        x, y, z, yaw, roll, swing, pace = self._carried(now)
        soon = self._carried((now + 0.45) % self.period)
        sway = self._sway(t) * (1.0 - 0.7 * min(pace, 1.0))
        feet = np.stack([track.at(now) for track in self._tracks])
        root = _root(yaw, roll, swing, pace)
        goal = Goal(np.array([x, y, z]), root, feet[:, :3].copy(), feet[:, 3:].copy())
        breath = np.sin(2 * np.pi * t / self._breath)
        counter = 0.22 * swing * self._vigour
        goal.spine = np.array(
            [0.03 + 0.01 * sway[0] - 0.01 * breath, _HIP_TURN * swing - counter, -0.9 * roll]
        )
        goal.shrug = np.full(2, 0.015 * breath)
        for side, sign in ((0, 1.0), (1, -1.0)):
            reach = -sign * swing * self._vigour
            hang(goal, rig, side, forward=0.06 + 0.80 * reach, bend=0.24 + 0.30 * max(reach + 0.2, 0) ** 2)
        if self._carry:
            carry_clipboard(goal, rig, 0)
        ahead = (soon[3] - yaw + np.pi) % (2 * np.pi) - np.pi
        goal.face(ahead + counter + 0.22 * sway[1], 0.10 + 0.06 * sway[2], 0.03 * sway[3])
        goal.fingers[:] = hands.RELAXED + 0.06 * sway[4] * np.array([0.0, 0.0, -1.0])
        if self._carry:
            goal.fingers[0] = hands.PHONE
        return goal


def _root(yaw: float, roll: float, swing: float, pace: float) -> F8:
    """The pelvis' rotation: the hip of the leading leg comes forwards, the trunk leans with the pace."""
    return heading_frame(yaw - _HIP_TURN * swing) @ turn(x=0.035 * pace) @ turn(z=roll)


def _carried(rig: Rig, plan: Plan, tracks: tuple[FootTrack, FootTrack]) -> CubicSpline:
    """x, y, z, yaw, roll of the pelvis, swing of the arms and pace, periodic in time."""
    n = int(np.ceil(plan.period / _GRID_S))
    time: F8 = np.arange(n, dtype=np.float64) * (plan.period / n)
    dt = plan.period / n
    feet = np.array([[track.at(t) for track in tracks] for t in time])
    ground: F8 = np.stack([_on_ground(plan, side, time) for side in (0, 1)], axis=1)
    beat = max(round(plan.beat / dt), 1)

    def smooth(values: F8, seconds: float) -> F8:
        out: F8 = gaussian_filter1d(values, seconds / dt, axis=0, mode="wrap")
        return out

    middle = ground.mean(axis=1)
    middle = smooth(uniform_filter1d(middle, beat, axis=0, mode="wrap"), 0.11)
    yaw = middle[:, 2]
    forward = np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    left = np.stack([-forward[:, 1], forward[:, 0]], axis=1)
    # Which foot bears: 1 left, -1 right, 0 both.
    bears = np.zeros(n)
    for step in plan.steps:
        bears[(time > step.lift) & (time < step.land)] = -1.0 if step.side == 0 else 1.0
    bears = smooth(bears, 0.17 * plan.beat / 0.6)
    half = np.abs(((ground[:, 0, :2] - ground[:, 1, :2]) * left).sum(axis=1)) / 2
    pace = np.gradient(middle[:, :2], dt, axis=0)
    pace = smooth(np.linalg.norm(pace, axis=1), 0.2)
    share = 0.62 - 0.22 * np.clip(pace, 0.0, 1.0)
    xy = (
        middle[:, :2]
        + left * (bears * share * smooth(half, 0.3))[:, None]
        + forward * (0.03 + 0.03 * np.clip(pace, 0, 1.2))[:, None]
    )
    roll = 0.045 * bears * np.clip(0.4 + pace, 0.0, 1.0)
    swing = ((feet[:, 0, :2] - feet[:, 1, :2]) * forward).sum(axis=1)
    swing = smooth(swing, 0.07)
    top = np.empty(n)
    for i in range(n):
        root = _root(yaw[i], roll[i], swing[i], pace[i])
        top[i] = stand_height(rig, root, xy[i], feet[i, :, :3], _KNEE_RAD)
    wide = max(round(0.11 / dt), 1)
    z = minimum_filter1d(top, 2 * wide + 1, mode="wrap")
    z = gaussian_filter1d(z, 0.055 / dt, truncate=2.0, mode="wrap")
    table = np.column_stack([xy, z, yaw, roll, swing, pace])
    return CubicSpline(np.append(time, plan.period), np.vstack([table, table[:1]]), bc_type="periodic")


def _on_ground(plan: Plan, side: int, time: F8) -> F8:
    """(T, 3) x, y, yaw of a foot as if it glided from place to place."""
    places = [plan.start[side]]
    out = np.tile(np.array(places[0]), (len(time), 1))
    for step in plan.steps:
        if step.side != side:
            continue
        before, after = np.array(places[-1]), np.array(step.place)
        share = np.clip((time - step.lift) / (step.land - step.lift), 0.0, 1.0)
        started = time > step.lift
        out[started] = before + (share[started] ** 2 * (3 - 2 * share[started]))[:, None] * (after - before)
        places.append(step.place)
    return out
