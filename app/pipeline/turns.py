"""Shorter turns of Python's lock while several threads of a job wait for each other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TURN_S = 0.001


@contextmanager
def short_turns() -> Iterator[None]:
    """Threads that compute in Python hand the lock over after 1 ms instead of 5.

    A thread that comes back from a network waits for the lock of one that fits bodies, several times a frame,
    and everybody waits for the network's answer: side_walk at 1280x720, 63 -> 58 ms a frame on a busy
    machine, three times in turn, for the same processor time.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
