"""Draw meshes into a picture on the CPU: the same picture on every machine, without a screen."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.errors import InputError
from backends.render.geometry import (
    CUT,
    DECODE,
    ENCODE,
    clip_faces,
    light_vertices,
    project,
    turned,
    vertex_normals,
)
from backends.render.kernels import BAND, SAMPLES, bound, paint, see, sort_into_bands
from backends.render.types import F4, I4, SOFT, U1, Light, Mesh, Pick, Picture, checked

NEAR_M = 0.05
"""Faces are cut at this distance before the camera, metres."""

_NONE = np.zeros(0, np.bool_)

_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()


def _share(work: Callable[[int, int], None], threads: int) -> None:
    """Run ``work(i, threads)`` for every i, in this thread and a pool of our own.

    Not numba's ``prange``: its fall-back threading layer ends the process when two threads of the
    program draw at the same time, as a preview and an export do.
    """
    global _pool
    if threads <= 1:
        work(0, 1)
        return
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(
                max_workers=max(1, (os.cpu_count() or 2) - 1), thread_name_prefix="draw"
            )
    others = [_pool.submit(work, i, threads) for i in range(1, threads)]
    work(0, threads)
    for other in others:
        other.result()


class _Soup:
    """All meshes of a scene as one list of triangles with lit vertices."""

    def __init__(self, camera: Camera, light: Light, near: float) -> None:
        self.K = np.ascontiguousarray(camera.K, dtype=np.float64)
        self.light = light
        self.near = near
        self.n_vertices = 0
        self.screen: list[npt.NDArray[np.int64]] = []
        self.inverse: list[F4] = []
        self.lit: list[F4] = []
        self.triangles: list[I4] = []
        self.face_of: list[I4] = []
        self.mesh_of: list[npt.NDArray[np.int16]] = []

    def add(self, number: int, mesh: Mesh) -> None:
        vertices, faces, colors = checked(mesh, number)
        if not len(faces):
            return
        if not mesh.smooth:
            if len(colors) > 1:
                colors = np.ascontiguousarray(colors[faces.reshape(-1)])
            vertices = np.ascontiguousarray(vertices[faces.reshape(-1)])
            faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
        screen, inverse, state = self._projected(vertices, self.near)
        worst = int(state.max())
        sides = np.full(len(vertices), 3, np.uint8)
        whole, face_of = faces, np.arange(len(faces), dtype=np.int32)
        if worst:  # then the camera may be inside
            states = state[faces].max(axis=1)
            whole, face_of = faces[states == 0], face_of[states == 0]
        else:
            closed = mesh.closed if mesh.closed is not None else _NONE
            face_of = turned(screen, faces, closed, sides)
            whole = faces if len(face_of) == len(faces) else faces[face_of]
        lit = self._lit(vertices, faces, colors, mesh.light or self.light, sides)
        self._append(number, screen, inverse, lit, whole, face_of)
        if worst and bool((states == CUT).any()):
            corners, triangles, source = clip_faces(vertices, faces, lit, self.K, self.near, state)
            if len(triangles):
                screen, inverse, state = self._projected(corners[:, :3], self.near * 0.999)
                kept = (state[triangles] == 0).all(axis=1)
                self._append(
                    number, screen, inverse, corners[:, 3:].astype(np.float32), triangles[kept], source[kept]
                )

    def _projected(
        self, vertices: npt.NDArray[np.floating], near: float
    ) -> tuple[npt.NDArray[np.int64], F4, U1]:
        n = len(vertices)
        screen, inverse, state = np.empty((n, 2), np.int64), np.empty(n, np.float32), np.empty(n, np.uint8)
        project(np.ascontiguousarray(vertices, dtype=np.float32), self.K, near, screen, inverse, state)
        return screen, inverse, state

    def _lit(self, vertices: F4, faces: I4, colors: U1, light: Light, sides: U1) -> F4:
        lit = np.empty((len(vertices), 6), np.float32)
        if light.shaded:
            normals = vertex_normals(vertices, faces)
            light_vertices(vertices, normals, colors, light.table(), DECODE, ENCODE, sides, lit)
        else:
            lit[:, :3] = colors
            lit[:, 3:] = colors
        return lit

    def _append(
        self, number: int, screen: npt.NDArray[np.int64], inverse: F4, lit: F4, triangles: I4, face_of: I4
    ) -> None:
        self.screen.append(screen)
        self.inverse.append(inverse)
        self.lit.append(lit)
        self.triangles.append(triangles + np.int32(self.n_vertices))
        self.face_of.append(face_of)
        self.mesh_of.append(np.full(len(face_of), number, np.int16))
        self.n_vertices += len(screen)


def rasterize(
    meshes: Sequence[Mesh],
    camera: Camera,
    *,
    size: tuple[int, int] | None = None,
    light: Light = SOFT,
    near: float = NEAR_M,
    threads: int | None = None,
) -> Picture:
    """Draw meshes as the camera sees them: depth-tested, shaded, with antialiased edges.

    Args:
        meshes: in camera coordinates; faces are two-sided. An empty sequence, empty meshes, faces with
            vertices that are not finite and faces behind the camera draw nothing; faces that reach
            behind it are cut at ``near``.
        camera: only K is used (lens distortion is not applied, as in ``Camera.project``).
        size: (H, W) of the picture; the camera's own by default.
        near: metres before the camera at which faces are cut.
        threads: how many share the work (two by default where there are two cores). The picture does
            not depend on it.

    Returns:
        The picture; where two surfaces are equally near, the one that comes first is seen.

    Raises:
        InputError: arrays of wrong shape, a camera matrix that is not finite or has no focal length.
    """
    height, width = size if size is not None else (camera.height, camera.width)
    if height <= 0 or width <= 0:
        raise InputError(f"a picture needs a size above zero, got {width} x {height}")
    if camera.K.shape != (3, 3) or not np.isfinite(camera.K).all() or camera.fx <= 0 or camera.fy <= 0:
        raise InputError("the camera's matrix K has no usable focal length")
    if not near > 0:
        raise InputError(f"the near plane must lie before the camera, got {near} m")
    soup = _Soup(camera, light, near)
    for number, mesh in enumerate(meshes):
        soup.add(number, mesh)
    if not soup.triangles:
        return _empty(height, width)
    screen, triangles = _joined(soup.screen), _joined(soup.triangles)
    boxes, x0, y0, x1, y1 = bound(screen, triangles, width, height)
    if x1 < x0 or y1 < y0:
        return _empty(height, width)
    # One more on each side: a pixel is known for an edge by its neighbours.
    x0, y0, x1, y1 = max(x0 - 1, 0), max(y0 - 1, 0), min(x1 + 1, width - 1), min(y1 + 1, height - 1)
    h, w = y1 - y0 + 1, x1 - x0 + 1
    starts, members = sort_into_bands(boxes, y0, -(-h // BAND))
    inverse, lit = _joined(soup.inverse), _joined(soup.lit)
    mesh_of, face_of = _joined(soup.mesh_of), _joined(soup.face_of)
    smooth = np.array([m.smooth for m in meshes], np.bool_)
    picture = Picture(
        height, width, x0, y0,
        np.empty((h, w, 3), np.uint8), np.empty((h, w), np.float32), np.empty((h, w), np.float32),
        np.empty((h, w), np.int32), np.empty((h, w), np.int16),
    )  # fmt: skip

    seen, touched = np.empty((h, w), np.float32), np.empty((h, w), np.uint8)
    owner, label = np.empty((h, w), np.int32), np.empty((h, w), np.int32)
    # Two centres on one surface differ by about tan(slope) / f in depth: up to 80 degrees is one surface.
    jump = 6.0 / min(camera.fx, camera.fy)
    scene = (x0, y0, starts, members, boxes, screen, inverse, triangles)

    def look(start: int, step: int) -> None:
        see(start, step, *scene, mesh_of, smooth, seen, owner, touched, label)

    def draw(start: int, step: int) -> None:
        paint(
            start, step, *scene, lit, mesh_of, face_of, SAMPLES, jump, seen, owner, touched, label,
            picture.crop_rgb, picture.crop_coverage, picture.crop_depth, picture.crop_face_id,
            picture.crop_mesh_id,
        )  # fmt: skip

    threads = threads if threads is not None else min(2, os.cpu_count() or 1)
    _share(look, threads)
    _share(draw, threads)
    return picture


def pick(picture: Picture, x: float, y: float) -> Pick | None:
    """What was drawn at pixel (x, y) (rounded to the nearest), or None where nothing was or outside."""
    if not (np.isfinite(x) and np.isfinite(y)):
        return None
    column, row = round(x) - picture.x0, round(y) - picture.y0
    h, w = picture.crop_face_id.shape
    if not (0 <= column < w and 0 <= row < h) or picture.crop_face_id[row, column] < 0:
        return None
    return Pick(
        int(picture.crop_mesh_id[row, column]),
        int(picture.crop_face_id[row, column]),
        float(picture.crop_depth[row, column]),
    )


def _joined(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _empty(height: int, width: int) -> Picture:
    return Picture(
        height, width, 0, 0,
        np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32),
        np.zeros((0, 0), np.int32), np.zeros((0, 0), np.int16),
    )  # fmt: skip
