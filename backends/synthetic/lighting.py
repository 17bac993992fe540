"""Light for what does not move, computed once a clip; and the shadows that people throw into it.

Ceiling panels are sampled at a few points each (Cook, Porter & Carpenter 1984): every sample has a
hard shadow map, their mean is a soft shadow. Static geometry is shaded per pixel from its depth and normals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.render import UNLIT, Mesh, rasterize
from backends.synthetic.furniture import CEILING, FRONT_Y, TABLE, WALL_X, WALL_Y
from backends.synthetic.kernels import add_lamp, darken, shadow_share
from backends.synthetic.shapes import F8, Solid

F4 = npt.NDArray[np.float32]
WorldMesh = tuple[F8, npt.NDArray[np.int32]]
"""Vertices (V, 3) in world coordinates and faces."""
U1 = npt.NDArray[np.uint8]

_MAP = 640
_MAP_FOCAL = 0.36 * _MAP
_BIAS = 0.03
_MOVING_MAP = 288
_PANELS = ((-1.5, -1.2), (1.5, -1.2), (-1.5, 1.5), (1.5, 1.5))
_PANEL = (0.55, 0.9)


def to_linear(srgb: F4) -> F4:
    """Linear light in [0, 1] of sRGB values 0..255."""
    srgb = srgb / np.float32(255)
    out: F4 = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return out


def to_srgb(linear: F4) -> F4:
    """sRGB in [0, 1] of linear light; highlights roll off gently instead of clipping."""
    x = np.where(linear > 0.8, 0.8 + 0.2 * np.tanh((linear - 0.8) / 0.2), linear)
    out: F4 = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)
    return out


def look_at(
    eye: F8, target: F8, focal: float, width: int, height: int, up: Sequence[float] = (0, 0, 1)
) -> Camera:
    """A camera at ``eye`` that looks at ``target``, world z up."""
    z = (target - eye) / np.linalg.norm(target - eye)
    x = np.cross(z, np.asarray(up, dtype=np.float64))
    x /= np.linalg.norm(x)
    R = np.stack([x, np.cross(z, x), z])
    K = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]])
    return Camera(K=K, width=width, height=height, R=R, t=-R @ eye)


def in_camera(camera: Camera, points: F8) -> F4:
    """World points (V, 3) in camera coordinates."""
    moved: F4 = (points @ camera.R.T + camera.t).astype(np.float32)
    return moved


def _lamps(rng: np.random.Generator, per_panel: int) -> list[F8]:
    return [
        np.array(
            [cx + _PANEL[0] * (rng.random() - 0.5), cy + _PANEL[1] * (rng.random() - 0.5), CEILING - 0.02]
        )
        for cx, cy in _PANELS
        for _ in range(per_panel)
    ]


def _down(lamp: F8, pixels: int) -> Camera:
    """A wide view straight down from a lamp."""
    return look_at(
        lamp, lamp - np.array([0.0, 0.0, 1.0]), _MAP_FOCAL / _MAP * pixels, pixels, pixels, up=(0, 1, 0)
    )


class _ShadowMap:
    """Depth seen from a lamp, and where each point of the picture falls in it."""

    def __init__(self, lamp: F8, pixels: int, points: F4) -> None:
        self.camera = _down(lamp, pixels)
        seen = in_camera(self.camera, points.reshape(-1, 3).astype(np.float64))
        z = np.maximum(seen[:, 2], 1e-3)
        u = np.rint(self.camera.fx * seen[:, 0] / z + self.camera.K[0, 2])
        v = np.rint(self.camera.fy * seen[:, 1] / z + self.camera.K[1, 2])
        inside = (u >= 0) & (u < pixels) & (v >= 0) & (v < pixels) & (seen[:, 2] > 0.05)
        self.index = np.where(inside, v * pixels + u, -1).astype(np.int32)
        self.depth = (seen[:, 2] - _BIAS).astype(np.float32)

    def nearest(self, meshes: Sequence[WorldMesh]) -> F4:
        """(P, P) depth of ``meshes`` from the lamp, infinite where there is nothing."""
        return _depth(self.camera, meshes)


def _depth(camera: Camera, meshes: Sequence[WorldMesh]) -> F4:
    drawn = [Mesh(in_camera(camera, v), f, (0, 0, 0)) for v, f in meshes]
    return rasterize(drawn, camera, light=UNLIT).depth


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The empty room: ``lit`` and ``shaded`` (H, W, 3) float32 sRGB 0..255, ``depth`` (H, W) metres."""

    lit: F4
    shaded: F4
    depth: F4
    maps: tuple[_ShadowMap, ...]
    coarse_shape: tuple[int, int]

    def with_shadows(self, meshes: Sequence[WorldMesh]) -> U1:
        """(H, W, 3) uint8: the room with the shadows of ``meshes``."""
        h, w = self.depth.shape
        share = np.zeros(self.coarse_shape, np.float32)
        if meshes:
            for lamp in self.maps:
                shadow_share(
                    lamp.index, lamp.depth, lamp.nearest(meshes).reshape(-1), 1.0 / len(self.maps),
                    share.reshape(-1),
                )  # fmt: skip
            share = cv2.GaussianBlur(share, (0, 0), max(0.9, h / 300))
        soft = cv2.resize(share, (w, h), interpolation=cv2.INTER_LINEAR)
        out = np.empty((h, w, 3), np.uint8)
        darken(self.lit, self.shaded, soft, out)
        return out


