"""The empty room as a camera sees it: lit, in shade, its depth, and the monitors that run in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.render import UNLIT, Mesh, rasterize
from backends.synthetic.kernels import darken
from backends.synthetic.lighting import F4, RoomLight, ShadowLookup, in_camera, to_linear, to_srgb
from backends.synthetic.sets.types import Screen
from backends.synthetic.shapes import F8, Solid

U1 = npt.NDArray[np.uint8]
I4 = npt.NDArray[np.int32]
_COARSE = 4
_IN_SHADE = np.float32(0.72)
"""How bright a place in shade looks against the same in light, sRGB, where the room is lit by vertices."""


@dataclass(frozen=True, slots=True, eq=False)
class ScreenPixels:
    """Pixels of the picture that show a monitor, and where in its picture they look."""

    number: int
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    u: F4
    v: F4

    def paint(self, image: U1, textures: Sequence[U1]) -> None:
        """Copy the monitor's picture into ``image``."""
        texture = textures[self.number]
        h, w = texture.shape[:2]
        image[self.rows, self.columns] = cv2.remap(
            texture, self.u[None] * np.float32(w - 1), self.v[None] * np.float32(h - 1), cv2.INTER_LINEAR
        )[0]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture of the empty room: ``depth`` (H, W) metres, and what makes it with shadows."""

    lit: F4
    shaded: F4
    depth: F4
    lookup: ShadowLookup
    screens: tuple[ScreenPixels, ...]

    def picture(self, shadows: Sequence[F4], soles: F8, textures: Sequence[U1]) -> U1:
        """(H, W, 3) uint8: the room under the shadows of people on their ``soles``, its monitors running."""
        h, w = self.depth.shape
        out = np.empty((h, w, 3), np.uint8)
        share, contact = self.lookup.share(shadows, (w, h)), self.lookup.contact(soles, (w, h))
        darken(self.lit, self.shaded, share, contact, out)
        for screen in self.screens:
            screen.paint(out, textures)
        return out


class Backdrop(Protocol):
    """Gives the empty room for a camera."""

    def seen_by(self, camera: Camera) -> View:
        """The room as ``camera`` sees it."""
        ...


class FixedBackdrop:
    """For a camera that does not move: every pixel lit once, at twice the resolution."""

    def __init__(self, light: RoomLight, camera: Camera) -> None:
        self._view = _lit_by_pixel(light, camera)

    def seen_by(self, camera: Camera) -> View:
        """The one view there is."""
        return self._view


class MovingBackdrop:
    """For a camera that moves: the room's vertices are lit once, closely spaced, and drawn in each frame."""

    def __init__(self, light: RoomLight) -> None:
        self._light = light
        self._meshes = [_lit_by_vertex(light, s) for s in light.room.solids]

    def seen_by(self, camera: Camera) -> View:
        """The room from where the camera is now."""
        drawn = [Mesh(in_camera(camera, v), f, c) for v, f, c in self._meshes]
        picture = rasterize(drawn, camera, light=UNLIT)
        lit = picture.rgb.astype(np.float32)
        points = world_points(camera, picture.depth)
        coarse = points[_COARSE // 2 :: _COARSE, _COARSE // 2 :: _COARSE]
        return View(
            lit, lit * _IN_SHADE, picture.depth, ShadowLookup(self._light, coarse),
            _screen_pixels(self._light.room.screens, picture.mesh_id, points),
        )  # fmt: skip


def world_points(camera: Camera, depth: F4) -> F4:
    """(H, W, 3) the point in the world behind each pixel; what is infinitely far lies at 20 m."""
    h, w = depth.shape
    z = np.where(np.isfinite(depth), depth, 20.0).astype(np.float32)
    x = (np.arange(w, dtype=np.float32)[None] - np.float32(camera.K[0, 2])) / np.float32(camera.fx) * z
    y = (np.arange(h, dtype=np.float32)[:, None] - np.float32(camera.K[1, 2])) / np.float32(camera.fy) * z
    cam = np.stack([x, y, z], axis=-1) - camera.t.astype(np.float32)
    world: F4 = cam @ camera.R.astype(np.float32)
    return world


def _lit_by_pixel(light: RoomLight, camera: Camera) -> View:
    solids = light.room.solids
    K = camera.K * np.array([[2.0], [2.0], [1.0]])
    K[:2, 2] += 0.5  # (0, 0) is the centre of the first pixel
    fine = Camera(K=K, width=2 * camera.width, height=2 * camera.height, R=camera.R, t=camera.t)
    drawn = [Mesh(in_camera(camera, s.vertices), s.faces, s.colors) for s in solids]
    picture = rasterize(drawn, fine, light=UNLIT)
    coded = [
        Mesh(m.vertices, m.faces, np.clip(np.rint(s.normals * 127 + 128), 0, 255).astype(np.uint8))
        for m, s in zip(drawn, solids)
    ]
    normals = (rasterize(coded, fine, light=UNLIT).rgb.astype(np.float32) - np.float32(128)) / np.float32(127)
    points = world_points(fine, picture.depth)
    view = points - (-camera.R.T @ camera.t).astype(np.float32)
    normals[(normals * view).sum(-1) > 0] *= -1  # thin sheets are seen from both sides
    shape = picture.depth.shape
    flat, flat_normals = points.reshape(-1, 3), np.ascontiguousarray(normals).reshape(-1, 3)
    grain = np.array([s.grain for s in solids] + [0.0], np.float32)[picture.mesh_id]
    glow = np.array([s.glow for s in solids] + [0.0], np.float32)[picture.mesh_id][..., None]
    albedo = to_linear(picture.rgb.astype(np.float32)).astype(np.float32)
    albedo *= (1 + grain * _material(points, normals))[..., None]
    direct = light.direct(flat, flat_normals).reshape(*shape, 3)
    ambient = light.ambient(flat, flat_normals).reshape(*shape, 3)
    own = albedo * glow * 1.1
    size = (camera.width, camera.height)
    lit, shaded = (
        cv2.resize(255 * to_srgb((albedo * falls * (1 - 0.8 * glow) + own).astype(np.float32)), size,
                   interpolation=cv2.INTER_AREA).astype(np.float32)
        for falls in (ambient + direct, 0.92 * ambient + 0.08 * direct)
    )  # fmt: skip
    half = points[::2, ::2]
    coarse = half[_COARSE // 2 :: _COARSE, _COARSE // 2 :: _COARSE]
    return View(
        lit, shaded, np.ascontiguousarray(picture.depth[::2, ::2]), ShadowLookup(light, coarse),
        _screen_pixels(light.room.screens, picture.mesh_id[::2, ::2], half),
    )  # fmt: skip


def _material(points: F4, normals: F4) -> F4:
    """(H, W) a field in about [-1, 1] over surfaces: blotches of a hand's size and grains of a millimetre."""
    flat = np.abs(normals[..., 2]) > 0.7
    a = np.where(flat, points[..., 0], points[..., 0] + points[..., 1])
    b = np.where(flat, points[..., 1], points[..., 2])
    table = np.random.default_rng(17).standard_normal((256, 256)).astype(np.float32)
    soft = cv2.GaussianBlur(np.tile(table, (2, 2)), (0, 0), 2.0)[128:384, 128:384] * 5.0
    total = np.zeros(a.shape, np.float32)
    for scale, weight in ((35.0, 0.5), (110.0, 0.3), (420.0, 0.35)):
        total += weight * cv2.remap(
            soft, (np.mod(a * scale, 250)).astype(np.float32), (np.mod(b * scale, 250)).astype(np.float32),
            cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
    return total


def _screen_pixels(
    screens: Sequence[Screen], ids: npt.NDArray[np.int16], points: F4
) -> tuple[ScreenPixels, ...]:
    found = []
    for number, screen in enumerate(screens):
        rows, columns = np.nonzero(ids == screen.solid)
        if not len(rows):
            continue
        local = points[rows, columns] - screen.corner.astype(np.float32)
        u, v = (local @ e / (e @ e) for e in (screen.across.astype(np.float32), screen.up.astype(np.float32)))
        found.append(
            ScreenPixels(
                number, rows, columns, np.clip(u, 0, 1).astype(np.float32),
                np.clip(1 - v, 0, 1).astype(np.float32),
            )
        )  # fmt: skip
    return tuple(found)


_SPACING = 0.14


def _lit_by_vertex(light: RoomLight, solid: Solid) -> tuple[F8, I4, U1]:
    """A solid's mesh, no edge longer than ``_SPACING``, its vertices coloured by their light."""
    v, f, normals, colors = solid.vertices, solid.faces, solid.normals, solid.colors.astype(np.float64)
    for _ in range(8):
        edges = np.stack([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]], axis=1)
        length = np.linalg.norm(v[edges[..., 0]] - v[edges[..., 1]], axis=-1)
        long = length.max(axis=1) > _SPACING
        if not long.any():
            break
        split, k = f[long], length[long].argmax(axis=1)
        a, b, c = (split[np.arange(len(split)), (k + i) % 3] for i in range(3))
        middle = len(v) + np.arange(len(split), dtype=np.int32)
        v = np.concatenate([v, (v[a] + v[b]) / 2])
        normals = np.concatenate([normals, normals[a]])
        colors = np.concatenate([colors, (colors[a] + colors[b]) / 2])
        f = np.concatenate([f[~long], np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)]).astype(
            np.int32
        )
    points, n = v.astype(np.float32), np.ascontiguousarray(normals, dtype=np.float32)
    albedo = to_linear(colors.astype(np.float32)).astype(np.float32)
    falls = light.direct(points + n * np.float32(0.01), n) + light.ambient(points, n)
    linear = albedo * falls * (1 - 0.8 * solid.glow) + albedo * solid.glow * 1.1
    srgb = 255 * to_srgb(linear.astype(np.float32))
    return v, f, np.clip(np.rint(srgb), 0, 255).astype(np.uint8)
