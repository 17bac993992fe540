"""Tops, trousers, gowns, gloves, shoes and badges, cut from the body or hung on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull

from backends.synthetic.garments.outfits import Outfit
from backends.synthetic.garments.surface import (
    F8,
    Surface,
    anchored,
    cut,
    draped,
    hung_on,
    joined,
    normals,
)
from backends.synthetic.garments.tailor import Tailor, grid_faces


def _smoothstep(x: F8) -> F8:
    x = np.clip(x, 0.0, 1.0)
    out: F8 = x * x * (3 - 2 * x)
    return out


def _shaded(surface: Surface, tailor: Tailor, strength: float = 0.09) -> Surface:
    """Cloth is a little darker in its creases."""
    field = tailor.folds(surface.rest)
    return surface.painted(surface.colors * (1 + strength * field)[:, None])


def top_field(tailor: Tailor, points: F8, sleeves: float, neck_depth: float) -> F8:
    """Above zero where a top with a V-neck covers, metres from its edge; it ends at the hips."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    neck, shoulder, wrist = tailor.joint("neck"), tailor.joint("left_shoulder"), tailor.joint("left_wrist")
    sleeve_end = shoulder[0] + sleeves * (wrist[0] - shoulder[0])
    ahead = z - neck[2]
    v_neck = neck_depth * _smoothstep(ahead / 0.06) * np.maximum(1.0 - x / 0.075, 0.0)
    neckline = neck[1] + 0.028 - 0.35 * np.maximum(ahead, 0) - v_neck
    hem = tailor.joint("pelvis")[1] - 0.03
    field: F8 = np.minimum(np.minimum(sleeve_end - x, y - hem), neckline - y)
    return field


def trousers_field(tailor: Tailor, points: F8) -> F8:
    """Above zero where trousers cover."""
    y = points[:, 1]
    field: F8 = np.minimum(tailor.joint("pelvis")[1] + 0.01 - y, y - tailor.joint("left_ankle")[1] + 0.012)
    return field


def glove_field(tailor: Tailor, points: F8) -> F8:
    """Above zero on the hands and the first centimetres of the forearms."""
    field: F8 = np.abs(points[:, 0]) - tailor.joint("left_wrist")[0] + 0.06
    return field


def top(tailor: Tailor, outfit: Outfit, *, thickness: float = 0.018) -> Surface:
    """The top, its sleeves and, below the hips, a tunic."""
    piece = cut(tailor.skin, top_field(tailor, tailor.rest, outfit.sleeves, outfit.neck_depth))
    edge = top_field(tailor, piece.rest, outfit.sleeves, outfit.neck_depth)
    x = np.abs(piece.rest[:, 0])
    shoulder, wrist = tailor.joint("left_shoulder")[0], tailor.joint("left_wrist")[0]
    along = (x - shoulder) / (wrist - shoulder)
    # Sleeves widen to their end; short ones stand off the arm.
    loose = 0.010 * _smoothstep(along / 0.3) * (0.6 if outfit.sleeves > 0.6 else 1.6)
    creases = 0.006 * tailor.folds(piece.rest) * _smoothstep(np.abs(piece.rest[:, 1] - 0.45) / 0.1)
    chest = (piece.rest[:, 2] > 0.04) & (x < 0.17)
    piece = draped(piece, 60, 0.4 * thickness, ~chest)  # cloth spans what it lies over
    piece = draped(piece, 25, 0.6 * thickness + loose + creases)
    color = np.asarray(outfit.top, dtype=np.float64)
    # Neckline and sleeves end in a seam.
    seam = np.minimum(0.011 - edge, piece.rest[:, 1] - tailor.joint("spine1")[1])
    pieces = [cut(piece, -seam).painted(color), cut(piece, seam).painted(0.78 * color)]
    if outfit.tunic > 0:
        pelvis = tailor.joint("pelvis")[1]
        pieces.append(skirt(tailor, pelvis + 0.03, pelvis - 0.03 - outfit.tunic, thickness, 0.03, outfit.top))
    return _shaded(joined(pieces), tailor)


