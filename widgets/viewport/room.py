"""The room seen from outside: a floor with a grid and the cameras that filmed it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from app.review.types import CameraView, Scene

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_HALF_M = 6
_FRUSTUM_M, _SMALL_FRUSTUM_M = 0.6, 0.45
_CAMERAS_IN = 0.75
"""Cameras stand round the people: from nearer than all of them the people are still large enough."""
_FEW = 20
"""Of the vertices of a body, one in so many tells where it is."""


def to_world(camera: CameraView, points: npt.ArrayLike) -> F8:
    """Camera to world coordinates (metres, z up)."""
    p: F8 = (np.asarray(points, np.float64) - camera.t) @ camera.R
    return p


def floor_height(camera: CameraView, scene: Scene | None) -> float:
    """Where it is known to be, else where the lowest bodies stand; 1.5 m under the camera without any."""
    if camera.floor is not None:
        return camera.floor
    lowest = [
        float(np.percentile(to_world(camera, p.vertices)[:, 2], 0.5))
        for p in (scene.people if scene is not None else ())
        if p.vertices is not None and not p.hidden
    ]
    return float(np.median(lowest)) if lowest else -1.5


def eye_of(camera: CameraView) -> F8:
    """(3,) where a camera stands, world, metres."""
    return to_world(camera, np.zeros(3))


def room_extent(
    camera: CameraView, scene: Scene | None, cameras: Sequence[CameraView] = ()
) -> tuple[tuple[float, float, float], float]:
    """The middle of the bodies, and how far they, and the cameras where there are several, reach from it,
    metres."""
    bodies = [
        to_world(camera, p.vertices[::_FEW])
        for p in (scene.people if scene is not None else ())
        if p.vertices is not None and not p.hidden
    ]
    if not bodies:
        return (0.0, 3.0, -0.6), 2.0
    points = np.concatenate(bodies)
    x, y, z = (points.min(axis=0) + points.max(axis=0)) / 2
    reach = float(np.linalg.norm(points - (x, y, z), axis=1).max())
    if len(cameras) > 1:
        away = np.linalg.norm([eye_of(c) - (x, y, z) for c in cameras], axis=1)
        reach = max(reach, _CAMERAS_IN * float(away.max()))
    return (float(x), float(y), float(z)), reach


def _line_color(color: QColor, alpha: float) -> tuple[float, float, float, float]:
    return color.redF(), color.greenF(), color.blueF(), alpha


def room_lines(
    camera: CameraView, floor: float, centre: tuple[float, float, float], grid: QColor, accent: QColor,
    others: Sequence[CameraView] = (),
) -> tuple[F4, F4]:  # fmt: skip
    """Points (2N, 3) and colours (2N, 4) of a one-metre grid about ``centre``, of the camera, and,
    quieter, of the room's other cameras."""
    points: list[tuple[float, float, float]] = []
    colors: list[tuple[float, float, float, float]] = []
    cx, cy = round(centre[0]), round(centre[1])
    for i in range(-_HALF_M, _HALF_M + 1):
        alpha = 0.75 if i == 0 else 0.4
        for a, b in (
            ((cx + i, cy - _HALF_M, floor), (cx + i, cy + _HALF_M, floor)),
            ((cx - _HALF_M, cy + i, floor), (cx + _HALF_M, cy + i, floor)),
        ):
            points += [a, b]
            colors += [_line_color(grid, alpha)] * 2
    for view, color in [*((view, grid) for view in others), (camera, accent)]:
        frustum = _frustum(view, _FRUSTUM_M if not others else _SMALL_FRUSTUM_M)
        points += frustum
        colors += [_line_color(color, 1.0)] * len(frustum)
    return np.array(points, np.float32), np.array(colors, np.float32)


def _frustum(camera: CameraView, depth: float) -> list[tuple[float, float, float]]:
    """Pairs of points: from the eye to the corners of the picture ``depth`` metres away, and round it."""
    corners = []
    for u, v in ((0, 0), (camera.width, 0), (camera.width, camera.height), (0, camera.height)):
        ray = np.array([(u - camera.K[0, 2]) / camera.K[0, 0], (v - camera.K[1, 2]) / camera.K[1, 1], 1.0])
        corners.append(tuple(to_world(camera, ray * depth)))
    eye = tuple(eye_of(camera))
    points = []
    for i in range(4):
        points += [eye, corners[i], corners[i], corners[(i + 1) % 4]]
    return points
