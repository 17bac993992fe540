"""Whoever is in the picture, is not in the empty room, and is nobody who was found.

Where the room itself is shown, all that differs from it simply goes. Over the picture that would take shadows
on the floor and the clothes of people of whom only the head is covered. So here a pixel has to differ from
the room by more than a shadow does, and nobody who was found may have their trunk or a limb there: of whom
the head alone is known, the head alone is known to be covered. What is left and is as large as a head is
taken for somebody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from backends.deidentify.foreground import Differences
from backends.deidentify.pieces import pieces
from backends.deidentify.regions import head_region, person_region
from backends.deidentify.types import PersonCover, Region
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Visibility

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_HEAD = 0.05
"""Narrower than this share of the smallest person is no head: a rim of clothes, a hand, a tool."""
_LEAST_HEAD, _MOST_HEAD = 0.012, 0.05
"""The same as a share of the picture's height, at least and at most."""
_NARROWEST = 4.0
"""Pixels of the small picture: less is noise."""
_AREA = 1.5
"""A piece has at least the area of so many squares of a head's width."""
_REACH = 2.0
"""How far about what surely is somebody the rest of them is looked for, in widths of a head."""
_BESIDE = 1.0
"""How far about a covered head the rest of it is looked for, in widths of a head."""
_RIM_OF_HEAD = 1.0
"""By how much a head is smaller than its region, in widths of a head."""
_BONE = 0.6
"""How much narrower a body is taken to be beside a stranger, in widths of a head."""
_ARM, _LEG, _TRUNK = 0.05, 0.06, 0.055
"""How far clothes reach beyond bones, as shares of a person's size."""
_HAND = 0.6
"""How far the fingers reach beyond the wrist, as a share of the forearm."""
_NECK = 0.01
"""How far a body reaches beyond the middle of its shoulders, as a share of the size."""
_FACE_RADIUS = 0.05
_THERE = 0.5
"""So much about a face, within this share of the size, has to differ from the room."""
_SURE = 0.5
"""Keypoints of a lower score do not say where somebody's body is."""
_RIM = 2
_FACE, _BODY = 5, 5
"""Keypoints of the face, and the first one of the body."""
_FAR = 30_000

_SIDES = ("left", "right")
_BONES = tuple(
    (INDEX[f"{side}_{a}"], INDEX[f"{side}_{b}"], wide)
    for side in _SIDES
    for a, b, wide in (
        ("shoulder", "elbow", _ARM), ("elbow", "wrist", _ARM), ("hip", "knee", _LEG), ("knee", "ankle", _LEG),
        ("ankle", "big_toe", _ARM), ("ankle", "heel", _ARM),
    )
)  # fmt: skip
_FOREARMS = tuple((INDEX[f"{side}_elbow"], INDEX[f"{side}_wrist"]) for side in _SIDES)
_CORNERS = tuple(INDEX[n] for n in ("left_shoulder", "right_shoulder", "right_hip", "left_hip"))


def strangers(
    differences: Differences, covers: Sequence[PersonCover], covered: BoolArray, outlines: dict[int, Region]
) -> BoolArray:
    """(H, W) where somebody most likely is whom nobody has found.

    Args:
        covered: (H, W) what is covered already, as far as it is known who is where.
        outlines: where bodies are drawn, by their place in ``covers``.
    """
    height, width = covered.shape
    h, w = differences.certain.shape
    spared = _spared(covers, outlines, height, width)
    taken = covered if spared is None else covered | spared
    rest = differences.different & ~_small(taken, w, h)
    wide = max(_head_width(covers, height) * h / height, _NARROWEST)
    heads, guessed, faces = _heads(covers, taken.shape, w, h)
    # The nape or a cap that a head's cover leaves out is less than a head.
    beside = None if heads is None else _wider(heads, _BESIDE * wide)
    bodies = _bodies(covers, differences.different, h / height)
    if guessed is not None:
        # Where a head is guessed nobody's body explains what is there.
        about = _wider(guessed, _BESIDE * wide)
        bodies[about > 0] = 0
        beside = about if beside is None else beside | about
    rest[bodies > 0] = 0
    if differences.unknown is not None:
        rest[differences.unknown] = 0
    if faces is not None:
        # A head's region is generous: within its rim may be somebody else's face.
        side = 2 * round(_RIM_OF_HEAD * wide) + 1
        faces = np.asarray(cv2.erode(faces, np.ones((side, side), np.uint8)), np.uint8)
        rest[faces > 0] = 0
    side = max(3, round(wide)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    seeds = np.asarray(cv2.morphologyEx(rest & differences.certain, cv2.MORPH_OPEN, disc), np.uint8)
    seeds = pieces(seeds, _AREA * wide * wide)
    near = _wider(seeds, _REACH * wide)
    if beside is not None:
        near |= beside
    if not near.any():
        return np.zeros(covered.shape, np.bool_)
    kept = rest & near
    if seeds.any():
        # Beside somebody nobody knows, the clothes about known bones may be a part of them.
        side = 2 * max(1, round(_BONE * wide)) + 1
        bones = np.asarray(cv2.erode(bodies, np.ones((side, side), np.uint8)), np.uint8)
        bodies[(bones == 0) & (_wider(seeds, _BESIDE * wide) > 0)] = 0
        known = bodies if faces is None else bodies | faces
        kept |= differences.different & ~_small(taken, w, h) & (1 - known) & _wider(seeds, _BESIDE * wide)
    kept = np.asarray(cv2.dilate(kept, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)), np.uint8)
    found = np.asarray(cv2.resize(kept, (width, height), interpolation=cv2.INTER_NEAREST)) > 0
    return found if spared is None else found & ~spared


