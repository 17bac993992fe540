"""Poses of SMPL, SMPL-H and SMPL-X files as the 55 joints that the program speaks of."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backends.body.params import N_JOINTS
from backends.body.skeleton import JOINT_INDEX

F8 = npt.NDArray[np.float64]

BODIES: Final[dict[int, str]] = {24: "smpl", 52: "smplh", 55: "smplx"}
"""Which body a pose of so many joints is of."""

_ROWS: Final[dict[int, list[int]]] = {
    # SMPL's two hands turn what SMPL-X's fingers begin with: the program loads SMPL bodies the same way.
    24: [*range(22), JOINT_INDEX["left_middle1"], JOINT_INDEX["right_middle1"]],
    52: [*range(22), *range(25, 55)],  # SMPL-H has neither jaw nor eyes
    55: list(range(55)),
}


def as_55(pose: F8) -> F8:
    """(55, 3) axis-angle from (24, 3) of SMPL, (52, 3) of SMPL-H or (55, 3) of SMPL-X."""
    full = np.zeros((N_JOINTS, 3))
    full[_ROWS[len(pose)]] = pose
    return full
