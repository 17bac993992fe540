"""Reading and changing the plan; every change is one entry of the project's log and can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.deidentify.plan import (
    DeidPlan,
    FreeRegion,
    Method,
    PersonRule,
    RegionFill,
    RegionKey,
    check_region,
)
from app.errors import ProjectError
from app.project.arrays import pack, unpack
from app.project.edits import Edit, EditLog, Row, RowChange
from app.project.store import ProjectStore
from app.review.deid import SETTING, read_deid
from app.review.types import Cover, Fill, Look

COVERS: tuple[Cover, ...] = ("whole", "head", "face")
FILLS: tuple[Fill, ...] = ("mesh", "solid", "pixels", "remove", "blur")
LOOKS: tuple[Look, ...] = ("clothed", "shaded", "plain", "confidence")
REGION_FILLS: tuple[RegionFill, ...] = ("solid", "pixels", "remove", "blur")

RULE = "deid_rule"
"""The kind of an edit of somebody's exceptions."""
COVER_OTHERWISE, SPARE = "Cover a person in another way", "Spare a person"
LIKE_EVERYBODY = "Cover a person like everybody"


def read_plan(store: ProjectStore) -> DeidPlan:
    """The plan as it is stored; a rule or region that makes no sense is left out.

    An older file that may not be written has no tables for them: then there are none.
    """
    settings = read_deid(store.setting(SETTING))
    if not store.query("SELECT 1 FROM sqlite_master WHERE name = 'deid_rules'"):
        return DeidPlan(settings)
    rules = [_rule(r) for r in store.query("SELECT * FROM deid_rules ORDER BY id")]
    regions = [_region(r) for r in store.query("SELECT * FROM deid_regions ORDER BY id")]
    return DeidPlan(settings, tuple(rules), tuple(regions))


def _rule(row: Any) -> PersonRule:
    spared = bool(row["spared"])
    if not spared and (row["cover"] not in COVERS or row["fill"] not in FILLS or row["look"] not in LOOKS):
        # Unknown words come from a newer program: cover as the defaults say, never less.
        return PersonRule(row["id"], row["track_id"], row["first"], row["last"], Method("whole", "solid"))
    method = None if spared else Method(row["cover"], row["fill"], row["look"])
    return PersonRule(row["id"], row["track_id"], row["first"], row["last"], method, row["reason"])


def _region(row: Any) -> FreeRegion:
    frames = unpack(row["frames"], shape=(-1,))
    points = unpack(row["points"], shape=(len(frames), -1, 2)).astype(np.float32)
    fill: RegionFill = row["fill"] if row["fill"] in REGION_FILLS else "solid"
    keys = tuple(RegionKey(int(f), p) for f, p in zip(frames, points))
    return FreeRegion(row["id"], row["label"], fill, row["first"], row["last"], keys, row["event_id"])


