"""Faces, hair, caps and masks. Places are in the mean head's metres, origin between the eyes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from backends.body.skeleton import JOINT_INDEX
from backends.synthetic.garments.outfits import Cap, Hair, Outfit
from backends.synthetic.garments.surface import F8, Surface, anchored, cut, draped, hung_on, normals
from backends.synthetic.garments.tailor import Tailor, grid_faces, tube

_DECAL = 0.0006
"""How far painted features stand off the skin, metres."""


def _around(tailor: Tailor, points: F8) -> tuple[F8, F8, F8, F8]:
    """Head measures of points: x, y, z, and the angle about the head's axis (0 ahead, pi behind)."""
    p = tailor.on_head(points)
    return np.abs(p[:, 0]), p[:, 1], p[:, 2], np.abs(np.arctan2(p[:, 0], p[:, 2] + 0.085))


def _line(angle: F8, *knots: tuple[float, float]) -> F8:
    """Height over the eyes as a function of the angle about the head, degrees and metres."""
    degrees, heights = zip(*knots)
    height: F8 = np.interp(np.rad2deg(angle), degrees, heights)
    return height


def _above_neck(tailor: Tailor, points: F8) -> F8:
    above: F8 = points[:, 1] - tailor.joint("neck")[1] - 0.01
    return above


def hair_field(tailor: Tailor, points: F8) -> F8:
    """Above zero on the scalp."""
    _, y, _, angle = _around(tailor, points)
    line = _line(angle, (0, 0.070), (35, 0.062), (58, 0.040), (72, -0.010), (84, -0.018), (94, 0.026),
                 (112, 0.020), (122, -0.050), (180, -0.085))  # fmt: skip
    field: F8 = np.minimum(y - line, _above_neck(tailor, points))
    return field


def cap_field(tailor: Tailor, points: F8, low: bool) -> F8:
    """Above zero under a cap; ``low`` ones come down over the ears and the nape."""
    _, y, _, angle = _around(tailor, points)
    if low:
        line = _line(angle, (0, 0.045), (50, 0.034), (85, 0.000), (105, -0.004), (130, -0.050), (180, -0.075))
    else:
        line = _line(angle, (0, 0.047), (50, 0.040), (85, 0.034), (105, 0.030), (130, 0.010), (180, -0.020))
    field: F8 = np.minimum(y - line, _above_neck(tailor, points))
    return field


def skin_tone(skin: npt.ArrayLike) -> F8:
    """(3,) what skin of a swatch's colour reflects.

    A swatch is how skin looks in light; what it reflects is a little less. Dark skin shines more than it
    reflects: without that it would be a shape without features. Of fair skin the blood shows, or it would
    be porcelain.
    """
    swatch = np.asarray(skin, dtype=np.float64)
    shine = 80.0 * np.exp(-float(swatch.mean()) / 45.0)
    fair = float(np.clip((swatch.mean() - 150.0) / 90.0, 0.0, 1.0))
    body = 0.87 * swatch * (1.0 - fair * np.array([0.03, 0.09, 0.13]))
    tone: F8 = body + shine * np.array([1.0, 0.76, 0.60])
    return tone


def face_paint(tailor: Tailor, points: F8, skin: npt.ArrayLike, outfit: Outfit) -> F8:
    """(N, 3) colours of the bare skin: blood in cheeks, nose and lips, shade about the eyes, stubble."""
    x, y, z, _ = _around(tailor, points)
    tone = skin_tone(skin)
    colors = np.tile(tone, (len(points), 1))
    head = _above_neck(tailor, points) > 0
    light = float(tone.mean()) / 255

    def tint(amount: npt.NDArray[Any], target: npt.ArrayLike) -> None:
        share = np.where(head, np.clip(amount, 0, 1), 0.0)[:, None]
        colors[:] = colors * (1 - share) + np.asarray(target, dtype=np.float64) * share

    flush = tone * (1.0, 0.78, 0.74) if light > 0.35 else tone * (1.05, 0.9, 0.86)
    ahead = z > -0.05
    tint(0.45 * ahead * np.exp(-(((x - 0.042) / 0.020) ** 2) - ((y + 0.035) / 0.018) ** 2), flush)
    tint(0.40 * ahead * np.exp(-((x / 0.014) ** 2) - ((y + 0.038) / 0.014) ** 2), flush)
    tint(
        0.45 * (z > 0.0 - 0.04) * np.exp(-(((x - 0.031) / 0.017) ** 2) - ((y - 0.003) / 0.011) ** 2),
        tone * 0.62,
    )
    tint(0.25 * (z > 0.0) * np.exp(-((x / 0.012) ** 2) - ((y + 0.058) / 0.006) ** 2), tone * 0.55)
    tint(0.22 * ahead * np.exp(-((x / 0.030) ** 2) - ((y + 0.094) / 0.006) ** 2), tone * 0.6)
    if 0 < outfit.beard < 1:
        tint(0.55 * outfit.beard * _beard(x, y, z), np.asarray(outfit.hair_color) * 0.7 + tone * 0.2)
    return colors


