"""Features of each site of each frame: what speaks for and against a fitted body there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from backends.confidence.expected.gather import Gathered, gather_track
from backends.confidence.expected.sites import KIND_OF_SITE, N_SITES, Sites, nearest_keypoints, site_parents
from backends.confidence.expected.types import Sighting
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.problem import pose_prior
from backends.keypoints.types import Visibility
from backends.metrics.align import procrustes_aligned

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_NEAR = nearest_keypoints()
_PARENTS = site_parents()
_CHILDREN = [[s for s in range(1, N_SITES) if _PARENTS[s] == j] or [j] for j in range(N_SITES)]
"""The sites next farther out; at the ends the site itself."""
_MOST = max(len(c) for c in _CHILDREN)
_NEXT = np.array([[*c, *c[:1] * (_MOST - len(c))] for c in _CHILDREN])
_USUAL, _INVERSE_SPREAD = (part.reshape(-1, 3) for part in pose_prior())
_HANGS = np.array([s if s < N_FIT_JOINTS else _PARENTS[s] for s in range(N_SITES)])
_FAR = 20.0
_ABOUT_S = 0.4
_LONG_S = 2.0
"""Training scenes are short: what lasts longer counts as this long."""

_LOST_S = 0.5
"""Frames farther apart say nothing about a movement."""

_SMOOTH = {
    "sigma": "posterior standard deviation, log mm",
    "sigma_deep": "its part along the line of sight, log mm",
    "miss_mm": "reprojection miss of the nearest keypoints, log mm at the body's depth",
    "miss_noise": "the same in standard deviations of their noise",
    "score": "their detector score", "world": "distance of the world landmarks from the aligned fit, log mm",
    "single": "distance of the aligned single-frame fit, log mm",
}  # fmt: skip
_OWN = {
    "kind": "which site, sides alike", "used": "share of its keypoints that the fit used",
    "visible": "share of them called visible", "outside": "share of them out of the picture",
    "border": "distance of the site to the picture's border in person sizes",
    "in_mask": "share of a disc about the site that the mask holds",
    "covered": "1 in the box of somebody in front, 0.5 of somebody behind",
    "speed": "log m/s about the pelvis", "acceleration": "log m/s^2 about the pelvis",
    "single_jump": "acceleration of the single-frame fits, log m/s^2",
    "keypoint_jump": "acceleration of its keypoints, log person sizes/s^2",
    "world_jump": "acceleration of its world landmarks, log m/s^2",
    "foreshortened": "cosine between bone and line of sight, without sign",
    "bent": "how far the joint is from its usual angle, in standard deviations",
    "world_deep": "distance of the world landmarks along the line of sight, log mm",
    "miss_about": "miss_mm over 0.8 s", "score_about": "score over 0.8 s", "world_about": "world over 0.8 s",
    "single_about": "single over 0.8 s", "visible_about": "visible over 0.8 s",
    "jump_about": "single_jump over 0.8 s", "depth": "sensor depth less the fit's, metres",
    "deep_share": "share of the variance that is depth",
    "placed": "share of its keypoints that a person has put there",
    "placed_beside": "the same of the site before or of one after it, the larger",
}  # fmt: skip
_WHOLE = {
    "presence": "the detector's score", "rms": "root mean square miss, share of the size",
    "rms_noise": "the same in standard deviations", "doubts": "number of the fit's own doubts",
    "n_used": "keypoints used", "mean_score": "mean score", "mean_visible": "share called visible",
    "n_outside": "share of sites out of the picture", "size_px": "log person size, pixels",
    "mm_per_px": "log mm a pixel at the body", "depth_m": "log metres to the pelvis",
    "height_m": "the fitted height", "facing": "cosine between chest and camera",
    "sideways": "the same of the left side, without sign", "upright": "of the body's axis with the picture's",
    "bones_in_mask": "share of the skeleton that the mask holds",
    "mask_area": "mask area over size squared", "crowd": "share of the box that another box covers",
    "mean_sigma": "mean of sigma", "mean_world": "mean of world", "mean_single": "mean of single",
    "worst_miss": "largest miss in standard deviations", "since": "log seconds since the track began",
    "until": "log seconds until it ends", "step": "log seconds between frames",
    "focal": "log focal length over the picture's width", "assumed": "1 where it is a guess",
    "pose_cost": "root mean square of bent", "box_shape": "log height over width of the box",
    "n_placed": "keypoints that a person has put there",
}  # fmt: skip

FEATURE_NAMES: Final[tuple[str, ...]] = (
    *_SMOOTH,
    *(f"{n}_before" for n in _SMOOTH),
    *(f"{n}_after" for n in _SMOOTH),
    *_OWN,
    *_WHOLE,
)
"""``_before`` is the same of the site nearer to the pelvis, ``_after`` the worst of those farther out."""

N_FEATURES: Final = len(FEATURE_NAMES)
_WORSE: Final = np.array([-1.0 if name == "score" else 1.0 for name in _SMOOTH])
"""Whether more of it is worse."""

FEATURE_MEANING: Final = {**_SMOOTH, **_OWN, **_WHOLE}


def track_features(
    sites: Sites, sightings: Sequence[Sighting], span: tuple[float, float] | None = None
) -> tuple[F4, Gathered]:
    """(T, 27, F) float32 features of a track's frames in order, NaN where unknown; and what was gathered.

    Args:
        span: times at which the whole track begins and ends, where these frames are a part of it.

    Raises:
        InputError: as :func:`gather_track`.
    """
    g = gather_track(sites, sightings)
    aligned = procrustes_aligned(g.world, g.body_points)
    smooth = _smooth(g, aligned)
    own = _own(g, aligned, smooth)
    if span is None:  # of a frame by itself nobody knows how long the person has been there
        span = (float(g.time[0]), float(g.time[-1])) if len(g.time) > 1 else (np.nan, np.nan)
    whole = _whole(g, smooth, span)
    # One array for all: of a single frame joining piece by piece took longer than all sums.
    values = np.empty((len(g.time), N_SITES, N_FEATURES))
    n, m = len(_SMOOTH), len(_SMOOTH) * 3
    near = values[..., :n]
    near[:] = np.array([smooth[name] for name in _SMOOTH]).transpose(1, 2, 0)
    values[..., n : 2 * n] = near[:, _PARENTS]
    values[..., 2 * n : m] = _WORSE * _outwards(_WORSE * near)
    values[..., m : m + len(_OWN)] = np.array([own[name] for name in _OWN]).transpose(1, 2, 0)
    values[..., m + len(_OWN) :] = np.array([whole[name] for name in _WHOLE]).T[:, None]
    values[~np.isfinite(values)] = np.nan
    return np.minimum(np.maximum(values, -1e4), 1e4).astype(np.float32), g


def _near(values: F8) -> F8:
    """(T, 27) the mean over each site's keypoints of values (T, 23) that are known, NaN for none."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0) @ _NEAR.T
    share = known.astype(np.float64) @ _NEAR.T
    with np.errstate(invalid="ignore"):
        return np.where(share > 1e-9, total / np.where(share > 1e-9, share, 1.0), np.nan)


