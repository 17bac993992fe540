"""The relief of a picture, from others that see the same things from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backends.background.motion import F8, Sight, plane, shared
from backends.background.relief import Relief, assemble, epipole, misses, project, resect, standing_out

_AWAY = (20, 12)
"""Relief is looked for in pictures about so many frames before and after: the first that will do."""
_SHARED = 40
"""Points that such a picture has to share."""
_MOVED = 1.0
"""Pixels by which a tenth of them has to miss the plane of most; else there is no relief to be seen."""


def relief_of(sight: Sight, others: Mapping[int, Sight]) -> Relief | None:
    """How far things stand out, or None where that cannot be told or does not matter.

    Args:
        others: pictures of the same shot by how many frames they are away, negative before.
    """
    views = [v for side in (-1, 1) if (v := _view(sight, others, side)) is not None]
    views.sort(key=lambda v: -v[0])
    size = (sight.grey.shape[0], sight.grey.shape[1])
    found: Relief | None = None
    total = weights = np.zeros(0, np.float32)
    for _, other, H in views:
        start, to, _, _ = shared(sight, other)
        if found is None:
            e = epipole(H, start, to, size)
            if e is None:
                continue
            P: F8 = np.hstack([H, e[:, None]])
        else:
            P = resect(start, found.at(start), to, H, size)
            if float(np.quantile(np.hypot(*(to - project(P, start, found.at(start))).T), 0.75)) > _MOVED:
                continue
        grid, there, believed = misses(sight.grey, sight.free, other.grey, other.free, H)
        g, trust = standing_out(P, grid, there)
        weight = np.where(believed, trust, 0).astype(np.float32)
        if found is None:
            total, weights = g * weight, weight
        else:
            weight *= weights[weights > 0].mean() / max(float(weight[weight > 0].mean()), 1e-9)
            total, weights = total + g * weight, weights + weight
        found = assemble((total / np.maximum(weights, 1e-9)).astype(np.float32), weights, size)
        if found is None:
            return None
        total = total / np.float32(found.usual)
    return found


def _view(sight: Sight, others: Mapping[int, Sight], side: int) -> tuple[float, Sight, F8] | None:
    """How much things stand out in a picture on one side, it, and its plane."""
    for away in _AWAY:
        there = [k for k in others if k * side > 0 and abs(abs(k) - away) <= away // 3]
        if not there:
            continue
        other = others[min(there, key=lambda k: abs(abs(k) - away))]
        start, to, _, _ = shared(sight, other)
        found = plane(start, to) if len(start) >= _SHARED else None
        if found is None:
            continue
        H = found[0]
        flat = project(np.hstack([H, np.zeros((3, 1))]), start, np.zeros(len(start), np.float32))
        out = float(np.quantile(np.hypot(*(to - flat).T), 0.9))
        if out > _MOVED:
            return out, other, H
    return None
