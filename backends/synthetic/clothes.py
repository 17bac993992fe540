"""Dressing a body: scrubs, cap, mask, gloves and shoes, as displaced and coloured skin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.spatial import ConvexHull

from backends.body.model import BodyModel
from backends.body.skeleton import JOINT_INDEX

F8 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Outfit:
    """What somebody wears. ``sleeves``: how far the sleeves reach, 0 at the shoulder, 1 at the wrist."""

    scrubs: Color
    cap: Color
    skin: Color
    shoes: Color
    hair: Color
    mask: Color | None = None
    gloves: Color | None = None
    sleeves: float = 0.36


SURGEON = Outfit((38, 118, 104), (52, 138, 122), (222, 176, 148), (60, 70, 78), (74, 52, 38), (176, 208, 224),
                 (226, 224, 214), 0.97)  # fmt: skip
NURSE = Outfit((44, 84, 150), (120, 70, 130), (140, 94, 70), (228, 228, 226), (30, 24, 22), (186, 214, 226))
ASSISTANT = Outfit((122, 48, 66), (150, 62, 80), (236, 194, 168), (50, 60, 92), (150, 104, 58))
OUTFITS = (SURGEON, NURSE, ASSISTANT)


@dataclass(frozen=True, slots=True, eq=False)
class Dressed:
    """A body in clothes: ``v_template`` differs from the bare one's, and two shoes are added to the mesh."""

    body: BodyModel
    colors: npt.NDArray[np.uint8]


_CLOTHS = (
    ("top", 30, 0.018), ("trousers", 30, 0.014), ("cap", 6, 0.012), ("mask", 26, 0.006),
)  # fmt: skip
"""Region, rounds of smoothing, and how far the cloth stands off the skin, metres."""


def dress(body: BodyModel, outfit: Outfit, rng: np.random.Generator) -> Dressed:
    """Clothes for a body in the free body's rest pose (T-pose, y up, facing +z)."""
    v = body.v_template
    regions = _regions(body, outfit)
    normals = _normals(v, body.faces)
    neighbours = _neighbours(body)
    offset = np.zeros_like(v)
    waist = body.J_template[JOINT_INDEX["pelvis"], 1] - 0.07
    knee, hip = (body.J_template[JOINT_INDEX[f"left_{n}"], 1] for n in ("knee", "hip"))
    # Scrubs hang loose: wider at the hem of the top and towards the lower legs.
    looser = {
        "top": 0.014 * np.clip(1 - (v[:, 1] - waist) / 0.16, 0, 1) * (np.abs(v[:, 0]) < 0.25),
        "trousers": 0.016 * np.clip((hip - v[:, 1]) / (hip - knee), 0, 1),
    }
    chest = regions["top"] & (v[:, 2] > 0.06) & (np.abs(v[:, 0]) < 0.17)
    base = _smoothed(v, chest, neighbours, 160)  # cloth spans what it lies over
    for name, rounds, thickness in _CLOTHS:
        inside = regions[name]
        if not inside.any():
            continue
        smooth = _smoothed(base, inside, neighbours, rounds)
        depth = thickness + looser.get(name, 0.0) + (_folds(v, rng) * 0.005 if name in looser else 0.0)
        depth = np.broadcast_to(depth, len(v))
        offset[inside] = (smooth - v + normals * depth[:, None])[inside]
    colors = _colors(body, outfit, regions, rng)
    return _with_shoes(replace(body, v_template=v + offset), colors, regions["shoes"])


def _regions(body: BodyModel, outfit: Outfit) -> dict[str, Bools]:
    v = body.v_template
    x, y, z = v[:, 0], v[:, 1], v[:, 2]
    J = body.J_template
    part = body.part_of_vertex

    def of(*names: str) -> Bools:
        chosen: Bools = np.isin(part, [JOINT_INDEX[n] for n in names])
        return chosen

    head = body.head_vertices | of("head", "jaw", "left_eye_smplhf", "right_eye_smplhf")
    shoulder, wrist = J[JOINT_INDEX["left_shoulder"]], J[JOINT_INDEX["left_wrist"]]
    sleeve_end = shoulder[0] + outfit.sleeves * (wrist[0] - shoulder[0])
    waist, ankle_y = J[JOINT_INDEX["pelvis"], 1] - 0.07, J[JOINT_INDEX["left_ankle"], 1]
    neck = J[JOINT_INDEX["neck"]]
    # A V-shaped neckline: lower in front, and lower in the middle.
    neckline = neck[1] + 0.03 - np.maximum(z - neck[2], 0) * np.maximum(1.1 - np.abs(x) / 0.07, 0) * 1.1
    top = ~head & (np.abs(x) < sleeve_end) & (y > waist) & (y < neckline)
    trousers = (y <= waist) & (y > ankle_y + 0.04)
    shoes = y < ankle_y + 0.03
    hand = ~head & (np.abs(x) > wrist[0] - 0.035) & (y > 0.2)
    top_of_head = J[JOINT_INDEX["head"], 1] + 0.077
    back = z - J[JOINT_INDEX["head"], 2]
    cap = head & (y > top_of_head + 0.24 * back)
    hair = head & ~cap & (back < -0.005) & (y > top_of_head - 0.085 + 0.15 * back)
    bridge = J[JOINT_INDEX["head"], 1] + 0.020
    mask = head & (y < bridge - 0.25 * np.abs(x)) & (back > 0.035) & (y > bridge - 0.125)
    if outfit.mask is None:
        mask = np.zeros_like(mask)
    return {
        "top": top, "trousers": trousers, "shoes": shoes, "cap": cap, "mask": mask,
        "hand": hand, "hair": hair, "head": head,
    }  # fmt: skip


