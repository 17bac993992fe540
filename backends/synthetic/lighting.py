"""Light in a room: ceiling panels with soft shadows, light from everywhere, the surgical lamp's pool.

Panels are sampled at a few points each (Cook, Porter & Carpenter 1984): every sample has a hard shadow
map, their mean is a soft shadow. What does not move is lit once; people throw shadows through few lamps.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.render import UNLIT, Lamp, Light, Mesh, rasterize
from backends.synthetic.kernels import add_contact, add_lamp, lit_share, shadow_share
from backends.synthetic.sets.types import Room
from backends.synthetic.shapes import F8

F4 = npt.NDArray[np.float32]
WorldMesh = tuple[F8, npt.NDArray[np.int32]]
"""Vertices (V, 3) in world coordinates and faces."""

_MAP = 640
_MAP_FOCAL = 0.36
_BIAS = 0.03
_MOVING_MAP = 288
_MOVING_BIAS = 0.055
_MOVING_LAMPS = 4
_SAMPLES = 24
_FLOOR_M = 0.03


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


def _down(lamp: F8, pixels: int) -> Camera:
    """A wide view straight down from a lamp."""
    return look_at(lamp, lamp - np.array([0.0, 0.0, 1.0]), _MAP_FOCAL * pixels, pixels, pixels, up=(0, 1, 0))


def _nearest(camera: Camera, meshes: Sequence[WorldMesh]) -> F4:
    """(P, P) depth of ``meshes`` from a lamp, infinite where there is nothing."""
    drawn = [Mesh(in_camera(camera, v), f, (0, 0, 0)) for v, f in meshes]
    return rasterize(drawn, camera, light=UNLIT).depth


class RoomLight:
    """The light of a room; it does not depend on the cameras.

    Attributes:
        moving: views down from the few lamps through which people throw shadows.
    """

    def __init__(self, room: Room, seed: int) -> None:
        self.room = room
        rng = np.random.default_rng(seed)
        each = max(_SAMPLES // max(len(room.panels), 1), 2)
        z = room.ceiling - 0.02
        casters = [(s.vertices, s.faces) for s in room.solids if s.vertices[:, 2].min() < room.ceiling - 0.05]
        self._lamps = []
        for cx, cy in room.panels:
            for _ in range(each):
                x = cx + room.panel[0] * (rng.random() - 0.5)
                camera = _down(np.array([x, cy + room.panel[1] * (rng.random() - 0.5), z]), _MAP)
                self._lamps.append((camera, _nearest(camera, casters)))
        self._each = each
        groups = np.array_split(np.array(sorted(room.panels)), min(_MOVING_LAMPS, len(room.panels)))
        self.moving = tuple(_down(np.append(g.mean(axis=0), z), _MOVING_MAP) for g in groups)

    def direct(self, points: F4, normals: F4) -> F4:
        """(N, 3) linear light that falls straight from lamps on points (N, 3) with ``normals`` (N, 3)."""
        light = np.zeros(len(points), np.float32)
        for camera, nearest in self._lamps:
            add_lamp(
                points, normals, -camera.R.T @ camera.t, camera.R, camera.t, camera.fx,
                float(camera.K[0, 2]), nearest, _BIAS, light,
            )  # fmt: skip
        white = np.array([1.0, 0.985, 0.955], np.float32)
        out: F4 = light[:, None] * (self.room.power / self._each) * white
        if self.room.spot is not None:
            x, y, strength = self.room.spot
            pool = points[:, :2] - np.array([x, y], np.float32)
            spot = np.exp(-(pool * pool).sum(-1) / 0.30) * np.maximum(normals[:, 2], 0) * (points[:, 2] > 0.6)
            out = out + (strength * spot)[:, None]
        return out.astype(np.float32)

    def ambient(self, points: F4, normals: F4) -> F4:
        """(N, 3) linear light from everywhere, less of it in the room's corners."""
        room = self.room
        sky, floor = (np.array(c, np.float32) for c in room.sky)
        light = floor + (sky - floor) * (0.5 + 0.5 * normals[:, 2:])
        corner = np.ones(len(points), np.float32)
        gaps = (
            (points[:, 2], normals[:, 2]), (room.ceiling - points[:, 2], normals[:, 2]),
            (points[:, 0] - room.x[0], normals[:, 0]), (room.x[1] - points[:, 0], normals[:, 0]),
            (points[:, 1] - room.y[0], normals[:, 1]), (room.y[1] - points[:, 1], normals[:, 1]),
        )  # fmt: skip
        for gap, along in gaps:
            near = np.exp(-np.maximum(gap, 0.0) / 0.22) * (1 - np.abs(along)) * (gap > 0.004)
            corner *= 1 - 0.42 * near
        shaded: F4 = light * corner[:, None]
        return shaded

    def shadows_of(self, people: Sequence[WorldMesh]) -> list[F4]:
        """For each moving lamp the (P, P) depth of the people below it."""
        if not people:
            return [np.full((_MOVING_MAP, _MOVING_MAP), np.inf, np.float32) for _ in self.moving]
        return [_nearest(camera, people) for camera in self.moving]

    def on_people(self, points: F8, shadows: Sequence[F4]) -> F4:
        """(V,) share of the moving lamps that each point of somebody sees, past themselves and others."""
        share = np.zeros(len(points), np.float32)
        for camera, nearest in zip(self.moving, shadows):
            lit_share(
                points, camera.R, camera.t, camera.fx, float(camera.K[0, 2]), nearest, _MOVING_BIAS,
                1.0 / len(self.moving), share,
            )  # fmt: skip
        return share

    def for_people(self, camera: Camera) -> Light:
        """The light on people in the camera's axes: the ceiling, a key in front, a fill from the side."""

        def towards(x: float, y: float, z: float) -> tuple[float, float, float]:
            d = camera.R @ np.array([x, y, z])
            return float(d[0]), float(d[1]), float(d[2])

        sky, floor = self.room.sky
        return Light(
            sky=(sky[0] * 1.11, sky[1] * 1.09, sky[2] * 1.09),
            floor=(floor[0] * 0.72, floor[1] * 0.70, floor[2] * 0.70),
            lamps=(
                Lamp(towards(-0.5, -0.7, 1.0), (0.54, 0.53, 0.51), 0.15),
                Lamp(towards(0.7, 0.4, 1.0), (0.33, 0.33, 0.33), 0.10),
            ),
            edge=0.22,
        )


