"""What goes into a fit and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.errors import InputError

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]


class NotEnoughKeypoints(InputError):
    """Too few keypoints can be used to say anything about a body."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How much each source of knowledge is worth: standard deviations of what it says.

    Attributes:
        pixel_share: noise of a visible keypoint with score 1, as a share of the person's size in the
            picture (about one per cent of the height).
        min_pixels: the noise is never taken to be smaller, pixels.
        occluded_factor: an occluded keypoint is a guess: this many times the noise.
        person_share: noise of a keypoint that a person has placed, as a share of the person's size.
        bone_depth, bone_plane: noise of the direction of a bone in the estimator's world landmarks,
            along the line of sight and across it (unit vectors).
        pose_step, depth_step: how far a joint turns (radians) and the body moves along the line of sight
            (share of the distance) from one frame to the next.
        robust: keypoints farther off than this many standard deviations lose their say (Geman-McClure).
        person_robust: the same for keypoints that a person has placed: only absurd ones are given up.
        min_score: keypoints below are left out.
        cold_iterations, warm_iterations: upper bounds.
    """

    pixel_share: float = 0.010
    min_pixels: float = 0.75
    occluded_factor: float = 2.5
    person_share: float = 0.002
    bone_depth: float = 0.22
    bone_plane: float = 0.35
    pose_step: float = 0.20
    depth_step: float = 0.02
    robust: float = 4.0
    person_robust: float = 200.0
    min_score: float = 0.10
    cold_iterations: int = 40
    warm_iterations: int = 12


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """A fitted body.

    Attributes:
        params: camera coordinates, metres.
        reprojected_xy: (23, 2) float32 pixels, the body's keypoints in the picture.
        residual_px: (23,) float32 distance to the given keypoints, NaN where one was not used.
        rms_px: root mean square of ``residual_px``.
        cost: the value that was made smallest (dimensionless: squared standard deviations, halved).
        iterations: of Levenberg-Marquardt, accepted and refused.
        sigma_px: (23,) float32 noise that each keypoint was given, pixels; inf where it was not used.
        keypoint_sigma_mm: (23,) and joint_sigma_mm (22,) float32: posterior standard deviation of the
            place of each keypoint and body joint, root of the trace, mm, after the body as a whole is
            aligned (place, turn and size, as in PA-MPJPE: one view cannot tell how far away a body is).
        shape_information: (B, B) what this picture alone says about the shape (inverse covariance
            without the prior); zeros where the shape was given.
    """

    params: BodyParams
    reprojected_xy: F4
    residual_px: F4
    rms_px: float
    cost: float
    iterations: int
    sigma_px: F4
    keypoint_sigma_mm: F4
    joint_sigma_mm: F4
    shape_information: F8
