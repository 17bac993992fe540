"""The outline of many points: of a head's thousands nothing but its outline is ever asked for."""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

F4 = npt.NDArray[np.float32]
Array = Any

_TURN = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_WAYS = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
_RIM = 1e-3
"""Pixels within which a point may lie on the outline."""


def outline(points: F4) -> F4:
    """(K, 2) corners of the convex hull of ``points`` (N, 2), which are all finite.

    Most points lie within the polygon of those that are farthest out in sixteen directions (Akl & Toussaint
    1978), and cannot be corners.
    """
    points = np.ascontiguousarray(points, np.float32)
    if len(points) > 4 * len(_WAYS):
        points = points[_outer(points, _WAYS)]
    return np.asarray(cv2.convexHull(points), np.float32).reshape(-1, 2) if len(points) else points


@numba.njit(cache=True, nogil=True)
def _outer(points: Array, ways: Array) -> Array:
    """(N,) all but the points inside of the polygon."""
    n = len(ways)
    far, corner, which = np.full(n, -np.inf), np.zeros((n, 2)), np.zeros(n, np.int64)
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        for k in range(n):
            reach = ways[k, 0] * x + ways[k, 1] * y
            if reach > far[k]:
                far[k], which[k] = reach, i
                corner[k, 0], corner[k, 1] = x, y
    outer = np.zeros(len(points), np.bool_)
    for k in range(n):
        outer[which[k]] = True
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        for k in range(n):
            ax, ay = corner[k, 0], corner[k, 1]
            dx, dy = corner[(k + 1) % n, 0] - ax, corner[(k + 1) % n, 1] - ay
            length = np.sqrt(dx * dx + dy * dy)
            if length > 0.0 and dx * (y - ay) - dy * (x - ax) <= _RIM * length:
                outer[i] = True
                break
    return outer
