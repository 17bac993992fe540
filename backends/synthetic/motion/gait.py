"""How a foot moves: planted, rolling over heel and ball without sliding, and swinging between."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from backends.synthetic.motion.footsteps import Plan
from backends.synthetic.motion.rig import Rig

F8 = npt.NDArray[np.float64]

_STRIKE_S, _STRIKE_RAD = 0.20, 0.30
_OFF_RAD = 0.56
_CLEARANCE_M = 0.030
_TOES_BACK = 0.5
"""Share of the swing after which the toes are straight again."""
_FROM, _TO = 0.04, 0.94
"""Shares of the swing between which the foot goes forwards: it is lifted first and lowered last."""
_SOFT_M = 0.006


@numba.njit(cache=True, nogil=True)
def _shift(pitch: float, pivot: F8) -> tuple[float, float]:
    """How far up and ahead the ankle goes when a foot pitches by ``pitch`` about ``pivot`` (y, z)."""
    c, s = np.cos(pitch), np.sin(pitch)
    return pivot[0] - (c * pivot[0] - s * pivot[1]), pivot[1] - (s * pivot[0] + c * pivot[1])


@numba.njit(cache=True, nogil=True)
def _eased(x: float) -> float:
    """0 to 1 over [0, 1] with minimum jerk."""
    x = min(max(x, 0.0), 1.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


@numba.njit(cache=True, nogil=True)
def _stance(
    t: float, place: F8, landed: float, strike: float, lifts: float, off: float, off_s: float,
    strike_s: float, heel: F8, ball: F8, height: float,
) -> F8:  # fmt: skip
    """(6,) ankle x, y, z, yaw, pitch, toes of a foot on the floor: over the heel, flat, over the ball."""
    out = np.zeros(6)
    out[0], out[1], out[2], out[3] = place[0], place[1], height, place[2]
    x = (t - landed) / strike_s
    if x < 1.0:
        pitch = -strike * (1.0 - x) ** 2.2
        up, ahead = _shift(pitch, heel)
        out[0] += np.cos(place[2]) * ahead
        out[1] += np.sin(place[2]) * ahead
        out[2] += up
        out[4] += pitch
    x = 1.0 - (lifts - t) / off_s
    if x > 0.0:
        pitch = off * x**2.5
        up, ahead = _shift(pitch, ball)
        out[0] += np.cos(place[2]) * ahead
        out[1] += np.sin(place[2]) * ahead
        out[2] += up
        out[4] += pitch
        out[5] = pitch
    return out


@numba.njit(cache=True, nogil=True)
def _lowest(pitch: float, toes: float, heel: F8, ball: F8, tip: F8) -> float:
    """Height over the ankle of the lowest of heel, ball and tip of the sole, a soft minimum (negative)."""
    c, s = np.cos(pitch), np.sin(pitch)
    joint = c * ball[0] - s * ball[1]
    down, slope = np.cos(pitch - toes) * (heel[0] - ball[0]), np.sin(pitch - toes)
    a = c * heel[0] - s * heel[1]
    b = joint + down
    d = joint + down - slope * (tip[1] - ball[1])
    low = min(a, b, d)
    total = np.exp((low - a) / _SOFT_M) + np.exp((low - b) / _SOFT_M) + np.exp((low - d) / _SOFT_M)
    value: float = low - _SOFT_M * np.log(total)
    return value


@numba.njit(cache=True, nogil=True)
def foot_state(t: float, table: F8, swings: F8, heel: F8, ball: F8, tip: F8, height: float) -> F8:
    """(6,) ankle x, y, z, yaw in the world, pitch (heel up) and bend of the toes at ``t`` in the period.

    Args:
        t: seconds within the period.
        table: (n + 1, 9) stretches on the floor: x, y, yaw, landed, strike, lifts, off, seconds of the roll
            over the ball, seconds of the roll over the heel.
        swings: (n, 7, 6) quintics in the share of the swing between stretches for the height of the sole's
            lowest point (column 2), pitch and toes (4, 5), and the clearance (row 6).
    """
    n = len(table) - 1
    k = 0
    while k < n and t > table[k + 1, 3]:
        k += 1
    row = table[k]
    if k == n or t <= row[5]:
        on_floor: F8 = _stance(t, row[:3], row[3], row[4], row[5], row[6], row[7], row[8], heel, ball, height)
        return on_floor
    s = (t - row[5]) / (table[k + 1, 3] - row[5])
    out = np.zeros(6)
    for c in range(2, 6):
        x = min(s / _TOES_BACK, 1.0) if c == 5 else s
        value = 0.0
        for power in range(5, -1, -1):
            value = value * x + swings[k, power, c]
        out[c] = value
    out[2] += swings[k, 6, 2] * (s * (1.0 - s)) ** 2 - _lowest(out[4], out[5], heel, ball, tip)
    # What goes from place to place is the flat foot; its pitch turns it about the ball, later about the heel.
    x = min(max((s - _FROM) / (_TO - _FROM), 0.0), 1.0)
    share = 0.5 * _eased(x) + 0.5 * x * x * (3.0 - 2.0 * x)
    over = _eased(s)
    ahead = (1.0 - over) * _shift(out[4], ball)[1] + over * _shift(out[4], heel)[1]
    yaw = row[2] + share * (table[k + 1, 2] - row[2])
    out[0] = row[0] + share * (table[k + 1, 0] - row[0]) + np.cos(yaw) * ahead
    out[1] = row[1] + share * (table[k + 1, 1] - row[1]) + np.sin(yaw) * ahead
    out[3] = yaw
    return out


@dataclass(frozen=True, slots=True, eq=False)
class FootTrack:
    """One foot over a period: the arguments of :func:`foot_state`."""

    table: F8
    swings: F8
    heel: F8
    ball: F8
    tip: F8
    height: float

    def at(self, t: float) -> F8:
        """(6,) see :func:`foot_state`."""
        state: F8 = foot_state(t, self.table, self.swings, self.heel, self.ball, self.tip, self.height)
        return state


def foot_tracks(rig: Rig, plan: Plan) -> tuple[FootTrack, FootTrack]:
    """Left and right foot of a plan."""
    left, right = (_track(rig, plan, side) for side in (0, 1))
    return left, right


def _track(rig: Rig, plan: Plan, side: int) -> FootTrack:
    steps = [s for s in plan.steps if s.side == side]
    places = [plan.start[side], *(s.place for s in steps)]
    n = len(steps)
    table = np.zeros((n + 1, 9))
    table[:, :3] = places
    table[0, 3], table[-1, 5] = -1e3, 1e6
    table[:, 7], table[:, 8] = 0.3, _STRIKE_S
    for k, step in enumerate(steps):
        a, b = np.array(places[k]), np.array(places[k + 1])
        yaw = 0.5 * (a[2] + b[2])
        ahead = float((b[:2] - a[:2]) @ np.array([np.cos(yaw), np.sin(yaw)]))
        effort = float(np.clip(ahead / (1.25 * rig.leg), 0.0, 1.0))
        table[k, 5], table[k, 6] = step.lift, _OFF_RAD * (0.30 + 0.70 * effort)
        table[k, 7] = 0.62 * plan.beat if effort > 0.3 else 0.25
        table[k + 1, 3], table[k + 1, 4] = step.land, _STRIKE_RAD * (0.05 + 0.95 * effort)
    heel, ball, tip = rig.heel[1:].copy(), rig.ball[1:].copy(), rig.tip[1:].copy()
    track = FootTrack(table, np.zeros((n, 7, 6)), heel, ball, tip, rig.ankle_height)
    for k in range(n):
        track.swings[k] = _swing(track, table[k], table[k + 1])
    return track


def _swing(track: FootTrack, leaves: F8, lands: F8) -> F8:
    """(7, 6) the quintic that meets place, speed and acceleration on both sides, and the clearance."""
    seconds = lands[3] - leaves[5]
    share = np.array([1.0, 1.0, 1.0, 1.0, 1.0, _TOES_BACK]) * seconds
    h = 1e-4

    def state(row: F8, t: float) -> F8:
        out: F8 = _stance(
            t, row[:3], row[3], row[4], row[5], row[6], row[7], row[8], track.heel, track.ball, track.height
        )
        # The height of the lowest point of the sole is what swings; that of the ankle follows.
        out[2] += _lowest(out[4], out[5], track.heel, track.ball, track.tip)
        return out

    a0, a1, a2 = (state(leaves, leaves[5] - i * h) for i in range(3))
    b0, b1, b2 = (state(lands, lands[3] + i * h) for i in range(3))
    p, v = a0, (1.5 * a0 - 2 * a1 + 0.5 * a2) / h * share
    q, w = b0, (-1.5 * b0 + 2 * b1 - 0.5 * b2) / h * share
    acc_a, acc_b = (a0 - 2 * a1 + a2) / h**2 * share**2, (b0 - 2 * b1 + b2) / h**2 * share**2
    # Acceleration need not go on where it would make the foot overshoot.
    acc_a *= 0.3
    acc_b *= 0.3
    d = q - p
    out = np.zeros((7, 6))
    out[0], out[1], out[2] = p, v, acc_a / 2
    out[3] = 10 * d - 6 * v - 4 * w - 1.5 * acc_a + 0.5 * acc_b
    out[4] = -15 * d + 8 * v + 7 * w + 1.5 * acc_a - acc_b
    out[5] = 6 * d - 3 * (v + w) - 0.5 * acc_a + 0.5 * acc_b
    out[6, 2] = _CLEARANCE_M * 16
    return out
