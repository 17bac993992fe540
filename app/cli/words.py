"""Words that several commands take, as the project stores them."""

from __future__ import annotations

from enum import StrEnum

BELIEVED_HELP = "Let limbs that nobody saw fade out of body meshes, or draw them whole, guesses included"
"""Of the option ``--believed/--whole-bodies``."""


SHADOWS_HELP = "Let body meshes before the empty room stand on a soft shadow"
"""Of the option ``--shadows/--no-shadows``."""


class LookWord(StrEnum):
    """How a body mesh looks."""

    CLOTHED = "clothed"
    SHADED = "shaded"
    PLAIN = "plain"
    CONFIDENCE = "confidence"


class BackgroundWord(StrEnum):
    """What is seen around people who are covered as a whole."""

    ORIGINAL = "original"
    PLATE = "plate"


class CodecWord(StrEnum):
    """How the video is encoded."""

    H264 = "h264"
    H265 = "h265"
