"""Where a fit without a predecessor starts: close enough that it does not end in a mirror pose.

With the estimator's world landmarks there is one start. Without, each bone's depth follows from its
length but for the sign (Taylor, Reconstruction of articulated objects from point correspondences in a
single uncalibrated image, 2000); several signs of the torso are tried, and :mod:`flips` turns limbs over.
"""

from __future__ import annotations

from itertools import product

import numba
import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.body.pose import rodrigues
from backends.body.skeleton import JOINT_INDEX
from backends.camera import Camera
from backends.fitting.arrays import Array
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.layout import INDEX, N_KEYPOINTS

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

TORSO: I8 = np.array([INDEX[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")])
_CHAINS = (
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip
CHAINS: I8 = np.array([[INDEX[a], INDEX[b]] for a, b in _CHAINS])
CHAIN_JOINT: I8 = np.array([JOINT_INDEX[a] for a, _ in _CHAINS])
_L_SHOULDER, _R_SHOULDER, _L_HIP, _R_HIP = (int(k) for k in TORSO)


def ray_frame(camera: Camera, xy: F8) -> F8:
    """(..., 3, 3) rotations whose columns are the axes, in camera coordinates, of a camera that looks
    straight at pixels ``xy`` (..., 2): an estimator that works on a crop speaks in these axes."""
    x, y = (xy[..., 0] - camera.K[0, 2]) / camera.fx, (xy[..., 1] - camera.K[1, 2]) / camera.fy
    n = np.sqrt(x * x + y * y + 1.0)
    zx, zy, zz = x / n, y / n, 1.0 / n
    m = np.sqrt(zx * zx + zz * zz)
    xx, xz = zz / m, -zx / m  # (0, 1, 0) x z
    out = np.zeros((*np.shape(x), 3, 3))
    out[..., 0, 0], out[..., 2, 0] = xx, xz
    out[..., 0, 1], out[..., 1, 1], out[..., 2, 1] = zy * xz, zz * xx - zx * xz, -zy * xx
    out[..., 0, 2], out[..., 1, 2], out[..., 2, 2] = zx, zy, zz
    return out


@numba.njit(cache=True, nogil=True)
def rotation_vector(R: Array) -> Array:
    """Axis-angle (3,) of a rotation matrix, through the quaternion with the largest part."""
    t = R[0, 0] + R[1, 1] + R[2, 2]
    q = np.empty(4)
    if t > 0.0:
        s = np.sqrt(t + 1.0) * 2.0
        q[0], q[1] = 0.25 * s, (R[2, 1] - R[1, 2]) / s
        q[2], q[3] = (R[0, 2] - R[2, 0]) / s, (R[1, 0] - R[0, 1]) / s
    else:
        i = 0
        if R[1, 1] > R[0, 0]:
            i = 1
        if R[2, 2] > R[i, i]:
            i = 2
        j, k = (i + 1) % 3, (i + 2) % 3
        s = np.sqrt(max(R[i, i] - R[j, j] - R[k, k] + 1.0, 1e-12)) * 2.0
        q[0] = (R[k, j] - R[j, k]) / s
        q[1 + i] = 0.25 * s
        q[1 + j] = (R[j, i] + R[i, j]) / s
        q[1 + k] = (R[k, i] + R[i, k]) / s
    if q[0] < 0.0:
        q = -q
    n = np.sqrt(q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    if n < 1e-12:
        return 2.0 * q[1:]
    return q[1:] * (2.0 * np.arctan2(n, q[0]) / n)


@numba.njit(cache=True, nogil=True)
def _onto(source: Array, target: Array) -> Array:
    """Rotation (3, 3) that turns centred ``source`` onto centred ``target`` best (Kabsch)."""
    n = len(source)
    a, b = np.zeros(3), np.zeros(3)
    for k in range(n):
        a += source[k] / n
        b += target[k] / n
    C = np.zeros((3, 3))
    for k in range(n):
        for r in range(3):
            for c in range(3):
                C[r, c] += (target[k, r] - b[r]) * (source[k, c] - a[c])
    u, _, vt = np.linalg.svd(C)
    if np.linalg.det(u) * np.linalg.det(vt) < 0.0:
        u[:, 2] = -u[:, 2]
    return u @ vt


@numba.njit(cache=True, nogil=True)
def _between(a: Array, b: Array) -> Array:
    """Smallest turn, as axis-angle (3,), that brings direction ``a`` to ``b``."""
    axis = np.cross(a, b)
    s = np.sqrt((axis * axis).sum())
    c = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    if s > 1e-9:
        return axis / s * np.arctan2(s, c)
    if c > 0.0:
        return np.zeros(3)
    other = np.zeros(3)
    other[np.argmin(np.abs(a))] = 1.0
    axis = np.cross(a, other)
    return axis / np.sqrt((axis * axis).sum()) * np.pi


@numba.njit(cache=True, nogil=True)
def start_pose(
    world: Array, mean: Array, rest_torso: Array, rest_bones: Array, parents: Array, torso: Array,
    chains: Array, chain_joint: Array,
) -> Array:  # fmt: skip
    """(66,) axis-angles that bring torso and limbs into the directions of ``world`` (23, 3), camera or
    world axes, NaN where unknown; ``mean`` (66,) is the pose of everything that is not known.

    ``rest_torso`` (4, 3) and ``rest_bones`` (8, 3) are the torso's keypoints and the limbs' bones at rest.
    """
    pose = mean.copy()
    known = np.zeros(4, dtype=np.int64)
    n = 0
    for i in range(4):
        if np.isfinite(world[torso[i]]).all():
            known[n] = i
            n += 1
    if n >= 3:
        source, target = np.empty((n, 3)), np.empty((n, 3))
        for i in range(n):
            source[i] = rest_torso[known[i]]
            target[i] = world[torso[known[i]]]
        pose[:3] = rotation_vector(_onto(source, target))
    else:
        pose[0], pose[1], pose[2] = np.pi, 0.0, 0.0  # upright, facing the camera
    G = np.empty((len(parents), 3, 3))
    for j in range(len(parents)):
        p = parents[j]
        for i in range(len(chains)):
            if chain_joint[i] != j:
                continue
            d = world[chains[i, 1]] - world[chains[i, 0]]
            if np.isfinite(d).all() and np.sqrt((d * d).sum()) > 0.03:
                pose[3 * j : 3 * j + 3] = _between(rest_bones[i], np.ascontiguousarray(G[p].T) @ d)
        local = rodrigues(pose[3 * j : 3 * j + 3])
        G[j] = local if p < 0 else G[p] @ local
    return pose


class Starter:
    """Makes starts for one body: knows its bones at rest."""

    def __init__(self, body: BodyModel) -> None:
        rest = np.asarray(body.keypoint_regressor @ body.v_template)
        J = body.J_template
        ends = np.array([JOINT_INDEX[b] for _, b in _CHAINS])
        self._torso = np.ascontiguousarray(rest[TORSO])
        self._bones = np.ascontiguousarray(J[ends] - J[CHAIN_JOINT])
        self._parents = np.ascontiguousarray(body.parents[:N_FIT_JOINTS], dtype=np.int64)
        shoulders, hips = rest[[_L_SHOULDER, _R_SHOULDER]], rest[[_L_HIP, _R_HIP]]
        self._back = float(np.linalg.norm(shoulders.mean(axis=0) - hips.mean(axis=0)))
        self._widths = (
            float(np.linalg.norm(shoulders[0] - shoulders[1])),
            float(np.linalg.norm(hips[0] - hips[1])),
        )
        self._lengths = np.linalg.norm(rest[CHAINS[:, 1]] - rest[CHAINS[:, 0]], axis=1)
        self.hips = (rest[_L_HIP] + rest[_R_HIP]) / 2

    @property
    def arrays(self) -> tuple[F8, F8, I8, I8, I8, I8]:
        """What :func:`start_pose` takes after world and mean."""
        return self._torso, self._bones, self._parents, TORSO, CHAINS, CHAIN_JOINT

    def pose(self, world: F8, mean: F8) -> F8:
        """(66,) the start for landmarks (23, 3), NaN where unknown."""
        return np.asarray(start_pose(np.ascontiguousarray(world), mean, *self.arrays))

    def lifted(self, xy: F8, used: npt.NDArray[np.bool_]) -> list[F8]:
        """Landmarks (23, 3) about the hips that the outline allows: torso leaning towards or from the
        camera, left side nearer or farther. Limbs lie flat. Rows of NaN where unused."""
        scale = self._pixels_per_metre(xy, used)
        flat = np.full((N_KEYPOINTS, 3), np.nan)
        flat[used, :2] = (xy[used] - xy[used].mean(axis=0)) / scale
        flat[used, 2] = 0.0
        if not used[TORSO].all():
            return [flat]
        shoulders, hips = flat[[_L_SHOULDER, _R_SHOULDER]], flat[[_L_HIP, _R_HIP]]
        back = float(np.linalg.norm((shoulders.mean(axis=0) - hips.mean(axis=0))[:2]))
        lean = max(self._back**2 - back**2, 0.0) ** 0.5
        turn = [
            max(width**2 - float(np.hypot(*(ends[0] - ends[1])[:2])) ** 2, 0.0) ** 0.5 / 2
            for width, ends in zip(self._widths, (shoulders, hips))
        ]
        lifts = []
        for side, forwards in product((1.0, -1.0), (1.0, -1.0)):
            z = np.zeros(N_KEYPOINTS)
            upper = forwards * lean
            z[[_L_HIP, _R_HIP]] = side * turn[1], -side * turn[1]
            z[[_L_SHOULDER, _R_SHOULDER]] = upper + side * turn[0], upper - side * turn[0]
            z[:5] = upper
            for a, b in CHAINS:  # a limb lies in the plane of its root
                z[b] = z[a]
            for foot, ankle in ((17, 15), (18, 15), (19, 15), (20, 16), (21, 16), (22, 16)):
                z[foot] = z[ankle]
            world = flat.copy()
            world[used, 2] = z[used]
            lifts.append(world)
        return lifts

    def _pixels_per_metre(self, xy: F8, used: npt.NDArray[np.bool_]) -> float:
        """The scale at which no bone is longer than it can be (but for one outlier)."""
        both = used[CHAINS].all(axis=1)
        seen = np.linalg.norm(xy[CHAINS[:, 1]] - xy[CHAINS[:, 0]], axis=1)
        ratios = list((seen / self._lengths)[both])
        if used[TORSO].all():
            middle = xy[[_L_SHOULDER, _R_SHOULDER]].mean(axis=0) - xy[[_L_HIP, _R_HIP]].mean(axis=0)
            ratios.append(float(np.hypot(*middle)) / self._back)
            ratios.append(float(np.hypot(*(xy[_L_SHOULDER] - xy[_R_SHOULDER]))) / self._widths[0])
        if len(ratios) < 2:
            return max(float(np.hypot(*np.ptp(xy[used], axis=0))) / 1.8, 1.0)
        return max(float(np.sort(ratios)[-2]), 1.0)


@numba.njit(cache=True, nogil=True)
def place_by_scale(world: Array, xy: Array, used: Array, camera: Array) -> Array:
    """(3,) the point ``world`` (23, 3) is measured from, in camera coordinates, by scaled orthography.

    The scale is the least-squares one between the landmarks' x, y and the picture's; ``camera`` is packed
    (:func:`backends.fitting.arrays.pack_camera`), its distortion is left out.
    """
    n = 0
    mw, mp = np.zeros(2), np.zeros(2)
    for k in range(len(world)):
        if used[k] and np.isfinite(world[k]).all():
            n += 1
            mw += world[k, :2]
            mp += xy[k]
    mw /= max(n, 1)
    mp /= max(n, 1)
    aa, ab, bb = 1e-9, 0.0, 0.0
    for k in range(len(world)):
        if used[k] and np.isfinite(world[k]).all():
            for r in range(2):
                a, b = world[k, r] - mw[r], xy[k, r] - mp[r]
                aa += a * a
                ab += a * b
                bb += b * b
    scale = max(ab / aa, 0.5 * np.sqrt(bb / aa), 1.0)
    z = camera[0] / scale
    out = np.empty(3)
    out[0] = (mp[0] - scale * mw[0] - camera[2]) / camera[0] * z
    out[1] = (mp[1] - scale * mw[1] - camera[4]) / camera[3] * z
    out[2] = z
    return out
