"""Who is who across views: people whose rays meet.

Two detections of different views are alike by the distance at which the rays through the same keypoint
pass each other (the median over keypoints that both have). Pairs are joined from the most alike on, at most
one detection a view, and a join stands only while all rays of the group meet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.errors import InputError
from backends.multiview.triangulate import undistorted

F8 = npt.NDArray[np.float64]

_MIN_COMMON = 4


def associate(
    xy: Sequence[npt.ArrayLike],
    score: Sequence[npt.ArrayLike],
    cameras: Sequence[Camera],
    *,
    max_distance_m: float = 0.15,
    min_score: float = 0.1,
) -> list[dict[int, int]]:
    """Group the detections of several views into people.

    Args:
        xy: per view (P, K, 2) pixels of its P people; NaN where a keypoint is missing.
        score: per view (P, K).
        max_distance_m: rays of one person pass each other within this, in the median.

    Returns:
        One dict a person, ``{view: index of the detection in that view}``, those seen by most views first.
        A detection that belongs to nobody else is a dict of its own.

    Raises:
        InputError: arrays of a wrong shape, or other numbers of views and cameras.
    """
    if not len(xy) == len(score) == len(cameras):
        raise InputError("Each view needs its detections, their scores and its camera.")
    rays, origins, known = [], [], []
    for v, camera in enumerate(cameras):
        p, s = np.asarray(xy[v], dtype=np.float64), np.asarray(score[v], dtype=np.float64)
        if p.ndim != 3 or p.shape[2] != 2 or s.shape != p.shape[:2]:
            raise InputError(f"View {v} needs pixels (P, K, 2) and scores (P, K), got {p.shape}, {s.shape}.")
        good = np.isfinite(p).all(axis=2) & (np.nan_to_num(s) >= min_score)
        n = undistorted(np.where(good[..., None], p, 0.0), camera)
        d = np.concatenate([n, np.ones((*n.shape[:2], 1))], axis=2) @ camera.R
        rays.append(d / np.linalg.norm(d, axis=2, keepdims=True))
        origins.append(-camera.R.T @ camera.t)
        known.append(good)
    nodes = [(v, i) for v in range(len(cameras)) for i in range(len(rays[v]))]
    gap: dict[tuple[int, int], float] = {}
    for a, (va, ia) in enumerate(nodes):
        for b in range(a + 1, len(nodes)):
            vb, ib = nodes[b]
            if va == vb:
                continue
            both = known[va][ia] & known[vb][ib]
            if both.sum() >= _MIN_COMMON:
                away = _passing(rays[va][ia][both], rays[vb][ib][both], origins[vb] - origins[va])
                gap[a, b] = float(np.median(away))
    group = {a: [a] for a in range(len(nodes))}
    of = {a: a for a in range(len(nodes))}
    for (a, b), distance in sorted(gap.items(), key=lambda item: item[1]):
        ga, gb = of[a], of[b]
        if distance > max_distance_m or ga == gb:
            continue
        members = group[ga] + group[gb]
        if len({nodes[m][0] for m in members}) < len(members):
            continue
        across = [gap.get((min(m, n), max(m, n))) for m in group[ga] for n in group[gb]]
        met = [g for g in across if g is not None]
        if np.mean(met) > max_distance_m:
            continue
        group[ga] = members
        for m in group.pop(gb):
            of[m] = ga
    people = [{nodes[m][0]: nodes[m][1] for m in sorted(members)} for members in group.values()]
    return sorted(people, key=len, reverse=True)


def _passing(a: F8, b: F8, between: F8) -> F8:
    """(K,) metres at which rays a and b (K, 3), whose origins lie ``between`` apart, pass each other in
    front of both cameras; large where they part."""
    cross = np.cross(a, b)
    length = np.linalg.norm(cross, axis=1)
    away = np.abs(cross @ between) / np.maximum(length, 1e-9)
    cosine = (a * b).sum(axis=1)
    det = np.maximum(1 - cosine**2, 1e-9)
    along_a = (a @ between - cosine * (b @ between)) / det
    along_b = (cosine * (a @ between) - b @ between) / det
    parallel = length < 1e-3
    return np.where(parallel | (along_a < 0) | (along_b < 0), 1e3, away)
