"""The append-only log of edits: undo, redo and audit trail at once.

An edit is a set of row changes, each with the whole row before and after. Undoing
appends an ``undo`` entry that points at the edit and puts the rows back; nothing is
ever removed from the log, so it also tells what was undone, when and by whom. What
can be undone next follows from reading the log, so it survives closing the program.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import ProjectError
from app.project.arrays import from_json, to_json
from app.project.rows import insert_statement
from app.project.store import ProjectStore, now

KEYS: dict[str, tuple[str, ...]] = {
    "observations": ("view_id", "frame", "track_id"),
    "bodies": ("view_id", "frame", "track_id"),
    "confidence": ("view_id", "frame", "track_id"),
    "tracks": ("id",),
    "reviews": ("item_id",),
    "settings": ("name",),
    "deid_rules": ("id",),
    "deid_regions": ("id",),
    "leaks": ("id",),
}
"""The tables that a person's edits may touch, and their primary keys."""

Row = dict[str, Any]

_DAMAGED = "The log of edits is damaged. Restore the project from a copy."


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row before and after; None where it did not or will not exist."""

    table: str
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Changes with their text for the log, so that a large edit costs the thread that applies it little."""

    changes: tuple[RowChange, ...]
    payload: str

    @staticmethod
    def of(changes: Sequence[RowChange]) -> Prepared:
        """Any thread may do this."""
        return Prepared(tuple(changes), _payload(changes))


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of the log as a person would name it."""

    edit_id: int
    kind: str
    label: str
    frame: int | None
    track_id: int | None


def current_user() -> str:
    """The user's name on this machine, for the log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


