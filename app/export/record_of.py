"""What an export says of who was covered how, and of what the search found: plain values for the record.

People are numbers here: a name that somebody typed may be a patient's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.audit.store import read_events
from app.audit.types import LeakEvent
from app.deidentify.codes import CLEAN_PIXEL_DATA, CLEAN_VISUAL_FEATURES, applicable_codes
from app.deidentify.editing import read_plan
from app.deidentify.plan import DeidPlan, Method, PersonRule
from app.export.types import ExportSource
from app.export.verdict import Verdict
from app.project.store import VIEW


def people_of(source: ExportSource) -> list[dict[str, Any]]:
    """Everybody who was found: which frames, how they were covered, by which exceptions."""
    plan = plan_of(source)
    corrected = source.store.corrected_tracks()
    return [
        {
            "id": t.track_id, "corrected": t.track_id in corrected, **_frames_of(source, t.track_id),
            **_method(plan.default),
            "exceptions": [
                _rule(r) for r in plan.rules
                if r.track_id == t.track_id and _overlaps(source, r.first, r.last)
            ],
        }
        for t in source.tracks()
    ]  # fmt: skip


def plan_of(source: ExportSource) -> DeidPlan:
    """The plan as this export has used it."""
    return replace(read_plan(source.store), settings=source.deid)


def _overlaps(source: ExportSource, first: int, last: int) -> bool:
    return last >= source.first and first <= source.last


def _method(method: Method) -> dict[str, Any]:
    return {"cover": method.cover, "fill": method.fill, "look": method.look}


def _rule(rule: PersonRule) -> dict[str, Any]:
    span = {"first": rule.first, "last": rule.last}
    if rule.method is None:
        return {**span, "spared": True, "reason": rule.reason}
    return {**span, "spared": False, **_method(rule.method)}


def _frames_of(source: ExportSource, track: int) -> dict[str, Any]:
    rows = source.store.query(
        "SELECT count(*) AS n, min(frame) AS first, max(frame) AS last FROM observations"
        " WHERE view_id = ? AND track_id = ? AND frame BETWEEN ? AND ?",
        (VIEW, track, source.first, source.last),
    )
    return {"found_in_frames": rows[0]["n"], "first": rows[0]["first"], "last": rows[0]["last"]}


def regions_of(source: ExportSource) -> list[dict[str, Any]]:
    """Free regions within the exported frames; those that mend a finding name it."""
    return [
        {"id": r.region_id, "fill": r.fill, "first": r.first, "last": r.last, "mends": r.event_id or None}
        for r in plan_of(source).regions
        if _overlaps(source, r.first, r.last)
    ]


def audit_of(source: ExportSource, verdict: Verdict | None) -> dict[str, Any] | None:
    """The search: by what, how thoroughly, what it found and what became of it. None without a video."""
    if verdict is None:
        return None
    result = verdict.result
    if result is None:
        return {"searched": False, "why": verdict.why}
    events = [event_values(e, source.footage.times) for e in result.events]
    ids = {e.event_id for e in result.events}
    mended = [
        event_values(e, source.footage.times) for e in read_events(source.store)
        if e.state == "covered" and e.event_id not in ids and _overlaps(source, e.first, e.last)
    ]  # fmt: skip
    return {
        "searched": True, "why": verdict.why, "frames": result.n_frames,
        "whole_searches": result.whole_searches, "seconds": round(result.seconds, 2),
        "searches": [{"name": s.name, "network": s.model_id, "sha256": s.sha256} for s in result.searches],
        "events": events, "mended_earlier": mended,
    }  # fmt: skip


def event_values(event: LeakEvent, times: Sequence[float] | np.ndarray[Any, Any]) -> dict[str, Any]:
    """A finding as plain values; seconds from the footage's first frame."""
    last = len(times) - 1
    return {
        "id": event.event_id, "kind": event.kind, "person": event.track_id,
        "first": event.first, "last": event.last,
        "from_s": round(float(times[min(event.first, last)]), 3),
        "to_s": round(float(times[min(event.last, last)]), 3),
        "score": round(event.score, 3), "severity": event.severity, "found_by": event.found_by,
        "state": event.state, "reason": event.reason, "who": event.who,
        "size_px": round(float((event.boxes[:, 2:] - event.boxes[:, :2]).max())),
    }  # fmt: skip


def codes_of(source: ExportSource, *, verified: bool) -> list[dict[str, Any]]:
    """The two options of DICOM PS3.15 that this program may claim, and whether it does, or would do once the
    video is verified."""
    may = {c.value for c in applicable_codes(plan_of(source), verified=True)}
    return [
        {
            "code": c.value,
            "meaning": c.meaning,
            "applies": verified and c.value in may,
            "applies_once_verified": c.value in may,
        }
        for c in (CLEAN_PIXEL_DATA, CLEAN_VISUAL_FEATURES)
    ]
