"""Bodies of one picture in one scene, the nearer before the farther."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from backends.camera import Camera
from backends.deidentify.types import PersonCover, Region
from backends.render import Mesh, Picture, rasterize


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Attributes:
    picture: what is laid over the covered people, or None where no body is shown.
    outlines: by a person's place in the list, where their whole body is the nearest one. Where a nearer
        body hides a farther one, the nearer one is the cover of both.
    members: the place in the list of every mesh of ``picture``, by its number.
    """

    picture: Picture | None = None
    outlines: dict[int, Region] = field(default_factory=dict)
    members: tuple[int, ...] = ()


def draw_bodies(covers: Sequence[PersonCover], camera: Camera, size: tuple[int, int]) -> Drawn:
    """Draw whoever is shown as a mesh, hidden where somebody stands before them who is not."""
    shows = {i for i, c in enumerate(covers) if _is_shown(c)}
    if not shows:
        return Drawn()
    meshes = {i: _mesh_of(c) for i, c in enumerate(covers)}
    parts = [(i, m) for i, m in meshes.items() if m is not None]
    scene = rasterize([m for _, m in parts], camera, size=size)
    outlines, hidden = {}, []
    for number, (i, _) in enumerate(parts):
        person = covers[i]
        if i not in shows:
            hidden.append(number)
        if person.how is None or (person.how.what == "whole" and i in shows):
            mine = (scene.crop_mesh_id == number).view(np.uint8)
            if mine.any():
                outlines[i] = Region(scene.x0, scene.y0, mine * np.uint8(255))
    if hidden:
        gone = np.isin(scene.crop_mesh_id, hidden)
        scene = replace(scene, crop_coverage=np.where(gone, np.float32(0), scene.crop_coverage))
    return Drawn(scene, outlines, tuple(i for i, _ in parts))


def _is_shown(cover: PersonCover) -> bool:
    return cover.how is not None and cover.how.fill == "mesh" and cover.drawn and _mesh_of(cover) is not None


def _mesh_of(cover: PersonCover) -> Mesh | None:
    """The part of the body that stands in the scene: shown, or only in the way of others."""
    mesh, how = cover.mesh, cover.how
    if mesh is None or not cover.drawn:
        return None
    if how is None or how.what == "whole" or how.fill != "mesh":
        return mesh if how is None or how.what == "whole" else None
    if cover.head_faces is None:
        return None
    return replace(mesh, faces=mesh.faces[cover.head_faces])