class EditLog:
    """Records edits of one project and steps through them."""

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._columns: dict[str, frozenset[str]] = {}
        self._replay()

    def _replay(self) -> None:
        by_id: dict[int, Edit] = {}
        rows = self._store.query("SELECT id, kind, label, frame, track_id, target FROM edits ORDER BY id")
        for row in rows:
            edit = Edit(row["id"], row["kind"], row["label"], row["frame"], row["track_id"])
            if edit.kind == "undo":
                self._done = [e for e in self._done if e.edit_id != row["target"]]
                self._undone.append(by_id[row["target"]])
            elif edit.kind == "redo":
                self._undone = [e for e in self._undone if e.edit_id != row["target"]]
                self._done.append(by_id[row["target"]])
            elif edit.kind == "restart":
                # A new run replaced the rows that earlier edits speak of.
                self._done.clear()
                self._undone.clear()
            else:
                by_id[edit.edit_id] = edit
                self._done.append(edit)
                self._undone.clear()

    @property
    def next_undo(self) -> Edit | None:
        """What :meth:`undo` would take back."""
        return self._done[-1] if self._done else None

    @property
    def next_redo(self) -> Edit | None:
        """What :meth:`redo` would do again."""
        return self._undone[-1] if self._undone else None

    def stands(self, kind: str) -> bool:
        """Whether an edit of that kind has been made and not been taken back."""
        return any(e.kind == kind for e in self._done)

    def snapshot(self, table: str, **key: object) -> Row | None:
        """The row as it is now, or None."""
        columns = KEYS[table]
        condition = " AND ".join(f"{c} = ?" for c in columns)
        rows = self._store.query(f"SELECT * FROM {table} WHERE {condition}", [key[c] for c in columns])
        return dict(rows[0]) if rows else None

    def apply(
        self, kind: str, label: str, changes: Sequence[RowChange], *, frame: int | None, track_id: int | None
    ) -> Edit:
        """Write the changes and their entry in the log, all or nothing.

        Args:
            kind: machine word ("move_keypoint"); label: what the person reads ("Move right wrist").
        """
        return self.apply_prepared(kind, label, Prepared.of(changes), frame=frame, track_id=track_id)

    def apply_prepared(
        self, kind: str, label: str, prepared: Prepared, *, frame: int | None, track_id: int | None
    ) -> Edit:
        """As :meth:`apply`; nothing of the rows may have changed since ``prepared`` was made."""
        with self._store.transaction():
            for change in prepared.changes:
                self._write(change.table, change.before, change.after)
            edit_id = self._append(kind, label, frame, track_id, None, prepared.payload)
        edit = Edit(edit_id, kind, label, frame, track_id)
        self._done.append(edit)
        self._undone.clear()
        return edit

    def undo(self) -> Edit | None:
        """Take back the newest edit that stands; None where there is none."""
        if not self._done:
            return None
        edit = self._done[-1]
        self._step(edit, "undo")
        self._undone.append(self._done.pop())
        return edit

    def redo(self) -> Edit | None:
        """Do again what was undone last; None where there is nothing."""
        if not self._undone:
            return None
        edit = self._undone[-1]
        self._step(edit, "redo")
        self._done.append(self._undone.pop())
        return edit

    def note_restart(self) -> None:
        """A run started anew: what was edited before cannot be undone any more, but stays in the log."""
        with self._store.transaction():
            self._append("restart", "Run again from the start", None, None, None, _payload(()))
        self._done.clear()
        self._undone.clear()

    def _step(self, edit: Edit, kind: str) -> None:
        rows = self._store.query("SELECT changes FROM edits WHERE id = ?", (edit.edit_id,))
        changes = [RowChange(c["table"], c["before"], c["after"]) for c in from_json(rows[0]["changes"])]
        if any(c.table not in KEYS for c in changes):
            raise ProjectError(_DAMAGED)
        with self._store.transaction():
            if kind == "undo":
                for change in reversed(changes):
                    self._write(change.table, change.after, change.before)
            else:
                for change in changes:
                    self._write(change.table, change.before, change.after)
            self._append(
                kind, f"{kind.capitalize()} {edit.label}", edit.frame, edit.track_id, edit.edit_id,
                _payload(()),
            )  # fmt: skip

    def _append(
        self, kind: str, label: str, frame: int | None, track_id: int | None, target: int | None,
        payload: str,
    ) -> int:  # fmt: skip
        cursor = self._store.connection.execute(
            "INSERT INTO edits (at, who, kind, label, frame, track_id, target, changes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (now(), current_user(), kind, label, frame, track_id, target, payload),
        )
        return int(cursor.lastrowid or 0)

    def _check_columns(self, table: str, columns: Sequence[str]) -> None:
        """Column names come from the file's own log: they must be names of the table, not SQL."""
        known = self._columns.get(table)
        if known is None:
            rows = self._store.query(f"PRAGMA table_info({table})")
            known = self._columns[table] = frozenset(row["name"] for row in rows)
        if not set(columns) <= known:
            raise ProjectError(_DAMAGED)

    def _write(self, table: str, old: Row | None, new: Row | None) -> None:
        keys = KEYS[table]
        db = self._store.connection
        # Rows that others refer to (tracks) are updated in place; replacing them would break the reference.
        if old is not None and new is not None and all(old[k] == new[k] for k in keys):
            columns = [c for c in new if c not in keys and new[c] != old.get(c)]
            if columns:
                self._check_columns(table, columns)
                db.execute(
                    f"UPDATE {table} SET {', '.join(f'{c} = ?' for c in columns)}"
                    f" WHERE {' AND '.join(f'{k} = ?' for k in keys)}",
                    [new[c] for c in columns] + [new[k] for k in keys],
                )
            return
        if old is not None:
            db.execute(
                f"DELETE FROM {table} WHERE {' AND '.join(f'{k} = ?' for k in keys)}", [old[k] for k in keys]
            )
        if new is not None:
            columns = list(new)
            self._check_columns(table, columns)
            db.execute(insert_statement(table, tuple(columns)), [new[c] for c in columns])


def _payload(changes: Sequence[RowChange]) -> str:
    """The log's text, change by change: encoding all at once would hold Python's lock all the while."""
    parts = (to_json({"table": c.table, "before": c.before, "after": c.after}) for c in changes)
    return f"[{','.join(parts)}]"
