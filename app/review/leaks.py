"""What the audit found in the exported video, as the review queue shows and settles it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from app.audit.editing import AuditEditor
from app.audit.store import picture_of, read_events
from app.audit.types import KIND_LABELS, LeakEvent
from app.project.edits import Edit, EditLog
from app.project.records import TrackRecord
from app.project.store import ProjectStore
from app.review.privacy import LeakMark
from app.review.types import LEAK_ITEM, EditLabel, ReviewItem

PREFIX = "leak:"
_NOBODY = 0
"""The person of an item that is nobody's."""


def event_id_of(item_id: str) -> str | None:
    """The event behind an item of the review queue; None where it is no finding."""
    return item_id.removeprefix(PREFIX) if item_id.startswith(PREFIX) else None


class Leaks:
    """Findings of an open project, and what a person decides about them; each decision can be undone.

    Args:
        log: the project's log of edits, which may be replaced after a run.
        after: what the session does after an edit.
    """

    def __init__(
        self, store: ProjectStore, log: Callable[[], EditLog],
        after: Callable[[Edit | None], EditLabel | None], writable: Callable[[], None],
    ) -> None:  # fmt: skip
        self._store = store
        self._log = log
        self._after = after
        self._writable = writable
        self._events: tuple[LeakEvent, ...] | None = None

    @property
    def events(self) -> tuple[LeakEvent, ...]:
        """Everything that the last search found, and what was decided before."""
        if self._events is None:
            self._events = read_events(self._store)
        return self._events

    @property
    def n_open(self) -> int:
        """How many wait for a decision."""
        return sum(e.state == "open" for e in self.events)

    @property
    def to_export_again(self) -> bool:
        """True where something was covered since the last search: a new export has to show that it holds."""
        return any(e.state == "covered" for e in self.events)

    def forget(self) -> None:
        """An edit was made or taken back, or an export has ended."""
        self._events = None

    def items(self, tracks: Mapping[int, TrackRecord]) -> list[ReviewItem]:
        """Items of the review queue."""
        items = []
        for event in self.events:
            track = tracks.get(event.track_id) if event.track_id is not None else None
            whose = track.name if track is not None else "Somebody not tracked"
            first, last = event.first + 1, event.last + 1
            span = f"frame {first}" if first == last else f"frames {first}–{last}"
            detail = {
                "open": f"{whose} · {span}",
                "covered": f"covered, export again · {span}",
                "released": f"released: {event.reason}",
            }[event.state]
            items.append(
                ReviewItem(
                    PREFIX + event.event_id, 2 if event.severity >= 2 else 1, event.title, detail,
                    track.track_id if track is not None else _NOBODY, event.first, event.last, None,
                    event.state != "open", LEAK_ITEM,
                )
            )  # fmt: skip
        return items

    def marks(self, frame: int) -> list[LeakMark]:
        """Where something was found in a frame, and nobody has settled it."""
        marks = []
        for event in self.events:
            if event.state == "open" and event.first <= frame <= event.last:
                nearest = int(np.abs(event.frames - frame).argmin())
                marks.append(LeakMark(KIND_LABELS[event.kind], event.boxes[nearest]))
        return marks

    def open_frames(self, n_frames: int) -> npt.NDArray[np.bool_]:
        """(N,) frames in which a finding is open."""
        found = np.zeros(n_frames, np.bool_)
        for event in self.events:
            if event.state == "open":
                found[event.first : event.last + 1] = True
        return found

    def picture(self, item_id: str) -> bytes | None:
        """A JPEG of the finding out of the covered video."""
        event_id = event_id_of(item_id)
        return picture_of(self._store, event_id) if event_id is not None else None

    def event(self, item_id: str) -> LeakEvent | None:
        """The finding behind an item."""
        event_id = event_id_of(item_id)
        return next((e for e in self.events if e.event_id == event_id), None)

    def cover(self, item_id: str) -> None:
        """Cover the place through the whole event."""
        self._do(lambda e: e.cover(_needed(item_id)))

    def release(self, item_id: str, reason: str) -> None:
        """It may stay visible; the reason goes into the report."""
        self._do(lambda e: e.release(_needed(item_id), reason))

    def reopen(self, item_id: str) -> None:
        """Take a decision back."""
        self._do(lambda e: e.reopen(_needed(item_id)))

    def _do(self, change: Callable[[AuditEditor], Edit]) -> None:
        self._writable()
        edit = change(AuditEditor(self._store, self._log()))
        self.forget()
        self._after(edit)


def _needed(item_id: str) -> str:
    return event_id_of(item_id) or item_id


def with_leaks(items: list[ReviewItem], leaks: list[ReviewItem]) -> list[ReviewItem]:
    """One queue: what is open comes first, and of that what the audit found."""
    waiting = [i for i in leaks if not i.done] + [i for i in items if not i.done]
    return waiting + [i for i in leaks if i.done] + [i for i in items if i.done]
