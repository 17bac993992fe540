"""The colours of arXiv 2305.17245: 24 parts of the body, each in the colour of its joints' mean."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.confidence.agreement.joints import N_JOINTS, PARTS
from backends.errors import InputError

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

GOOD_RANGE: Final = (0.0, 10.0)
"""Standardised ED from which to which a good mesh is coloured."""

_N_BODY_JOINTS = 22
_TO_PARTS = np.zeros((len(PARTS), N_JOINTS))
for _row, _joints in enumerate(PARTS.values()):
    _TO_PARTS[_row, list(_joints)] = 1.0 / len(_joints)


def jet_rgb(values: npt.ArrayLike, low: float, high: float) -> U1:
    """(..., 3) uint8 RGB in jet's colours: blue at ``low``, red at ``high``, grey where not a number.

    The ramps of Matlab's jet: each channel rises and falls by four times the value and is cut to [0, 1].
    """
    v = np.asarray(values, np.float64)
    scaled = np.clip((v - low) / max(high - low, 1e-12), 0.0, 1.0)
    channels = 1.5 - np.abs(4.0 * scaled[..., None] - np.array([3.0, 2.0, 1.0]))
    rgb = np.where(np.isfinite(v)[..., None], np.clip(channels, 0.0, 1.0), 0.6)
    return np.round(rgb * 255).astype(np.uint8)


def part_values(joint_values: npt.ArrayLike) -> F8:
    """(24,) value of each part: the mean over its joints that are known; NaN where none is.

    Raises:
        InputError: not 14 values.
    """
    values = np.asarray(joint_values, np.float64)
    if values.shape != (N_JOINTS,):
        raise InputError(f"A value for each of the 14 joints is needed, got shape {values.shape}.")
    known = np.isfinite(values)
    weight = _TO_PARTS @ known
    total = _TO_PARTS @ np.where(known, values, 0.0)
    return np.where(weight > 0, total / np.maximum(weight, 1e-12), np.nan)


def part_of_vertex(body: BodyModel) -> npt.NDArray[np.int64]:
    """(V,) which of the 24 parts a vertex belongs to: the joint that moves it most.

    SMPL's own published list of vertices per part fits SMPL's mesh only; this holds for every body.
    Fingers are the first knuckle's part, jaw and eyes the head's.
    """
    part = np.arange(len(body.parents))
    for j in range(_N_BODY_JOINTS, len(part)):
        above = int(body.parents[j])
        part[j] = part[above] if part[above] not in (20, 21) else part[above] + 2
    return np.asarray(part[body.part_of_vertex], np.int64)


def agreement_rgb(good: float, standardised_ed: npt.ArrayLike, worst: npt.ArrayLike) -> U1:
    """(24, 3) uint8 RGB of the parts by the paper's two rules.

    A mesh called good (``good`` > 0.5) shows the standardised ED on the fixed range 0 to 10; any other
    shows the probability of being the worst joint, from the least to the most.

    Args:
        good: the mesh classifier's probability.
        standardised_ed: (14,), NaN where a joint is missing; its parts are grey.
        worst: (14,) the worst-joint classifier's probabilities.

    Raises:
        InputError: not 14 values.
    """
    if good > 0.5:
        return jet_rgb(part_values(standardised_ed), *GOOD_RANGE)
    return spread_rgb(worst)


def spread_rgb(joint_values: npt.ArrayLike) -> U1:
    """(24, 3) uint8 RGB of the parts, jet from the least to the most of the parts' own values.

    Raises:
        InputError: not 14 values.
    """
    parts = part_values(joint_values)
    known = parts[np.isfinite(parts)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return jet_rgb(parts, low, high)
