"""Which pixels have to go: generous, because what is missed is a face."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from backends.deidentify.types import FreeArea, PersonCover, Region
from backends.keypoints.layout import INDEX, SKELETON
from backends.keypoints.types import Keypoints, Visibility

U1 = npt.NDArray[np.uint8]

_FACE = tuple(INDEX[n] for n in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
_SHOULDERS = (INDEX["left_shoulder"], INDEX["right_shoulder"])
_HIPS = (INDEX["left_hip"], INDEX["right_hip"])

GROW = 0.022
"""How far the cover reaches beyond what is known of a person, as a share of their size in the picture."""
_LIMB = 0.035
_HEAD = 0.125
"""Radius about the face, as a share of the size."""
_HEAD_OF_SHOULDERS = 0.85
_MIN_GROW = 4
_HULL = 1.35
"""The head's outline is taken this much larger: hair, a cap, and a body that does not fit to the pixel."""
_FACE_HULL = 1.2
"""The same of the body's face."""
_FACE_RADIUS = 0.8
"""About the middle of eyes, ears and nose, as a share of their largest distance: down to the chin."""
_BOX_HEAD = 0.4
"""The upper part of a box that holds the head, where nothing else is known."""
_FOREARMS = tuple((INDEX[f"{s}_elbow"], INDEX[f"{s}_wrist"]) for s in ("left", "right"))
_HAND = 0.6
"""How far the fingers reach beyond the wrist, as a share of the forearm."""
_WIDEST = 8
_FAR = 30_000
"""Places farther out than this are drawn at this distance: OpenCV's drawing has 16 bits and a fraction."""


def _usable(keypoints: Keypoints) -> npt.NDArray[np.bool_]:
    return np.isfinite(keypoints.xy).all(axis=1) & np.not_equal(keypoints.visibility, Visibility.ABSENT)


def _bounds(cover: PersonCover, pad: float, width: int, height: int) -> tuple[int, int, int, int] | None:
    points = [cover.box.reshape(2, 2)]
    for m in cover.masks:
        points.append(np.array([[m.x0, m.y0], [m.x0 + m.width, m.y0 + m.height]], np.float32))
    if cover.keypoints is not None:
        points.append(cover.keypoints.xy[_usable(cover.keypoints)])
    if cover.head_xy is not None:
        points.append(cover.head_xy)
    every = np.concatenate(points)
    every = every[np.isfinite(every).all(axis=1)]
    if not len(every):
        return None
    x0, y0 = np.floor(every.min(axis=0) - pad).astype(int)
    x1, y1 = np.ceil(every.max(axis=0) + pad).astype(int) + 1
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None


def grow_pixels(size: float, slack: float = 0.0) -> int:
    """By how many pixels the cover of a person of ``size`` pixels is grown."""
    return max(_MIN_GROW, round(GROW * size)) + math.ceil(slack)


def head_radius(cover: PersonCover) -> float:
    """Pixels about the face that hold the head with hair: the largest of what several signs say.

    Somebody bent, or cut by the picture's border, is larger than their box says.
    """
    radius = _HEAD * cover.size
    if cover.head_xy is not None:
        radius = max(radius, 0.5 * float(np.ptp(cover.head_xy, axis=0).max()))
    if cover.keypoints is not None:
        xy, use = cover.keypoints.xy, _usable(cover.keypoints)
        if all(use[k] for k in _SHOULDERS):
            across = float(np.hypot(*(xy[_SHOULDERS[0]] - xy[_SHOULDERS[1]])))
            radius = max(radius, _HEAD_OF_SHOULDERS * 0.5 * across)
        face = xy[[k for k in _FACE if use[k]]]
        if len(face) >= 2:
            apart = np.linalg.norm(face[:, None] - face[None], axis=-1)
            radius = max(radius, min(float(apart.max()), 3 * radius))
    return radius


