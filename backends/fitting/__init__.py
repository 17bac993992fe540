"""Fitting bodies to keypoints: one solver with derivatives by hand, compiled."""

from backends.fitting.fitter import BodyFitter, pool_shape
from backends.fitting.types import FitResult, FitSettings, NotEnoughKeypoints

__all__ = ["BodyFitter", "FitResult", "FitSettings", "NotEnoughKeypoints", "pool_shape"]
