"""How people are covered, as the project stores it."""

from __future__ import annotations

from typing import Any

from app.review.types import BACKGROUND_LABELS, COVER_LABELS, FILL_LABELS, DeidSettings

SETTING = "deidentification"
"""The name of the project's setting."""


def read_deid(stored: Any) -> DeidSettings:
    """The stored choice; the default where there is none or it makes no sense."""
    if not isinstance(stored, dict):
        return DeidSettings()
    default = DeidSettings()
    cover, fill = stored.get("cover"), stored.get("fill")
    background = stored.get("background")
    return DeidSettings(
        cover=cover if cover in COVER_LABELS else default.cover,
        fill=fill if fill in FILL_LABELS else default.fill,
        background=background if background in BACKGROUND_LABELS else default.background,
        keep_audio=bool(stored.get("keep_audio", False)),
    )
