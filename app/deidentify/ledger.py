"""What a batch has finished: a file of lines beside its outputs, only ever added to.

Each line is one JSON object. "begun" stands before an output is written, so that what a killed batch left
under a final name can be told from a file of somebody else's; "done" names the hashes of input, settings
and outputs. A line that was cut off by a power failure is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import ExportError
from app.export.atomic import plain_error
from app.export.manifest import sha256_of
from app.export.names import UNVERIFIED, VERIFIED
from app.project.store import now

LEDGER = "understudy_batch.jsonl"


class Ledger:
    """The ledger of one output folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._path = out / LEDGER
        self._begun: set[str] = set()
        self._done: dict[str, dict[str, Any]] = {}
        try:
            text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise ExportError(f"{LEDGER} cannot be read. Remove it, or choose another folder.") from error
        for line in text.splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError):
                continue

    def _take(self, entry: dict[str, Any]) -> None:
        if entry["what"] == "begun":
            self._begun.add(str(entry["place"]))
        elif entry["what"] == "done":
            self._done[str(entry["place"])] = {**entry, "files": dict(entry["files"])}

    def knows(self, place: str) -> bool:
        """Whether outputs at this place are a batch's own."""
        return place in self._begun or place in self._done

    def made_otherwise(self, place: str, settings: str) -> bool:
        """Whether a finished output was made with other settings."""
        return place in self._done and self._done[place]["settings"] != settings

    def finished(self, place: str, source: str, settings: str) -> dict[str, Any] | None:
        """The result of this footage with these settings, where it is finished and its files are whole.

        Args:
            source, settings: SHA-256.
        """
        entry = self._done.get(place)
        if entry is None or entry["source"] != source or entry["settings"] != settings:
            return None
        files = {}
        for name, digest in entry["files"].items():
            path = self._out / name
            if not path.is_file():  # its findings may have been released since, which renames it
                path = path.with_name(path.name.replace(UNVERIFIED, VERIFIED))
            if not path.is_file() or (digest and sha256_of(path) != digest):
                return None
            files[str(path.relative_to(self._out))] = digest
        released = set(files) != set(entry["files"])
        result = dict(entry["result"])
        if released:
            result.update(verified=True, open_events=0)
        return {**result, "outputs": sorted(files)}

    def begin(self, place: str) -> None:
        """About to write outputs at this place."""
        if not self.knows(place):
            self._add({"what": "begun", "place": place})

    def finish(
        self, place: str, source: str, settings: str, files: Mapping[str, str], result: Mapping[str, Any]
    ) -> None:
        """All outputs of this place are whole.

        Args:
            files: SHA-256 by path relative to the output folder; "" for what may be changed later.
        """
        self._add({
            "what": "done", "at": now(), "place": place, "source": source, "settings": settings,
            "files": dict(files), "result": dict(result),
        })  # fmt: skip

    def _add(self, entry: dict[str, Any]) -> None:
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                if file.tell() and not self._ends_whole():
                    file.write(b"\n")
                file.write(json.dumps(entry).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise plain_error(error, self._out) from error
        self._take(entry)

    def _ends_whole(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
