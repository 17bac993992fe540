"""Bodies and motions whose truth is known, and keypoints as an estimator would see them: for benchmarks
and tests of the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from backends.body import BodyModel, BodyParams, posed_joints, posed_keypoints
from backends.camera import Camera
from backends.fitting.arrays import pack_camera
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE
from backends.fitting.problem import pose_prior, resting_hands
from backends.fitting.start import ray_frame
from backends.fitting.terms import project_points
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints

F8 = npt.NDArray[np.float64]

_UPRIGHT = Rotation.from_matrix([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""The rest pose (y up) turned into a world with z up."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A smooth motion: ``params`` of each frame, world coordinates (metres, z up)."""

    params: tuple[BodyParams, ...]
    fps: float


def ring_of_cameras(n: int = 4, *, room_m: float = 5.0, size: tuple[int, int] = (1280, 720)) -> list[Camera]:
    """``n`` calibrated cameras (mild lens distortion) at 2.3 m height about a square room, looking at the
    middle, 1 m over the floor."""
    width, height = size
    f = 0.72 * width
    K = np.array([[f, 0.0, (width - 1) / 2], [0.0, f, (height - 1) / 2], [0.0, 0.0, 1.0]])
    cameras = []
    for i in range(n):
        angle = 2 * np.pi * (i + 0.5) / n
        eye = np.array([room_m / 2 * 1.2 * np.cos(angle), room_m / 2 * 1.2 * np.sin(angle), 2.3])
        z = np.array([0.0, 0.0, 1.0]) - eye
        z /= np.linalg.norm(z)
        x = np.cross(z, [0.0, 0.0, 1.0])
        x /= np.linalg.norm(x)
        R = np.stack([x, np.cross(z, x), z])
        dist = np.array([-0.05, 0.01, 2e-4, -1e-4, 0.0])
        cameras.append(Camera(K, width, height, R, -R @ eye, dist))
    return cameras


def random_pose(body: BodyModel, rng: np.random.Generator, share: float = 0.8) -> F8:
    """(55, 3) an everyday pose within the joint limits, root at rest, fingers slightly bent; ``share`` of
    the pose prior's spread."""
    mean, inverse = pose_prior()
    spread = np.where(inverse > 0, 1 / np.maximum(inverse, 1e-9), 0.0)
    limits = body.joint_limits[:N_FIT_JOINTS].reshape(-1, 2)
    pose = np.zeros((55, 3))
    drawn = mean + share * spread * rng.normal(size=N_POSE)
    pose[:N_FIT_JOINTS] = np.clip(drawn, *limits.T).reshape(-1, 3)
    pose[N_FIT_JOINTS:] = resting_hands()
    return pose


def random_body(body: BodyModel, rng: np.random.Generator, betas: F8 | None = None) -> BodyParams:
    """Somebody upright near the middle of a room, world coordinates (z up), feet about on the floor."""
    pose = random_pose(body, rng)
    turn = Rotation.from_euler("z", rng.uniform(-180, 180), degrees=True)
    lean = Rotation.from_euler("xy", rng.normal(0, 8, 2), degrees=True)
    pose[0] = (turn * lean * _UPRIGHT).as_rotvec()
    shape = rng.normal(0, 0.7, body.n_betas) if betas is None else betas
    params = BodyParams(shape, pose, np.append(rng.uniform(-0.8, 0.8, 2), 0.0))
    floor = float(posed_keypoints(body, params)[:, 2].min())
    return BodyParams(shape, pose, params.transl - [0.0, 0.0, floor])


def random_motion(
    body: BodyModel, rng: np.random.Generator, frames: int, fps: float = 25.0, *, share: float = 0.6
) -> Motion:
    """A smooth walk through random everyday poses, a new one about every 0.8 s, turning slowly."""
    seconds = frames / fps
    n = max(int(np.ceil(seconds / 0.8)) + 3, 5)
    times = (np.arange(n) - 1) * 0.8
    poses = CubicSpline(times, np.stack([random_pose(body, rng, share)[1:N_FIT_JOINTS] for _ in range(n)]))
    places = CubicSpline(times, np.cumsum(rng.normal(0, 0.15, (n, 2)), axis=0))
    headings = CubicSpline(times, np.cumsum(rng.normal(0, 0.35, n)) + rng.uniform(-np.pi, np.pi))
    betas = rng.normal(0, 0.7, body.n_betas)
    limits = body.joint_limits[1:N_FIT_JOINTS]
    params = []
    for i in range(frames):
        t = i / fps
        pose = np.zeros((55, 3))
        pose[1:N_FIT_JOINTS] = np.clip(poses(t), limits[..., 0], limits[..., 1])
        pose[N_FIT_JOINTS:] = resting_hands()
        pose[0] = (Rotation.from_euler("z", float(headings(t))) * _UPRIGHT).as_rotvec()
        params.append(BodyParams(betas, pose, np.append(places(t), 1.0)))
    return Motion(tuple(params), fps)


def to_camera(body: BodyModel, params: BodyParams, camera: Camera) -> BodyParams:
    """A body of world coordinates in the camera's."""
    root = body.J_template[0] + body.J_shapedirs[0] @ params.betas
    pose = params.pose.copy()
    pose[0] = (Rotation.from_matrix(camera.R) * Rotation.from_rotvec(pose[0])).as_rotvec()
    transl = camera.R @ (params.transl + root) + camera.t - root
    return BodyParams(params.betas, pose, transl)


def seen_keypoints(
    body: BodyModel, params: BodyParams, camera: Camera, rng: np.random.Generator, noise_px: float
) -> Keypoints:
    """The true keypoints of a body (world coordinates) in a view, with pixel noise; those out of the
    picture are absent."""
    xy = project_points(pack_camera(camera), posed_keypoints(body, params))
    inside = (xy > 0).all(axis=1) & (xy < [camera.width - 1, camera.height - 1]).all(axis=1)
    noisy = np.where(inside[:, None], xy + rng.normal(0, noise_px, xy.shape), 0.0)
    return Keypoints(
        noisy.astype(np.float32), np.where(inside, 0.95, 0.0).astype(np.float32),
        np.where(inside, 2, 0).astype(np.uint8), np.zeros(N_KEYPOINTS, np.uint8),
    )  # fmt: skip


def seen_world(
    body: BodyModel, params: BodyParams, camera: Camera, rng: np.random.Generator, noise_m: float = 0.03
) -> npt.NDArray[np.float32]:
    """(23, 3) world landmarks as a single-view estimator gives them: about the hips, in the axes of a crop,
    half as exact in depth."""
    points = posed_keypoints(body, params) @ camera.R.T + camera.t
    centre = project_points(pack_camera(camera, own_axes=True), points).mean(axis=0)
    world = (points - points[11:13].mean(axis=0)) @ ray_frame(camera, centre)
    return np.asarray(world + rng.normal(0, noise_m, (N_KEYPOINTS, 3)) * [1, 1, 2], dtype=np.float32)


def aligned_errors_mm(found: F8, truth: F8) -> F8:
    """(N,) distances, mm, after the best rotation, scale and shift (PA-MPJPE is their mean)."""
    a, b = found - found.mean(axis=0), truth - truth.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(flip)).sum() / max(float((a * a).sum()), 1e-12)
    away: F8 = 1e3 * np.linalg.norm(scale * a @ (u @ flip @ vt).T - b, axis=1)
    return away


def body_joints(body: BodyModel, params: BodyParams) -> F8:
    """(22, 3) the joints that are fitted."""
    return posed_joints(body, params)[:N_FIT_JOINTS]
