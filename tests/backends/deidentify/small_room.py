"""A small room with people whose pixels are known, for the tests of covering."""

from __future__ import annotations

import cv2
import numpy as np

from backends.body import BodyParams, load_body, posed_keypoints, posed_vertices
from backends.camera import assumed_camera
from backends.deidentify import PersonCover
from backends.keypoints.types import Keypoints
from backends.masks import encode_mask
from backends.render import Mesh, rasterize

HEIGHT, WIDTH = 360, 480
CAMERA = assumed_camera(WIDTH, HEIGHT)
BODY = load_body()
SKIN = np.array([255, 0, 255], np.uint8)
ROOM_RGB = np.array([70, 110, 90], np.uint8)
HEAD_FACES = np.flatnonzero(BODY.head_vertices[BODY.faces].all(axis=1))


def standing(x: float = 0.0, z: float = 3.2, lift: float = 0.0) -> BodyParams:
    params = BodyParams.rest(BODY.n_betas)
    params.pose[0] = (np.pi, 0.0, 0.0)
    params.transl[:] = (x, 0.35 - lift, z)
    return params


def room() -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.clip(ROOM_RGB + rng.integers(-4, 5, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)


def person(params: BodyParams, *, wider: int = 5) -> tuple[PersonCover, np.ndarray]:
    """A cover, and the pixels that the "real" person fills: the body a little wider, as clothes are."""
    vertices = posed_vertices(BODY, params).astype(np.float32)
    mesh = Mesh(vertices, BODY.faces, (180, 190, 200))
    silhouette = (rasterize([mesh], CAMERA).coverage > 0).astype(np.uint8)
    real = cv2.dilate(silhouette, np.ones((wider, wider), np.uint8)) > 0
    rows, columns = np.flatnonzero(real.any(axis=1)), np.flatnonzero(real.any(axis=0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    mask = encode_mask(real[y0:y1, x0:x1], int(x0), int(y0))
    xy = CAMERA.project(posed_keypoints(BODY, params)).astype(np.float32)
    keypoints = Keypoints(xy, np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8), np.zeros(23, np.uint8))
    head = CAMERA.project(vertices[BODY.head_vertices]).astype(np.float32)
    box = np.array([x0, y0, x1, y1], np.float32)
    face = CAMERA.project(vertices[BODY.face_vertices]).astype(np.float32)
    cover = PersonCover(
        box, keypoints, (mask,), mesh, HEAD_FACES, head, float(y1 - y0), face_xy=face
    )  # fmt: skip
    return cover, real


def with_people(image: np.ndarray, *reals: np.ndarray) -> np.ndarray:
    out = image.copy()
    for real in reals:
        out[real] = SKIN
    return out


def skin(image: np.ndarray) -> np.ndarray:
    """Pixels in which the person's colour shows, be it ever so thin."""
    rgb = image.astype(int)
    return (rgb[..., 0] - rgb[..., 1] > 40) & (rgb[..., 2] - rgb[..., 1] > 40)


def changed(a: PersonCover, **fields: object) -> PersonCover:
    values = {n: getattr(a, n) for n in PersonCover.__dataclass_fields__}
    return PersonCover(**{**values, **fields})  # type: ignore[arg-type]
