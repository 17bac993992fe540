"""How far each keypoint of a body lies from the camera, as a depth sensor tells by the skin about it.

A sensor sees the surface, keypoints lie under it. So some hundred places of the body's skin are posed; those
that face the camera, are hidden by no other part and lie on a cell of the person's are compared with the
reading there, and the median of a keypoint's neighbourhood says how much nearer or farther the keypoint is
than the body has it. Things in front of somebody (a drape, another person) lie outside their mask; what of
them is in it all the same, holes, and flying pixels are outvoted, and the fit gives up a distance that
nothing else agrees with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, BodyParams
from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES
from backends.camera import Camera
from backends.depth import DepthPatch
from backends.fitting.arrays import BodyArrays, Evidence, pack_camera
from backends.fitting.kernels import N_FIT_JOINTS, points_and_derivatives
from backends.fitting.problem import make_problem
from backends.fitting.terms import NEAR_M, project
from backends.fitting.vertices import vertex_arrays
from backends.keypoints.layout import INDEX, N_KEYPOINTS

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Array = Any

_SAMPLES = 360
_FACING = 0.4
"""Cosine between the skin's outward normal and the way to the camera: less sees too little of the skin."""
_BEFORE_M, _ABOUT_M = 0.06, 0.05
"""A place is hidden by another part of the body that is so much nearer and less than this beside it."""
_LEAST = 3
"""Places of a keypoint's neighbourhood that have to be seen."""
_STRAY_M = 0.6
"""What differs more from the rest of the body is something else."""
_CUT = 3.0
"""Standard deviations; what lies farther off loses its say (:func:`backends.fitting.terms.robust`)."""
_SKIN_SIGMA_M = 0.018
"""Clothes, hair and muscles: how well the skin of the body is known."""
_CLOTH_M, _BARE_M = 0.028, 0.006
"""Clothes hang so far before the skin; hair, gloves and shoes, which the body does not have either."""
_BARE = ("head", "left_wrist", "right_wrist", "left_foot", "right_foot", "left_ankle", "right_ankle")
_TOUCHES = 0.7
"""Loose clothes hang before the body nearly everywhere: beyond this share of a neighbourhood's
distances they touch it."""
_HEAD = tuple(INDEX[n] for n in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
_OF_FEET = {
    side: tuple(INDEX[f"{side}_{n}"] for n in ("big_toe", "small_toe", "heel")) for side in ("left", "right")
}


@dataclass(frozen=True, slots=True, eq=False)
class KeypointDepths:
    """How far keypoints are from the camera, by a sensor.

    Attributes:
        metres: (23,) along the camera's axis, 0 where unknown. sigma: (23,) noise, metres, inf where unknown.
        apart: (23,) metres that the sensor has the neighbourhood before (-) or behind (+) the body that was
            asked about, NaN where unknown.
        ratio: the distance of the whole body by the sensor over that of the body asked about; 1 where the
            sensor says nothing.
    """

    metres: F8
    sigma: F8
    apart: F8
    ratio: float

    @property
    def told(self) -> BoolArray:
        """(23,) keypoints of which the sensor says something."""
        return np.asarray(np.isfinite(self.sigma))


class Skin:
    """Places of a body's skin, and which keypoint each belongs to. Made once a body."""

    def __init__(self, body: BodyModel) -> None:
        self.body = body
        faces = _chosen_faces(body)
        self._arrays = vertex_arrays(body, body.faces[faces].reshape(-1))
        self._points = make_problem(body)
        self._owner = _owners(body, faces)
        bare = np.isin(body.part_of_vertex[body.faces[faces, 0]], [JOINT_INDEX[n] for n in _BARE])
        self._thick = np.where(bare, _BARE_M, _CLOTH_M)

    def told(self, params: BodyParams, camera: Camera, patch: DepthPatch) -> KeypointDepths:
        """What the sensor says of a body that is about there; about a quarter of a millisecond.

        Args:
            params: camera coordinates, metres.
            camera: of the colour picture, in whose pixels ``patch`` is.
        """
        x = np.concatenate([params.pose[:N_FIT_JOINTS].reshape(-1), params.transl]).astype(np.float64)
        betas = np.ascontiguousarray(params.betas, np.float64)
        packed = pack_camera(camera, own_axes=True)
        gap = np.full(len(self._owner), np.nan)
        depth = np.zeros(len(self._owner))
        _gaps(
            x,
            betas,
            self._arrays,
            self._thick,
            packed,
            patch.mm,
            patch.own,
            patch.x0,
            patch.y0,
            patch.step,
            gap,
            depth,
        )
        X = np.empty((N_KEYPOINTS, 3))
        points_and_derivatives(x, betas, 0, self._points, N_KEYPOINTS, X, np.empty((0, 3, 0)), False)
        metres, sigma = np.zeros(N_KEYPOINTS), np.full(N_KEYPOINTS, np.inf)
        apart = np.full(N_KEYPOINTS, np.nan)
        ratio = _by_keypoint(gap, depth, self._owner, _GROUP, X[:, 2].copy(), metres, sigma, apart)
        return KeypointDepths(metres, sigma, apart, ratio)


def with_depth(known: Evidence, depth: KeypointDepths | None) -> Evidence:
    """The evidence of one view with what a sensor tells of the keypoints."""
    if depth is None:
        return known
    return known._replace(depth=depth.metres[None], depth_sigma=depth.sigma[None], depth_cut=_CUT)


def moved_to(params: BodyParams, body: BodyModel, ratio: float) -> BodyParams:
    """The body ``ratio`` times as far from the camera, its pelvis on the same line of sight."""
    root = body.J_template[0] + body.J_shapedirs[0] @ params.betas
    return replace(params, transl=ratio * (params.transl + root) - root)


@numba.njit(cache=True, nogil=True)
def _by_keypoint(
    gap: Array, depth: Array, owner: Array, group: Array, z: Array, metres: Array, sigma: Array, apart: Array
) -> float:
    """From places' gaps (M,), metres, and their depths to what is told of keypoints at depths z (23,): fills
    ``metres``, ``sigma`` and ``apart`` (see :class:`KeypointDepths`) and returns the ratio."""
    seen = np.isfinite(gap)
    if seen.sum() < 2 * _LEAST:
        return 1.0
    ratio = float(np.median((depth[seen] + gap[seen]) / depth[seen]))
    # What remains once the body as a whole is where the sensor has it.
    rest = gap - (ratio - 1.0) * depth
    for k in range(len(group)):
        if group[k] != k:
            continue
        mine = np.sort(rest[seen & (owner == k) & (np.abs(rest) < _STRAY_M)])
        n = len(mine)
        if n < _LEAST:
            continue
        middle = mine[n // 2]
        spread = 1.48 * np.median(np.abs(mine - middle))
        most = mine[min(int(_TOUCHES * n), n - 1)]
        for same in range(len(group)):
            if group[same] == k:
                apart[same] = most + (ratio - 1.0) * z[same]
                metres[same] = z[same] + apart[same]
                sigma[same] = np.sqrt(_SKIN_SIGMA_M**2 + spread**2 / n)
    return ratio


_GROUP = np.arange(N_KEYPOINTS)
_GROUP[list(_HEAD)] = INDEX["nose"]
for _side, _feet in _OF_FEET.items():
    _GROUP[list(_feet)] = INDEX[f"{_side}_big_toe"]


def _chosen_faces(body: BodyModel) -> I8:
    """Faces spread evenly over the skin, none of hands, eyes and jaw: the fit does not move these."""
    skip = np.arange(N_FIT_JOINTS, len(JOINT_NAMES))
    part = body.part_of_vertex[body.faces]
    corners = body.v_template[body.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    area[np.isin(part, skip).any(axis=1)] = 0.0
    total = np.cumsum(area)
    at = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * total[-1]
    return np.unique(np.searchsorted(total, at)).astype(np.int64)


def _owners(body: BodyModel, faces: I8) -> I8:
    """The keypoint whose distance each face tells: the nearest one in the rest pose, on its side."""
    rest = np.einsum("kjc->kc", body.kp_template)
    middle = body.v_template[body.faces[faces]].mean(axis=1)
    away = np.linalg.norm(middle[:, None] - rest[None], axis=2)
    nearest = away.argmin(axis=1)
    head = np.isin(body.part_of_vertex[body.faces[faces, 0]], [JOINT_INDEX["head"], JOINT_INDEX["neck"]])
    return np.where(head, INDEX["nose"], _GROUP[nearest]).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def _gaps(
    x: Array, betas: Array, arrays: BodyArrays, thick: Array, camera: Array, mm: Array, own: Array, x0: int,
    y0: int, step: int, gap: Array, depth: Array,
) -> None:  # fmt: skip
    """Fill ``gap`` (M,): measured less posed depth of each face that is seen; ``depth`` (M,) the latter."""
    m = len(gap)
    X = np.empty((3 * m, 3))
    none = np.empty((0, 3, 0))
    points_and_derivatives(x, betas, 0, arrays, 3 * m, X, none, False)
    middle, pixel, J = np.empty((m, 3)), np.empty((m, 2)), np.empty((2, 3))
    facing = np.zeros(m)
    faces_camera = np.zeros(m, np.bool_)
    for i in range(m):
        a, b, c = X[3 * i], X[3 * i + 1], X[3 * i + 2]
        middle[i] = (a + b + c) / 3.0
        depth[i] = middle[i, 2]
        normal = np.cross(b - a, c - a)
        u, v, z = project(camera, middle[i], J)
        if z < NEAR_M:
            continue
        pixel[i, 0], pixel[i, 1] = u, v
        long = np.sqrt((normal**2).sum()) * np.sqrt((middle[i] ** 2).sum())
        facing[i] = -(normal * middle[i]).sum() / max(long, 1e-12)
        faces_camera[i] = facing[i] > _FACING
    for i in range(m):
        if not faces_camera[i]:
            continue
        column = int(np.floor((pixel[i, 0] + 0.5 - x0) / step))
        row = int(np.floor((pixel[i, 1] + 0.5 - y0) / step))
        if not (0 <= row < mm.shape[0] and 0 <= column < mm.shape[1]):
            continue
        if mm[row, column] == 0 or not own[row, column]:
            continue
        reach = _ABOUT_M * camera[0] / depth[i]
        hidden = False
        for j in range(m):
            if depth[j] < depth[i] - _BEFORE_M and faces_camera[j]:
                du, dv = pixel[j, 0] - pixel[i, 0], pixel[j, 1] - pixel[i, 1]
                if du * du + dv * dv < reach * reach:
                    hidden = True
                    break
        if not hidden:
            gap[i] = mm[row, column] / 1000.0 + thick[i] / facing[i] - depth[i]