def _beard(x: F8, y: F8, z: F8) -> F8:
    """Share of beard in [0, 1]: jaw and chin, upper lip, not the lips."""
    low = np.clip((-0.052 - 0.15 * np.maximum(0.04 - x, 0) - y) / 0.012 + 0.35 * (x > 0.045), 0, 1)
    lips = np.exp(-((x / 0.024) ** 2) - ((y + 0.076) / 0.008) ** 2)
    share: F8 = low * (z > -0.075) * (y > -0.135) * np.clip(1 - 1.6 * lips, 0, 1)
    return share


def features(tailor: Tailor, outfit: Outfit) -> list[Surface]:
    """Brows, lips, the line between them, lashes, irises and pupils, as thin decals with exact borders."""
    skin = tailor.skin
    x, y, z, _ = _around(tailor, skin.rest)
    ahead = z - 0.0
    tone = skin_tone(outfit.skin)
    hair = np.asarray(outfit.hair_color, dtype=np.float64)
    arch = 0.0175 + 0.16 * (x - 0.012) - 5.5 * np.maximum(x - 0.034, 0) ** 2 * 6
    brow = np.minimum(0.0042 * np.clip(1.25 - (x - 0.012) / 0.06, 0.3, 1) - np.abs(y - arch),
                      np.minimum(x - 0.010, 0.054 - x))  # fmt: skip
    mouth_y = -0.0765
    width = np.maximum(1 - (x / 0.0265) ** 2, -1)
    lips = np.minimum(0.0068 * width - np.abs(y - mouth_y), ahead + 0.01)
    between = np.minimum(0.0011 * width - np.abs(y - mouth_y + 0.0004), ahead + 0.01)
    light = float(tone.mean()) / 255
    lip_color = tone * (0.84, 0.64, 0.62) if light > 0.4 else tone * (0.92, 0.70, 0.70)
    marks = [
        (np.minimum(brow, ahead + 0.03), hair * 0.8 + tone * 0.15),
        (lips, lip_color),
        (between, tone * (0.42, 0.28, 0.28)),
    ]
    pieces = []
    for field, color in marks:
        piece = cut(skin, field)
        lift = 2.2 if color is marks[2][1] else 1.0
        pieces.append(piece.moved(normals(piece) * _DECAL * lift * tailor.head_scale).painted(color))
    return [*pieces, *_eyes(tailor)]


def _eyes(tailor: Tailor) -> list[Surface]:
    iris = tailor.rng.choice([(74, 48, 32), (58, 38, 28), (96, 118, 130), (92, 102, 70), (40, 28, 24)])
    pieces = []
    part = tailor.body.part_of_vertex
    for side in ("left", "right"):
        ball = part == JOINT_INDEX[f"{side}_eye_smplhf"]
        if not ball.any():
            continue
        front = tailor.rest[ball][np.argmax(tailor.rest[ball, 2])]
        off = np.linalg.norm((tailor.rest - front)[:, :2], axis=1) + 10.0 * ~ball
        s = tailor.head_scale
        for radius, color, lift in ((0.0062 * s, iris, 1.0), (0.0028 * s, (14, 12, 12), 2.0)):
            piece = cut(tailor.skin, radius - off)
            if len(piece):
                pieces.append(piece.moved(np.tile([0.0, 0.0, _DECAL * lift], (len(piece), 1))).painted(color))
        # A line of lashes over the eye.
        x, y, z, _ = _around(tailor, tailor.rest)
        on_side = tailor.rest[:, 0] * (1 if side == "left" else -1) > 0
        oval = ((x - 0.031) / 0.0165) ** 2 + ((y + 0.001) / 0.0078) ** 2
        rim = np.minimum(0.30 - np.abs(oval - 1.10), (y - 0.0005) * 60) - 10.0 * (
            ~on_side | ball | (z < -0.03)
        )
        piece = cut(tailor.skin, rim * 0.004)
        if len(piece):
            pieces.append(piece.moved(normals(piece) * _DECAL).painted((38, 28, 26)))
    return pieces