def trousers(tailor: Tailor, color: npt.ArrayLike) -> Surface:
    """Loose trousers, wider towards the hem."""
    piece = cut(tailor.skin, trousers_field(tailor, tailor.rest))
    hip, knee = tailor.joint("left_hip")[1], tailor.joint("left_knee")[1]
    loose = 0.018 * np.clip((hip - piece.rest[:, 1]) / (hip - knee), 0, 1.3)
    creases = 0.006 * tailor.folds(piece.rest)
    below_waist = _smoothstep((tailor.joint("pelvis")[1] - piece.rest[:, 1]) / 0.12)
    piece = draped(piece, 30, 0.004 + (0.009 + loose + creases) * below_waist)
    return _shaded(piece.painted(color), tailor)


def skirt(
    tailor: Tailor, upper: float, lower: float, ease: float, flare: float, color: npt.ArrayLike,
    *, columns: int = 56,
) -> Surface:  # fmt: skip
    """Cloth that hangs round both legs from height ``upper`` to ``lower`` and goes with either by halves."""
    rows = max(int((upper - lower) / 0.03), 3)
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    direction = np.stack([np.sin(angle), np.cos(angle)], axis=1)  # x, z
    heights = np.linspace(upper, lower, rows)
    torso = np.abs(tailor.rest[:, 0]) < tailor.joint("left_shoulder")[0] + 0.05
    reach = np.empty((rows, columns))
    for r, y in enumerate(heights):
        near = tailor.rest[torso & (np.abs(tailor.rest[:, 1] - y) < 0.025)][:, (0, 2)]
        hull = ConvexHull(near).equations
        towards = hull[:, :2] @ direction.T
        reach[r] = np.where(towards > 1e-6, -hull[:, 2:] / np.maximum(towards, 1e-6), np.inf).min(axis=0)
    # Gravity: cloth falls from the widest place above and never clings again.
    reach = np.maximum.accumulate(reach * 0.985, axis=0)
    down = np.linspace(0, 1, rows)[:, None]
    wave = 0.014 * down * np.sin(angle * 7 + 2.0) + 0.008 * down * np.sin(angle * 13)
    radius = reach + ease + flare * down + wave
    x, z = radius * direction[:, 0], radius * direction[:, 1]
    points = np.stack([x, np.broadcast_to(heights[:, None], x.shape), z], axis=-1).reshape(-1, 3)
    sides = []
    for sign in (1.0, -1.0):
        half = np.flatnonzero((tailor.rest[:, 0] * sign > 0.02) & torso)
        gap = ((points[:, None, 1:] - tailor.rest[half][None, ::7, 1:]) ** 2).sum(-1)
        sides.append(half[::7][gap.argmin(axis=1)])
    left = _smoothstep(points[:, 0] / 0.24 + 0.5)
    mix = hung_on(len(tailor.rest), np.stack(sides, axis=1), np.stack([left, 1 - left], axis=1))
    return anchored(tailor.rest, points, mix, grid_faces(rows, columns, closed=True), color)


def gown(tailor: Tailor, color: npt.ArrayLike) -> Surface:
    """A surgical gown: closed at the neck, sleeves to the wrist, down to the shins, a band at the waist."""
    sleeves = cut(tailor.skin, top_field(tailor, tailor.rest, 0.93, 0.0))
    shoulder, wrist = tailor.joint("left_shoulder")[0], tailor.joint("left_wrist")[0]
    along = np.clip((np.abs(sleeves.rest[:, 0]) - shoulder) / (wrist - shoulder), 0, 1)
    wide = 0.022 + 0.012 * np.sin(np.pi * along) - 0.012 * _smoothstep((along - 0.75) / 0.2)
    creases = 0.007 * tailor.folds(sleeves.rest)
    chest = (sleeves.rest[:, 2] > 0.03) & (np.abs(sleeves.rest[:, 0]) < 0.17)
    sleeves = draped(draped(sleeves, 120, 0.004, ~chest), 50, wide + creases)
    knee = tailor.joint("left_knee")[1]
    waist = tailor.joint("spine1")[1]
    body = skirt(tailor, waist + 0.01, knee - 0.16, 0.036, 0.045, color)
    cuff = np.abs(sleeves.rest[:, 0]) > wrist - 0.075
    sleeves = sleeves.painted(color).painted((226, 228, 228), cuff)
    band = 0.022 - np.abs(sleeves.rest[:, 1] - waist - 0.01)
    belt = cut(sleeves, band).painted(np.asarray(color) * 0.84)
    belt = belt.moved(normals(belt) * 0.004)
    return _shaded(joined([cut(sleeves, -band), belt, body]), tailor, 0.10)


