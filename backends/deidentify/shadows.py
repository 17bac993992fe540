"""Soft shadows where feet stand: a body without one floats before the room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.body.skeleton import JOINT_INDEX
from backends.camera import Camera
from backends.deidentify.types import PersonCover

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
Array = Any

_SOLE_M = 0.02
"""So much above the lowest vertex, in the rest pose, reaches a foot's sole."""
_LIFTED_M = 0.08
"""A foot so far above the other one has little shadow left."""
_BODY = (0.36, 0.25, 0.34)
_FOOT = (0.17, 0.12, 0.42)
"""Radii on the ground across and along the view, metres, and darkness: about the body, under each foot."""
_SOFT = 0.10
"""Metres over which the rim fades."""
_LEAST = 0.05
_NEAR_M = 0.5
"""Weaker shadows, and those of feet that are nearer, are not cast."""
_CORNERS = 20
_MOST_PIXELS = 400
"""Of a shadow's width; larger ones belong to somebody so near that the feet can hardly be in the picture."""


def soles(body: BodyModel) -> tuple[I8, I8]:
    """Vertices of the left and the right foot's sole."""
    left, right = (_sole(body, side) for side in ("left", "right"))
    return left, right


def _sole(body: BodyModel, side: str) -> I8:
    foot = np.isin(body.part_of_vertex, [JOINT_INDEX[f"{side}_{n}"] for n in ("ankle", "foot")])
    height = body.v_template[:, 1]
    return np.flatnonzero(foot & (height < height[foot].min() + _SOLE_M))


def feet_of(feet: tuple[F4, F4], camera: Camera, belief: tuple[float, float], up: F8 | None = None) -> F4:
    """(2, 4) where both feet stand, metres in camera coordinates, and how far each is to be believed.

    Args:
        feet: (N, 3) vertices of the left and the right sole, see :func:`soles`.
        belief: in the left and the right foot, in [0, 1].
        up: (3,) as in :func:`cast_shadows`.
    """
    found = np.empty((2, 4), np.float32)
    for row, sole, sure in zip(found, feet, belief):
        row[:3], row[3] = sole.mean(axis=0), sure
    depth = found[:, :3] @ _down(camera, up).astype(np.float32)
    found[:, 3] *= np.exp(-(depth.max() - depth) / _LIFTED_M)
    return found


def _down(camera: Camera, up: F8 | None) -> F8:
    """(3,) towards the ground."""
    if up is not None:
        return -up
    return -camera.R[:, 2] if camera.placed else np.array([0.0, 1.0, 0.0])


@numba.njit(cache=True, nogil=True)
def _darken(image: Array, shade: Array) -> None:
    for y in range(shade.shape[0]):
        for x in range(shade.shape[1]):
            light = 255 - shade[y, x]
            if light < 255:
                for c in range(3):
                    image[y, x, c] = (image[y, x, c] * light + 127) // 255


def cast_shadows(image: U1, covers: Sequence[PersonCover], camera: Camera, up: F8 | None = None) -> None:
    """Darken ``image`` (H, W, 3) in place where the feet of those stand who are shown as a body.

    Args:
        up: (3,) against gravity, camera axes; else the camera's own, level where nobody has calibrated it.
    """
    down = _down(camera, up)
    across = np.array([1.0, 0.0, 0.0]) - down[0] * down
    across /= max(float(np.linalg.norm(across)), 1e-6)
    along = np.cross(down, across)
    turn = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    ring = np.cos(turn)[:, None] * across, np.sin(turn)[:, None] * along
    for cover in covers:
        shown = cover.how is not None and cover.how.what == "whole" and cover.how.fill == "mesh"
        if not shown or cover.feet is None or not cover.drawn or not np.isfinite(cover.feet).all():
            continue
        feet = cover.feet.astype(np.float64)
        sure = feet[:, 3].sum()
        if sure < _LEAST:
            continue
        middle = (feet[:, :3] * feet[:, 3:]).sum(axis=0) / sure
        for place, share, (a, b, dark) in (
            (middle, min(sure, 1.0), _BODY),
            (feet[0, :3], feet[0, 3], _FOOT),
            (feet[1, :3], feet[1, 3], _FOOT),
        ):  # fmt: skip
            if share >= _LEAST and place[2] > _NEAR_M:
                polygon = camera.project(place + a * ring[0] + b * ring[1])
                _shade(image, polygon, _SOFT * camera.fx / place[2], dark * share)


def _shade(image: U1, polygon: F8, soft: float, dark: float) -> None:
    """Darken a polygon (N, 2) whose rim fades over ``soft`` pixels."""
    if not np.isfinite(polygon).all():
        return
    height, width = image.shape[:2]
    reach = max(1, round(soft))
    low = np.floor(polygon.min(axis=0)).astype(int) - reach
    high = np.ceil(polygon.max(axis=0)).astype(int) + reach + 1
    if (high - low).max() > _MOST_PIXELS:
        return
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), width), min(int(high[1]), height)
    if x1 <= x0 or y1 <= y0:
        return
    mask = np.zeros((int(high[1] - low[1]), int(high[0] - low[0])), np.uint8)
    cv2.fillConvexPoly(mask, np.round(polygon - low).astype(np.int32), round(255 * dark))
    for _ in range(2):
        mask = np.asarray(cv2.blur(mask, (reach | 1, max(1, reach // 2) | 1)), np.uint8)
    _darken(image[y0:y1, x0:x1], mask[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]])
