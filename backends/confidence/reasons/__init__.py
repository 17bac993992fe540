"""Why a body should be looked at: named reasons, each a sentence that names the joint."""

from backends.confidence.reasons.find import find_reasons, findings, limb_of_joint, stretches
from backends.confidence.reasons.sentences import joint_words
from backends.confidence.reasons.types import TITLES, Found, Reason, ReasonKind, TrackView
from backends.confidence.reasons.view import Shown, track_view

__all__ = [
    "TITLES", "Found", "Reason", "ReasonKind", "Shown", "TrackView", "find_reasons", "findings",
    "joint_words", "limb_of_joint", "stretches", "track_view",
]  # fmt: skip
