"""Findings in the project: read, stored, and matched with what a person has decided before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.audit.match import is_same
from app.audit.types import AuditResult, LeakEvent, LeakKind, LeakState
from app.project.arrays import from_json, pack, to_json, unpack
from app.project.store import ProjectStore, now

_KINDS: tuple[LeakKind, ...] = ("face", "person", "head")
_STATES: tuple[LeakState, ...] = ("open", "covered", "released")


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One search as the project remembers it; ``events`` are the ids of all that it found."""

    audit_id: int
    at: str
    first: int
    last: int
    output_sha256: str
    events: tuple[str, ...]
    result: dict[str, Any]


def _has_tables(store: ProjectStore) -> bool:
    """An older file that may not be written has none."""
    return bool(store.query("SELECT 1 FROM sqlite_master WHERE name = 'leaks'"))


def read_events(store: ProjectStore, audit_id: int | None = None) -> tuple[LeakEvent, ...]:
    """Everything that searches have found and no later search has replaced, in order of time.

    Args:
        audit_id: only what this search found.

    Raises:
        ProjectError: a row is damaged.
    """
    if not _has_tables(store):
        return ()
    where, values = ("", ()) if audit_id is None else ("WHERE audit_id = ? ", (audit_id,))
    rows = store.query(f"SELECT * FROM leaks {where}ORDER BY first, last, id", values)
    return tuple(_event(r) for r in rows)


def _event(row: Any) -> LeakEvent:
    frames = unpack(row["frames"], shape=(-1,)).astype(np.int64)
    return LeakEvent(
        row["id"], row["kind"] if row["kind"] in _KINDS else "person", row["track_id"], frames,
        unpack(row["boxes"], shape=(len(frames), 4)).astype(np.float32), row["first"], row["last"],
        row["score"], row["severity"], row["found_by"],
        row["state"] if row["state"] in _STATES else "open", row["reason"], row["who"],
    )  # fmt: skip


def picture_of(store: ProjectStore, event_id: str) -> bytes | None:
    """A JPEG of the event out of the covered video; None where there is none."""
    if not _has_tables(store):
        return None
    rows = store.query("SELECT jpeg FROM leak_pictures WHERE leak_id = ?", (event_id,))
    return bytes(rows[0]["jpeg"]) if rows else None


def last_audit(store: ProjectStore, output_sha256: str | None = None) -> AuditRecord | None:
    """The newest search, of one output where its hash is given."""
    if not _has_tables(store):
        return None
    where, values = ("", ()) if output_sha256 is None else ("WHERE output_sha256 = ? ", (output_sha256,))
    rows = store.query(f"SELECT * FROM audits {where}ORDER BY id DESC LIMIT 1", values)
    if not rows:
        return None
    row = rows[0]
    result = from_json(row["result"])
    events = tuple(str(e) for e in result.get("events", ()))
    return AuditRecord(row["id"], row["at"], row["first"], row["last"], row["output_sha256"], events, result)


def store_result(store: ProjectStore, result: AuditResult) -> AuditResult:
    """Store a search; the result with its events as they stand now.

    What was open from an earlier search of the same frames is replaced. What a person has released and is
    seen again in the same place stays released. What was covered stays on record as mended; where it is
    seen again all the same, it is a new, open event.

    Raises:
        ProjectError, StorageError: it cannot be written.
    """
    summary = {
        "seconds": result.seconds, "frames": result.n_frames, "whole_searches": result.whole_searches,
        "searches": [[s.name, s.model_id, s.sha256] for s in result.searches],
    }  # fmt: skip
    with store.transaction() as db:
        earlier = [e for e in read_events(store) if e.last >= result.first and e.first <= result.last]
        cursor = db.execute(
            "INSERT INTO audits (at, first, last, output_sha256, result) VALUES (?, ?, ?, ?, ?)",
            (now(), result.first, result.last, result.output_sha256, to_json(summary)),
        )
        audit_id = int(cursor.lastrowid or 0)
        events, replaced = _numbered(result.events, earlier, audit_id)
        gone = [e.event_id for e in earlier if e.state == "open"] + replaced
        for event_id in gone:
            db.execute("DELETE FROM leaks WHERE id = ?", (event_id,))
            db.execute("DELETE FROM leak_pictures WHERE leak_id = ?", (event_id,))
        pictures = {}
        for found, event in zip(result.events, events):
            db.execute(
                "INSERT INTO leaks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (event.event_id, audit_id, event.kind, event.track_id, event.first, event.last,
                 pack(event.frames, np.int64), pack(event.boxes, np.float32), float(event.score),
                 event.severity, event.found_by, event.state, event.reason, event.who),
            )  # fmt: skip
            jpeg = result.pictures.get(found.event_id)
            if jpeg is not None:
                db.execute("INSERT OR REPLACE INTO leak_pictures VALUES (?, ?)", (event.event_id, jpeg))
                pictures[event.event_id] = jpeg
        summary["events"] = [e.event_id for e in events]
        db.execute("UPDATE audits SET result = ? WHERE id = ?", (to_json(summary), audit_id))
    return replace(result, events=events, pictures=pictures)


def _numbered(
    found: Sequence[LeakEvent], earlier: Sequence[LeakEvent], audit_id: int
) -> tuple[tuple[LeakEvent, ...], list[str]]:
    """Events with numbers that no event ever had, released where a person has released them before."""
    events, replaced = [], []
    released = [e for e in earlier if e.state == "released"]
    for number, event in enumerate(found, 1):
        event_id = f"{audit_id}-{number}"
        known = next((r for r in released if is_same(event, r)), None)
        if known is None:
            events.append(replace(event, event_id=event_id, state="open", reason="", who=""))
            continue
        replaced.append(known.event_id)
        events.append(replace(event, event_id=event_id, state="released", reason=known.reason, who=known.who))
    return tuple(events), sorted(set(replaced))
