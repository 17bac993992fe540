"""A rendered operating room with people whose bodies are known exactly.

For the demo, for tests that need truth, and for pictures that may be shown to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from backends.body import BodyModel, load_body, posed_joints, posed_keypoints, posed_vertices
from backends.body.params import BodyParams
from backends.body.pose import shaped_joints
from backends.camera import Camera
from backends.errors import InputError
from backends.keypoints.types import Visibility
from backends.masks import CropMask, encode_mask
from backends.render import UNLIT, Lamp, Light, Mesh, Picture, rasterize
from backends.synthetic.clothes import OUTFITS, Dressed, dress
from backends.synthetic.furniture import TABLE, room
from backends.synthetic.kernels import grain
from backends.synthetic.lighting import Backdrop, look_at, make_backdrop
from backends.synthetic.motion import Pointer, Walker, Worker

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]

MAX_PEOPLE = 3
_EYE, _TARGET = np.array([0.0, -5.9, 2.3]), np.array([0.0, 0.3, 0.98])
_SCREEN = np.array([-2.0, 1.3, 1.75])
_BEHIND_M = 0.12
"""A keypoint lies inside the body: it counts as hidden where something is nearer than this before it."""
_NOISE = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class PersonTruth:
    """One person in one frame, exactly.

    Attributes:
        person_id: 1, 2, 3, the same in every frame.
        params: the bare body's parameters, camera coordinates.
        joints: (55, 3), keypoints_3d: (23, 3) metres, camera coordinates.
        keypoints_2d: (23, 2) pixels.
        visibility: (23,) uint8, see :class:`backends.keypoints.types.Visibility`; absent means outside.
        box: (4,) x0 y0 x1 y1 of the visible pixels, or None where nothing is seen.
        mask: the visible pixels, clothes included, or None.
        seen: share of the silhouette that nothing hides, in [0, 1].
    """

    person_id: int
    params: BodyParams
    joints: F8
    keypoints_3d: F8
    keypoints_2d: F8
    visibility: U1
    box: F4 | None
    mask: CropMask | None
    seen: float


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is in frame ``index`` at ``time`` seconds, as ``camera`` sees it."""

    index: int
    time: float
    camera: Camera
    people: tuple[PersonTruth, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Actor:
    person_id: int
    body: BodyModel
    dressed: Dressed
    motion: Worker | Pointer | Walker


def room_camera(width: int, height: int) -> Camera:
    """The room's camera: high on the wall, focal length ``1.2 * max(H, W)`` as assumed of unknown footage."""
    return look_at(_EYE, _TARGET, 1.2 * max(width, height), width, height)


def make_clip(
    seconds: float = 8.0,
    fps: float = 25.0,
    width: int = 1280,
    height: int = 720,
    people: int = 3,
    seed: int = 0,
) -> Iterator[tuple[U1, Truth]]:
    """Frames of the room with what is true in each: (H, W, 3) uint8 RGB and :class:`Truth`.

    The first person works at the table, the second walks across and back, the third stands at the side
    and points at a screen. The same arguments give the same pixels.

    Args:
        people: 0 to 3.

    Raises:
        InputError: for a size, a length or a number of people that cannot be.
    """
    if not (seconds > 0 and fps > 0 and width >= 16 and height >= 16):
        raise InputError(
            f"a clip needs a length, a rate and a size, got {seconds} s, {fps}/s, {width} x {height}"
        )
    if not 0 <= people <= MAX_PEOPLE:
        raise InputError(f"the room holds 0 to {MAX_PEOPLE} people, got {people}")
    return _frames(seconds, fps, room_camera(width, height), people, seed)


def _frames(seconds: float, fps: float, camera: Camera, people: int, seed: int) -> Iterator[tuple[U1, Truth]]:
    rng = np.random.default_rng(seed)
    actors = _cast(people, seconds, rng)
    backdrop = make_backdrop(room(), camera, seed)
    light = _light(camera)
    noise = rng.standard_normal(1 << 20).astype(np.float32)
    for index in range(max(round(seconds * fps), 1)):
        time = index / fps
        image, truth = _frame(index, time, actors, backdrop, camera, light)
        grain(image, noise, int(rng.integers(len(noise))), _NOISE)
        yield image, truth


def _cast(people: int, seconds: float, rng: np.random.Generator) -> list[_Actor]:
    actors = []
    for k in range(people):
        body = load_body()
        betas = np.zeros(body.n_betas)
        betas[:4] = rng.normal(0.0, (0.22, 0.5, 0.5, 0.5))
        dressed = dress(body, OUTFITS[k], rng)
        motion: Worker | Pointer | Walker
        if k == 0:
            motion = Worker(body, betas, np.array([-0.12, TABLE[1] + 0.47]), -np.pi / 2 + 0.05, seconds, rng)
        elif k == 1:
            way = np.array([[-1.70, -0.45], [-0.9, -0.62], [0.2, -0.62], [0.72, -0.52]])
            motion = Walker(body, betas, way, 1.05, rng)
        else:
            motion = Pointer(body, betas, np.array([1.42, 0.10]), np.pi + 0.62, _SCREEN, seconds, rng)
        actors.append(_Actor(k + 1, body, dressed, motion))
    return actors


def _light(camera: Camera) -> Light:
    """The room's light in camera axes: from the ceiling, a key in front, a fill from the side."""

    def towards(x: float, y: float, z: float) -> tuple[float, float, float]:
        d = camera.R @ np.array([x, y, z])
        return float(d[0]), float(d[1]), float(d[2])

    return Light(
        sky=(0.40, 0.41, 0.425),
        floor=(0.15, 0.15, 0.15),
        lamps=(
            Lamp(towards(-0.5, -0.7, 1.0), (0.50, 0.49, 0.47), 0.15),
            Lamp(towards(0.7, 0.2, 1.0), (0.30, 0.30, 0.30), 0.10),
        ),
        edge=0.22,
    )


def _in_camera(params: BodyParams, body: BodyModel, camera: Camera) -> BodyParams:
    """World parameters as camera parameters: the root turns about the pelvis joint."""
    J0 = shaped_joints(body, params.betas)[0]
    pose = params.pose.copy()
    pose[0] = Rotation.from_matrix(camera.R @ Rotation.from_rotvec(params.pose[0]).as_matrix()).as_rotvec()
    return BodyParams(params.betas, pose, camera.R @ (J0 + params.transl) + camera.t - J0)


def _frame(
    index: int, time: float, actors: list[_Actor], backdrop: Backdrop, camera: Camera, light: Light
) -> tuple[U1, Truth]:
    world = [actor.motion.at(time) for actor in actors]
    vertices = [posed_vertices(a.dressed.body, p) for a, p in zip(actors, world)]
    image = backdrop.with_shadows([(v, a.dressed.body.faces) for v, a in zip(vertices, actors)])
    meshes = [
        Mesh((v @ camera.R.T + camera.t).astype(np.float32), a.dressed.body.faces, a.dressed.colors)
        for v, a in zip(vertices, actors)
    ]
    depth = backdrop.depth
    truths = []
    if meshes:
        picture = rasterize(meshes, camera, light=light)
        front = picture.depth < backdrop.depth
        _lay(image, picture, backdrop)
        depth = np.minimum(picture.depth, backdrop.depth)
        for k, (actor, params) in enumerate(zip(actors, world)):
            silhouette = picture.mesh_id == k
            if _meets_another(k, meshes, camera):
                silhouette = rasterize([meshes[k]], camera, light=UNLIT).face_id >= 0
            mine = (picture.mesh_id == k) & front
            seen = float(mine.sum() / max(silhouette.sum(), 1))
            truths.append(_truth(actor, _in_camera(params, actor.body, camera), camera, depth, mine, seen))
    return image, Truth(index, time, camera, tuple(truths))


def _lay(image: U1, picture: Picture, backdrop: Backdrop) -> None:
    """Draw people over the room where nothing of the room is before them; edges mix by coverage."""
    window = picture.window
    # Where a pixel's centre misses the body but its edge does not, the nearest body depth decides.
    depth = np.where(np.isfinite(picture.crop_depth), picture.crop_depth, 0.0).astype(np.float32)
    depth = np.where(depth > 0, depth, cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    before = (depth < backdrop.depth[window]).astype(np.float32)
    soft = np.minimum(cv2.blur(before, (3, 3)) * 1.5, 1.0) * before
    alpha = (picture.crop_coverage * soft)[..., None]
    below = image[window]
    image[window] = (below + (picture.crop_rgb.astype(np.float32) - below) * alpha + 0.5).astype(np.uint8)


def _meets_another(k: int, meshes: list[Mesh], camera: Camera) -> bool:
    """True where the picture's rectangles of mesh ``k`` and of another one overlap."""
    corners = []
    for mesh in meshes:
        xy = camera.project(mesh.vertices)
        corners.append((np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)))
    low, high = corners[k]
    others = (c for j, c in enumerate(corners) if j != k)
    return any(bool((low <= h).all() and (lo <= high).all()) for lo, h in others)


def _truth(
    actor: _Actor, params: BodyParams, camera: Camera, depth: F4, mine: npt.NDArray[np.bool_], seen: float
) -> PersonTruth:
    keypoints = posed_keypoints(actor.body, params)
    xy = camera.project(keypoints)
    column, row = np.rint(xy[:, 0]), np.rint(xy[:, 1])
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    r = np.clip(np.nan_to_num(row), 0, camera.height - 1).astype(int)
    c = np.clip(np.nan_to_num(column), 0, camera.width - 1).astype(int)
    clear = depth[r, c] > keypoints[:, 2] - _BEHIND_M
    visibility = np.where(inside, np.where(clear, Visibility.VISIBLE, Visibility.OCCLUDED), Visibility.ABSENT)
    box, mask = None, None
    rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
    if len(rows):
        x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
        box = np.array([x0, y0, x1, y1], np.float32)
        mask = encode_mask(mine[y0 : y1 + 1, x0 : x1 + 1], x0, y0)
    return PersonTruth(
        person_id=actor.person_id, params=replace(params, pose=params.pose.copy()),
        joints=posed_joints(actor.body, params), keypoints_3d=keypoints, keypoints_2d=xy,
        visibility=visibility.astype(np.uint8), box=box, mask=mask,
        seen=seen,
    )  # fmt: skip
