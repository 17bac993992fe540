"""Covers people in one picture: solid, pixels, body mesh; over the picture itself or over the empty room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.background import Light, Plate, fill, light_of
from backends.camera import Camera
from backends.deidentify.regions import PersonCover, Region, head_radius, head_region, person_region
from backends.render import Mesh, Picture, composite, rasterize

U1 = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
Array = Any

SOLID_RGB = (104, 110, 118)
_CELL_OF_RADIUS = 0.6
"""Cells of this share of the head's radius are three or four across a head; about twelve would show who."""
_MIN_CELL = 6
_MARGIN = 24
_FEATHER = 2


@numba.njit(cache=True, nogil=True)
def _mix(target: Array, source: Array, alpha: Array) -> None:
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            a = int(alpha[y, x])
            if a:
                for c in range(3):
                    t = int(target[y, x, c])
                    target[y, x, c] = t + ((int(source[y, x, c]) - t) * a + 127) // 255


def _feathered(region: Region, width: int, height: int) -> tuple[Region, U1]:
    """The region with a soft rim outside of it: inside the cover stays whole."""
    p = 2 * _FEATHER
    x0, y0 = max(0, region.x0 - p), max(0, region.y0 - p)
    h, w = region.mask.shape
    x1, y1 = min(width, region.x0 + w + p), min(height, region.y0 + h + p)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    mask[region.y0 - y0 : region.y0 - y0 + h, region.x0 - x0 : region.x0 - x0 + w] = region.mask
    size = 2 * _FEATHER + 1
    wide = cv2.dilate(mask, np.ones((size, size), np.uint8))
    soft = np.asarray(cv2.blur(wide, (size, size)), np.uint8)
    return Region(x0, y0, mask), np.maximum(soft, mask)


def _surroundings(frame: U1, region: Region, covered: BoolArray) -> U1:
    """What may be behind a region, blurred from around it, without any pixel of a person."""
    h, w = covered.shape
    y0, y1 = max(0, region.y0 - _MARGIN), min(h, region.y0 + region.mask.shape[0] + _MARGIN)
    x0, x1 = max(0, region.x0 - _MARGIN), min(w, region.x0 + region.mask.shape[1] + _MARGIN)
    filled = fill(frame[y0:y1, x0:x1], ~covered[y0:y1, x0:x1])
    rows = slice(region.y0 - y0, region.y0 - y0 + region.mask.shape[0])
    return np.ascontiguousarray(filled[rows, region.x0 - x0 : region.x0 - x0 + region.mask.shape[1]])


def pixelate(image: U1, region: Region, radius: float, phase: tuple[float, float]) -> U1:
    """(h, w, 3) the region in cells; ``radius`` of the head, pixels; ``phase`` in [0, 1) shifts the cells."""
    cell = max(_MIN_CELL, round(_CELL_OF_RADIUS * radius))
    h, w = region.mask.shape
    oy, ox = int(phase[0] * cell), int(phase[1] * cell)
    rows, columns = -(-(h + oy) // cell), -(-(w + ox) // cell)
    padded = cv2.copyMakeBorder(
        image[region.window], oy, rows * cell - h - oy, ox, columns * cell - w - ox, cv2.BORDER_REPLICATE
    )
    small = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (columns * cell, rows * cell), interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(np.asarray(large, np.uint8)[oy : oy + h, ox : ox + w])


def cover_frame(
    frame: U1,
    covers: Sequence[PersonCover],
    camera: Camera,
    *,
    cover: Literal["whole", "head", "face"],
    fill_with: Literal["mesh", "solid", "pixels", "remove", "blur"],
    plate: Plate | None,
    phase: tuple[float, float] = (0.0, 0.0),
) -> tuple[U1, BoolArray]:
    """Cover everybody.

    Args:
        frame: (H, W, 3) uint8, left as it is.
        plate: the empty room, shown where people were; else their surroundings, blurred.
        phase: of the pixel grid, so that cells cannot be compared from export to export.

    Returns:
        The covered picture and (H, W) which pixels were replaced.
    """
    height, width = frame.shape[:2]
    out = frame.copy()
    covered = np.zeros((height, width), np.bool_)
    scene: Picture | None = None
    outlines: dict[int, Region] = {}
    if fill_with == "mesh":
        scene, outlines = _draw(covers, camera, cover, (height, width))
    regions: list[tuple[PersonCover, Region]] = []
    for i, person in enumerate(covers):
        if cover == "whole":
            region = person_region(person, outlines.get(i), width, height)
        else:
            region = head_region(person, width, height)
        if region is not None:
            covered[region.window] |= region.mask > 0
            regions.append((person, region))
    light = light_of(frame, plate, covered) if plate is not None and cover == "whole" else None
    for person, region in regions:
        soft, alpha = _feathered(region, width, height)
        _mix(out[soft.window], _filling(frame, person, soft, covered, fill_with, plate, light, phase), alpha)
    if scene is not None:
        composite(out, scene, out=out)
    return out, covered


def _filling(
    frame: U1, person: PersonCover, region: Region, covered: BoolArray,
    fill_with: str, plate: Plate | None, light: Light | None, phase: tuple[float, float],
) -> U1:  # fmt: skip
    if fill_with == "solid":
        return np.full((*region.mask.shape, 3), SOLID_RGB, np.uint8)
    if fill_with == "pixels":
        return pixelate(frame, region, head_radius(person), phase)
    if plate is not None and light is not None:
        return light.on(plate.rgb, region.window)
    return _surroundings(frame, region, covered)


def _head_mesh(person: PersonCover) -> Mesh | None:
    if person.mesh is None or person.head_faces is None:
        return None
    return Mesh(person.mesh.vertices, person.mesh.faces[person.head_faces], person.mesh.colors)


def _draw(
    covers: Sequence[PersonCover], camera: Camera, cover: str, size: tuple[int, int]
) -> tuple[Picture | None, dict[int, Region]]:
    """All bodies in one scene, the nearer before the farther, and where each is seen in it.

    Where a nearer body hides a farther one, the nearer one is the cover of both.
    """
    meshes = {i: c.mesh if cover == "whole" else _head_mesh(c) for i, c in enumerate(covers)}
    shown = [(i, m) for i, m in meshes.items() if m is not None]
    if not shown:
        return None, {}
    scene = rasterize([m for _, m in shown], camera, size=size)
    outlines = {}
    if cover == "whole":
        for number, (i, _) in enumerate(shown):
            mine = (scene.crop_mesh_id == number).view(np.uint8)
            if mine.any():
                outlines[i] = Region(scene.x0, scene.y0, mine * np.uint8(255))
    return scene, outlines
