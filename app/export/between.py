"""What lies between two frames of a person: boxes, keypoints, masks and bodies on their way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from app.project.records import PersonRecord
from backends.body.params import BodyParams
from backends.keypoints.types import Keypoints, Visibility
from backends.masks import CropMask, encode_mask

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]


def middle(box: F4) -> F8:
    """(2,) pixels."""
    at: F8 = np.asarray(box, np.float64).reshape(2, 2).mean(axis=0)
    return at


def size(box: F4) -> F8:
    """(2,) width and height, pixels."""
    return np.asarray(box[2:] - box[:2], np.float64)


def way(a: Keypoints, b: Keypoints) -> F8:
    """(2,) pixels from ``a`` to ``b``: the median over the points that both know, which one hand that waves
    does not move; 0 where they share none."""
    both = (a.visibility != Visibility.ABSENT) & (b.visibility != Visibility.ABSENT)
    steps = (b.xy - a.xy)[both]
    steps = steps[np.isfinite(steps).all(axis=1)]
    return np.median(steps, axis=0).astype(np.float64) if len(steps) else np.zeros(2)


def keypoints_between(a: PersonRecord, b: PersonRecord, share: float, from_a: F8, from_b: F8) -> Keypoints:
    """Between both where both are known, else the known one moved along with the box."""
    p, q = a.estimate.keypoints, b.estimate.keypoints
    has_a, has_b = p.visibility != Visibility.ABSENT, q.visibility != Visibility.ABSENT
    xy = np.where(has_a[:, None], p.xy + from_a, q.xy + from_b)
    xy = np.where((has_a & has_b)[:, None], (1 - share) * p.xy + share * q.xy, xy)
    return Keypoints(
        xy.astype(np.float32), np.minimum(p.score, q.score), np.maximum(p.visibility, q.visibility), p.source
    )


def moved(*masks: tuple[CropMask | None, F8]) -> tuple[CropMask, ...]:
    """Masks, each moved by its own (2,) pixels; what is nowhere in the picture any more is left out."""
    found = (move_mask(m, round(float(d[0])), round(float(d[1]))) for m, d in masks if m is not None)
    return tuple(m for m in found if m is not None)


def move_mask(mask: CropMask, dx: int, dy: int) -> CropMask | None:
    """The mask moved by whole pixels; what leaves the picture at the top or left is cut off."""
    x0, y0 = mask.x0 + dx, mask.y0 + dy
    if x0 >= 0 and y0 >= 0:
        return replace(mask, x0=x0, y0=y0)
    crop = mask.decode()[max(-y0, 0) :, max(-x0, 0) :]
    return encode_mask(crop, max(x0, 0), max(y0, 0)) if crop.size else None


def interpolate(a: BodyParams, b: BodyParams, share: float) -> BodyParams:
    """The body ``share`` of the way from ``a`` to ``b``: each joint turns at an even pace."""
    start = Rotation.from_rotvec(a.pose)
    turn = (start.inv() * Rotation.from_rotvec(b.pose)).as_rotvec()
    pose = (start * Rotation.from_rotvec(share * turn)).as_rotvec()
    return BodyParams(
        (1 - share) * a.betas + share * b.betas, pose, (1 - share) * a.transl + share * b.transl
    )
