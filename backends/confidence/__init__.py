"""How far a body can be trusted, in millimetres."""

from backends.confidence.colormap import confidence_rgb
from backends.confidence.first import estimate_confidence, explain_keypoints, spread_to_vertices
from backends.confidence.types import DEFAULT_TOLERANCE_MM, BodyConfidence

__all__ = [
    "DEFAULT_TOLERANCE_MM", "BodyConfidence", "confidence_rgb", "estimate_confidence", "explain_keypoints",
    "spread_to_vertices",
]  # fmt: skip
