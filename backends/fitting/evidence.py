"""From keypoints to what the compiled loops take: which are used, and how noisy each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.arrays import CAMERA_SIZE, Evidence, pack_camera
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.problem import N_BONES, bone_matrix
from backends.fitting.start import ray_frame
from backends.fitting.types import FitSettings, NotEnoughKeypoints
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, Visibility

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_ABSENT, _OCCLUDED = int(Visibility.ABSENT), int(Visibility.OCCLUDED)

MIN_KEYPOINTS = 6
BY_HAND = 20.0
"""Robust bounds beyond this are those of keypoints that a person placed."""
_MIN_SPREAD_PX = 4.0
_MAX_PX = 1e5
_MAX_WORLD_M = 100.0
N_POINTS = N_KEYPOINTS + N_FIT_JOINTS


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The keypoints of one person in one picture, weighed.

    Attributes:
        xy: (23, 2) pixels, 0 where unused; used (23,).
        score: (23,), 1 where a person placed the keypoint.
        sigma: (23,) noise, pixels, inf where unused; cuts (23,) robust bounds in standard deviations.
        size: diagonal of the used keypoints' box, pixels (of many people: (N,)).
    """

    xy: F8
    used: BoolArray
    score: F8
    sigma: F8
    cuts: F8
    size: Any


def weigh_arrays(
    xy: F8, score: F8, visibility: npt.NDArray[Any], by_person: BoolArray, settings: FitSettings
) -> View:
    """Noise and bounds of many people's keypoints: as :class:`View`, each array with a leading (N,).

    Args:
        xy: (N, 23, 2) pixels; score, visibility, by_person: (N, 23).
    """
    s = settings
    score = np.where(by_person, 1.0, np.nan_to_num(score, posinf=0.0))
    with np.errstate(invalid="ignore"):
        used = np.isfinite(xy).all(axis=2) & (np.abs(xy).max(axis=2) < _MAX_PX)
    used &= (visibility != _ABSENT) & (score >= s.min_score)
    seen = used[..., None]
    clean = np.where(seen, xy, 0.0)
    extent = np.where(seen, xy, -np.inf).max(axis=1) - np.where(seen, xy, np.inf).min(axis=1)
    size = np.where(used.any(axis=1), np.sqrt((np.maximum(extent, 0.0) ** 2).sum(axis=1)), 0.0)
    noise = np.maximum(s.pixel_share * size, s.min_pixels)[:, None]
    sigma = noise / np.clip(score, 0.15, 1.0)
    sigma = np.where(visibility == _OCCLUDED, sigma * s.occluded_factor, sigma)
    sigma = np.where(by_person, np.maximum(s.person_share * size, 0.3)[:, None], sigma)
    sigma = np.where(used, sigma, np.inf)
    cuts = np.where(by_person, s.person_robust, s.robust)
    return View(clean, used, score, sigma, cuts, size)


def weigh(keypoints: Keypoints, settings: FitSettings) -> View:
    """Noise and bounds of a person's keypoints in one picture; none used where nothing is known."""
    many = weigh_arrays(
        keypoints.xy[None].astype(np.float64), keypoints.score[None].astype(np.float64),
        keypoints.visibility[None], keypoints.placed[None], settings,
    )  # fmt: skip
    return View(many.xy[0], many.used[0], many.score[0], many.sigma[0], many.cuts[0], float(many.size[0]))


def weigh_or_refuse(keypoints: Keypoints, settings: FitSettings) -> View:
    """As :func:`weigh`.

    Raises:
        NotEnoughKeypoints: fewer than six keypoints that can be used, or all in one spot.
    """
    view = weigh(keypoints, settings)
    if int(view.used.sum()) < MIN_KEYPOINTS:
        raise NotEnoughKeypoints(
            f"Only {int(view.used.sum())} keypoints can be used; a body needs at least {MIN_KEYPOINTS}."
        )
    if view.size < _MIN_SPREAD_PX:
        raise NotEnoughKeypoints("All keypoints lie in one spot; that is no body.")
    return view


@dataclass(frozen=True, slots=True, eq=False)
class Bones:
    """Directions of bones from world landmarks: see :class:`Evidence`; ``world_cam`` (23, 3) camera axes."""

    target: F8
    weight: F8
    frame: F8
    world_cam: F8 | None


