"""What goes into the rasterizer and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.errors import InputError

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Lamp:
    """A distant lamp: ``towards`` points from the body to the lamp (camera axes), ``rgb`` linear light.

    ``wrap`` in [0, 1] lets the light reach round the body: 0 is Lambert's cosine, 1 reaches the far side.
    """

    towards: tuple[float, float, float]
    rgb: tuple[float, float, float]
    wrap: float = 0.0


@dataclass(frozen=True, slots=True)
class Light:
    """How a scene is lit.

    The default is a soft key from the upper left, a weak cool fill from the right and light from the
    sky and the floor; a surface that faces the camera under the key keeps close to its own colour, so
    that colours with a meaning can still be read, and surfaces that turn away darken gently.

    Attributes:
        sky, floor: linear RGB light from above and below (camera axes).
        lamps: distant lamps.
        edge: how much a surface seen edge-on is dimmed, in [0, 1]; it draws the form.
        shaded: False draws the plain colours.
    """

    sky: tuple[float, float, float] = (0.47, 0.50, 0.54)
    floor: tuple[float, float, float] = (0.23, 0.215, 0.20)
    lamps: tuple[Lamp, ...] = (
        Lamp((-0.50, -0.62, -0.60), (0.70, 0.685, 0.655), 0.35),
        Lamp((0.86, -0.10, -0.50), (0.13, 0.14, 0.155), 0.50),
    )
    edge: float = 0.34
    shaded: bool = True

    def table(self) -> F8:
        """(2 + L, 8) rows for the kernels: sky and edge, floor, then direction, colour and wrap of lamps."""
        rows = np.zeros((2 + len(self.lamps), 8))
        rows[0, :3] = self.sky
        rows[0, 3] = self.edge
        rows[1, :3] = self.floor
        for row, lamp in zip(rows[2:], self.lamps):
            direction = np.asarray(lamp.towards, dtype=np.float64)
            row[:3] = direction / max(float(np.linalg.norm(direction)), 1e-12)
            row[3:6] = lamp.rgb
            row[6] = lamp.wrap
        return rows


SOFT = Light()
"""The default light."""
UNLIT = Light(shaded=False)
"""Plain colours, for diagrams and truth pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A triangle mesh to be drawn.

    Attributes:
        vertices: (V, 3) metres, camera coordinates (x right, y down, z forward). Faces with a vertex
            that is not finite are left out.
        faces: (F, 3) vertex indices. The winding does not matter: both sides are drawn.
        colors: uint8 RGB, (V, 3) interpolated over the faces, or (3,) for the whole mesh.
        smooth: shade with normals averaged over neighbouring faces; False keeps edges hard (boxes).
        light: of its own; the scene's where there is none.
        closed: (F,) bool, faces of which nobody ever sees the side that their normal points away from, as
            those of a body's skin: they are left out where they turn that side to the camera. None: no such.
    """

    vertices: npt.NDArray[np.floating[Any]]
    faces: npt.NDArray[np.integer[Any]]
    colors: U1 | Sequence[int]
    smooth: bool = True
    light: Light | None = None
    closed: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawn scene. Only the rectangle that holds something is stored; the rest is made when asked for.

    Attributes:
        height, width: the whole picture's size in pixels.
        x0, y0: top-left pixel of the stored rectangle.
        crop_rgb: (h, w, 3) uint8, straight (not premultiplied) colour, 0 where nothing was drawn.
        crop_coverage: (h, w) float32 in [0, 1], the share of the pixel that is covered.
        crop_depth: (h, w) float32 metres along z at the pixel's centre, inf where empty.
        crop_face_id, crop_mesh_id: (h, w) int32, int16: index of the face in its mesh and of the mesh at
            the pixel's centre, -1 where empty.
    """

    height: int
    width: int
    x0: int
    y0: int
    crop_rgb: U1
    crop_coverage: F4
    crop_depth: F4
    crop_face_id: I4
    crop_mesh_id: I2
    _window: tuple[slice, slice] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        h, w = self.crop_coverage.shape
        window = (slice(self.y0, self.y0 + h), slice(self.x0, self.x0 + w))
        object.__setattr__(self, "_window", window)

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the stored rectangle in the whole picture."""
        return self._window

    @cached_property
    def rgb(self) -> U1:
        """(H, W, 3) uint8 straight colour, 0 where nothing was drawn."""
        full = np.zeros((self.height, self.width, 3), np.uint8)
        full[self._window] = self.crop_rgb
        return full

    @cached_property
    def coverage(self) -> F4:
        """(H, W) float32 in [0, 1]."""
        full = np.zeros((self.height, self.width), np.float32)
        full[self._window] = self.crop_coverage
        return full

    @cached_property
    def depth(self) -> F4:
        """(H, W) float32 metres along z, inf where empty."""
        full = np.full((self.height, self.width), np.inf, np.float32)
        full[self._window] = self.crop_depth
        return full

    @cached_property
    def face_id(self) -> I4:
        """(H, W) int32 index of the face within its mesh, -1 where empty."""
        full = np.full((self.height, self.width), -1, np.int32)
        full[self._window] = self.crop_face_id
        return full

    @cached_property
    def mesh_id(self) -> I2:
        """(H, W) int16 index of the mesh in the sequence drawn, -1 where empty."""
        full = np.full((self.height, self.width), -1, np.int16)
        full[self._window] = self.crop_mesh_id
        return full


@dataclass(frozen=True, slots=True)
class Pick:
    """What is under a point of a picture: mesh, face of that mesh, depth in metres."""

    mesh: int
    face: int
    depth: float


def checked(mesh: Mesh, number: int) -> tuple[F4, I4, U1]:
    """The mesh's arrays in the kernels' types; colours as (V, 3) or (1, 3).

    Raises:
        InputError: wrong shapes, or faces that name vertices which do not exist.
    """
    vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float32)
    faces = np.ascontiguousarray(mesh.faces, dtype=np.int32)
    colors = np.ascontiguousarray(mesh.colors, dtype=np.uint8)
    if vertices.size == 0:
        vertices = vertices.reshape(0, 3)
    if faces.size == 0:
        faces = faces.reshape(0, 3)
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise InputError(f"mesh {number}: vertices need shape (V, 3), got {vertices.shape}")
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise InputError(f"mesh {number}: faces need shape (F, 3), got {faces.shape}")
    if colors.shape not in ((3,), (len(vertices), 3)):
        raise InputError(f"mesh {number}: colours need shape (V, 3) or (3,), got {colors.shape}")
    if mesh.closed is not None and mesh.closed.shape != (len(faces),):
        raise InputError(f"mesh {number}: closed needs shape ({len(faces)},), got {mesh.closed.shape}")
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise InputError(f"mesh {number}: a face names a vertex that is not there")
    return vertices, faces, colors.reshape(-1, 3)
