"""A fit refined by what is seen of the skin: the outline of a mask, and points of a depth camera.

Points of the body and of what is seen are paired anew in rounds, as in the iterative closest point (Chen and
Medioni, Object modelling by registration of multiple range images, 1992): vertices at the outline with the
nearest place of the mask's border that faces the same way, vertices that face the camera with the depth at
their pixel, each held along the normal only. Clothes hide the body: the noise says how closely they hang.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from backends.body import BodyModel, BodyParams, posed_vertices
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.arrays import BodyArrays, Evidence, pack_camera
from backends.fitting.evidence import N_POINTS, gather, weigh_bones, weigh_or_refuse
from backends.fitting.fitter import BodyFitter
from backends.fitting.result import single_result
from backends.fitting.solver import linearise, solve
from backends.fitting.terms import project_points
from backends.fitting.types import FitResult
from backends.fitting.vertices import vertex_arrays
from backends.keypoints.types import Keypoints
from backends.multiview.triangulate import undistorted
from backends.render.geometry import vertex_normals

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_SAMPLES = 700
_ROUNDS = 4
_STEPS = 8
_GRAZING, _FACING = 0.3, -0.35
"""Cosine between skin and line of sight: at the outline less than the former, towards the camera below."""
_SAME_WAY = 0.7
_CUT = 3.0


@dataclass(frozen=True, slots=True)
class SurfaceSettings:
    """How closely skin and what is seen of it agree.

    Attributes:
        edge_share: noise of the outline, share of the person's size in the picture; edge_reach: farther
            from the outline than this, in the first round, a vertex has no partner.
        depth_m: noise of the surface, metres; depth_reach_m as edge_reach.
        weight: how much one of the many paired points counts: neighbours err alike.
    """

    edge_share: float = 0.012
    edge_reach: float = 0.08
    depth_m: float = 0.015
    depth_reach_m: float = 0.25
    weight: float = 0.15


def fit_to_surface(
    fitter: BodyFitter, start: BodyParams, keypoints: Keypoints, world: npt.NDArray[np.float32] | None,
    camera: Camera, *, mask: BoolArray | None = None, depth_m: npt.NDArray[np.float32] | None = None,
    betas: F8 | None = None, settings: SurfaceSettings | None = None,
) -> FitResult:  # fmt: skip
    """Refine a fit by a mask, by depths, or by both; keypoints, landmarks and priors count as in the fit.

    Args:
        start: the fit to refine (:meth:`BodyFitter.fit`), camera coordinates.
        mask: (H, W) bool, the person's pixels in the picture that ``camera`` took; what others hide of the
            person may be missing, as long as it does not look like an outline close to the body's.
        depth_m: (H, W) metres along the camera's axis, 0 or NaN where unknown.
        betas: (B,) the shape, which is then not fitted.

    Raises:
        NotEnoughKeypoints: fewer than six keypoints that can be used, or all in one spot.
        InputError: neither mask nor depth, another size than the camera's, or a start that is not finite.
    """
    s = settings or SurfaceSettings()
    if mask is None and depth_m is None:
        raise InputError("A fit to the surface needs a mask or depths.")
    for name, array in (("mask", mask), ("depth", depth_m)):
        if array is not None and array.shape != (camera.height, camera.width):
            raise InputError(
                f"The {name} has shape {array.shape}; the camera's pictures have "
                f"{(camera.height, camera.width)}."
            )
    if not all(np.isfinite(a).all() for a in (start.pose, start.transl, start.betas)):
        raise InputError("The body to refine holds values that are not finite.")
    view = weigh_or_refuse(keypoints, fitter.settings)
    bones = weigh_bones(view, world, camera, fitter.settings)
    known = gather([view], [camera], own_axes=True, bones=bones, bone_cut=fitter.settings.robust)
    nb = fitter.body.n_betas if betas is None else 0
    shape = np.zeros(fitter.body.n_betas) if betas is None else np.ascontiguousarray(betas, np.float64)
    seen = _Seen(fitter.body, camera, mask, depth_m, s, view.size)
    arrays = joined(fitter.arrays, vertex_arrays(fitter.body, seen.chosen))
    prior, limits = fitter.prior_for(nb), fitter.bounds(nb, in_front=True)
    x, cost, spent = fitter.pack(start, nb), np.inf, 0
    params = start
    for r in range(_ROUNDS):
        known = seen.paired(known, params, reach=0.5**r)
        x, cost, steps = solve(x, shape, nb, arrays, known, prior, limits, len(arrays.weight), _STEPS, 1e-5)
        spent += steps
        params = fitter.unpack(x, shape, nb)
    X, dX, H = linearise(x, shape, nb, arrays, known, prior)
    lines = (X[:N_POINTS].copy(), dX[:N_POINTS].copy(), H)
    return single_result(params, nb, view, known, lines, cost, spent, fitter.settings.covariance_share)


def joined(body: BodyArrays, more: BodyArrays) -> BodyArrays:
    """One body with the points of both, those of ``more`` after those of ``body``."""
    return body._replace(
        weight=np.concatenate([body.weight, more.weight]),
        template=np.concatenate([body.template, more.template]),
        dirs=np.concatenate([body.dirs, more.dirs]),
    )


class _Seen:
    """What is seen of somebody's skin, ready to be paired with their body."""

    def __init__(
        self, body: BodyModel, camera: Camera, mask: BoolArray | None,
        depth_m: npt.NDArray[np.float32] | None, settings: SurfaceSettings, size: float,
    ) -> None:  # fmt: skip
        self._body, self._camera, self._settings, self._size = body, camera, settings, size
        self._packed = pack_camera(camera, own_axes=True)
        self.chosen: I8 = np.linspace(0, body.n_vertices - 1, _SAMPLES).round().astype(np.int64)
        self._depth = depth_m
        self._edge = _outline(mask) if mask is not None else None
        self._tree = cKDTree(self._edge[0]) if self._edge is not None and len(self._edge[0]) else None

    def paired(self, known: Evidence, params: BodyParams, *, reach: float) -> Evidence:
        """The evidence with vertices paired as the body stands; ``reach``: share of the first round's."""
        vertices = posed_vertices(self._body, params)
        skin = vertices.astype(np.float32)
        normals = vertex_normals(skin, self._body.faces)[self.chosen].astype(np.float64)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        points = vertices[self.chosen]
        ray = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
        facing = (normals * ray).sum(axis=1)
        xy = project_points(self._packed, points)
        known = known._replace(surface_cut=_CUT)
        if self._tree is not None and self._edge is not None:
            known = self._edges(known, xy, normals, facing, reach)
        if self._depth is not None:
            known = self._planes(known, points, xy, normals, facing, reach)
        return known

    def _edges(self, known: Evidence, xy: F8, normals: F8, facing: F8, reach: float) -> Evidence:
        assert self._tree is not None
        assert self._edge is not None
        places, outward = self._edge
        at = np.flatnonzero((np.abs(facing) < _GRAZING) & np.isfinite(xy).all(axis=1))
        flat = normals[at, :2] / np.maximum(np.linalg.norm(normals[at, :2], axis=1, keepdims=True), 1e-9)
        away, nearest = self._tree.query(xy[at])
        bound = max(reach * self._settings.edge_reach, 2.0 * self._settings.edge_share) * self._size
        good = (away < bound) & ((flat * outward[nearest]).sum(axis=1) > _SAME_WAY)
        noise = max(self._settings.edge_share * self._size, 1.0) / np.sqrt(self._settings.weight)
        return known._replace(
            edge_point=N_POINTS + at[good], edge_xy=places[nearest[good]].copy(),
            edge_normal=outward[nearest[good]].copy(), edge_sigma=np.full(int(good.sum()), noise),
        )  # fmt: skip

    def _planes(self, known: Evidence, points: F8, xy: F8, normals: F8, facing: F8, reach: float) -> Evidence:
        assert self._depth is not None
        h, w = self._depth.shape
        at = np.flatnonzero((facing < _FACING) & np.isfinite(xy).all(axis=1))
        pixel = np.round(xy[at]).astype(np.int64)
        inside = ((pixel >= 0) & (pixel < [w, h])).all(axis=1)
        at, pixel = at[inside], pixel[inside]
        z = self._depth[pixel[:, 1], pixel[:, 0]].astype(np.float64)
        bound = max(reach * self._settings.depth_reach_m, 3.0 * self._settings.depth_m)
        with np.errstate(invalid="ignore"):
            good = np.isfinite(z) & (z > 0) & (np.abs(z - points[at, 2]) < bound)
        at, z = at[good], z[good]
        flat = undistorted(pixel[good].astype(np.float64), self._camera)
        there = np.concatenate([flat, np.ones((len(flat), 1))], axis=1) * z[:, None]
        noise = self._settings.depth_m / np.sqrt(self._settings.weight)
        return known._replace(
            plane_point=N_POINTS + at, plane_normal=normals[at].copy(),
            plane_offset=(normals[at] * there).sum(axis=1), plane_sigma=np.full(len(at), noise),
        )  # fmt: skip


def _outline(mask: BoolArray) -> tuple[F8, F8]:
    """Pixels (E, 2) of a mask's border and the unit normals that point out of it; none at the picture's
    border, where the person goes on."""
    image = np.ascontiguousarray(mask, np.uint8)
    borders, _ = cv2.findContours(image, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    soft = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 3.0)
    dx, dy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    if not len(borders):
        return np.zeros((0, 2)), np.zeros((0, 2))
    places = np.concatenate([b.reshape(-1, 2) for b in borders])
    h, w = mask.shape
    inner = ((places > 0) & (places < [w - 1, h - 1])).all(axis=1)
    places = places[inner]
    u, v = places.T
    slope = np.stack([dx[v, u], dy[v, u]], axis=1).astype(np.float64)
    length = np.linalg.norm(slope, axis=1)
    sharp = length > 1e-3
    return places[sharp].astype(np.float64), -slope[sharp] / length[sharp, None]