def hair(tailor: Tailor, outfit: Outfit, *, under_cap: bool) -> list[Surface]:
    """Hair in a shell over the scalp; what a cap covers lies flat."""
    if outfit.hair is Hair.NONE:
        return []
    color = np.asarray(outfit.hair_color, dtype=np.float64)
    field = hair_field(tailor, tailor.rest)
    if under_cap:
        low = outfit.cap is Cap.BOUFFANT
        field = np.minimum(field, 0.012 - cap_field(tailor, tailor.rest, low))
    shell = cut(tailor.skin, field)
    if not len(shell):
        return []
    depth = np.clip(hair_field(tailor, shell.rest) / 0.035, 0, 1) ** 0.7
    thick = 0.004 if under_cap else (0.020 if outfit.hair is Hair.SHORT else 0.016)
    strands = _strands(tailor, shell.rest)
    shell = draped(shell, 12, 0.0015 + thick * depth * (1 + 0.18 * strands))
    pieces = [shell.painted(color * (1 + 0.22 * strands)[:, None])]
    if outfit.beard >= 1:
        x, y, z, _ = _around(tailor, tailor.rest)
        beard = cut(tailor.skin, (_beard(x, y, z) - 0.5) * 0.02 - (_above_neck(tailor, tailor.rest) < -0.02))
        if len(beard):
            strands = _strands(tailor, beard.rest)
            grown = beard.moved(normals(beard) * (0.004 + 0.002 * strands)[:, None])
            pieces.append(grown.painted(color * (1 + 0.25 * strands)[:, None]))
    if under_cap:
        return pieces
    if outfit.hair is Hair.BUN:
        pieces.append(_bun(tailor, color))
    if outfit.hair is Hair.LONG:
        pieces.append(_long_hair(tailor, color))
    return pieces


def _strands(tailor: Tailor, points: F8) -> F8:
    x, y, z = tailor.on_head(points).T
    field: F8 = (
        np.sin(95 * np.arctan2(x, z + 0.085) / 2 + 40 * y) + 0.6 * np.sin(310 * x + 90 * y) * np.cos(150 * z)
    ) / 1.6
    return field


def _bun(tailor: Tailor, color: F8) -> Surface:
    u, v = np.meshgrid(
        np.linspace(0, np.pi, 12), np.linspace(0, 2 * np.pi, 18, endpoint=False), indexing="ij"
    )
    ball = np.stack([np.sin(u) * np.cos(v), np.cos(u), np.sin(u) * np.sin(v)], -1).reshape(-1, 3)
    at = tailor.eyes + tailor.head_scale * np.array([0.0, 0.045, -0.205])
    points = at + tailor.head_scale * 0.042 * ball * (1.1, 1.0, 0.9)
    strands = np.sin(9 * np.arctan2(ball[:, 0], ball[:, 1]) + 3 * ball[:, 2])
    return tailor.hang(
        points, grid_faces(12, 18, closed=True), color * (1 + 0.15 * strands)[:, None], rigid=True
    )


