"""What the compiled loops take: named groups of plain arrays (float64, C order)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.errors import InputError

Array = Any
F8 = npt.NDArray[np.float64]

CAMERA_SIZE = 23
"""fx skew cx fy cy | k1 k2 p1 p2 k3 | R row by row | t | largest r^2 that the distortion is good for."""


class BodyArrays(NamedTuple):
    """A body of 22 joints; points 0-22 are the keypoints, 23-44 the joints (see :mod:`kernels`).

    Attributes:
        parents: (22,); J_template (22, 3); J_dirs (22, 3, B).
        weight: (45, 22); template (45, 22, 3); dirs (45, 22, 3, B).
    """

    parents: Array
    J_template: Array
    J_dirs: Array
    weight: Array
    template: Array
    dirs: Array


class Evidence(NamedTuple):
    """What is known of one body at one moment. A noise of inf leaves a point out; V may be 0.

    Attributes:
        cameras: (V, 23) see :data:`CAMERA_SIZE`.
        xy, sigma, cuts: (V, 23, 2), (V, 23), (V, 23) pixels; noise, pixels; robust bounds in standard
            deviations, 0 for none.
        depth, depth_sigma: (V, 23) metres along each camera's axis, and noise; depth_cut: robust bound.
        points, points_sigma: (45, 3), (45,) metres: keypoints, then joints, and noise; points_cut.
        bones: (M, 23) coefficients; target (M, 3) unit vectors; frame (3, 3) rows: the axes in which
            bone_weight (M, 3) holds inverse noises; bone_cut.
        edge_point (E,) points of the body that lie on its outline in camera 0; edge_xy, edge_normal (E, 2)
            pixels of the outline seen, and its unit normals; edge_sigma (E,) pixels.
        plane_point (D,) points of the body; plane_normal (D, 3), plane_offset (D,) the surface seen there,
            ``normal . x = offset``, metres; plane_sigma (D,); surface_cut: robust bound of both.
    """

    cameras: Array
    xy: Array
    sigma: Array
    cuts: Array
    depth: Array
    depth_sigma: Array
    depth_cut: float
    points: Array
    points_sigma: Array
    points_cut: float
    bones: Array
    target: Array
    frame: Array
    bone_weight: Array
    bone_cut: float
    edge_point: Array = np.zeros(0, np.int64)
    edge_xy: Array = np.zeros((0, 2))
    edge_normal: Array = np.zeros((0, 2))
    edge_sigma: Array = np.zeros(0)
    plane_point: Array = np.zeros(0, np.int64)
    plane_normal: Array = np.zeros((0, 3))
    plane_offset: Array = np.zeros(0)
    plane_sigma: Array = np.zeros(0)
    surface_cut: float = 0.0


class Prior(NamedTuple):
    """What is known of people. n is the number of unknowns.

    Attributes:
        mean, inverse_sigma: (n,) Gaussian on each unknown; 0 for none.
        limits: (66, 2) radians; wall: inverse noise of what goes beyond.
        hinge_joint: (4,); hinge_axis, hinge_upper, hinge_lower: (4, 3) in the rest pose: axis of bending,
            unit vectors along the bones above and below; hinge_weight: inverse noise.
        mix_log: (C,) log weight + log determinant / 2; mix_mean (C, 63); mix_precision (C, 63, 63), and
            mix_root (C, 63, 63) upper with precision = root^T root;
            mix_weight: how much of it counts. C may be 0.
    """

    mean: Array
    inverse_sigma: Array
    limits: Array
    wall: float
    hinge_joint: Array
    hinge_axis: Array
    hinge_upper: Array
    hinge_lower: Array
    hinge_weight: float
    mix_log: Array
    mix_mean: Array
    mix_precision: Array
    mix_root: Array
    mix_weight: float


@lru_cache(maxsize=256)
def _good_radius(k1: float, k2: float, k3: float) -> float:
    """Largest r^2 (at most 9) up to which ``r (1 + k1 r^2 + k2 r^4 + k3 r^6)`` grows well: beyond, the
    polynomial folds back and would let points far outside the picture appear in it."""
    r2 = np.linspace(0.0, 9.0, 901)
    slope = 1 + 3 * k1 * r2 + 5 * k2 * r2**2 + 7 * k3 * r2**3
    bad = np.flatnonzero(slope < 0.2)
    return float(r2[bad[0]]) if len(bad) else 9.0


def pack_camera(camera: Camera, *, own_axes: bool = False) -> F8:
    """(23,) a camera for the kernels; ``own_axes`` leaves R and t out: points are in camera coordinates.

    Raises:
        InputError: values that are not finite, a focal length that is not positive, or other shapes.
    """
    dist = np.zeros(5)
    given = np.asarray(camera.dist, dtype=np.float64).reshape(-1)
    if len(given) > 5 and np.abs(given[5:]).max() > 0:
        raise InputError("Cameras are taken with up to five distortion coefficients (k1 k2 p1 p2 k3).")
    dist[: min(len(given), 5)] = given[:5]
    K = np.asarray(camera.K, dtype=np.float64)
    R = np.eye(3) if own_axes else np.asarray(camera.R, dtype=np.float64)
    t = np.zeros(3) if own_axes else np.asarray(camera.t, dtype=np.float64)
    if K.shape != (3, 3) or R.shape != (3, 3) or t.shape != (3,):
        raise InputError(f"A camera needs K (3, 3), R (3, 3), t (3,); got {K.shape}, {R.shape}, {t.shape}.")
    packed = np.concatenate([[K[0, 0], K[0, 1], K[0, 2], K[1, 1], K[1, 2]], dist, R.reshape(-1), t])
    if not np.isfinite(packed).all() or K[0, 0] <= 0 or K[1, 1] <= 0:
        raise InputError("The camera's calibration holds values that are not finite or no focal length.")
    return np.append(packed, _good_radius(float(dist[0]), float(dist[1]), float(dist[4])))
