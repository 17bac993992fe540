"""Seeded smooth signals: functions of time without beginning or end."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]

_MASK = (1 << 64) - 1


def ease(x: float) -> float:
    """0 to 1 over [0, 1] with zero speed and acceleration at both ends (minimum jerk, Flash & Hogan 1985)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def _mixed(x: int) -> int:
    """Sixty-four well-mixed bits of an integer (splitmix64, Steele et al. 2014)."""
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


class Chance:
    """Random numbers by index: the same index always gives the same number."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._seed = int(rng.integers(1 << 62))

    def __call__(self, k: int, channel: int = 0) -> float:
        """In [0, 1), for any integer ``k``."""
        return _mixed(_mixed(self._seed + k) + channel * 0x5851F42D4C957F2D) / 2.0**64

    def pick(self, k: int, n: int, channel: int = 0) -> int:
        """An integer in [0, n), never that of ``k - 1`` where ``n`` is more than one."""
        if n <= 2:
            return k % n
        if k % 2 == 0:
            return int(self(k, channel) * n)
        free = [i for i in range(n) if i not in (self.pick(k - 1, n, channel), self.pick(k + 1, n, channel))]
        return free[int(self(k, channel) * len(free))]


class Wander:
    """A smooth random wave of ``channels`` numbers, most of the time within [-1, 1].

    A sum of five sines a channel, frequencies about ``1 / seconds`` hertz, amplitudes falling with frequency.
    """

    _N = 5

    def __init__(self, rng: np.random.Generator, channels: int, seconds: float) -> None:
        f = np.geomspace(0.45, 2.1, self._N) * rng.uniform(0.85, 1.18, (channels, self._N)) / seconds
        amplitude = 1.0 / np.sqrt(0.3 + f * seconds)
        self._omega = 2 * np.pi * f
        self._amplitude = 0.62 * amplitude / np.sqrt((amplitude**2).sum(axis=1, keepdims=True) / 2)
        self._phase = rng.uniform(0, 2 * np.pi, (channels, self._N))

    def __call__(self, t: float) -> F8:
        """(channels,) at ``t`` seconds."""
        value: F8 = (self._amplitude * np.sin(self._omega * t + self._phase)).sum(axis=1)
        return value


class Beats:
    """Irregular moments, about every ``seconds``: number ``k`` lies at ``when(k)``."""

    def __init__(self, rng: np.random.Generator, seconds: float, jitter: float = 0.5) -> None:
        self.seconds, self._jitter = seconds, jitter
        self._shift = float(rng.uniform(0, seconds))
        self.chance = Chance(rng)

    def when(self, k: int) -> float:
        """Seconds of moment ``k``; it grows with ``k``."""
        return (k + self._jitter * (self.chance(k, 901) - 0.5)) * self.seconds - self._shift

    def last(self, t: float) -> int:
        """The number of the last moment at or before ``t``."""
        k = math.floor((t + self._shift) / self.seconds) + 1
        while self.when(k) > t:
            k -= 1
        return k


class Dwell:
    """Stays at random places of the unit box and goes from one to the next with minimum jerk.

    Args:
        rng: seeds it.
        channels: how many numbers.
        seconds: mean time from one place to the next.
        move: seconds that one transition takes; at most 0.5 * ``seconds``.
    """

    def __init__(self, rng: np.random.Generator, channels: int, seconds: float, move: float) -> None:
        self._beats = Beats(rng, seconds)
        self._channels, self._move = channels, min(move, 0.5 * seconds)

    def __call__(self, t: float) -> F8:
        """(channels,) in [-1, 1] at ``t`` seconds."""
        k = self._beats.last(t)
        share = ease((t - self._beats.when(k)) / self._move)
        old, new = self._place(k - 1), self._place(k)
        return old + share * (new - old)

    def _place(self, k: int) -> F8:
        return np.array([2.0 * self._beats.chance(k, c) - 1.0 for c in range(self._channels)])


class Choice:
    """Chooses one of ``n`` things again and again, never the same twice, with soft changes."""

    def __init__(
        self, rng: np.random.Generator, n: int, seconds: float, move: float, jitter: float = 0.5
    ) -> None:
        self._beats = Beats(rng, seconds, jitter)
        self._n, self._move = n, min(move, (1 - jitter) * seconds)

    def __call__(self, t: float) -> tuple[int, int, float]:
        """The last choice, the present one, and how far the change is done in [0, 1]."""
        k = self._beats.last(t)
        share = ease((t - self._beats.when(k)) / self._move)
        pick = self._beats.chance.pick
        return pick(k - 1, self._n), pick(k, self._n), share
