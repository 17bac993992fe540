"""Small notes in the user's configuration; ``UNDERSTUDY_CONFIG`` names another folder for them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs


def note_path(name: str) -> Path:
    """Where the note of this name lies."""
    folder = os.environ.get("UNDERSTUDY_CONFIG") or platformdirs.user_config_dir("understudy")
    return Path(folder) / f"{name}.json"


def write_note(name: str, told: Mapping[str, Any]) -> None:
    """Put ``told`` in the place of the note, whole or not at all.

    Raises:
        OSError: it cannot be written; the note is as it was.
    """
    path = note_path(name)
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(told, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