class PlanEditor:
    """A person's changes to the plan."""

    def __init__(self, store: ProjectStore, log: EditLog) -> None:
        self._store = store
        self._log = log

    def set_method(self, track: int, first: int, last: int, method: Method, label: str = "") -> Edit:
        """Cover a person in another way from ``first`` to ``last`` (inclusive).

        Raises:
            ProjectError: an empty span.
        """
        changes = self.method_changes(track, first, last, method)
        return self.apply_rules(label or COVER_OTHERWISE, changes, track, first)

    def spare(self, track: int, first: int, last: int, reason: str) -> Edit:
        """Leave a person as they are, on purpose.

        Raises:
            ProjectError: no reason is given, or an empty span.
        """
        changes = self.method_changes(track, first, last, None, reason)
        return self.apply_rules(SPARE, changes, track, first)

    def method_changes(
        self, track: int, first: int, last: int, method: Method | None, reason: str = ""
    ) -> list[RowChange]:
        """The rows that cover a person in another way; ``method`` None spares them, with ``reason``.

        What was said before about these frames goes: of a frame only one exception speaks, so that a list
        of them tells what holds.

        Raises:
            ProjectError: somebody is spared without a reason, or an empty span.
        """
        reason = " ".join(reason.split())[:500]
        if method is None and not reason:
            raise ProjectError("Say why this person may be seen: the reason goes into the report.")
        changes = self.cleared(track, first, last)
        rule = PersonRule(self._next("deid_rules"), track, first, last, method, reason)
        return [*changes, RowChange("deid_rules", None, _rule_row(rule))]

    def cleared(self, track: int, first: int, last: int) -> list[RowChange]:
        """The rows after which no exception of a person speaks of frames ``first`` .. ``last``.

        Raises:
            ProjectError: an empty span.
        """
        if last < first or first < 0:
            raise ProjectError("The span of frames is empty.")
        changes = []
        rows = self._store.query(
            "SELECT id FROM deid_rules WHERE track_id = ? AND first <= ? AND last >= ? ORDER BY id",
            (track, last, first),
        )
        for row in (self._row("deid_rules", int(r["id"])) for r in rows):
            before, after = row["first"] < first, row["last"] > last
            rest = {**row, "first": last + 1}
            if before:
                changes.append(RowChange("deid_rules", row, {**row, "last": first - 1}))
                if after:
                    changes.append(RowChange("deid_rules", None, {**rest, "id": self._next("deid_rules")}))
            else:
                changes.append(RowChange("deid_rules", row, rest if after else None))
        return changes

    def apply_rules(self, label: str, changes: list[RowChange], track: int, first: int) -> Edit:
        """Store what :meth:`method_changes` or :meth:`cleared` says, as one edit."""
        return self._log.apply(RULE, label, changes, frame=first or None, track_id=track)

    def add_region(
        self, label: str, fill: RegionFill, first: int, last: int, keys: tuple[RegionKey, ...],
        event_id: str = "", *, also: tuple[RowChange, ...] = (), edit_label: str = "",
    ) -> Edit:  # fmt: skip
        """Cover a polygon from ``first`` to ``last``.

        Args:
            also: rows that change with it in the same edit.

        Raises:
            ProjectError: it cannot be drawn.
        """
        region = FreeRegion(self._next("deid_regions"), label, fill, first, last, keys, event_id)
        change = RowChange("deid_regions", None, _region_row(region))
        return self._log.apply(
            "deid_region", edit_label or "Cover a region", [change, *also], frame=keys[0].frame, track_id=None
        )

    def change_region(
        self, region: FreeRegion, label: str = "Change a region", *, frame: int | None = None
    ) -> Edit:
        """Store a region as it is now: its keys, span, label, fill.

        Args:
            frame: where it was changed, so that an undo goes there.

        Raises:
            ProjectError: there is none of that number, or it cannot be drawn.
        """
        before = self._row("deid_regions", region.region_id)
        return self._log.apply(
            "deid_region", label, [RowChange("deid_regions", before, _region_row(region))],
            frame=frame, track_id=None,
        )  # fmt: skip

    def remove_region(self, region_id: int) -> Edit:
        """Cover it no more.

        Raises:
            ProjectError: there is none of that number.
        """
        row = self._row("deid_regions", region_id)
        return self._log.apply(
            "deid_region", "Remove a region", [RowChange("deid_regions", row, None)],
            frame=None, track_id=None,
        )  # fmt: skip

    def _row(self, table: str, row_id: int) -> Row:
        row = self._log.snapshot(table, id=row_id)
        if row is None:
            raise ProjectError("That is not there any more.")
        return row

    def _next(self, table: str) -> int:
        """A number that was never used, also not by what was undone: a redo puts the old row back."""
        key = f"deid_next_{table}"
        highest = int(self._store.query(f"SELECT coalesce(max(id), 0) AS n FROM {table}")[0]["n"])
        number = max(int(self._store.setting(key) or 0), highest) + 1
        with self._store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, str(number)))
        return number


def with_key(region: FreeRegion, key: RegionKey) -> FreeRegion:
    """The region with a key added or replaced, its span widened to hold it."""
    keys = sorted([k for k in region.keys if k.frame != key.frame] + [key], key=lambda k: k.frame)
    return replace(
        region, keys=tuple(keys), first=min(region.first, key.frame), last=max(region.last, key.frame)
    )


def _rule_row(rule: PersonRule) -> Row:
    method = rule.method or Method("whole", "solid")
    return {
        "id": rule.rule_id, "track_id": rule.track_id, "first": rule.first, "last": rule.last,
        "spared": int(rule.method is None), "cover": method.cover, "fill": method.fill,
        "look": method.look, "reason": rule.reason,
    }  # fmt: skip


def _region_row(region: FreeRegion) -> Row:
    check_region(region)
    return {
        "id": region.region_id, "label": region.label, "fill": region.fill,
        "first": region.first, "last": region.last,
        "frames": pack([k.frame for k in region.keys], np.int64),
        "points": pack(np.stack([k.points for k in region.keys]), np.float32),
        "event_id": region.event_id,
    }  # fmt: skip
