"""The part of the report that says how the finished video was searched and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.audit.followed import FOLLOW_S
from app.audit.known import FOLLOWED
from app.audit.report.blocks import Block, Cell, Section, Table, Text, Tone
from app.audit.report.words import clock, frames_words, number, person_name
from app.audit.types import KIND_LABELS, STATE_LABELS

_TONES: dict[str, Tone] = {"open": "bad", "released": "good", "covered": "good"}


def findings_section(manifest: Mapping[str, Any], pictures: Mapping[str, bytes]) -> Section | None:
    """None where no video was written."""
    audit = manifest.get("audit")
    if audit is None:
        return None
    title = "Search of the finished video"
    if not audit.get("searched"):
        return Section(title, (Text(str(audit.get("why", "")), "warning"),))
    names = ", ".join(s["name"] for s in audit["searches"])
    blocks: list[Block] = [
        Text(
            f"The video was decoded again and {number(audit['frames'], 'frame')} searched after it was "
            f"finished, by: {names}. A place is searched in every frame in which it shows something new; "
            f"{number(audit['whole_searches'], 'frame')} were searched from corner to corner at several "
            f"sizes and turned. It took {audit['seconds']:.1f} s."
        )
    ]
    if any(s["name"] == FOLLOWED for s in audit["searches"]):
        blocks.append(
            Text(
                "Where a person was found late, or lost, the head was followed through the recording by its "
                f"look, backwards or onwards for up to {FOLLOW_S:.0f} s, and had to be covered there, too."
            )
        )
    events: Sequence[Mapping[str, Any]] = audit["events"]
    blocks.append(_table(events, pictures) if events else Text("Nothing was found.", "good"))
    mended: Sequence[Mapping[str, Any]] = audit.get("mended_earlier", ())
    if mended:
        blocks.append(
            Text("Found by earlier searches, covered since, and not found again in this video:")
        )  # fmt: skip
        blocks.append(_table(mended, {}))
    return Section(title, tuple(blocks))


def _moments(begin: float, end: float) -> str:
    return clock(begin) if clock(begin) == clock(end) else f"{clock(begin)}–{clock(end)}"


def _table(events: Sequence[Mapping[str, Any]], pictures: Mapping[str, bytes]) -> Table:
    rows = []
    for event in events:
        state = str(event["state"])
        outcome = STATE_LABELS.get(state, state)  # type: ignore[call-overload]
        if event.get("reason"):
            outcome += f": {event['reason']}"
        if event.get("who") and state != "open":
            outcome += f" ({event['who']})"
        seen = f"{frames_words(event['first'], event['last'])}, {_moments(event['from_s'], event['to_s'])}"
        rows.append(
            (
                Cell(str(event["id"]), picture=pictures.get(str(event["id"]))),
                Cell(f"{KIND_LABELS.get(event['kind'], event['kind'])}, {event['size_px']} px"),
                Cell(person_name(event["person"])), Cell(seen),
                Cell(f"{event['found_by']}, {event['score']:.2f}"), Cell(outcome, _TONES.get(state, "plain")),
            )
        )  # fmt: skip
    heads = ("No.", "What", "Who", "Where", "Found by, score", "Outcome")
    shares = (0.08, 0.16, 0.12, 0.21, 0.18, 0.25)
    if any(pictures.get(str(event["id"])) for event in events):
        shares = (0.14, 0.15, 0.11, 0.20, 0.17, 0.23)  # or pictures lie over the words beside them
    return Table(heads, tuple(rows), shares)
