"""Where a fit without a predecessor starts: close enough that it does not end in a mirror pose."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from backends.body import BodyModel
from backends.body.skeleton import JOINT_INDEX, PARENTS
from backends.camera import Camera
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.layout import INDEX

F8 = npt.NDArray[np.float64]

_TORSO = tuple(INDEX[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
_CHAINS = (
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip


def ray_frame(camera: Camera, xy: F8) -> F8:
    """(3, 3) rotation whose columns are the axes, in camera coordinates, of a camera that looks straight
    at pixel ``xy``: an estimator that works on a crop speaks in these axes."""
    ray = np.array([(xy[0] - camera.K[0, 2]) / camera.fx, (xy[1] - camera.K[1, 2]) / camera.fy, 1.0])
    z = ray / np.linalg.norm(ray)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], axis=1)


def guess_world(xy: F8, used: npt.NDArray[np.bool_]) -> F8:
    """(23, 3) a flat person of the keypoints' outline, where the estimator has no depth; NaN where unused.

    Which way the chest faces follows from which side the left shoulder is on.
    """
    height = float(np.ptp(xy[used, 1])) + float(np.ptp(xy[used, 0])) * 0.3
    scale = 1.6 / max(height, 1.0)
    world = np.full((len(xy), 3), np.nan)
    world[used, :2] = (xy[used] - xy[used].mean(axis=0)) * scale
    world[used, 2] = 0.0
    return world


def place(world: F8, xy: F8, used: npt.NDArray[np.bool_], camera: Camera) -> F8:
    """(3,) the point ``world`` is measured from, in camera coordinates, by scaled orthography.

    The scale is the least-squares one between the landmarks' x, y and the picture's.
    """
    good = used & np.isfinite(world).all(axis=1)
    a = world[good, :2] - world[good, :2].mean(axis=0)
    b = xy[good] - xy[good].mean(axis=0)
    spread = max(float((a * a).sum()), 1e-9)
    scale = max(float((a * b).sum()) / spread, 0.5 * float(np.sqrt((b * b).sum() / spread)), 1.0)
    z = camera.fx / scale
    centre = xy[good].mean(axis=0) - scale * world[good, :2].mean(axis=0)
    return np.array(
        [(centre[0] - camera.K[0, 2]) / camera.fx * z, (centre[1] - camera.K[1, 2]) / camera.fy * z, z]
    )


def _procrustes(source: F8, target: F8) -> F8:
    """Rotation (3, 3) that turns centred ``source`` onto centred ``target`` best (Kabsch)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, _, vt = np.linalg.svd(b.T @ a)
    d = np.sign(np.linalg.det(u @ vt))
    return np.asarray(u @ np.diag([1.0, 1.0, d]) @ vt)


def _between(a: F8, b: F8) -> F8:
    """Smallest rotation (3, 3) that turns direction ``a`` to ``b``."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    axis = np.cross(a, b)
    s, c = float(np.linalg.norm(axis)), float(a @ b)
    if s < 1e-9:
        return np.eye(3) if c > 0 else Rotation.from_rotvec(np.pi * _any_normal(a)).as_matrix()
    return np.asarray(Rotation.from_rotvec(axis / s * np.arctan2(s, c)).as_matrix())


def _any_normal(a: F8) -> F8:
    other = np.eye(3)[int(np.argmin(np.abs(a)))]
    n = np.cross(a, other)
    return np.asarray(n / np.linalg.norm(n))


def start_pose(body: BodyModel, world_cam: F8, mean: F8) -> F8:
    """(22, 3) axis-angles that bring torso and limbs into the directions of ``world_cam``.

    Args:
        world_cam: (23, 3) landmarks, camera axes; NaN where unknown.
        mean: (66,) the pose for everything that is not known.
    """
    pose = mean.reshape(-1, 3).copy()
    rest = np.asarray(body.keypoint_regressor @ body.v_template)
    torso = [k for k in _TORSO if np.isfinite(world_cam[k]).all()]
    if len(torso) >= 3:
        root = _procrustes(rest[torso], world_cam[torso])
    else:
        root = np.diag([1.0, -1.0, -1.0])  # upright, facing the camera: y up becomes y down
    pose[0] = Rotation.from_matrix(root).as_rotvec()
    G: list[F8] = []
    for j in range(N_FIT_JOINTS):
        parent = PARENTS[j]
        local = np.asarray(Rotation.from_rotvec(pose[j]).as_matrix())
        for start, end in _CHAINS:
            if JOINT_INDEX[start] != j:
                continue
            direction = world_cam[INDEX[end]] - world_cam[INDEX[start]]
            if np.isfinite(direction).all() and np.linalg.norm(direction) > 0.03:
                bone = body.J_template[JOINT_INDEX[end]] - body.J_template[j]
                local = _between(bone, G[parent].T @ direction)
                pose[j] = Rotation.from_matrix(local).as_rotvec()
        G.append(local if parent < 0 else G[parent] @ local)
    return pose