def _near_all(*values: F8) -> list[F8]:
    """:func:`_near` of several arrays (T, 23) at once."""
    found = _near(np.concatenate(values))
    return [found[i : i + len(values[0])] for i in range(0, len(found), len(values[0]))]


def _outwards(values: F8) -> F8:
    """(T, 27, ...) the largest among the sites next farther out; the site's own at the ends."""
    worst: F8 = np.fmax.reduce(values[:, _NEXT], axis=2)
    return worst


def _size(g: Gathered) -> F8:
    """(T,) diagonal of the body in the picture, pixels."""
    extent = g.site_xy.max(axis=1) - g.site_xy.min(axis=1)
    size: F8 = np.clip(np.hypot(*extent.T), 4.0, 1e5)
    return size


def _smooth(g: Gathered, aligned: F8) -> dict[str, F8]:
    """Of each site, ``aligned`` (T, 23, 3) being the world landmarks laid on the body."""
    total = np.maximum(np.diagonal(g.posterior, axis1=1, axis2=2), 1e-6)
    mm = 1e3 * np.maximum(g.X[:, :1, 2], 0.1) / g.focal[:, None]
    world = 1e3 * np.linalg.norm(aligned - g.body_points, axis=2)
    single = np.full(g.X.shape[:2], np.nan)
    if np.isfinite(g.single).any():
        turned = procrustes_aligned(g.single[:, :N_FIT_JOINTS], g.X[:, :N_FIT_JOINTS])
        single = np.linalg.norm(turned - g.X[:, :N_FIT_JOINTS], axis=2)[:, _HANGS]
    miss_mm, miss_noise, apart = _near_all(g.residual * mm, g.residual / g.noise, world)
    return {
        "sigma": 0.5 * np.log(total),
        "sigma_deep": 0.5 * np.log(np.maximum(g.deep, 1e-6)),
        "miss_mm": np.log1p(miss_mm),
        "miss_noise": np.minimum(miss_noise, _FAR),
        "score": g.score @ _NEAR.T,
        "world": np.log1p(apart),
        "single": np.log1p(1e3 * single),
    }


