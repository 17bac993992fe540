"""Simple solids for a rendered room: world coordinates, metres, z up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]
Color = tuple[int, int, int]
Point = Sequence[float] | F8


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A coloured mesh: ``vertices`` (V, 3), ``faces`` (F, 3), ``normals`` (V, 3), ``colors`` (V, 3) uint8.

    ``glow`` in [0, 1]: how much of its colour shines by itself (screens, lamps). ``grain``: how strongly its
    material varies from place to place (stone, plaster), a share of its colour.
    """

    vertices: F8
    faces: I4
    normals: F8
    colors: npt.NDArray[np.uint8]
    glow: float = 0.0
    grain: float = 0.0

    def placed(self, at: Point, yaw: float = 0.0, tilt: float = 0.0) -> Solid:
        """Tilted about x, turned about z, then moved."""
        c, s = np.cos(tilt), np.sin(tilt)
        rotation = turned(yaw) @ np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
        vertices = self.vertices @ rotation.T + np.asarray(at, dtype=np.float64)
        return replace(self, vertices=vertices, normals=self.normals @ rotation.T)


def _solid(
    vertices: F8, faces: I4, normals: F8, color: Color, glow: float = 0.0, grain: float = 0.0
) -> Solid:
    colors = np.tile(np.array(color, np.uint8), (len(vertices), 1))
    return Solid(vertices, faces.astype(np.int32), normals, colors, glow, grain)


def turned(yaw: float) -> F8:
    """Rotation about z by ``yaw`` radians."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def plane(corner: Point, u: Point, v: Point, color: Color, glow: float = 0.0, grain: float = 0.0) -> Solid:
    """A parallelogram with edges ``u`` and ``v``; it faces ``u x v``."""
    c, eu, ev = (np.asarray(a, dtype=np.float64) for a in (corner, u, v))
    normal = np.cross(eu, ev)
    normal /= np.linalg.norm(normal)
    vertices = np.stack([c, c + eu, c + eu + ev, c + ev])
    return _solid(vertices, np.array([[0, 1, 2], [0, 2, 3]]), np.tile(normal, (4, 1)), color, glow, grain)


def box(center: Point, size: Point, color: Color, yaw: float = 0.0, glow: float = 0.0) -> Solid:
    """A box with hard edges."""
    half = np.asarray(size, dtype=np.float64) / 2
    parts = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = np.zeros(3), np.zeros(3)
            u[(axis + 1) % 3], v[(axis + 2) % 3] = 2 * half[(axis + 1) % 3], 2 * half[(axis + 2) % 3]
            corner = -half.copy()
            corner[axis] = sign * half[axis]
            parts.append(plane(corner, *((u, v) if sign > 0 else (v, u)), color, glow))
    return joined(parts).placed(center, yaw)


def lathe(
    profile: Sequence[tuple[float, float]], color: Color, segments: int = 28, glow: float = 0.0
) -> Solid:
    """A surface of revolution about z through (radius, height) points, bottom to top."""
    p = np.asarray(profile, dtype=np.float64)
    angle = np.linspace(0.0, 2 * np.pi, segments, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate([np.column_stack([r * ring, np.full(segments, z)]) for r, z in p])
    slope = np.gradient(p, axis=0)
    out = np.stack([slope[:, 1], -slope[:, 0]], axis=1)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    normals = np.concatenate([np.column_stack([n * ring, np.full(segments, m)]) for n, m in out])
    a = np.arange(segments)
    b = (a + 1) % segments
    faces = []
    for k in range(len(p) - 1):
        lo, hi = k * segments, (k + 1) * segments
        faces += [np.stack([lo + a, lo + b, hi + b], 1), np.stack([lo + a, hi + b, hi + a], 1)]
    return _solid(vertices, np.concatenate(faces), normals, color, glow)


def rod(start: Point, end: Point, radius: float, color: Color) -> Solid:
    """A round bar between two points."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    length = float(np.linalg.norm(b - a))
    bar = lathe([(radius, 0.0), (radius, length)], color, segments=14)
    w = (b - a) / length
    u = np.cross(w, [0.0, 0.0, 1.0] if abs(w[2]) < 0.9 else [1.0, 0.0, 0.0])
    u /= np.linalg.norm(u)
    frame = np.stack([u, np.cross(w, u), w], axis=1)
    # The lathe's ends have no defined slope: a bar's normals all point away from its axis.
    normals = bar.normals * (1.0, 1.0, 0.0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Solid(bar.vertices @ frame.T + a, bar.faces, normals @ frame.T, bar.colors)


def sheet(points: F8, color: Color | npt.NDArray[np.uint8]) -> Solid:
    """A smooth surface through a grid of points (A, B, 3); colours one or (A, B, 3)."""
    rows, columns = points.shape[:2]
    du, dv = np.gradient(points, axis=0), np.gradient(points, axis=1)
    normals = np.cross(dv, du).reshape(-1, 3)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (r * columns + c).reshape(-1)
    faces = np.concatenate(
        [np.stack([a, a + 1, a + columns + 1], 1), np.stack([a, a + columns + 1, a + columns], 1)]
    )
    colors = np.broadcast_to(np.asarray(color, np.uint8), points.shape).reshape(-1, 3)
    return Solid(points.reshape(-1, 3), faces.astype(np.int32), normals, np.ascontiguousarray(colors))


def joined(solids: Sequence[Solid]) -> Solid:
    """One mesh of several; they must be of one material."""
    offsets = np.cumsum([0] + [len(s.vertices) for s in solids[:-1]])
    return Solid(
        np.concatenate([s.vertices for s in solids]),
        np.concatenate([s.faces + o for s, o in zip(solids, offsets)]).astype(np.int32),
        np.concatenate([s.normals for s in solids]),
        np.concatenate([s.colors for s in solids]),
        solids[0].glow,
        solids[0].grain,
    )
