"""Whether a posed body passes through itself: reported, not fitted.

Points a little below the skin are inside the body once. Where the generalised winding number of the mesh
(Jacobson et al., Robust inside-outside segmentation using generalized winding numbers, 2013) says twice,
two parts overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from backends.body import BodyModel, BodyParams, posed_joints, posed_vertices
from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from backends.fitting.arrays import Array
from backends.render.geometry import vertex_normals

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_BELOW_SKIN = 0.65
"""Samples lie this far from the bone's axis, as a share of the skin's distance."""
_TWICE = 1.5
_PER_PART = 24
_MIN_SHARE = 0.1

_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)


_THICKEST = 0.08
_BONES = tuple(
    (JOINT_INDEX[a], JOINT_INDEX[b], radius)
    for a, b, radius in (
        ("pelvis", "spine1", 0.20), ("spine1", "spine2", 0.20), ("spine2", "spine3", 0.20),
        ("spine3", "neck", 0.20), ("neck", "head", 0.12), ("head", "head", 0.16),
        *((f"{s}_hip", f"{s}_knee", 0.11) for s in ("left", "right")),
        *((f"{s}_knee", f"{s}_ankle", 0.08) for s in ("left", "right")),
        *((f"{s}_ankle", f"{s}_foot", 0.07) for s in ("left", "right")),
        *((f"{s}_collar", f"{s}_shoulder", 0.09) for s in ("left", "right")),
        *((f"{s}_shoulder", f"{s}_elbow", 0.08) for s in ("left", "right")),
        *((f"{s}_elbow", f"{s}_wrist", 0.06) for s in ("left", "right")),
        *((f"{s}_wrist", f"{s}_middle1", 0.07) for s in ("left", "right")),
    )
)  # fmt: skip
"""Bones, and how far from them skin may lie at most, metres: for a quick look at what cannot overlap."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A limb that passes through another part.

    Attributes:
        part, other: names of the joints that move them.
        share: of the limb's samples that lie within the other, 0 to 1.
        depth_mm: how far the deepest of them is from the other's nearest vertex.
    """

    part: str
    other: str
    share: float
    depth_mm: float


def self_penetration(body: BodyModel, params: BodyParams) -> tuple[Overlap, ...]:
    """Limbs (upper and lower arms and legs) that pass through other parts, the deepest first.

    Touching skin is no overlap: only what is deeper than about a third of the limb's thickness is told.

    Raises:
        InputError: for parameters of another size.
    """
    joints = posed_joints(body, params)
    suspects = [limb for limb in _LIMBS if _close(joints, *limb)]
    if not suspects:
        return ()
    vertices = posed_vertices(body, params)
    normals = vertex_normals(vertices.astype(np.float32), body.faces)
    found = []
    for start, end in suspects:
        a, b = joints[JOINT_INDEX[start]], joints[JOINT_INDEX[end]]
        samples = _samples(body, vertices, JOINT_INDEX[start], a, b)
        if not len(samples):
            continue
        kin = np.zeros(len(JOINT_NAMES), np.bool_)
        kin[_kin(JOINT_INDEX[start], JOINT_INDEX[end])] = True
        # Quickly told: samples on the inner side of another part's nearest skin. Most limbs have none.
        near = _nearest(samples, vertices, body.part_of_vertex, kin)
        within = ((samples - vertices[near]) * normals[near]).sum(axis=1) < 0.0
        if within.mean() <= _MIN_SHARE:
            continue
        inside = winding_numbers(samples, vertices, body.faces) > _TWICE
        if inside.mean() <= _MIN_SHARE:
            continue
        far = ~kin[body.part_of_vertex]
        if not far.any():
            continue
        gaps = np.linalg.norm(samples[inside][:, None] - vertices[far][None], axis=2)
        nearest = gaps.argmin(axis=1)
        parts = body.part_of_vertex[far][nearest]
        other = int(np.bincount(parts).argmax())
        depth = 1e3 * float(gaps.min(axis=1).max())
        found.append(Overlap(start, JOINT_NAMES[other], float(inside.mean()), depth))
    return tuple(sorted(found, key=lambda o: -o.depth_mm))


def _close(joints: F8, start: str, end: str) -> bool:
    """Whether a limb's axis comes so near to another bone that skin may pass through skin at all."""
    a, b = JOINT_INDEX[start], JOINT_INDEX[end]
    kin = set(_kin(a, b))
    own = joints[a] + np.linspace(0.25, 0.8, 8)[:, None] * (joints[b] - joints[a])
    steps = np.linspace(0.0, 1.0, 9)[:, None]
    for first, last, radius in _BONES:
        if first in kin:
            continue
        other = joints[first] + steps * (joints[last] - joints[first])
        gap = np.linalg.norm(own[:, None] - other[None], axis=2).min()
        if gap < radius + _BELOW_SKIN * _THICKEST:
            return True
    return False


