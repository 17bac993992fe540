"""Which pixels have to go: generous, because what is missed is a face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backends.keypoints.layout import INDEX, SKELETON
from backends.keypoints.types import Keypoints, Visibility
from backends.masks import CropMask
from backends.render.types import Mesh, Picture

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

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


@dataclass(frozen=True, slots=True, eq=False)
class PersonCover:
    """One person to be covered.

    Attributes:
        box: (4,) x0 y0 x1 y1 pixels.
        keypoints: where known; mask: which pixels; mesh: the body in camera coordinates, with colours.
        head_faces: faces of ``mesh`` that are head, (K,) indices.
        head_xy: (H, 2) the head's vertices in the picture, or None.
        size: of the person in the picture, pixels (about the standing height).
    """

    box: F4
    keypoints: Keypoints | None
    mask: CropMask | None
    mesh: Mesh | None
    head_faces: npt.NDArray[np.int64] | None
    head_xy: F4 | None
    size: float


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels to be covered: ``mask`` (h, w) uint8 0 or 255, its top left corner at (x0, y0)."""

    x0: int
    y0: int
    mask: U1

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the picture."""
        h, w = self.mask.shape
        return slice(self.y0, self.y0 + h), slice(self.x0, self.x0 + w)


def _usable(keypoints: Keypoints) -> npt.NDArray[np.bool_]:
    return np.isfinite(keypoints.xy).all(axis=1) & np.not_equal(keypoints.visibility, Visibility.ABSENT)


def _bounds(cover: PersonCover, pad: float, width: int, height: int) -> tuple[int, int, int, int] | None:
    points = [cover.box.reshape(2, 2)]
    if cover.mask is not None:
        m = cover.mask
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


def grow_pixels(size: float) -> int:
    """By how many pixels the cover of a person of ``size`` pixels is grown."""
    return max(_MIN_GROW, round(GROW * size))


def _paint_head(mask: U1, cover: PersonCover, x0: int, y0: int) -> None:
    origin = np.array([x0, y0])
    if cover.head_xy is not None and len(cover.head_xy) >= 3:
        middle = cover.head_xy.mean(axis=0)
        hull = cv2.convexHull(((cover.head_xy - middle) * 1.25 + middle - origin).astype(np.float32))
        cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 255)
    if cover.keypoints is None:
        if cover.head_xy is None:
            # Nothing but a box: its upper third.
            bx0, by0, bx1, by1 = cover.box - np.array([x0, y0, x0, y0])
            mask[
                max(0, int(by0)) : max(0, int(by0 + (by1 - by0) * 0.35)), max(0, int(bx0)) : int(bx1) + 1
            ] = 255
        return
    keypoints = cover.keypoints
    use = _usable(keypoints)
    face = [k for k in _FACE if use[k]]
    radius = _HEAD * cover.size
    if all(use[k] for k in _SHOULDERS):
        across = float(np.hypot(*(keypoints.xy[_SHOULDERS[0]] - keypoints.xy[_SHOULDERS[1]])))
        radius = max(radius, _HEAD_OF_SHOULDERS * 0.5 * across)
    if face:
        middle = keypoints.xy[face].mean(axis=0) - origin
        cv2.circle(mask, (round(float(middle[0])), round(float(middle[1]))), max(3, round(radius)), 255, -1)


def head_region(cover: PersonCover, width: int, height: int) -> Region | None:
    """The head with hair, cap and chin."""
    pad = 0.3 * cover.size
    bounds = _bounds(cover, pad, width, height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    _paint_head(mask, cover, x0, y0)
    return _trimmed(Region(x0, y0, mask))


def person_region(cover: PersonCover, drawn: Picture | None, width: int, height: int) -> Region | None:
    """The whole person: mask, body outline, limbs and head together, grown.

    Args:
        drawn: the body as it will be drawn; its outline counts.
    """
    grow = grow_pixels(cover.size)
    bounds = _bounds(cover, grow + 4 + _HEAD * cover.size, width, height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    if drawn is not None and drawn.crop_coverage.size:
        h, w = drawn.crop_coverage.shape
        x0, y0 = max(0, min(x0, drawn.x0 - grow)), max(0, min(y0, drawn.y0 - grow))
        x1, y1 = min(width, max(x1, drawn.x0 + w + grow)), min(height, max(y1, drawn.y0 + h + grow))
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    known = False
    if cover.mask is not None:
        m = cover.mask
        decoded = m.decode()
        r0, c0 = m.y0 - y0, m.x0 - x0
        target = mask[max(r0, 0) : r0 + m.height, max(c0, 0) : c0 + m.width]
        target[decoded[max(-r0, 0) :, max(-c0, 0) :][: target.shape[0], : target.shape[1]]] = 255
        known = True
    if drawn is not None and drawn.crop_coverage.size:
        h, w = drawn.crop_coverage.shape
        mask[drawn.y0 - y0 : drawn.y0 - y0 + h, drawn.x0 - x0 : drawn.x0 - x0 + w][
            drawn.crop_coverage > 0
        ] = 255
        known = True
    if cover.keypoints is not None:
        use = _usable(cover.keypoints)
        thick = max(3, round(2 * _LIMB * cover.size))
        at = np.round(cover.keypoints.xy - np.array([x0, y0])).astype(int)
        for a, b in SKELETON:
            if use[a] and use[b]:
                cv2.line(mask, at[a].tolist(), at[b].tolist(), 255, thick)
        torso = [k for k in (_SHOULDERS[0], _SHOULDERS[1], _HIPS[1], _HIPS[0]) if use[k]]
        if len(torso) >= 3:
            cv2.fillConvexPoly(mask, cv2.convexHull(at[torso].astype(np.int32)), 255)
        known = known or bool(use.sum() >= 6)
    if not known:
        bx0, by0, bx1, by1 = (cover.box - np.array([x0, y0, x0, y0])).astype(int)
        mask[max(by0, 0) : by1 + 1, max(bx0, 0) : bx1 + 1] = 255
    _paint_head(mask, cover, x0, y0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    return _trimmed(Region(x0, y0, np.asarray(_dilated(mask, kernel, grow), np.uint8)))


def _dilated(mask: U1, kernel: U1, grow: int) -> U1:
    if grow <= 8:
        return np.asarray(cv2.dilate(mask, kernel), np.uint8)
    # A wide kernel costs its area: grow at half the size, which errs outwards.
    h, w = mask.shape
    small = cv2.resize(mask, ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA)
    small = (np.asarray(small) > 0).astype(np.uint8) * 255
    half = (grow + 1) // 2
    grown = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * half + 1, 2 * half + 1)))
    return np.asarray(cv2.resize(grown, (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)


def _trimmed(region: Region) -> Region | None:
    rows, columns = np.flatnonzero(region.mask.any(axis=1)), np.flatnonzero(region.mask.any(axis=0))
    if not rows.size:
        return None
    mask = region.mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Region(region.x0 + int(columns[0]), region.y0 + int(rows[0]), np.ascontiguousarray(mask))
