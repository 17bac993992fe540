"""Rows of a table with targets."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def measured(
    what: str, value: Any, unit: str, *, at_most: float | None = None, at_least: float | None = None
) -> Row:
    """A row with one number; with a bound (or two) it also says whether that is reached."""
    number = float(value)
    low = "" if at_least is None else f"{at_least:,g}"
    high = "" if at_most is None else f"{at_most:,g}"
    target = f"{low} to {high}" if low and high else f">= {low}" if low else f"<= {high}" if high else ""
    good = (at_most is None or number <= at_most) and (at_least is None or number >= at_least)
    reached = "" if not target else "yes" if good else "no"
    return {"what": what, "measured": number, "unit": unit, "target": target, "reached": reached}