def _kin(start: int, end: int) -> list[int]:
    """The limb's own part and those it grows out of or into, whose skin folds at the joint anyway."""
    kin = [start, end, PARENTS[start]]
    return kin + [j for j, p in enumerate(PARENTS) if p == end]


def _samples(body: BodyModel, vertices: F8, part: int, a: F8, b: F8) -> F8:
    """Points below the skin of a limb from joint ``a`` to ``b``, away from its ends."""
    own = vertices[body.part_of_vertex == part]
    axis = b - a
    along = (own - a) @ axis / max(float(axis @ axis), 1e-9)
    middle = own[(along > 0.25) & (along < 0.8)]
    along = along[(along > 0.25) & (along < 0.8)]
    if len(middle) == 0:
        return np.zeros((0, 3))
    pick = np.linspace(0, len(middle) - 1, min(_PER_PART, len(middle))).astype(int)
    foot = a + along[pick, None] * axis
    samples: F8 = foot + _BELOW_SKIN * (middle[pick] - foot)
    return samples


@numba.njit(cache=True, nogil=True, fastmath=True)
def _nearest(samples: Array, vertices: Array, part: Array, kin: Array) -> Array:
    """(M,) the vertex next to each of ``samples`` (M, 3) that belongs to no part in ``kin`` (55,) bool."""
    out = np.zeros(len(samples), np.int64)
    for m in range(len(samples)):
        best = np.inf
        for v in range(len(vertices)):
            if kin[part[v]]:
                continue
            dx, dy = vertices[v, 0] - samples[m, 0], vertices[v, 1] - samples[m, 1]
            dz = vertices[v, 2] - samples[m, 2]
            d = dx * dx + dy * dy + dz * dz
            if d < best:
                best = d
                out[m] = v
    return out


@numba.njit(cache=True, nogil=True, fastmath=True)
def winding_numbers(points: Array, vertices: Array, faces: Array) -> Array:
    """(M,) how many times the mesh goes round each of ``points`` (M, 3): the sum of its triangles' solid
    angles (Van Oosterom and Strackee, 1983) over 4 pi; 0 outside, 1 inside."""
    out = np.zeros(len(points))
    for m in range(len(points)):
        total = 0.0
        px, py, pz = points[m, 0], points[m, 1], points[m, 2]
        for f in range(len(faces)):
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            ax, ay, az = vertices[i, 0] - px, vertices[i, 1] - py, vertices[i, 2] - pz
            bx, by, bz = vertices[j, 0] - px, vertices[j, 1] - py, vertices[j, 2] - pz
            cx, cy, cz = vertices[k, 0] - px, vertices[k, 1] - py, vertices[k, 2] - pz
            la = np.sqrt(ax * ax + ay * ay + az * az)
            lb = np.sqrt(bx * bx + by * by + bz * bz)
            lc = np.sqrt(cx * cx + cy * cy + cz * cz)
            det = (
                ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
            )  # fmt: skip
            below = (
                la * lb * lc
                + (ax * bx + ay * by + az * bz) * lc
                + (bx * cx + by * cy + bz * cz) * la
                + (cx * ax + cy * ay + cz * az) * lb
            )
            total += 2.0 * np.arctan2(det, below)
        out[m] = total / (4.0 * np.pi)
    return out
