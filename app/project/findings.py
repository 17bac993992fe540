"""What was found wrong in single frames: rows of the table ``findings``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.project.store import VIEW, ProjectStore


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one person in one frame.

    Attributes:
        kind, joint, severity, words: as in :class:`backends.confidence.reasons.Found`; the other track's
            number are the words where two tracks lie on one person.
    """

    track_id: int
    frame: int
    kind: str
    joint: str
    severity: float
    words: str


def put_findings(store: ProjectStore, first: int, last: int, found: Iterable[Finding]) -> None:
    """Everything that is wrong in frames ``first`` .. ``last``, in place of what was noted before."""
    with store.transaction() as db:
        db.execute("DELETE FROM findings WHERE view_id = ? AND frame BETWEEN ? AND ?", (VIEW, first, last))
        db.executemany(
            "INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(VIEW, f.track_id, f.frame, f.kind, f.joint, f.severity, f.words) for f in found],
        )


def findings_of(store: ProjectStore, first: int = 0, last: int = 2**62) -> list[Finding]:
    """What is noted of frames ``first`` .. ``last``, by track and frame; nothing in files of earlier versions
    that may not be written."""
    if not store.query("SELECT name FROM sqlite_master WHERE name = 'findings'"):
        return []
    rows = store.query(
        "SELECT track_id, frame, kind, joint, severity, words FROM findings"
        " WHERE view_id = ? AND frame BETWEEN ? AND ? ORDER BY track_id, frame",
        (VIEW, first, last),
    )
    return [
        Finding(r["track_id"], r["frame"], r["kind"], r["joint"], r["severity"], r["words"]) for r in rows
    ]