def _wider(mask: U1, by: float) -> U1:
    side = 2 * max(1, math.ceil(by)) + 1
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.uint8)


def _heads(
    covers: Sequence[PersonCover], shape: tuple[int, ...], w: int, h: int
) -> tuple[U1 | None, U1 | None, U1 | None]:
    """(h, w) uint8 of the heads of people: first of those who are there and whose head is covered, then of
    those who are guessed, then of those who are there and whose face alone is covered. None where there are
    none."""
    found: dict[str, BoolArray] = {}
    for cover in covers:
        if cover.how is None:
            continue
        region = head_region(cover, shape[1], shape[0])
        if region is not None:
            kind = "guess" if cover.slack > 0 else "face" if cover.how.what == "face" else "head"
            mask = found.setdefault(kind, np.zeros(shape, np.bool_))
            mask[region.window] |= region.mask > 0
    heads, guessed, faces = (
        None if k not in found else _small(found[k], w, h) for k in ("head", "guess", "face")
    )
    return heads, guessed, faces


def _small(mask: BoolArray, w: int, h: int) -> U1:
    return np.asarray(cv2.resize(mask.view(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)


def _head_width(covers: Sequence[PersonCover], height: int) -> float:
    """Pixels: less than the head of the smallest person."""
    sizes = [c.size for c in covers if c.slack == 0]
    smallest = _HEAD * min(sizes) if sizes else _LEAST_HEAD * height
    return float(np.clip(smallest, _LEAST_HEAD * height, _MOST_HEAD * height))


def _spared(
    covers: Sequence[PersonCover], outlines: dict[int, Region], height: int, width: int
) -> BoolArray | None:
    """(H, W) of everybody who is to be seen; None where nobody is."""
    found: BoolArray | None = None
    for i, cover in enumerate(covers):
        region = person_region(cover, outlines.get(i), width, height) if cover.how is None else None
        if region is not None:
            found = np.zeros((height, width), np.bool_) if found is None else found
            found[region.window] |= region.mask > 0
    return found


def _bodies(covers: Sequence[PersonCover], different: U1, scale: float) -> U1:
    """(h, w) uint8, trunks and limbs of those of whom less than everything is covered.

    Where two of them are said to be, one is said wrong, and what is there may be a head.
    """
    bodies = np.zeros_like(different)
    for cover in covers:
        if cover.how is None or cover.how.what == "whole" or cover.slack > 0 or cover.keypoints is None:
            continue
        known = cover.keypoints
        xy = (known.xy.astype(np.float64) + 0.5) * scale - 0.5
        use = np.isfinite(xy).all(axis=1) & np.not_equal(known.visibility, Visibility.ABSENT)
        use &= known.score >= _SURE
        if _is_there(xy[:_FACE][use[:_FACE]], different, _FACE_RADIUS * cover.size * scale):
            _paint_body(bodies, xy, use, cover.size * scale)
    return np.asarray(bodies == 1, np.uint8)


def _is_there(face: F8, different: U1, radius: float) -> bool:
    """Whether something is where somebody's face is said to be; else their body is said wrong, too."""
    if not len(face):
        return True
    h, w = different.shape
    x, y = face.mean(axis=0)
    rows = slice(max(0, int(y - radius)), max(0, min(h, int(y + radius) + 1)))
    columns = slice(max(0, int(x - radius)), max(0, min(w, int(x + radius) + 1)))
    about = different[rows, columns]
    return bool(about.size == 0 or about.mean() >= _THERE)


def _paint_body(bodies: U1, xy: F8, use: BoolArray, size: float) -> None:
    """Trunk and limbs up to the shoulders: beside a neck may be the head of somebody behind."""
    h, w = bodies.shape
    pad = 2 * _TRUNK * size + 2
    known = xy[_BODY:][use[_BODY:]]
    if not len(known):
        return
    low = np.clip(np.floor(known.min(axis=0) - pad), 0, (w, h)).astype(int)
    high = np.clip(np.ceil(known.max(axis=0) + pad), 0, (w, h)).astype(int)
    if (high <= low).any():
        return
    part = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    at = np.clip(np.round(np.where(use[:, None], xy, 0) - low), -_FAR, _FAR).astype(np.int32)
    for a, b, wide in _BONES:
        if use[a] and use[b]:
            cv2.line(part, at[a].tolist(), at[b].tolist(), 1, max(1, round(2 * wide * size)))
    for elbow, wrist in _FOREARMS:
        if use[elbow] and use[wrist]:
            hand = at[wrist] + np.round(_HAND * (at[wrist] - at[elbow])).astype(np.int32)
            cv2.line(part, at[wrist].tolist(), hand.tolist(), 1, max(1, round(2 * _ARM * size)))
    trunk = [k for k in _CORNERS if use[k]]
    if len(trunk) >= 3:
        hull = np.asarray(cv2.convexHull(at[trunk]))
        cv2.fillConvexPoly(part, hull, 1)
        cv2.polylines(part, [hull], True, 1, max(1, round(2 * _TRUNK * size)))
    if use[_CORNERS[0]] and use[_CORNERS[1]] and (use[_CORNERS[2]] or use[_CORNERS[3]]):
        top = xy[list(_CORNERS[:2])].mean(axis=0)
        hips = xy[[k for k in _CORNERS[2:] if use[k]]].mean(axis=0)
        up = (top - hips) / max(float(np.hypot(*(top - hips))), 1e-6)
        y, x = np.mgrid[: part.shape[0], : part.shape[1]]
        beyond = (x + low[0] - top[0]) * up[0] + (y + low[1] - top[1]) * up[1]
        part[beyond > _NECK * size] = 0
    window = bodies[low[1] : high[1], low[0] : high[0]]
    np.add(window, part, out=window)