def gloves(tailor: Tailor, color: npt.ArrayLike) -> Surface:
    """Thin gloves."""
    piece = cut(tailor.skin, glove_field(tailor, tailor.rest))
    cuff = 0.004 + 0.020 * _smoothstep((tailor.joint("left_wrist")[0] - np.abs(piece.rest[:, 0])) / 0.05)
    return piece.moved(normals(piece) * cuff[:, None]).painted(color)


def shoes(tailor: Tailor, color: npt.ArrayLike) -> Surface:
    """A shoe round each foot: the foot's convex hull, a little larger, with a sole of another colour."""
    pieces = []
    v = tailor.rest
    for side in (1.0, -1.0):
        foot = np.flatnonzero((v[:, 0] * side > 0) & (v[:, 1] < tailor.joint("left_ankle")[1] + 0.03))
        low = foot[v[foot, 1] < v[foot, 1].min() + 0.085]
        hull = ConvexHull(v[low])
        face = v[low][hull.simplices]
        outward = np.cross(face[:, 1] - face[:, 0], face[:, 2] - face[:, 0])
        right = np.einsum("ij,ij->i", outward, hull.equations[:, :3]) > 0
        triangles = np.where(right[:, None], hull.simplices, hull.simplices[:, ::-1])
        used, triangles = np.unique(triangles, return_inverse=True)
        centre = v[low].mean(axis=0)
        points = centre + (v[low[used]] - centre) * (1.10, 1.05, 1.06)
        shoe = anchored(
            v, points, hung_on(len(v), low[used]), triangles.reshape(-1, 3).astype(np.int32), color
        )
        line = points[:, 1].min() + 0.022
        sole_color = (232, 232, 228) if np.mean(np.asarray(color)) < 150 else (196, 198, 198)
        pieces += [cut(shoe, shoe.rest[:, 1] - line), cut(shoe, line - shoe.rest[:, 1]).painted(sole_color)]
    return joined(pieces)


def badge(tailor: Tailor, cloth: Surface, skin: npt.ArrayLike) -> Surface:
    """A name badge on the chest: a photograph, a name and two lines, all in strokes."""
    rows, columns = 17, 11
    u, v = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    spine = tailor.joint("spine3")
    at = np.array([0.095, spine[1] + 0.10])
    flat = np.linalg.norm(cloth.rest[:, :2] - at, axis=1) + 10 * (cloth.rest[:, 2] < 0)
    z = cloth.rest[flat < 0.05, 2].max(initial=0.1) + 0.012
    points = np.stack([at[0] + 0.054 * (v - 0.5), at[1] - 0.085 * (u - 0.5), np.full_like(u, z)], -1)
    colors = np.full((rows, columns, 3), 240.0)
    colors[:2] = (60, 120, 190)
    colors[4:10, 3:8] = (170, 190, 205)
    colors[5:8, 4:7] = np.asarray(skin, dtype=np.float64)
    colors[11, 2:9] = (40, 44, 52)
    colors[13, 2:7] = colors[15, 2:8] = (120, 126, 134)
    return tailor.hang(points.reshape(-1, 3), grid_faces(rows, columns), colors.reshape(-1, 3), rigid=True)