def _colors(
    body: BodyModel, outfit: Outfit, regions: dict[str, Bools], rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    colors = np.tile(np.array(outfit.skin, np.float64), (body.n_vertices, 1))
    v = body.v_template
    J = body.J_template
    face_y = J[JOINT_INDEX["head"], 1]
    front = v[:, 2] - J[JOINT_INDEX["head"], 2]
    x = np.abs(v[:, 0])
    colors[regions["hair"]] = outfit.hair
    brow = (
        regions["head"]
        & (front > 0.07)
        & (np.abs(v[:, 1] - face_y - 0.061) < 0.0045)
        & (x > 0.014)
        & (x < 0.05)
    )
    colors[brow] = np.array(outfit.hair) * 0.8 + np.array(outfit.skin) * 0.2
    lips = regions["head"] & (front > 0.075) & (np.abs(v[:, 1] - face_y + 0.034) < 0.008) & (x < 0.024)
    colors[lips] = np.array(outfit.skin) * (0.93, 0.76, 0.74)
    for side in ("left", "right"):
        ball = body.part_of_vertex == JOINT_INDEX[f"{side}_eye_smplhf"]
        if ball.any():
            colors[ball] = (236, 234, 230)
            pupil = v[ball][np.argmax(v[ball, 2])]
            colors[ball & (np.linalg.norm(v - pupil, axis=1) < 0.0065)] = (52, 38, 30)
    for name, color in (("trousers", outfit.scrubs), ("top", outfit.scrubs), ("shoes", outfit.shoes),
                        ("cap", outfit.cap), ("mask", outfit.mask), ("hand", outfit.gloves)):  # fmt: skip
        if color is not None:
            colors[regions[name]] = color
    cloth = regions["top"] | regions["trousers"]
    colors[cloth] *= (1.0 + 0.05 * _folds(v, rng))[cloth, None]
    return np.clip(np.rint(colors), 0, 255).astype(np.uint8)


def _folds(v: F8, rng: np.random.Generator) -> F8:
    """A smooth field in about [-1, 1] over the body, longer downwards than across."""
    total = np.zeros(len(v))
    for _ in range(7):
        direction = rng.normal(size=3) * (1.0, 0.45, 1.0)
        direction /= np.linalg.norm(direction)
        total += np.sin(v @ direction * rng.uniform(28, 62) + rng.uniform(0, 2 * np.pi))
    field: F8 = total / 3.0
    return field


def _with_shoes(body: BodyModel, colors: npt.NDArray[np.uint8], region: Bools) -> Dressed:
    """Adds a shoe round each foot: the foot's convex hull, a little larger, moving as its vertices do."""
    v = body.v_template
    sources, points, faces = [np.arange(len(v))], [v], [body.faces]
    n = len(v)
    for side in (1.0, -1.0):
        foot = np.flatnonzero(region & (side * v[:, 0] > 0))
        low = foot[v[foot, 1] < v[foot, 1].min() + 0.085]
        hull = ConvexHull(v[low])
        outward = np.einsum("ij,ij->i", _face_normals(v[low], hull.simplices), hull.equations[:, :3]) > 0
        triangles = np.where(outward[:, None], hull.simplices, hull.simplices[:, ::-1])
        used, triangles = np.unique(triangles, return_inverse=True)
        centre = v[low].mean(axis=0)
        points.append(centre + (v[low[used]] - centre) * (1.09, 1.05, 1.05))
        sources.append(low[used])
        faces.append(triangles.reshape(-1, 3).astype(np.int32) + np.int32(n))
        n += len(used)
    source = np.concatenate(sources)
    shod = replace(
        body, v_template=np.concatenate(points), faces=np.concatenate(faces),
        shapedirs=body.shapedirs[source],
        skin_joints=body.skin_joints[source], skin_weights=body.skin_weights[source],
    )  # fmt: skip
    return Dressed(shod, colors[source])


def _normals(v: F8, faces: npt.NDArray[np.int32]) -> F8:
    face = _face_normals(v, faces)
    normals = np.zeros_like(v)
    for k in range(3):
        np.add.at(normals, faces[:, k], face)
    unit: F8 = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return unit


def _face_normals(v: F8, faces: npt.NDArray[np.int32]) -> F8:
    normals: F8 = np.cross(v[faces[:, 1]] - v[faces[:, 0]], v[faces[:, 2]] - v[faces[:, 0]])
    return normals


def _neighbours(body: BodyModel) -> sparse.csr_matrix:
    """(V, V) rows that average a vertex's neighbours."""
    f = body.faces
    row = np.concatenate([f[:, 0], f[:, 1], f[:, 2], f[:, 1], f[:, 2], f[:, 0]])
    column = np.concatenate([f[:, 1], f[:, 2], f[:, 0], f[:, 0], f[:, 1], f[:, 2]])
    near = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(body.n_vertices,) * 2)
    near.data[:] = 1.0
    count = np.maximum(np.asarray(near.sum(axis=1)).reshape(-1), 1.0)
    return sparse.diags(1.0 / count) @ near


def _smoothed(v: F8, inside: Bools, neighbours: sparse.csr_matrix, rounds: int) -> F8:
    """Cloth does not follow every muscle: Laplacian smoothing of a region, its border held."""
    smooth = v.copy()
    for _ in range(rounds):
        smooth[inside] = (neighbours @ smooth)[inside]
    return smooth
