"""Expected errors in millimetres, calibrated on sequences held out: per joint and per vertex."""

from backends.confidence.expected.estimate import (
    expected_errors,
    keypoint_bounds,
    site_probability,
    unknown_error,
    vertex_bounds,
    vertex_errors,
    vertex_probability,
)
from backends.confidence.expected.model import ErrorModel, Group, load_model, save_model, shipped_model
from backends.confidence.expected.sites import N_SITES, SITE_INDEX, SITE_NAMES, Sites, make_sites
from backends.confidence.expected.summary import ConfidenceSummary, summarise
from backends.confidence.expected.types import Sighting

__all__ = [
    "N_SITES", "SITE_INDEX", "SITE_NAMES", "ConfidenceSummary", "ErrorModel", "Group", "Sighting", "Sites",
    "expected_errors", "keypoint_bounds", "load_model", "make_sites", "save_model", "shipped_model",
    "site_probability", "summarise", "unknown_error", "vertex_bounds", "vertex_errors", "vertex_probability",
]  # fmt: skip
