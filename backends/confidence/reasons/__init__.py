"""Why a body should be looked at: named reasons, each a sentence that names the joint."""

from backends.confidence.reasons.find import find_reasons
from backends.confidence.reasons.sentences import joint_words
from backends.confidence.reasons.types import TITLES, Reason, ReasonKind, TrackView
from backends.confidence.reasons.view import track_view

__all__ = ["TITLES", "Reason", "ReasonKind", "TrackView", "find_reasons", "joint_words", "track_view"]
