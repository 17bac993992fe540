"""Parameters of one body, in smplx's terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

N_JOINTS = 55
"""Joints of SMPL-X: 22 body, jaw, two eyes, 2 x 15 hand."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyParams:
    """One body in camera coordinates (OpenCV axes, metres).

    Attributes:
        betas: (B,) shape coefficients.
        pose: (55, 3) axis-angle, radians, order of smplx's joints; row 0 is the global orientation.
        transl: (3,) metres, added after posing, as in smplx.
    """

    betas: FloatArray
    pose: FloatArray
    transl: FloatArray

    @property
    def global_orient(self) -> FloatArray:
        """(3,) axis-angle of the root."""
        value: FloatArray = self.pose[0]
        return value

    @property
    def body_pose(self) -> FloatArray:
        """(21, 3) axis-angle of the body's joints."""
        value: FloatArray = self.pose[1:22]
        return value

    @property
    def jaw_pose(self) -> FloatArray:
        """(3,) axis-angle of the jaw."""
        value: FloatArray = self.pose[22]
        return value

    @property
    def left_hand_pose(self) -> FloatArray:
        """(15, 3) axis-angle of the left hand's joints."""
        value: FloatArray = self.pose[25:40]
        return value

    @property
    def right_hand_pose(self) -> FloatArray:
        """(15, 3) axis-angle of the right hand's joints."""
        value: FloatArray = self.pose[40:55]
        return value

    @staticmethod
    def rest(n_betas: int = 10) -> BodyParams:
        """The body's rest pose at the origin."""
        return BodyParams(np.zeros(n_betas), np.zeros((N_JOINTS, 3)), np.zeros(3))