def make_backdrop(solids: Sequence[Solid], camera: Camera, seed: int) -> Backdrop:
    """Shade the room as ``camera`` sees it."""
    rng = np.random.default_rng(seed)
    K = camera.K * np.array([[2.0], [2.0], [1.0]])
    K[:2, 2] += 0.5  # (0, 0) is the centre of the first pixel
    fine = Camera(
        K=K,
        width=2 * camera.width, height=2 * camera.height, R=camera.R, t=camera.t,
    )  # fmt: skip
    drawn = [Mesh(in_camera(camera, s.vertices), s.faces, s.colors) for s in solids]
    albedo_picture = rasterize(drawn, fine, light=UNLIT)
    normal_meshes = [
        Mesh(m.vertices, m.faces, np.clip(np.rint(s.normals * 127 + 128), 0, 255).astype(np.uint8))
        for m, s in zip(drawn, solids)
    ]
    coded = rasterize(normal_meshes, fine, light=UNLIT).rgb.astype(np.float32)
    normals: F4 = (coded - np.float32(128)) / np.float32(127)
    points = _world_points(fine, albedo_picture.depth)
    view = points - (-camera.R.T @ camera.t).astype(np.float32)
    facing_away = (normals * view).sum(-1) > 0
    normals[facing_away] *= -1  # thin sheets are seen from both sides
    albedo = to_linear(albedo_picture.rgb.astype(np.float32)).astype(np.float32)
    glow = np.array([s.glow for s in solids] + [0.0], np.float32)[albedo_picture.mesh_id]
    direct = _direct(points, normals, solids, rng)
    ambient = _ambient(points, normals)
    own = albedo * glow[..., None] * 1.1
    lit = albedo * (ambient + direct) * (1 - 0.8 * glow[..., None]) + own
    shaded = albedo * (0.92 * ambient + 0.08 * direct) * (1 - 0.8 * glow[..., None]) + own
    size = (camera.width, camera.height)
    pictures = [
        cv2.resize(255 * to_srgb(p.astype(np.float32)), size, interpolation=cv2.INTER_AREA)
        for p in (lit, shaded)
    ]
    coarse = points[1::4, 1::4]
    maps = tuple(_ShadowMap(lamp, _MOVING_MAP, coarse) for lamp in _lamps(rng, 1))
    depth = np.ascontiguousarray(albedo_picture.depth[::2, ::2])
    return Backdrop(
        pictures[0].astype(np.float32), pictures[1].astype(np.float32), depth, maps, coarse.shape[:2]
    )


def _world_points(camera: Camera, depth: F4) -> F4:
    h, w = depth.shape
    z = np.where(np.isfinite(depth), depth, 20.0).astype(np.float32)
    x = (np.arange(w, dtype=np.float32)[None] - np.float32(camera.K[0, 2])) / np.float32(camera.fx) * z
    y = (np.arange(h, dtype=np.float32)[:, None] - np.float32(camera.K[1, 2])) / np.float32(camera.fy) * z
    cam = np.stack([x, y, z], axis=-1) - camera.t.astype(np.float32)
    world: F4 = cam @ camera.R.astype(np.float32)
    return world


def _direct(points: F4, normals: F4, solids: Sequence[Solid], rng: np.random.Generator) -> F4:
    """Ceiling panels with soft shadows, and the pool of light of the surgical lamp."""
    casters = [(s.vertices, s.faces) for s in solids]
    light = np.zeros(points.size // 3, np.float32)
    flat, flat_normals = points.reshape(-1, 3), np.ascontiguousarray(normals).reshape(-1, 3)
    lamps = _lamps(rng, 6)
    for lamp in lamps:
        camera = _down(lamp, _MAP)
        add_lamp(
            flat, flat_normals, lamp, camera.R, camera.t, camera.fx, float(camera.K[0, 2]),
            _depth(camera, casters), _BIAS, light,
        )  # fmt: skip
    total = light.reshape(*points.shape[:2], 1)
    white = np.array([1.0, 0.985, 0.955], np.float32)
    pool = points[..., :2] - np.array([TABLE[0] - 0.1, TABLE[1]], np.float32)
    spot = np.exp(-(pool * pool).sum(-1) / 0.30) * np.maximum(normals[..., 2], 0) * (points[..., 2] > 0.6)
    lights: F4 = total * (14.5 / len(lamps)) * white + (0.5 * spot)[..., None]
    return lights


def _ambient(points: F4, normals: F4) -> F4:
    """Light from everywhere, less of it in the room's corners."""
    up = normals[..., 2:]
    sky, floor = np.array([0.36, 0.375, 0.39], np.float32), np.array([0.22, 0.22, 0.215], np.float32)
    light = floor + (sky - floor) * (0.5 + 0.5 * up)
    corner = np.ones(points.shape[:2], np.float32)
    gaps = (
        (points[..., 2], normals[..., 2]), (WALL_X - np.abs(points[..., 0]), normals[..., 0]),
        (WALL_Y - points[..., 1], normals[..., 1]), (points[..., 1] - FRONT_Y, normals[..., 1]),
    )  # fmt: skip
    for gap, along in gaps:
        near = np.exp(-np.maximum(gap, 0.0) / 0.22) * (1 - np.abs(along)) * (gap > 0.004)
        corner *= 1 - 0.42 * near
    shaded: F4 = light * corner[..., None]
    return shaded
