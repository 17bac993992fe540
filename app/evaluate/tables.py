"""The report's numbers as tables: joint sets against measures as papers print them, and lists of rows."""

from __future__ import annotations

from dataclasses import dataclass

from app.evaluate.report import GROUP_TITLES, Group, Report, Row

SET_COLUMNS: tuple[tuple[str, str], ...] = (
    ("mpjpe", "MPJPE"), ("pa_mpjpe", "PA-MPJPE"), ("n_mpjpe", "N-MPJPE"), ("mpjpe_absolute", "Absolute"),
    ("pck3d", "PCK3D"), ("pck3d_auc", "AUC"),
)  # fmt: skip
"""Keys that are stated for every joint set, with the heads of their columns."""


@dataclass(frozen=True, slots=True)
class SetLine:
    """One joint set with a row for each of :data:`SET_COLUMNS`."""

    joint_set: str
    rows: tuple[Row, ...]

    @property
    def samples(self) -> str:
        """How many joints, and how many of them are not known."""
        return samples_of(self.rows[0])


def set_lines(report: Report) -> list[SetLine]:
    """The joint sets in the report's order."""
    keys = [k for k, _ in SET_COLUMNS]
    labels = dict.fromkeys(r.joint_set for r in report.rows if r.key == keys[0])
    return [
        SetLine(label, tuple(r for k in keys for r in report.rows if r.key == k and r.joint_set == label))
        for label in labels
    ]


def other_rows(report: Report, group: Group) -> list[Row]:
    """The rows of a group that are not in :func:`set_lines`."""
    keys = {k for k, _ in SET_COLUMNS}
    return [r for r in report.rows if r.group == group and r.key not in keys]


def groups_of(report: Report) -> list[tuple[Group, str]]:
    """The groups that have rows, with their titles."""
    present = {r.group for r in report.rows}
    return [(g, title) for g, title in GROUP_TITLES.items() if g in present]


def samples_of(row: Row) -> str:
    """ "1,234 joints, 5 not known"."""
    unknown = f", {row.unknown:,} not known" if row.unknown else ""
    return f"{row.n:,} {row.of}{unknown}"


def about_of(row: Row) -> str:
    """The joints and what was done before the error was taken."""
    alignment = f"aligned: {row.alignment}" if row.alignment else ""
    return ", ".join(t for t in (row.joint_set, alignment) if t)


def shared_about(rows: list[Row]) -> str:
    """What is the same for all rows, to be said once; "" where they differ."""
    said = {about_of(r) for r in rows}
    return said.pop() if len(said) == 1 else ""


def descriptions(rows: list[Row]) -> list[tuple[str, str]]:
    """(of what, note) of each row; "" for what is said above the table, a note also where it repeats."""
    shared = shared_about(rows)
    notes = ["" if k and r.note == rows[k - 1].note else r.note for k, r in enumerate(rows)]
    return [("" if shared else about_of(r), note) for r, note in zip(rows, notes)]


def unit_of(row: Row) -> str:
    """The unit as it is printed behind a value: none for counts and plain numbers."""
    return "" if row.unit == "count" or row.shown == "not known" else row.unit
