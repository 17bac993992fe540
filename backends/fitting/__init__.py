"""Fitting bodies to keypoints: one solver with derivatives by hand, compiled."""

from backends.fitting.batch import BatchFit, fit_many
from backends.fitting.clip import fit_clip
from backends.fitting.clip_start import Observation
from backends.fitting.clip_types import ClipFit, ClipSettings
from backends.fitting.fitter import BodyFitter
from backends.fitting.focal import FocalEstimate, estimate_focal
from backends.fitting.ground import Contact, find_contacts, foot_slide_mm
from backends.fitting.live import LiveFilter, LiveSettings
from backends.fitting.mesh import MeshFit, vertices_to_params
from backends.fitting.mixture import PoseMixture, load_mixture, save_mixture, shipped_mixture
from backends.fitting.offsets import learn_offsets
from backends.fitting.penetration import Overlap, self_penetration
from backends.fitting.pool import pool_shape
from backends.fitting.propagate import propagate
from backends.fitting.surface import SurfaceSettings, fit_to_surface
from backends.fitting.transfer import Transfer, transfer
from backends.fitting.types import FitResult, FitSettings, NotEnoughKeypoints, PlainFit, ViewsFit
from backends.fitting.vertices import vertex_covariances

__all__ = [
    "BatchFit", "BodyFitter", "ClipFit", "ClipSettings", "Contact", "FitResult", "FitSettings",
    "FocalEstimate", "LiveFilter", "LiveSettings", "MeshFit", "NotEnoughKeypoints", "Observation", "Overlap",
    "PlainFit",
    "PoseMixture", "SurfaceSettings", "Transfer", "ViewsFit", "estimate_focal", "find_contacts", "fit_clip",
    "fit_many", "fit_to_surface", "foot_slide_mm", "learn_offsets", "load_mixture", "pool_shape", "propagate",
    "save_mixture", "self_penetration", "shipped_mixture", "transfer", "vertex_covariances",
    "vertices_to_params",
]  # fmt: skip