class ShadowLookup:
    """Where the points of a picture fall in the moving lamps' maps."""

    def __init__(self, light: RoomLight, points: F4) -> None:
        self.shape = points.shape[:2]
        flat = points.reshape(-1, 3).astype(np.float64)
        self.index, self.depth = [], []
        self._floor = np.flatnonzero(flat[:, 2] < _FLOOR_M)
        self._places = np.ascontiguousarray(flat[self._floor, :2])
        for camera in light.moving:
            seen = in_camera(camera, flat)
            z = np.maximum(seen[:, 2], 1e-3)
            u = np.rint(camera.fx * seen[:, 0] / z + camera.K[0, 2])
            v = np.rint(camera.fy * seen[:, 1] / z + camera.K[1, 2])
            inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height) & (seen[:, 2] > 0.05)
            self.index.append(np.where(inside, v * camera.width + u, -1).astype(np.int32))
            self.depth.append((seen[:, 2] - _BIAS).astype(np.float32))

    def share(self, shadows: Sequence[F4], size: tuple[int, int]) -> F4:
        """(H, W) share of the light that people take away; ``size`` is (W, H)."""
        share = np.zeros(self.shape, np.float32)
        for index, depth, nearest in zip(self.index, self.depth, shadows):
            shadow_share(index, depth, nearest.reshape(-1), 1.0 / len(shadows), share.reshape(-1))
        share = cv2.GaussianBlur(share, (0, 0), max(0.9, size[1] / 300))
        soft: F4 = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
        return soft

    def contact(self, soles: F8, size: tuple[int, int]) -> F4:
        """(H, W) how much darker the floor is about soles (S, 4), see :func:`add_contact`."""
        dark = np.zeros(self.shape, np.float32)
        if len(soles):
            add_contact(self._floor, self._places, soles, dark.reshape(-1))
        grown: F4 = cv2.resize(dark, size, interpolation=cv2.INTER_LINEAR)
        return grown
