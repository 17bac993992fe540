"""Which way is up, told by people who stand: nobody stands for long whose feet are not below them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body.skeleton import JOINT_INDEX
from backends.errors import InputError

F8 = npt.NDArray[np.float64]

_HIPS, _KNEES, _ANKLES = (
    [JOINT_INDEX[f"{side}_{name}"] for side in ("left", "right")] for name in ("hip", "knee", "ankle")
)
_NECK = JOINT_INDEX["neck"]
_BENT = np.cos(np.radians(35.0))
"""Knees or hips bent by more are those of somebody who sits, bends over, or steps."""

_LEAST = 8
_ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """Attributes:
    up: (3,) unit vector against gravity, in the axes of the joints.
    spread_deg: half of those who stand are within this of it.
    count: bodies that it rests on.
    """

    up: F8
    spread_deg: float
    count: int


def find_upright(joints: npt.ArrayLike) -> Upright | None:
    """The way from the ankles to the neck of those who stand straight, all together.

    Args:
        joints: (N, J, 3) of people in frames, J at least 22, metres, one camera's axes.

    Returns:
        None where too few stand.

    Raises:
        InputError: another shape, or values that are not finite.
    """
    p = np.asarray(joints, dtype=np.float64)
    if p.ndim != 3 or p.shape[1] <= JOINT_INDEX["right_wrist"] or p.shape[2] != 3 or not np.isfinite(p).all():
        raise InputError(f"Joints need shape (N, 22 or more, 3) and finite values, got {p.shape}.")
    feet, hips = p[:, _ANKLES].mean(axis=1), p[:, _HIPS].mean(axis=1)
    thighs = _unit(p[:, _HIPS] - p[:, _KNEES])
    shins = _unit(p[:, _KNEES] - p[:, _ANKLES])
    legs, back = _unit(hips - feet), _unit(p[:, _NECK] - hips)
    straight = ((thighs * shins).sum(axis=2) > _BENT).all(axis=1) & ((legs * back).sum(axis=1) > _BENT)
    ways = _unit(p[:, _NECK] - feet)[straight]
    if len(ways) < _LEAST:
        return None
    up = _unit(np.median(ways, axis=0))
    for _ in range(_ROUNDS):  # the geometric median of the directions (Weiszfeld)
        away = np.linalg.norm(ways - up, axis=1)
        up = _unit((ways / np.maximum(away, 1e-3)[:, None]).sum(axis=0))
    angle = np.degrees(np.arccos(np.clip(ways @ up, -1.0, 1.0)))
    return Upright(up, float(np.median(angle)), len(ways))


def _unit(v: F8) -> F8:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))
