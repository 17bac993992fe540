"""A tiny scene made by hand from the shipped body: what the renderer gives, without the renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.spatial.transform import Rotation

from backends.body import load_body, posed_joints, posed_keypoints, posed_vertices
from backends.body.params import BodyParams
from backends.body.placed import in_camera
from backends.body.pose import shaped_joints
from backends.camera import Camera
from backends.masks import encode_mask
from backends.render import UNLIT, Mesh, rasterize
from backends.synthetic.types import CameraFrame, PersonTruth, PersonWorld, SceneFrame

W, H = 96, 64
_SKINS = ((200, 150, 120), (90, 120, 200), (120, 200, 90))


def looking_at(eye: np.ndarray, target: np.ndarray) -> Camera:
    """An upright camera at ``eye``."""
    z = target - eye
    z = z / np.linalg.norm(z)
    x = np.cross(z, (0.0, 0.0, 1.0))
    x /= np.linalg.norm(x)
    R = np.stack([x, np.cross(z, x), z])
    K = np.array([[90.0, 0.0, (W - 1) / 2], [0.0, 91.0, (H - 1) / 2], [0.0, 0.0, 1.0]])
    return Camera(K, W, H, R, -R @ eye)


class FakeScene:
    """Two people on one spot each, turning; two cameras, the second one moving where asked for."""

    def __init__(self, *, n_frames: int = 3, people: int = 2, moving: bool = False, cameras: int = 2) -> None:
        self.camera_names = tuple(f"cam{k + 1:02d}" for k in range(cameras))
        self.n_frames = n_frames
        self.fps = 25.0
        self.people = people
        self.moving = moving

    def prepare(self, check: Callable[[], object]) -> None:
        """Nothing to do, but it may be stopped."""
        check()

    def plates(self) -> tuple[np.ndarray, ...]:
        """Grey rooms."""
        return tuple(np.full((H, W, 3), 60 + 20 * k, np.uint8) for k in range(len(self.camera_names)))

    def frames(self) -> Iterator[SceneFrame]:
        """All frames."""
        for index in range(self.n_frames):
            yield self.frame(index)

    def frame(self, index: int) -> SceneFrame:
        """One frame."""
        body = load_body()
        world = []
        for k in range(self.people):
            betas = np.zeros(body.n_betas)
            betas[:2] = 0.3 * k, -0.2
            pose = np.random.default_rng(k).normal(0, 0.05, (55, 3))
            turn = Rotation.from_euler("z", 40 * k + 7 * index, degrees=True)
            pose[0] = (turn * Rotation.from_euler("x", 90, degrees=True)).as_rotvec()
            params = BodyParams(betas, pose, np.array([0.9 * k - 0.4, 0.3 * k, 0.95]))
            world.append(
                PersonWorld(k + 1, params, posed_joints(body, params), posed_keypoints(body, params))
            )
        views = tuple(self._view(index, k, world) for k in range(len(self.camera_names)))
        return SceneFrame(index, index / self.fps, tuple(world), views)

    def _view(self, index: int, k: int, world: list[PersonWorld]) -> CameraFrame:
        body = load_body()
        sway = 0.1 * index if self.moving and k == 1 else 0.0
        camera = looking_at(np.array([-1.5 + 2.5 * k + sway, -4.0, 1.6]), np.array([0.0, 0.0, 0.9]))
        meshes = [
            Mesh(posed_vertices(body, p.params) @ camera.R.T + camera.t, body.faces, _SKINS[n])
            for n, p in enumerate(world)
        ]
        image = self.plates()[k]
        ids = np.zeros((H, W), np.uint8)
        depth = np.full((H, W), 6.0, np.float32)
        if meshes:
            picture = rasterize(meshes, camera, light=UNLIT)
            ids = np.where(picture.mesh_id >= 0, picture.mesh_id + 1, 0).astype(np.uint8)
            depth = np.where(ids > 0, picture.depth, depth).astype(np.float32)
            for n in range(len(world)):
                image[ids == n + 1] = _SKINS[n]
        depth_mm = np.rint(depth * 1000).astype(np.uint16)
        depth_mm[:3] = 0  # a sensor's hole
        people = tuple(self._truth(p, camera, ids) for p in world)
        heads = np.where(np.arange(H)[:, None] < 28, ids, 0).astype(np.uint8)
        return CameraFrame(self.camera_names[k], camera, image, depth, depth_mm, ids, heads, people)

    def _truth(self, person: PersonWorld, camera: Camera, ids: np.ndarray) -> PersonTruth:
        body = load_body()
        pelvis = shaped_joints(body, person.params.betas)[0]
        params = in_camera(person.params, pelvis, camera.R, camera.t)
        keypoints = person.keypoints_3d @ camera.R.T + camera.t
        xy = camera.project(keypoints)
        inside = ((xy >= 0) & (xy <= (W - 1, H - 1))).all(axis=1)
        visibility = np.where(inside, 2 - (np.arange(23) % 4 == 0), 0).astype(np.uint8)
        mine = ids == person.person_id
        box = mask = None
        if mine.any():
            ys, xs = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
            box = np.array([xs[0], ys[0], xs[-1], ys[-1]], np.float32)
            mask = encode_mask(mine[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1], int(xs[0]), int(ys[0]))
        face = None if person.person_id == 1 else np.array([10, 11, 14.5, 15.25], np.float32)
        head = np.array([9, 10, 20, 22], np.float32)
        return PersonTruth(
            person.person_id, params, person.joints @ camera.R.T + camera.t, keypoints, xy, visibility, box,
            mask, 0.125 * person.person_id, face, 0.0 if face is None else 0.7, head, person.person_id == 1,
        )  # fmt: skip
