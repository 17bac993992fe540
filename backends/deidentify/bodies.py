"""Bodies of one picture in one scene, the nearer before the farther."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numba
import numpy as np

from backends.camera import Camera
from backends.deidentify.fading import faded
from backends.deidentify.types import F4, PersonCover, Region
from backends.render import UNLIT, Mesh, Picture, rasterize

Array = Any

_GONE = 0.02
"""A face that is believed less is not drawn."""
_SURE = 0.99
"""A face that is believed more does not fade."""


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


def draw_bodies(
    covers: Sequence[PersonCover], camera: Camera, size: tuple[int, int], threads: int | None = None
) -> Drawn:
    """Draw whoever is shown as a mesh, hidden where somebody stands before them who is not.

    What is not to be believed of a body is not drawn and hides nobody, but belongs to its outline. Where
    somebody is spared it fades only: then a guess is rather in front of them than behind.
    """
    shows = {i for i, c in enumerate(covers) if _is_shown(c)}
    if not shows:
        return Drawn()
    meshes = {i: _mesh_of(c) for i, c in enumerate(covers)}
    whole = [(i, m) for i, m in meshes.items() if m is not None]
    spared = any(c.how is None for c in covers)
    split = {i: _split(m, _belief_of(covers[i]), keep=spared) for i, m in whole}
    parts = [(i, split[i][0]) for i, _ in whole]
    scene = rasterize([m for _, m in parts], camera, size=size, threads=threads)
    unseen = _unseen({i: m for i, (_, m) in split.items() if m is not None}, camera, size, threads)
    outlines, hidden = {}, []
    for number, (i, _) in enumerate(parts):
        person = covers[i]
        if i not in shows:
            hidden.append(number)
        if person.how is None or (person.how.what == "whole" and i in shows):
            mine = (scene.crop_mesh_id == number).view(np.uint8)
            found = Region(scene.x0, scene.y0, mine * np.uint8(255)) if mine.any() else None
            every = _joined(found, unseen.get(i))
            if every is not None:
                outlines[i] = every
    beliefs = {n: (m, b) for n, (i, m) in enumerate(parts) if (b := _belief_of(covers[i])) is not None}
    scene = faded(scene, beliefs, camera)
    if hidden:
        gone = np.isin(scene.crop_mesh_id, hidden)
        scene = replace(scene, crop_coverage=np.where(gone, np.float32(0), scene.crop_coverage))
    return Drawn(scene, outlines, tuple(i for i, _ in parts))


def _belief_of(cover: PersonCover) -> F4 | None:
    """Only of bodies that are whole: a head is always believed. None where all of it is."""
    if cover.belief is None or cover.how is None or cover.how.what != "whole" or cover.belief.min() >= 1:
        return None
    return cover.belief


@numba.njit(cache=True, nogil=True)
def _corners(faces: Array, belief: Array) -> tuple[Array, Array]:
    """(F,) belief in the most and in the least believed corner of each face."""
    most, least = np.empty(len(faces), np.float32), np.empty(len(faces), np.float32)
    for f in range(len(faces)):
        a, b, c = belief[faces[f, 0]], belief[faces[f, 1]], belief[faces[f, 2]]
        most[f], least[f] = max(a, b, c), min(a, b, c)
    return most, least


def _split(mesh: Mesh, belief: F4 | None, *, keep: bool) -> tuple[Mesh, Mesh | None]:
    """What is drawn of a body, and what of it is not believed at all; all of it is drawn to ``keep`` it."""
    if belief is None or keep:
        return mesh, None
    most, least = _corners(np.ascontiguousarray(mesh.faces, np.int32), belief)
    kept = most >= _GONE
    if kept.all():
        return mesh, None
    # At the cut one looks in, as deep as the limb fades; and of what is gone the outline has to be whole.
    closed = None if mesh.closed is None else (mesh.closed & (least >= _SURE))[kept]
    gone = replace(mesh, faces=mesh.faces[~kept], colors=(0, 0, 0), light=UNLIT, closed=None)
    return replace(mesh, faces=mesh.faces[kept], closed=closed), gone


def _unseen(
    meshes: dict[int, Mesh], camera: Camera, size: tuple[int, int], threads: int | None
) -> dict[int, Region]:
    """Where the parts lie that are not drawn, whatever body stands before them."""
    if not meshes:
        return {}
    scene = rasterize(list(meshes.values()), camera, size=size, threads=threads)
    found = {}
    for number, i in enumerate(meshes):
        mine = (scene.crop_mesh_id == number).view(np.uint8)
        if mine.any():
            found[i] = Region(scene.x0, scene.y0, mine * np.uint8(255))
    return found


def _joined(a: Region | None, b: Region | None) -> Region | None:
    if a is None or b is None:
        return a if b is None else b
    x0, y0 = min(a.x0, b.x0), min(a.y0, b.y0)
    x1 = max(r.x0 + r.mask.shape[1] for r in (a, b))
    y1 = max(r.y0 + r.mask.shape[0] for r in (a, b))
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for r in (a, b):
        h, w = r.mask.shape
        part = mask[r.y0 - y0 : r.y0 - y0 + h, r.x0 - x0 : r.x0 - x0 + w]
        np.maximum(part, r.mask, out=part)
    return Region(x0, y0, mask)


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
    return replace(mesh, faces=mesh.faces[cover.head_faces], closed=None)