def _long_hair(tailor: Tailor, color: F8) -> Surface:
    """A curtain about the sides and the back of the head, down to the shoulders."""
    rows, columns = 22, 44
    angle = np.deg2rad(np.linspace(72, 288, columns))
    down = np.linspace(0, 1, rows)[:, None]
    y = 0.055 - 0.235 * down - 0.03 * down * np.cos(angle - np.pi)
    radius = 0.092 + 0.012 * np.sin(np.pi * down) + 0.006 * np.sin(23 * angle)[None] * down
    x = radius * np.sin(angle) * (0.96 + 0.05 * down)
    z = -0.085 + radius * np.cos(angle) * 1.18
    points = tailor.eyes + tailor.head_scale * np.stack([x, y + 0 * x, z], -1).reshape(-1, 3)
    strands = np.sin(61 * angle)[None] * 0.6 + np.sin(23 * angle + 3 * down) * 0.4
    head = np.flatnonzero(tailor.body.part_of_vertex == JOINT_INDEX["head"])
    top = head[np.argmax(tailor.rest[head, 1])]
    mix = hung_on(len(tailor.rest), np.full(len(points), top))
    colors = (color * (1 + 0.20 * strands.reshape(-1))[:, None]).clip(0, 255)
    return anchored(tailor.rest, points, mix, grid_faces(rows, columns), colors)


def cap(tailor: Tailor, outfit: Outfit) -> list[Surface]:
    """A skull cap, close and tied behind; or a bouffant, puffed and gathered at its edge."""
    if outfit.cap is Cap.NONE:
        return []
    low = outfit.cap is Cap.BOUFFANT
    piece = cut(tailor.skin, cap_field(tailor, tailor.rest, low))
    inside = np.clip(cap_field(tailor, piece.rest, low) / (0.045 if low else 0.02), 0, 1)
    angle = np.arctan2(*tailor.on_head(piece.rest)[:, (0, 2)].T)
    if low:
        gathers = 0.0035 * np.sin(34 * angle) * (1 - inside) + 0.004 * np.sin(13 * angle + 3) * inside
        puff = 0.007 + 0.030 * inside**0.6 + gathers
    else:
        puff = 0.006 + 0.008 * inside**0.5 + 0.0012 * np.sin(21 * angle)
    # A close cap follows the skull; smoothed as much as a puffed one it would sink into it.
    piece = draped(piece, 40 if low else 5, puff * tailor.head_scale)
    shade = 1 + 0.06 * np.sin(34 * angle) * (1 - inside) if low else 1 + 0.03 * np.sin(21 * angle)
    band = cap_field(tailor, tailor.rest, low)
    color = np.asarray(outfit.cap_color, dtype=np.float64)
    pieces = [piece.painted(color * np.asarray(shade)[:, None])]
    if not low:
        rim = cut(tailor.skin, np.minimum(band, 0.018 - band))
        rim = rim.moved(normals(rim) * 0.0105 * tailor.head_scale)
        pieces.append(rim.painted(color * 0.84))
    return pieces


