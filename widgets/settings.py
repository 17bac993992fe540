"""What the program remembers between two starts: layout, theme, recent projects. Never a picture."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import platformdirs

_MAX_RECENT = 8


def settings_path() -> Path:
    """The settings' file; ``UNDERSTUDY_CONFIG`` names another folder."""
    folder = os.environ.get("UNDERSTUDY_CONFIG") or platformdirs.user_config_dir("understudy")
    return Path(folder) / "window.json"


class Settings:
    """A small JSON file; a damaged one is forgotten, an unwritable one is no reason to stop."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or settings_path()
        self._values: dict[str, Any] = {}
        try:
            loaded = json.loads(self._path.read_text(encoding="utf-8"))
            self._values = loaded if isinstance(loaded, dict) else {}
        except (OSError, ValueError):
            pass

    def get(self, name: str, default: Any) -> Any:
        """A value of the default's type, or the default."""
        value = self._values.get(name, default)
        return value if default is None or isinstance(value, type(default)) else default

    def set(self, name: str, value: Any) -> None:
        """Remember a JSON value."""
        if self._values.get(name) != value:
            self._values[name] = value
            self._save()

    def recent(self) -> list[Path]:
        """Projects opened last, newest first, those that still exist."""
        paths = [Path(p) for p in self.get("recent", []) if isinstance(p, str)]
        return [p for p in paths if p.is_file()]

    def add_recent(self, project: Path) -> None:
        """A project was opened."""
        paths = [str(project)] + [str(p) for p in self.recent() if p != project]
        self.set("recent", paths[:_MAX_RECENT])

    def _save(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps(self._values, indent=1), encoding="utf-8")
            part.replace(self._path)
        except OSError:
            return  # a window that forgets its size is better than one that does not open
