"""What is read from each frame of a track before features are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.camera import Camera
from backends.confidence.expected.sites import N_SITES, Sites, site_parents
from backends.confidence.expected.spread import site_posterior
from backends.confidence.expected.types import Sighting
from backends.errors import InputError
from backends.fitting.arrays import BodyArrays
from backends.fitting.kernels import N_FIT_JOINTS, points_and_derivatives
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Source
from backends.masks import CropMask

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_SHAPES = {
    "xy": (N_KEYPOINTS, 2), "score": (N_KEYPOINTS,), "visibility": (N_KEYPOINTS,), "source": (N_KEYPOINTS,),
}  # fmt: skip
_DISC_M = 0.06
_WAY = np.linspace(0.0, 1.0, 4)[1:, None]
_RING = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A track of T frames as arrays.

    Attributes:
        time: (T,) seconds. X: (T, 27, 3) sites of the body, metres, camera coordinates; single (T, 27, 3)
            of the single frame's body about its pelvis, NaN where unknown.
        posterior: (T, 27, 27) mm^2; deep (T, 27) variance along the ray, mm^2.
        site_xy: (T, 27, 2) pixels. body_points: (T, 23, 3) keypoints of the body, metres.
        xy, score, visibility, residual, noise: (T, 23, ...) keypoints, their misses and noise, pixels.
        placed: (T, 23) 1 where a person has put the keypoint.
        world: (T, 23, 3) NaN where unknown. depth_m: (T, 23) NaN where unknown.
        pose: (T, 22, 3); rms (T,) pixels; doubts (T,); presence (T,); height_m (T,).
        focal, width, height: (T,) pixels; assumed (T,) 1 where nobody has measured the camera: its
            focal length is a guess, or was told by the people seen. box (T, 4).
        in_mask: (T, 27) share of a disc about each site that the mask holds, NaN without one;
            bones_in_mask (T,); mask_area (T,) pixels.
        covered: (T, 27) 0 where nobody else's box holds the site, 0.5 where one behind does, 1 in front;
            crowd (T,) share of the own box that others' boxes cover at most.
    """

    time: F8
    X: F8
    single: F8
    posterior: F8
    deep: F8
    site_xy: F8
    body_points: F8
    xy: F8
    score: F8
    visibility: F8
    residual: F8
    noise: F8
    placed: F8
    world: F8
    depth_m: F8
    pose: F8
    rms: F8
    doubts: F8
    presence: F8
    height_m: F8
    focal: F8
    assumed: F8
    width: F8
    height: F8
    box: F8
    in_mask: F8
    bones_in_mask: F8
    mask_area: F8
    covered: F8
    crowd: F8


def gather_track(sites: Sites, sightings: Sequence[Sighting]) -> Gathered:
    """The arrays of a track, frames in order of time.

    Raises:
        InputError: no frames, times that do not rise, or arrays of a wrong shape.
    """
    if not sightings:
        raise InputError("A track without frames has no expected errors.")
    time = np.array([s.time for s in sightings])
    if not np.isfinite(time).all() or (np.diff(time) <= 0).any():
        raise InputError("The frames of a track need finite times that rise from one to the next.")
    rows = [_one(sites, s) for s in sightings]
    if len(rows) == 1:
        return Gathered(time, *(column[None] for column in rows[0]))
    return Gathered(time, *(np.stack(column) for column in zip(*rows)))


