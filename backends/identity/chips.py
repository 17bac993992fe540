"""Cuts people out of pictures for the networks: faces upright and of one size, persons without the room."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backends.identity.types import U1

F8 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_PADDING = 0.25
_PLACES = np.array([(0.4901, 0.5156), (0.2274, 0.2214), (0.7528, 0.2212)])
"""Tip of the nose, the eye on the picture's left and the one on its right, in a face from its brows to its
chin (0 to 1): the mean face that dlib aligns to."""
_LEAST_EYES = 6.0
"""Pixels between the eyes under which nobody can be told from anybody."""
_NOTHING = 127
_LEAST_PERSON = 64


def face_chip(picture: U1, nose_and_eyes: npt.ArrayLike, size: int) -> U1 | None:
    """(size, size, 3) a face, upright, or None where it is too small, turned away or not in the picture.

    Args:
        picture: (H, W, 3) RGB.
        nose_and_eyes: (3, 2) pixels: nose, the person's left eye, their right eye (COCO's first three).
    """
    points = np.asarray(nose_and_eyes, np.float64)[[0, 2, 1]]
    if points.shape != (3, 2) or not np.isfinite(points).all():
        return None
    height, width = picture.shape[:2]
    inside = (points >= 0).all() and (points <= (width - 1, height - 1)).all()
    left, right = points[1], points[2]
    # Seen from behind, the eyes are swapped; seen from the side, they lie on each other.
    if not inside or right[0] - left[0] < _LEAST_EYES:
        return None
    if not left[0] - _LEAST_EYES < points[0, 0] < right[0] + _LEAST_EYES:
        return None
    target = (_PLACES + _PADDING) / (1 + 2 * _PADDING) * size
    forward = similarity(points, target)
    scale = float(np.hypot(forward[0, 0], forward[1, 0]))
    if scale < 0.8:  # a large face: without this its details would turn to noise
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), np.uint8)
    turned = cv2.warpAffine(picture, forward, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def similarity(points: F8, target: F8) -> F8:
    """(2, 3) the shift, turn and scale that brings ``points`` (N, 2) nearest to ``target`` (N, 2)."""
    a, b = points @ (1, 1j), target @ (1, 1j)
    p, q = a - a.mean(), b - b.mean()
    turn = np.vdot(p, q) / np.vdot(p, p).real
    shift = b.mean() - turn * a.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def person_crop(picture: U1, mask: Bools, size: int) -> U1 | None:
    """(size, size, 3) the pixels of ``mask`` (H, W) on grey, as high as the picture; None where too few.

    The room around somebody, which may tell who stands there, is not shown.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows) or rows[-1] - rows[0] < _LEAST_PERSON:
        return None
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    cut = np.where(mask[part][..., None], picture[part], np.uint8(_NOTHING))
    high, wide = cut.shape[:2]
    side = max(high, wide)
    square = np.full((side, side, 3), _NOTHING, np.uint8)
    top, left = (side - high) // 2, (side - wide) // 2
    square[top : top + high, left : left + wide] = cut
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=how), np.uint8)
