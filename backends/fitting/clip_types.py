"""What goes into a fit of a clip and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """How people move: standard deviations of what each term says.

    Attributes:
        torso, limb, end: acceleration of points on the torso and head, of knees and elbows, of hands and
            feet, m/s^2 (a tenth of free fall to about free fall in everyday movement).
        acceleration_cut: accelerations beyond this many standard deviations are believed (a kick).
        turn_speed, turn_acceleration: of a joint's angle, rad/s and rad/s^2.
        calm_speed, calm_turn: m/s and rad/s; what is quicker is held looser in proportion.
        fixed_px: noise of a keypoint that a person has placed.
        slide_m, ground_m: how far a standing foot moves in a frame, and how far from the ground it is.
        iterations: upper bound; tolerance: share of the cost that a step has to gain, or it is the last;
            rough: the same where feet are still to be held, which moves everything once more.
        window, overlap: longer clips are fitted this many frames at a time.
    """

    torso: float = 2.5
    limb: float = 5.0
    end: float = 8.0
    acceleration_cut: float = 4.0
    turn_speed: float = 4.0
    turn_acceleration: float = 30.0
    calm_speed: float = 1.0
    calm_turn: float = 1.0
    fixed_px: float = 0.15
    slide_m: float = 0.004
    ground_m: float = 0.015
    iterations: int = 25
    tolerance: float = 1e-5
    rough: float = 1e-5
    window: int = 240
    overlap: int = 12


@dataclass(frozen=True, slots=True, eq=False)
class ClipFit:
    """The bodies of a clip.

    Attributes:
        params: one body a frame, with one shape; the coordinates of the camera where there is one view, of
            the world where there are several.
        reprojected_xy: (T, V, 23, 2) float32 pixels, NaN behind a camera.
        residual_px: (T, V, 23) float32, NaN where no keypoint was used.
        bridged: (T,) bool: frames without enough keypoints, filled by their neighbours.
        rejected: (T,) bool: frames most of whose keypoints the motion contradicts.
        joints: (T, 22, 3) metres.
        cost, iterations: of the whole system.
    """

    params: tuple[BodyParams, ...]
    reprojected_xy: F4
    residual_px: F4
    bridged: npt.NDArray[np.bool_]
    rejected: npt.NDArray[np.bool_]
    joints: F8
    cost: float
    iterations: int