def _own(g: Gathered, aligned: F8, smooth: dict[str, F8]) -> dict[str, F8]:
    size = _size(g)[:, None]
    x, y = g.site_xy[..., 0], g.site_xy[..., 1]
    w, h = g.width[:, None], g.height[:, None]
    border = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y)) / size
    kx, ky = g.xy[..., 0], g.xy[..., 1]
    gone = ((kx < 0) | (kx > w - 1) | (ky < 0) | (ky > h - 1)).astype(np.float64)
    about = g.X - g.X[:, :1]
    bone = g.X - g.X[:, _PARENTS]
    cosine = np.abs((bone * _rays(g.X)).sum(2)) / np.maximum(np.linalg.norm(bone, axis=2), 1e-6)
    total = np.maximum(np.diagonal(g.posterior, axis1=1, axis2=2), 1e-6)
    visible = (g.visibility == Visibility.VISIBLE) @ _NEAR.T
    placed = g.placed @ _NEAR.T
    single_jump = np.log1p(_acceleration(g.single, g.time))
    deep = np.abs(((aligned - g.body_points) * _rays(g.body_points)).sum(axis=2))
    keypoint_jump, world_jump, world_deep, depth = _near_all(
        _acceleration(g.xy / size[..., None], g.time), _acceleration(g.world, g.time), deep, _depth_gap(g)
    )
    return {
        "kind": np.broadcast_to(np.array(KIND_OF_SITE, np.float64), x.shape),
        "used": np.isfinite(g.residual) @ _NEAR.T,
        "visible": visible,
        "outside": gone @ _NEAR.T,
        "border": np.clip(border, -0.5, 0.3),
        "in_mask": g.in_mask,
        "covered": g.covered,
        "speed": np.log1p(_speed(about, g.time)),
        "acceleration": np.log1p(_acceleration(about, g.time)),
        "single_jump": single_jump,
        "keypoint_jump": np.log1p(keypoint_jump),
        "world_jump": np.log1p(world_jump),
        "foreshortened": cosine,
        "bent": _bent(g)[:, _HANGS],
        "world_deep": np.log1p(1e3 * world_deep),
        "miss_about": _about(smooth["miss_mm"], g.time),
        "score_about": _about(smooth["score"], g.time),
        "world_about": _about(smooth["world"], g.time),
        "single_about": _about(smooth["single"], g.time),
        "visible_about": _about(visible, g.time),
        "jump_about": _about(single_jump, g.time),
        "depth": depth,
        "deep_share": np.clip(g.deep / total, 0.0, 1.0),
        "placed": placed,
        "placed_beside": np.maximum(placed[:, _PARENTS], _outwards(placed)),
    }


def _rays(points: F8) -> F8:
    """Unit vectors (..., 3) from the camera to points."""
    out: F8 = points / np.maximum(np.linalg.norm(points, axis=-1, keepdims=True), 1e-9)
    return out


def _about(values: F8, time: F8) -> F8:
    """(T, N) the mean of what is known within 0.4 s before and after each frame, NaN for nothing."""
    if len(time) == 1:
        return values
    known = np.isfinite(values)
    nothing = np.zeros((1, values.shape[1]))
    total = np.concatenate([nothing, np.cumsum(np.where(known, values, 0.0), axis=0)])
    count = np.concatenate([nothing, np.cumsum(known, axis=0)])
    first = np.searchsorted(time, time - _ABOUT_S, side="left")
    last = np.searchsorted(time, time + _ABOUT_S, side="right")
    n = count[last] - count[first]
    return np.where(n > 0, (total[last] - total[first]) / np.maximum(n, 1.0), np.nan)


def _bent(g: Gathered) -> F8:
    pull: F8 = np.linalg.norm((g.pose - _USUAL) * _INVERSE_SPREAD, axis=2)
    return pull