def _one(sites: Sites, s: Sighting) -> tuple[F8, ...]:
    k = s.estimate.keypoints
    for name, shape in _SHAPES.items():
        if getattr(k, name).shape != shape:
            raise InputError(f"Keypoints' {name} needs shape {shape}, got {getattr(k, name).shape}.")
    r = s.result
    X, posterior, deep = site_posterior(sites, r)
    single = np.full((N_SITES, 3), np.nan)
    if s.single is not None:
        if s.single.shape != single.shape:
            raise InputError(f"A single frame's sites need shape (27, 3), got {s.single.shape}.")
        single = s.single.astype(np.float64)
    site_xy = np.nan_to_num(s.camera.project(X), nan=-1e4)
    world = np.full((N_KEYPOINTS, 3), np.nan)
    if s.estimate.world is not None:
        if s.estimate.world.shape != (N_KEYPOINTS, 3):
            raise InputError(f"World landmarks need shape (23, 3), got {s.estimate.world.shape}.")
        world = s.estimate.world.astype(np.float64)
    depth = np.full(N_KEYPOINTS, np.nan)
    if s.depth_mm is not None:
        if s.depth_mm.shape != (N_KEYPOINTS,):
            raise InputError(f"Depths of keypoints need shape (23,), got {s.depth_mm.shape}.")
        depth = np.where(s.depth_mm > 0, s.depth_mm, np.nan) / 1e3
    in_mask, bones, area = mask_shares(s.estimate.mask, s.camera, X, site_xy)
    covered, crowd = _covered(s, site_xy)
    scalars = (
        float(r.rms_px), float(len(r.doubts)), float(s.estimate.score),
        _height(sites, r.params.betas.astype(np.float64).tobytes()),
        s.camera.fx, float(not s.camera.calibrated), s.camera.width, s.camera.height,
    )  # fmt: skip
    rms, doubts, presence, height_m, focal, assumed, width, height = (np.array(float(v)) for v in scalars)
    used = np.isfinite(r.residual_px)
    return (
        X, single, posterior, deep, site_xy, body_points(sites, r.params),
        k.xy.astype(np.float64), np.clip(np.nan_to_num(k.score.astype(np.float64)), 0.0, 1.0),
        k.visibility.astype(np.float64), np.where(used, r.residual_px, np.nan).astype(np.float64),
        np.where(used, r.sigma_px, np.nan).astype(np.float64),
        (np.asarray(k.source) == Source.PERSON).astype(np.float64), world, depth,
        r.params.pose[:N_FIT_JOINTS].astype(np.float64), rms, doubts, presence, height_m, focal, assumed,
        width, height, s.estimate.box.astype(np.float64), in_mask, bones, area, covered, crowd,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _height(sites: Sites, betas: bytes) -> float:
    """Of a shape, metres; a track has one shape, or few."""
    return sites.body.height(np.frombuffer(betas, np.float64))


def site_places(sites: Sites, params: BodyParams) -> F8:
    """(27, 3) the sites of a body, metres, the coordinates of ``params``."""
    return _placed(sites.arrays, N_SITES, params)


def sites_about_pelvis(sites: Sites, params: BodyParams) -> F4:
    """(27, 3) float32 the sites of a body from its pelvis, metres, camera axes: a :class:`Sighting`'s
    ``single``."""
    X = site_places(sites, params)
    about: F4 = (X - X[0]).astype(np.float32)
    return about


def body_points(sites: Sites, params: BodyParams) -> F8:
    """(23, 3) the keypoints of a body, metres, the coordinates of ``params``."""
    return _placed(sites.points, N_KEYPOINTS, params)


def _placed(arrays: BodyArrays, count: int, params: BodyParams) -> F8:
    """(count, 3) the first points of a body."""
    X, none = np.empty((count, 3)), np.empty((0, 3, 0))
    x = np.concatenate([params.pose[:N_FIT_JOINTS].reshape(-1), params.transl]).astype(np.float64)
    points_and_derivatives(x, params.betas, 0, arrays, count, X, none, False)
    return X


_PARENTS = site_parents()


def mask_shares(mask: CropMask | None, camera: Camera, X: F8, site_xy: F8) -> tuple[F8, F8, F8]:
    """Share of a disc about each site (27,), share of the bones () and area (), pixels, of a mask; NaN
    without one. ``X`` (27, 3) metres and ``site_xy`` (27, 2) pixels are the sites."""
    nothing = np.array(np.nan)
    if mask is None:
        return np.full(N_SITES, np.nan), nothing, nothing
    crop = mask.decode()
    reach = _DISC_M * camera.fx / np.maximum(X[:, 2], 0.1)
    at = site_xy[:, None] + _RING * reach[:, None, None]
    bones = site_xy[_PARENTS, None] * (1.0 - _WAY) + site_xy[:, None] * _WAY
    inside = _looked_up(crop, np.concatenate([at, bones], axis=1) - (mask.x0, mask.y0))
    hit, on_bones = inside[:, : len(_RING)], inside[1:, len(_RING) :]
    return hit.mean(axis=1), np.array(float(on_bones.mean())), np.array(float(crop.sum()))


def _looked_up(crop: npt.NDArray[np.bool_], at: F8) -> F8:
    column, row = np.rint(np.minimum(np.maximum(at, -1e6), 1e6)).astype(np.int64).transpose(2, 0, 1)
    h, w = crop.shape
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    return np.asarray(inside & crop[np.where(inside, row, 0), np.where(inside, column, 0)], np.float64)


def _covered(s: Sighting, site_xy: F8) -> tuple[F8, F8]:
    if not len(s.others):
        return np.zeros(N_SITES), np.array(0.0)
    boxes = np.asarray(s.others, np.float64)
    if boxes.shape[1:] != (4,):
        raise InputError(f"Other people's boxes need shape (M, 4), got {boxes.shape}.")
    own = s.estimate.box.astype(np.float64)
    x, y = site_xy[:, 0, None], site_xy[:, 1, None]
    held = (x >= boxes[:, 0]) & (x <= boxes[:, 2]) & (y >= boxes[:, 1]) & (y <= boxes[:, 3])
    # Who stands lower in the picture stands nearer, in most rooms.
    worth = np.where(boxes[:, 3] > own[3], 1.0, 0.5)
    shared = np.minimum(boxes[:, 2:], own[2:]) - np.maximum(boxes[:, :2], own[:2])
    area = np.clip(shared, 0.0, None).prod(axis=1)
    return (held * worth).max(axis=1), np.array(area.max() / max(float((own[2:] - own[:2]).prod()), 1.0))
