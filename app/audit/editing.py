"""What a person decides about a finding: release, cover, reopen. Each is one edit that can be undone."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.audit.store import read_events
from app.audit.types import F4, LeakEvent, LeakKind
from app.deidentify.editing import PlanEditor
from app.deidentify.plan import RegionKey
from app.errors import ProjectError
from app.project.edits import Edit, EditLog, Row, RowChange, current_user
from app.project.store import ProjectStore

MARGIN = 0.35
"""How much a cover reaches beyond what was found, on every side, as a share of its size."""

_MARGIN_PX = 4.0
_LEAD_FRAMES = 4
"""A face can be recognised some frames before a network sees it, and after."""

_STRAIGHT_PX = 1.5
"""Keys whose corners lie closer than this to a straight way between others are left out."""

_NAMES: dict[LeakKind, str] = {"face": "a face", "person": "a person", "head": "a head"}


class AuditEditor:
    """A person's decisions about what the audit found."""

    def __init__(self, store: ProjectStore, log: EditLog) -> None:
        self._store = store
        self._log = log
        self._plan = PlanEditor(store, log)

    def release(self, event_id: str, reason: str) -> Edit:
        """It may stay as it is; the reason and the user's name go into the report.

        Raises:
            ProjectError: no reason is given, or it is not there any more.
        """
        reason = " ".join(reason.split())[:500]
        if not reason:
            raise ProjectError("Say why this may stay visible: the reason goes into the report.")
        row = self._row(event_id)
        after = {**row, "state": "released", "reason": reason, "who": current_user()}
        return self._log.apply(
            "leak", f"Release {_name(row)} that the audit found", [RowChange("leaks", row, after)],
            frame=int(row["first"]), track_id=row["track_id"],
        )  # fmt: skip

    def cover(self, event_id: str) -> Edit:
        """Cover the place through the whole event, and a little before and after it.

        Raises:
            ProjectError: it is covered already, or not there any more.
        """
        row = self._row(event_id)
        if row["state"] == "covered":
            raise ProjectError("That is covered already. Export again to see whether the cover holds.")
        event = next(e for e in read_events(self._store) if e.event_id == event_id)
        footage = self._store.footage()
        first, last = max(0, event.first - _LEAD_FRAMES), min(footage.n_frames - 1, event.last + _LEAD_FRAMES)
        after = {**row, "state": "covered", "reason": "", "who": current_user()}
        return self._plan.add_region(
            f"Over {_name(row)}", "solid", first, last,
            region_keys(event, footage.width, footage.height), event_id,
            also=(RowChange("leaks", row, after),),
            edit_label=f"Cover {_name(row)} that the audit found",
        )  # fmt: skip

    def reopen(self, event_id: str) -> Edit:
        """Take a decision back: it is open again, and what was made to cover it is removed.

        Raises:
            ProjectError: it is not there any more.
        """
        row = self._row(event_id)
        after = {**row, "state": "open", "reason": "", "who": ""}
        ids = self._store.query("SELECT id FROM deid_regions WHERE event_id = ?", (event_id,))
        regions = [self._log.snapshot("deid_regions", id=r["id"]) for r in ids]
        return self._log.apply(
            "leak", f"Open {_name(row)} again that the audit found",
            [RowChange("leaks", row, after), *(RowChange("deid_regions", r, None) for r in regions)],
            frame=int(row["first"]), track_id=row["track_id"],
        )  # fmt: skip

    def _row(self, event_id: str) -> Row:
        row = self._log.snapshot("leaks", id=event_id)
        if row is None:
            raise ProjectError("That finding is not there any more: a later search has replaced it.")
        return row


def _name(row: Row) -> str:
    kinds: dict[Any, str] = {**_NAMES}
    return kinds.get(row["kind"], "something")


def region_keys(event: LeakEvent, width: int, height: int) -> tuple[RegionKey, ...]:
    """Keys of a four-cornered region that follows an event with a margin; few, so that a person can move
    them."""
    corners = np.stack([_corners(b, width, height) for b in event.boxes])
    return tuple(RegionKey(int(event.frames[k]), corners[k]) for k in _needed(event.frames, corners))


def _corners(box: F4, width: int, height: int) -> F4:
    pad = MARGIN * (box[2:] - box[:2]) + _MARGIN_PX
    low = np.clip(box[:2] - pad, 0, (width - 1, height - 1))
    high = np.clip(box[2:] + pad, 0, (width - 1, height - 1))
    return np.array([low, (high[0], low[1]), high, (low[0], high[1])], np.float32)


def _needed(frames: Any, corners: F4) -> list[int]:
    """Indices of keys between which straight lines stay close to all others (Ramer, Douglas, Peucker)."""
    keep, spans = {0, len(frames) - 1}, [(0, len(frames) - 1)]
    while spans:
        a, b = spans.pop()
        if b - a < 2:
            continue
        share = ((frames[a : b + 1] - frames[a]) / (frames[b] - frames[a]))[:, None, None]
        straight = (1 - share) * corners[a] + share * corners[b]
        off = np.abs(straight - corners[a : b + 1]).max(axis=(1, 2))
        worst = int(off.argmax())
        if off[worst] > _STRAIGHT_PX:
            keep.add(a + worst)
            spans += [(a, a + worst), (a + worst, b)]
    return sorted(keep)