def _depth_gap(g: Gathered) -> F8:
    """(T, 23) metres that the sensor sees before (-) or behind (+) the fit, brought to its distance."""
    if not np.isfinite(g.depth_m).any():
        return np.full(g.depth_m.shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = g.depth_m / g.body_points[..., 2]
        known = np.isfinite(ratio)
        ordered = np.sort(np.where(known, ratio, np.inf), axis=1)
        n = known.sum(axis=1)
        middle = np.take_along_axis(ordered, np.maximum(n // 2, 0)[:, None].clip(max=22), axis=1)
        gap = g.depth_m / middle - g.body_points[..., 2]
    return np.where(known & (n >= 5)[:, None], np.clip(gap, -2.0, 2.0), np.nan)


def _steps(points: F8, time: F8) -> F8:
    """(T - 1, N, d) velocity between neighbouring frames, NaN over gaps."""
    dt = np.diff(time)
    with np.errstate(invalid="ignore"):
        velocity: F8 = np.diff(points, axis=0) / dt[:, None, None]
    velocity[dt > _LOST_S] = np.nan
    return velocity


def _speed(points: F8, time: F8) -> F8:
    """(T, N) the faster of the ways to and from each frame, NaN where neither is known."""
    if len(time) == 1:
        return np.full(points.shape[:2], np.nan)
    pace = np.linalg.norm(_steps(points, time), axis=2)
    lost = np.full((1, points.shape[1]), np.nan)
    before, after = np.concatenate([lost, pace]), np.concatenate([pace, lost])
    faster: F8 = np.fmax(before, after)
    return faster


def _acceleration(points: F8, time: F8) -> F8:
    """(T, N) change of velocity over the time it took, NaN at the ends."""
    out = np.full(points.shape[:2], np.nan)
    if len(points) > 2:
        velocity = _steps(points, time)
        apart = (time[2:] - time[:-2]) / 2.0
        out[1:-1] = np.linalg.norm(np.diff(velocity, axis=0), axis=2) / apart[:, None]
    return out


def _whole(g: Gathered, smooth: dict[str, F8], span: tuple[float, float]) -> dict[str, F8]:
    size = _size(g)
    body = slice(0, N_FIT_JOINTS)
    root_turn = _rotations(g.pose[:, 0])
    ray = _rays(g.X[:, 0])
    used = np.isfinite(g.residual)
    ratio = np.where(used, np.minimum(np.nan_to_num(g.residual / g.noise), _FAR), 0.0)
    count = np.maximum(used.sum(axis=1), 1)
    x, y = g.site_xy[..., 0], g.site_xy[..., 1]
    outside = (x < 0) | (y < 0) | (x > g.width[:, None] - 1) | (y > g.height[:, None] - 1)
    steps = np.diff(g.time)
    step = float(np.median(steps)) if len(steps) else np.nan
    extent = np.maximum(g.box[:, 2:] - g.box[:, :2], 1.0)

    three = np.array([smooth["sigma"], smooth["world"], smooth["single"]])[:, :, body]
    known = np.isfinite(three)
    number = known.sum(axis=2)
    total = np.where(known, three, 0.0).sum(axis=2)
    mean_sigma, mean_world, mean_single = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return {
        "presence": g.presence,
        "rms": np.minimum(g.rms / size, 1.0),
        "rms_noise": np.sqrt((ratio**2).sum(axis=1) / count),
        "doubts": g.doubts,
        "n_used": used.sum(axis=1).astype(np.float64),
        "mean_score": g.score.mean(axis=1),
        "mean_visible": (g.visibility == Visibility.VISIBLE).mean(axis=1),
        "n_outside": outside.mean(axis=1),
        "size_px": np.log(size),
        "mm_per_px": np.log(1e3 * np.maximum(g.X[:, 0, 2], 0.1) / g.focal),
        "depth_m": np.log(np.maximum(g.X[:, 0, 2], 0.1)),
        "height_m": g.height_m,
        "facing": (root_turn[:, :, 2] * ray).sum(axis=1),
        "sideways": np.abs((root_turn[:, :, 0] * ray).sum(axis=1)),
        "upright": -root_turn[:, 1, 1],
        "bones_in_mask": g.bones_in_mask,
        "mask_area": g.mask_area / size**2,
        "crowd": g.crowd,
        "mean_sigma": mean_sigma,
        "mean_world": mean_world,
        "mean_single": mean_single,
        "worst_miss": ratio.max(axis=1),
        "since": np.log1p(np.clip(g.time - span[0], 0.0, _LONG_S)),
        "until": np.log1p(np.clip(span[1] - g.time, 0.0, _LONG_S)),
        "step": np.full(len(g.time), np.log(step) if step > 0 else np.nan),
        "focal": np.log(g.focal / g.width),
        "assumed": g.assumed,
        "pose_cost": np.sqrt((_bent(g)[:, 1:] ** 2).mean(axis=1)),
        "box_shape": np.log(extent[:, 1] / extent[:, 0]),
        "n_placed": g.placed.sum(axis=1),
    }


def _rotations(turn: F8) -> F8:
    """(T, 3, 3) of axis-angles (T, 3), by Rodrigues' formula."""
    angle = np.maximum(np.linalg.norm(turn, axis=1), 1e-12)[:, None, None]
    k = np.zeros((len(turn), 3, 3))
    axis = turn / angle[:, :, 0]
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    k -= k.transpose(0, 2, 1)
    out: F8 = np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * (k @ k)
    return out
