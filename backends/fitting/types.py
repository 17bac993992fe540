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
        views_share: the same where several cameras see the person at once: a first guess, which the views
            then correct themselves.
        min_pixels: the noise is never taken to be smaller, pixels.
        occluded_factor: an occluded keypoint is a guess: this many times the noise.
        person_share: noise of a keypoint that a person has placed, as a share of the person's size: how
            far it may be off, which says how sure the fit is.
        held_px: how far the body may miss it, pixels, where it can be reached at all.
        bone_depth, bone_plane: noise of the direction of a bone in the estimator's world landmarks,
            along the line of sight and across it (unit vectors).
        pose_step, depth_step: how far a joint turns (radians) and the body moves along the line of sight
            (share of the distance) from one frame to the next.
        robust: keypoints farther off than this many standard deviations lose their say (Geman-McClure).
        person_robust: the same for keypoints that a person has placed: only absurd ones are given up.
        min_score: keypoints below are left out.
        prior_weight: how much the logarithm of the density of poses counts: little, for it has seen a few
            kinds of movement only and must not veto others.
        covariance_share: how much of Laplace's covariance counts in one view, views_covariance_share in
            several: measured on random and on drawn people, so that the 90 % ellipsoids hold 85 to 95 % of
            the true joints of both (``bench fit``, ``tests/backends/fitting/test_posterior.py``).
        cold_iterations, warm_iterations: upper bounds.
    """

    pixel_share: float = 0.010
    views_share: float = 0.004
    min_pixels: float = 0.75
    occluded_factor: float = 2.5
    person_share: float = 0.002
    held_px: float = 0.15
    bone_depth: float = 0.22
    bone_plane: float = 0.35
    pose_step: float = 0.20
    depth_step: float = 0.02
    robust: float = 4.0
    person_robust: float = 200.0
    min_score: float = 0.10
    prior_weight: float = 0.10
    covariance_share: float = 0.65
    views_covariance_share: float = 1.15
    cold_iterations: int = 40
    warm_iterations: int = 12


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The posterior of the unknowns: 66 angles, 3 of place, and the shape where it was fitted.

    Attributes:
        factor: (n, n) with covariance ``factor^T factor``, radians, metres, shape's standard deviations.
        motion: (7, n) the similarity (place, turn, size about ``centre``, camera axes) that is taken out
            of each of the factor's rows where the covariances of points are after alignment; else 0.
        centre: (3,) metres.
    """

    factor: F8
    motion: F8
    centre: F8


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
        keypoint_covariance_mm2, joint_covariance_mm2: (23, 3, 3), (22, 3, 3) posterior covariances, mm^2,
            axes of the camera, after the same alignment. Divided through as in
            :func:`backends.fitting.posterior.inside_ellipsoid` they make ellipsoids of a stated share.
        spread: the posterior of the unknowns, for :func:`backends.fitting.vertex_covariances`.
        doubts: why this fit should not be believed as it stands, in plain words; empty where all is well.
            The covariances have grown accordingly.
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
    keypoint_covariance_mm2: F8
    joint_covariance_mm2: F8
    doubts: tuple[str, ...]
    spread: Spread


@dataclass(frozen=True, slots=True, eq=False)
class PlainFit:
    """A fitted body of which nobody asks how sure it is; attributes as in :class:`FitResult`."""

    params: BodyParams
    reprojected_xy: F4
    rms_px: float
    cost: float
    iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class ViewsFit:
    """A body fitted to several views at once.

    Attributes:
        params: world coordinates, metres.
        reprojected_xy: (V, 23, 2) float32 pixels, lens distortion included; NaN behind a camera.
        residual_px: (V, 23) float32 distance to the given keypoints, NaN where one was not used.
        rms_px: root mean square of ``residual_px``.
        cost, iterations: as in :class:`FitResult`.
        keypoints_3d, joints_3d: (23, 3), (22, 3) world, metres.
        keypoint_covariance_mm2, joint_covariance_mm2: (23, 3, 3), (22, 3, 3) posterior, world axes, mm^2,
            not aligned: several views do tell where a body is.
        shape_information: (B, B) as in :class:`FitResult`.
        doubts, spread: as in :class:`FitResult`.
    """

    params: BodyParams
    reprojected_xy: F4
    residual_px: F4
    rms_px: float
    cost: float
    iterations: int
    keypoints_3d: F8
    joints_3d: F8
    keypoint_covariance_mm2: F8
    joint_covariance_mm2: F8
    shape_information: F8
    doubts: tuple[str, ...]
    spread: Spread
