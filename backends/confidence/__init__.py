"""How far a body can be trusted, in millimetres."""

from backends.confidence.colormap import confidence_rgb
from backends.confidence.explain import explain_keypoints
from backends.confidence.types import DEFAULT_TOLERANCE_MM, BodyConfidence, SiteErrors
from backends.confidence.vertices import vertex_bound_mm, vertex_mm

__all__ = [
    "DEFAULT_TOLERANCE_MM", "BodyConfidence", "SiteErrors", "confidence_rgb", "explain_keypoints",
    "vertex_bound_mm", "vertex_mm",
]  # fmt: skip
