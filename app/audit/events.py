"""From chains of findings to leak events: what counts, how bad it is, what belongs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from app.audit.match import boxes_at
from app.audit.types import F4, LeakEvent
from backends.audit.link import Chain

SURE = 0.5
"""From this score on a face counts as one that will be recognised."""

SMALL_PX = 24
"""Faces below this many pixels are hard to recognise, also for a machine."""

_INSIDE = 0.8


def make_events(
    chains: Sequence[Chain],
    picture: Callable[[Chain], bytes | None],
    track_of: Callable[[int, F4], int | None] | None = None,
) -> tuple[tuple[LeakEvent, ...], dict[str, bytes]]:
    """Events in order of time, numbered from 1, and their pictures by number.

    Args:
        track_of: whose a place (frame, box) is.
    """
    events: list[LeakEvent] = []
    pictures: dict[str, bytes] = {}
    for chain in chains:
        event = _event(chain, str(len(events) + 1))
        if track_of is not None and event.track_id is None:
            best = int(np.argmax(chain.scores))
            event = replace(event, track_id=track_of(chain.frames[best], chain.boxes[best]))
        events.append(event)
        jpeg = picture(chain)
        if jpeg:
            pictures[event.event_id] = jpeg
    kept = _absorbed(events)
    names = {e.event_id for e in kept}
    return tuple(kept), {k: v for k, v in pictures.items() if k in names}


def _event(chain: Chain, event_id: str) -> LeakEvent:
    boxes = np.stack(chain.boxes).astype(np.float32)
    score = float(np.clip(max(chain.scores), 0.0, 1.0))
    size = float(np.median((boxes[:, 2:] - boxes[:, :2]).max(axis=1)))
    bad = size >= SMALL_PX and (chain.kind != "face" or score >= SURE)
    return LeakEvent(
        event_id, chain.kind, chain.track_id, np.array(chain.frames, np.int64), boxes, chain.frames[0],
        chain.frames[-1], score, 2 if bad else 1, ", ".join(sorted(chain.found_by)),
    )  # fmt: skip


def _absorbed(events: Sequence[LeakEvent]) -> list[LeakEvent]:
    """Faces of people, or heads, that are found themselves are no events of their own: who covers the person
    covers the face."""
    result = {e.event_id: e for e in events}
    people = [e for e in events if e.kind != "face"]
    for face in (e for e in events if e.kind == "face"):
        for person in people:
            if _within(face, person):
                now = result[person.event_id]
                names = sorted({*now.found_by.split(", "), *face.found_by.split(", ")})
                result[person.event_id] = replace(
                    now, severity=2, score=max(now.score, face.score), found_by=", ".join(names)
                )
                del result[face.event_id]
                break
    return list(result.values())


def _within(face: LeakEvent, person: LeakEvent) -> bool:
    if face.first < person.first or face.last > person.last:
        return False
    boxes = boxes_at(person, face.frames)
    middle = (face.boxes[:, :2] + face.boxes[:, 2:]) / 2
    inside = ((middle >= boxes[:, :2]) & (middle <= boxes[:, 2:])).all(axis=1)
    return float(inside.mean()) >= _INSIDE