def _paint_head(mask: U1, cover: PersonCover, x0: int, y0: int) -> bool:
    """Paint what is known of the head; False where nothing is."""
    origin = np.array([x0, y0], np.float32)
    radius = head_radius(cover)
    middles = []
    painted = False
    if cover.head_xy is not None and len(cover.head_xy) >= 3:
        middle = (cover.head_xy.min(axis=0) + cover.head_xy.max(axis=0)) / 2
        hull = cv2.convexHull(((cover.head_xy - middle) * _HULL + middle - origin).astype(np.float32))
        _fill(mask, hull)
        middles.append(middle)
        painted = True
    if cover.keypoints is not None:
        xy, use = cover.keypoints.xy, _usable(cover.keypoints)
        face = [k for k in _FACE if use[k]]
        if face:
            middles.append(xy[face].mean(axis=0))
    for middle in middles[-1:]:
        at = np.clip(np.round(middle - origin), -_FAR, _FAR).astype(int)
        cv2.circle(mask, at.tolist(), max(3, round(radius)), 255, -1)
        painted = True
    return painted


def _fill(mask: U1, polygon: npt.NDArray[np.floating[Any]]) -> None:
    cv2.fillConvexPoly(mask, np.clip(np.round(polygon), -_FAR, _FAR).astype(np.int32), 255)


