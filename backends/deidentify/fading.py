"""Bodies that fade where they are not to be believed: the room shows through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.render import Mesh, Picture

F4 = npt.NDArray[np.float32]
Array = Any


@numba.njit(cache=True, nogil=True)
def _belief_at(
    alpha: Array, number: int, members: Array, face_id: Array, x0: int, y0: int,
    xy: Array, faces: Array, belief: Array,
) -> None:  # fmt: skip
    """Belief at the pixels of one body, between the corners of the face that is seen there."""
    h, w = members.shape
    left, right = max(int(xy[:, 0].min()) - x0 - 1, 0), min(int(xy[:, 0].max()) - x0 + 2, w)
    top, bottom = max(int(xy[:, 1].min()) - y0 - 1, 0), min(int(xy[:, 1].max()) - y0 + 2, h)
    for y in range(top, bottom):
        for x in range(left, right):
            if members[y, x] != number:
                continue
            f = face_id[y, x]
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            low = min(belief[a], belief[b], belief[c])
            high = max(belief[a], belief[b], belief[c])
            value = low
            if high > low:
                px, py = x + x0, y + y0
                ax, ay = xy[a, 0] - px, xy[a, 1] - py
                bx, by = xy[b, 0] - px, xy[b, 1] - py
                cx, cy = xy[c, 0] - px, xy[c, 1] - py
                u, v, t = bx * cy - by * cx, cx * ay - cy * ax, ax * by - ay * bx
                total = u + v + t
                if total != 0.0:
                    value = (u * belief[a] + v * belief[b] + t * belief[c]) / total
                value = min(max(value, low), high)
            alpha[y, x] = value


@numba.njit(cache=True, nogil=True)
def _fade(coverage: Array, members: Array, alpha: Array, out: Array) -> None:
    """Coverage times belief; a pixel on an edge, of no body, takes the most believed one beside it."""
    h, w = members.shape
    for y in range(h):
        for x in range(w):
            if coverage[y, x] <= 0.0:
                out[y, x] = 0.0
                continue
            a = alpha[y, x]
            if members[y, x] < 0:
                a = np.float32(-1.0)
                for v in range(max(y - 1, 0), min(y + 2, h)):
                    for u in range(max(x - 1, 0), min(x + 2, w)):
                        if members[v, u] >= 0:
                            a = max(a, alpha[v, u])
                if a < 0:
                    a = np.float32(1.0)
            out[y, x] = coverage[y, x] * a


def faded(picture: Picture, bodies: Mapping[int, tuple[Mesh, F4]], camera: Camera) -> Picture:
    """The drawing with each body as opaque as it is believed.

    Args:
        bodies: by the mesh's number in ``picture``, the mesh as it was drawn and the belief (V,) of its
            vertices in [0, 1]. Others stay as they are.
    """
    if not bodies or not picture.crop_mesh_id.size:
        return picture
    alpha = np.ones(picture.crop_mesh_id.shape, np.float32)
    for number, (mesh, belief) in bodies.items():
        xy = np.nan_to_num(camera.project(mesh.vertices)).astype(np.float32)
        _belief_at(
            alpha, number, picture.crop_mesh_id, picture.crop_face_id, picture.x0, picture.y0,
            xy, np.ascontiguousarray(mesh.faces), belief,
        )  # fmt: skip
    coverage = np.empty_like(picture.crop_coverage)
    _fade(picture.crop_coverage, picture.crop_mesh_id, alpha, coverage)
    return replace(picture, crop_coverage=coverage)
