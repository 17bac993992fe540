"""How people are covered, as the project stores it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, get_args

from app.project.store import ProjectStore
from app.review.types import BACKGROUND_LABELS, COVER_LABELS, FILL_LABELS, Codec, DeidSettings, Look

SETTING = "deidentification"
"""The name of the project's setting."""


def read_deid(stored: Any) -> DeidSettings:
    """The stored choice; the default where there is none or it makes no sense."""
    if not isinstance(stored, dict):
        return DeidSettings()
    default = DeidSettings()
    cover, fill = stored.get("cover"), stored.get("fill")
    background = stored.get("background")
    looks: dict[Any, Look] = {look: look for look in get_args(Look)}
    codecs: dict[Any, Codec] = {codec: codec for codec in get_args(Codec)}
    return DeidSettings(
        cover=cover if cover in COVER_LABELS else default.cover,
        fill=fill if fill in FILL_LABELS else default.fill,
        background=background if background in BACKGROUND_LABELS else default.background,
        keep_audio=bool(stored.get("keep_audio", False)),
        look=looks.get(stored.get("look"), default.look),
        codec=codecs.get(stored.get("codec"), default.codec),
        believed_only=bool(stored.get("believed_only", True)),
        shadows=bool(stored.get("shadows", True)),
    )


def store_deid(store: ProjectStore, settings: DeidSettings) -> None:
    """Set a new project's choice; a person's later changes are edits instead."""
    with store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (SETTING, json.dumps(asdict(settings))))