def head_region(cover: PersonCover, width: int, height: int) -> Region | None:
    """The head with hair, cap and chin; the upper part of the box where no more is known."""
    grow = math.ceil(cover.slack)
    bounds = _bounds(cover, 0.3 * cover.size + grow, width, height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    if not _paint_head(mask, cover, x0, y0):
        left, top, right, bottom = cover.box
        _paint_box(mask, (left, top, right, top + _BOX_HEAD * (bottom - top)), x0, y0)
    return _trimmed(Region(x0, y0, _dilated(mask, grow)))


def face_region(cover: PersonCover, width: int, height: int) -> Region | None:
    """The face from the forehead to the chin; the whole head where no more is known of it.

    Whether the face can be seen is not asked: where it is turned away this costs a patch of hair, and to
    take a face for turned away that is not would show somebody.
    """
    grow = math.ceil(cover.slack)
    bounds = _bounds(cover, 0.3 * cover.size + grow, width, height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    if not _paint_face(mask, cover, x0, y0):
        return head_region(cover, width, height)
    return _trimmed(Region(x0, y0, _dilated(mask, grow)))


def _paint_face(mask: U1, cover: PersonCover, x0: int, y0: int) -> bool:
    """Paint body's face and keypoints' face together; False where neither is known."""
    origin = np.array([x0, y0], np.float32)
    painted = False
    if cover.face_xy is not None and len(cover.face_xy) >= 3:
        middle = (cover.face_xy.min(axis=0) + cover.face_xy.max(axis=0)) / 2
        _fill(mask, cv2.convexHull((cover.face_xy - middle) * _FACE_HULL + middle - origin))
        painted = True
    if cover.keypoints is not None:
        use = _usable(cover.keypoints)
        face = cover.keypoints.xy[[k for k in _FACE if use[k]]]
        if len(face) >= 3:
            apart = np.linalg.norm(face[:, None] - face[None], axis=-1)
            # From ear to ear is nearly the face's height; from the side the nose and one ear say half of it.
            radius = max(_FACE_RADIUS * float(apart.max()), 0.5 * _HEAD * cover.size)
            at = np.clip(np.round(face.mean(axis=0) - origin), -_FAR, _FAR).astype(int)
            cv2.circle(mask, at.tolist(), max(3, math.ceil(min(radius, head_radius(cover)))), 255, -1)
            painted = True
    return painted


def area_region(area: FreeArea, width: int, height: int) -> Region | None:
    """A free area within the picture; None where nothing of it is."""
    points = area.points[np.isfinite(area.points).all(axis=1)]
    if len(points) < 3:
        return None
    x0, y0 = np.clip(np.floor(points.min(axis=0)).astype(int), 0, (width, height))
    x1, y1 = np.clip(np.ceil(points.max(axis=0)).astype(int) + 1, 0, (width, height))
    if x1 <= x0 or y1 <= y0:
        return None
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    corners = np.clip(np.round(points - (x0, y0)), -_FAR, _FAR).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255)
    cv2.polylines(mask, [corners], True, 255)
    return _trimmed(Region(int(x0), int(y0), mask))


def person_region(cover: PersonCover, outline: Region | None, width: int, height: int) -> Region | None:
    """The whole person: masks, body outline, limbs and head together, grown.

    Args:
        outline: where the body is drawn.
    """
    grow = grow_pixels(cover.size, cover.slack)
    bounds = _bounds(cover, grow + 4 + _HEAD * cover.size, width, height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    if outline is not None:
        h, w = outline.mask.shape
        x0, y0 = max(0, min(x0, outline.x0 - grow)), max(0, min(y0, outline.y0 - grow))
        x1, y1 = min(width, max(x1, outline.x0 + w + grow)), min(height, max(y1, outline.y0 + h + grow))
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for m in cover.masks:
        target = mask[max(m.y0 - y0, 0) : m.y0 - y0 + m.height, max(m.x0 - x0, 0) : m.x0 - x0 + m.width]
        target[m.decode()[: target.shape[0], : target.shape[1]]] = 255
    known = bool(cover.masks)
    if outline is not None:
        shifted = Region(outline.x0 - x0, outline.y0 - y0, outline.mask)
        np.maximum(mask[shifted.window], outline.mask, out=mask[shifted.window])
        known = True
    if cover.keypoints is not None:
        _paint_limbs(mask, cover.keypoints, cover.size, x0, y0)
    if not known:
        # Limbs alone leave out clothes and hair: rather too much than a sleeve too little.
        _paint_box(mask, tuple(float(v) for v in cover.box), x0, y0)
    _paint_head(mask, cover, x0, y0)
    return _trimmed(Region(x0, y0, _dilated(mask, grow)))


def _paint_limbs(mask: U1, keypoints: Keypoints, size: float, x0: int, y0: int) -> None:
    """Limbs and trunk as thick lines, hands reckoned from the forearms."""
    use = _usable(keypoints)
    thick = max(3, round(2 * _LIMB * size))
    at = np.clip(np.round(keypoints.xy - np.array([x0, y0])), -_FAR, _FAR)
    at[~use] = 0
    ends = at.astype(int).tolist()
    for a, b in SKELETON:
        if use[a] and use[b]:
            cv2.line(mask, ends[a], ends[b], 255, thick)
    for elbow, wrist in _FOREARMS:
        if use[elbow] and use[wrist]:
            hand = np.clip(at[wrist] + _HAND * (at[wrist] - at[elbow]), -_FAR, _FAR)
            cv2.line(mask, ends[wrist], hand.astype(int).tolist(), 255, thick)
    trunk = [k for k in (_SHOULDERS[0], _SHOULDERS[1], _HIPS[1], _HIPS[0]) if use[k]]
    if len(trunk) >= 3:
        _fill(mask, np.asarray(cv2.convexHull(at[trunk].astype(np.int32)), np.float32))


def _paint_box(mask: U1, box: tuple[float, ...], x0: int, y0: int) -> None:
    h, w = mask.shape
    left, top = max(math.floor(box[0]) - x0, 0), max(math.floor(box[1]) - y0, 0)
    right, bottom = min(math.ceil(box[2]) - x0, w - 1), min(math.ceil(box[3]) - y0, h - 1)
    if right >= left and bottom >= top:
        mask[top : bottom + 1, left : right + 1] = 255


def _dilated(mask: U1, grow: int) -> U1:
    """Grown by ``grow`` pixels; a wide one at a fraction of the size, which errs outwards."""
    if grow <= 0:
        return mask
    share = 1
    while grow > _WIDEST * share:
        share *= 2
    h, w = mask.shape
    if share > 1:
        rows, columns = -(-h // share), -(-w // share)
        mask = np.pad(mask, ((0, rows * share - h), (0, columns * share - w)))
        largest = cv2.dilate(mask, np.ones((share, share), np.uint8), anchor=(0, 0))
        mask = np.ascontiguousarray(largest[::share, ::share])
    reach = -(-grow // share)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = np.asarray(cv2.dilate(mask, kernel), np.uint8)
    if share > 1:
        grown = np.repeat(np.repeat(grown, share, axis=0), share, axis=1)[:h, :w]
    return np.ascontiguousarray(grown)


def _trimmed(region: Region) -> Region | None:
    x, y, w, h = cv2.boundingRect(region.mask)
    if not w:
        return None
    return Region(region.x0 + x, region.y0 + y, np.ascontiguousarray(region.mask[y : y + h, x : x + w]))


def region_of(mask: npt.NDArray[np.bool_]) -> Region | None:
    """The pixels of a picture (H, W) as a region; None where there are none."""
    return _trimmed(Region(0, 0, mask.view(np.uint8) * np.uint8(255)))