def weigh_bones_arrays(view: View, world: F8, camera: Camera, settings: FitSettings) -> Bones:
    """What world landmarks (N, 23, 3) of many people say: as :class:`Bones`, each with a leading (N,)."""
    count = np.maximum(view.used.sum(axis=1), 1)[:, None]
    frame = ray_frame(camera, view.xy.sum(axis=1) / count)  # unused ones are 0
    with np.errstate(invalid="ignore"):
        known = (np.isfinite(world) & (np.abs(world) < _MAX_WORLD_M)).all(axis=2) & view.used
    clean = np.where(known[..., None], world, 0.0)
    matrix = bone_matrix()
    turned = clean @ frame.transpose(0, 2, 1)
    vectors = matrix @ turned
    length = np.sqrt((vectors * vectors).sum(axis=2))
    complete = ((~known).astype(np.float64) @ np.abs(matrix).T == 0) & (length > 0.02)
    target = np.where(complete[..., None], vectors / np.maximum(length, 1e-9)[..., None], 0.0)
    trust = np.where(matrix != 0.0, view.score[:, None, :], np.inf).min(axis=2) * complete
    noise = np.array([settings.bone_plane, settings.bone_plane, settings.bone_depth])
    return Bones(
        target, trust[..., None] / noise, np.ascontiguousarray(frame.transpose(0, 2, 1)),
        np.where(known[..., None], turned, np.nan),
    )  # fmt: skip


def weigh_bones(
    view: View, world: npt.NDArray[np.float32] | None, camera: Camera, settings: FitSettings
) -> Bones:
    """What world landmarks (23, 3) say, in the camera's axes.

    Raises:
        InputError: an array of another shape.
    """
    if world is None:
        return Bones(np.zeros((N_BONES, 3)), np.zeros((N_BONES, 3)), np.eye(3), None)
    if world.shape != (N_KEYPOINTS, 3):
        raise InputError(f"world landmarks need shape (23, 3), got {world.shape}")
    one = replace(view, xy=view.xy[None], used=view.used[None], score=view.score[None])
    many = weigh_bones_arrays(one, world[None].astype(np.float64), camera, settings)
    assert many.world_cam is not None
    return Bones(many.target[0], many.weight[0], many.frame[0], many.world_cam[0])


def held_hard(known: Evidence, noise_px: float) -> Evidence:
    """The same with what a person has placed held to ``noise_px``, given up no sooner than before."""
    by_hand = known.cuts > BY_HAND
    return known._replace(
        sigma=np.where(by_hand & np.isfinite(known.sigma), noise_px, known.sigma),
        cuts=np.where(by_hand, known.cuts * known.sigma / noise_px, known.cuts),
    )


def gather(
    views: Sequence[View],
    cameras: Sequence[Camera],
    *,
    own_axes: bool,
    bones: Bones | None = None,
    bone_cut: float = 0.0,
    points: F8 | None = None,
    points_sigma: F8 | None = None,
    points_cut: float = 0.0,
    depth: F8 | None = None,
    depth_sigma: F8 | None = None,
    depth_cut: float = 3.0,
) -> Evidence:
    """One body's evidence for the kernels; see :class:`Evidence` for the arrays.

    Args:
        own_axes: the body is fitted in the coordinates of the (single) camera, not of the world.
    """
    n = len(views)
    far = np.full((n, N_KEYPOINTS), np.inf)
    return Evidence(
        cameras=np.array([pack_camera(c, own_axes=own_axes) for c in cameras]).reshape(n, CAMERA_SIZE),
        xy=np.array([v.xy for v in views]).reshape(n, N_KEYPOINTS, 2),
        sigma=np.array([v.sigma for v in views]).reshape(n, N_KEYPOINTS),
        cuts=np.array([v.cuts for v in views]).reshape(n, N_KEYPOINTS),
        depth=np.zeros((n, N_KEYPOINTS)) if depth is None else depth,
        depth_sigma=far if depth_sigma is None else depth_sigma,
        depth_cut=float(depth_cut),
        points=np.zeros((N_POINTS, 3)) if points is None else points,
        points_sigma=np.full(N_POINTS, np.inf) if points_sigma is None else points_sigma,
        points_cut=float(points_cut),
        bones=bone_matrix(),
        target=np.zeros((N_BONES, 3)) if bones is None else bones.target,
        frame=np.eye(3) if bones is None else bones.frame,
        bone_weight=np.zeros((N_BONES, 3)) if bones is None else bones.weight,
        bone_cut=float(bone_cut),
    )


def widened(known: Evidence, factor: float) -> Evidence:
    """The same with all robust bounds ``factor`` times as wide."""
    return known._replace(
        cuts=known.cuts * factor,
        bone_cut=known.bone_cut * factor,
        points_cut=known.points_cut * factor,
        depth_cut=known.depth_cut * factor,
    )