def surgical_mask(tailor: Tailor, color: npt.ArrayLike) -> list[Surface]:
    """A pleated mask from the bridge of the nose to under the chin, with loops about the ears.

    It spans nose, mouth and chin as a tent: over each angle about the head, the convex hull of the face.
    """
    s = tailor.head_scale
    rows, columns = 30, 40
    turn = np.deg2rad(np.linspace(-62, 62, columns))
    down = np.linspace(0, 1, rows)[:, None]
    upper = -0.013 - 0.016 * (np.abs(turn) / turn[-1]) ** 1.2
    lower = -0.117 + 0.022 * (np.abs(turn) / turn[-1]) ** 2
    heights = upper + (lower - upper) * down
    face = tailor.on_head(tailor.rest[tailor.body.head_vertices])
    angle = np.arctan2(face[:, 0], face[:, 2] + 0.085)
    reach = np.hypot(face[:, 0], face[:, 2] + 0.085)
    radius = np.zeros((rows, columns))
    for c in range(columns):
        near = np.abs(angle - turn[c]) < 0.07
        for r in range(rows):
            local = reach[near][np.abs(face[near, 1] - heights[r, c]) < 0.006]
            radius[r, c] = local.max(initial=0.05)
        radius[:, c] = _tented(heights[:, c], radius[:, c])
    for _ in range(6):
        padded = np.pad(radius, 1, mode="edge")
        mean = (padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2]) / 4
        radius = np.maximum(mean, radius - 0.0006)
    radius += 0.0035 + 0.0012 * np.sin(down * 6 * np.pi) * np.sin(np.pi * down)
    x, z = radius * np.sin(turn), radius * np.cos(turn) - 0.085
    points = tailor.eyes + s * np.stack([x, heights, z], axis=-1).reshape(-1, 3)
    tint = np.asarray(color, dtype=np.float64) * (1 - 0.09 * (np.sin(down * 6 * np.pi) < -0.7))[..., None]
    tint = np.broadcast_to(tint, (rows, columns, 3)).copy()
    tint[:1] = tint[-1:] = tint[:, :1] = tint[:, -1:] = (238, 240, 242)
    # The upper part keeps to the head, the lower follows the jaw.
    forehead = tailor.nearest(tailor.eyes[None] + s * np.array([[0.0, 0.05, 0.03]]))[0]
    chin = tailor.nearest(tailor.eyes[None] + s * np.array([[0.0, -0.105, 0.02]]))[0]
    low = np.clip((np.broadcast_to(down, (rows, columns)).reshape(-1) - 0.35) / 0.5, 0, 1)
    mix = hung_on(
        len(tailor.rest), np.tile([forehead, chin], (rows * columns, 1)), np.stack([1 - low, low], 1)
    )
    sheet = anchored(tailor.rest, points, mix, grid_faces(rows, columns), tint.reshape(-1, 3))
    loops = []
    for sign in (1.0, -1.0):
        ear = np.array([sign * 0.078, -0.004, -0.105])
        above, below = ear + np.array([0, 0.014, 0]), ear - np.array([0, 0.028, 0])
        upper_end = np.array([sign * 0.062, -0.032, -0.05])
        lower_end = np.array([sign * 0.055, -0.098, -0.055])
        path = np.concatenate([np.linspace(upper_end, above, 9), np.linspace(below, lower_end, 9)])
        path = _on_skin(tailor, tailor.eyes + s * path, 0.003 * s)
        points, faces = tube(path, 0.0013 * s, 6)
        loops.append(tailor.hang(points, faces, (232, 234, 236)))
    return [sheet, *loops]


def _tented(y: F8, r: F8) -> F8:
    """The upper convex envelope of ``r`` over ``y`` (descending): how cloth under tension lies."""
    hull: list[int] = []
    for i in range(len(y)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (r[b] - r[a]) * (y[a] - y[i]) <= (r[i] - r[a]) * (y[a] - y[b]):
                hull.pop()
            else:
                break
        hull.append(i)
    out: F8 = np.interp(-y, -y[hull], r[hull])
    return out


def _on_skin(tailor: Tailor, path: F8, above: float) -> F8:
    """Moves points onto the skin nearest to them."""
    near = tailor.nearest(path)
    outwards = normals(tailor.skin)[near]
    gap = np.einsum("ij,ij->i", path - tailor.rest[near], outwards)
    moved: F8 = path + outwards * np.maximum(above - gap, 0.0)[:, None]
    return moved


def glasses(tailor: Tailor) -> list[Surface]:
    """Thin dark frames."""
    s = tailor.head_scale
    angle = np.linspace(0, 2 * np.pi, 28)
    pieces = []
    paths = []
    for sign in (1.0, -1.0):
        c, d = np.cos(angle), np.sin(angle)
        across = sign * 0.0335 + 0.024 * np.sign(c) * np.abs(c) ** 0.8
        upwards = -0.002 + 0.017 * np.sign(d) * np.abs(d) ** 0.8
        rim = np.stack([across, upwards, 0.026 - 0.10 * np.abs(sign * 0.0335 + 0.024 * c) ** 1.3], -1)
        temple = np.linspace((sign * 0.058, 0.004, 0.020), (sign * 0.080, -0.002, -0.095), 8)
        paths += [rim, temple]
    paths.append(np.linspace((-0.010, 0.003, 0.026), (0.010, 0.003, 0.026), 5))
    for path in paths:
        points, faces = tube(tailor.eyes + s * path, 0.0016 * s, 6)
        pieces.append(tailor.hang(points, faces, (34, 34, 38), rigid=True))
    return pieces
