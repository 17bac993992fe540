"""Whether a finished video may be called verified: it is searched before it gets its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.audit.followed import FollowedHeads
from app.audit.known import KnownPeople
from app.audit.record import CoverageRecord
from app.audit.run import audit_file, require_audit_networks
from app.audit.store import store_result
from app.audit.types import AuditResult
from app.deidentify.editing import read_plan
from app.errors import ModelError, ProjectError, StorageError
from app.export.types import ExportSource
from app.footage.base import Image
from app.pipeline.events import Listener, Warned
from backends.errors import BackendError

NOT_ASKED = "The video was not searched, as the search was switched off."


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the search came to. ``why``: why the video is not verified, in words; "" where it is."""

    why: str
    result: AuditResult | None = None

    @property
    def verified(self) -> bool:
        """True where every frame was searched and nothing is open."""
        return not self.why

    def summary(self) -> dict[str, Any] | None:
        """Counts, as plain values; None where nothing was searched."""
        if self.result is None:
            return None
        events = self.result.events
        return {
            "events": len(events), "open": self.result.n_open,
            "released": sum(e.state == "released" for e in events), "seconds": self.result.seconds,
        }  # fmt: skip


class Judge:
    """Searches the finished file and names it.

    Args:
        named: what it is called when it is verified; unverified: when it is not.
        wanted: False where nobody asked for a search.
    """

    def __init__(
        self, source: ExportSource, named: Path, unverified: Path, listener: Listener, *, wanted: bool
    ) -> None:
        self._source, self._listener = source, listener
        self._named, self._unverified = named, unverified
        self.verdict = Verdict(NOT_ASKED)
        self.record: CoverageRecord | None = None
        self._followed: FollowedHeads | None = None
        if wanted:
            try:
                require_audit_networks()
            except ModelError as error:
                self.verdict = Verdict(f"The video could not be searched. {error}")
            else:
                footage = source.footage
                self.record = CoverageRecord(footage.height, footage.width, source.first)
                self._followed = FollowedHeads(source.store, footage.fps, source.first, source.last)
        if self.record is None:
            listener(Warned(f"{self.verdict.why} Its name says that it is not verified."))

    def watch(self, index: int, image: Image) -> None:
        """The next frame of the recording (H, W, 3) uint8 RGB, as it was; every frame, in order."""
        if self._followed is not None:
            self._followed.see(index, image)

    def __call__(self, part: Path) -> Path:
        """Search ``part``; the path under which it belongs.

        Raises:
            FootageError: it cannot be read. Cancelled: asked to stop.
        """
        if self.record is not None:
            self.verdict = self._search(part, self.record)
            if self.verdict.why:
                self._listener(Warned(self.verdict.why))
        return self._named if self.verdict.verified else self._unverified

    def _search(self, part: Path, record: CoverageRecord) -> Verdict:
        source = self._source
        plan = replace(read_plan(source.store), settings=source.deid)
        known = KnownPeople(source.store, source.footage.fps, plan, record, self._followed)
        try:
            result = audit_file(
                part, control=source.control, listener=self._listener, record=record, known=known
            )
        except (ModelError, BackendError) as error:
            return Verdict(f"The video could not be searched. {error}")
        if not source.store.read_only:
            try:
                result = store_result(source.store, result)
            except (ProjectError, StorageError) as error:
                return Verdict(f"What the search has found could not be stored. {error}", result)
        return Verdict(_in_words(result), result)


def _in_words(result: AuditResult) -> str:
    n = result.n_open
    if not n:
        return ""
    first = next(e for e in result.events if e.state == "open")
    places = "one place" if n == 1 else f"{n} places"
    return (
        f"Somebody may be seen in {places} of the video, first in frame {first.first + 1}. Cover or release "
        "what the review list shows; until then the video is called unverified."
    )
