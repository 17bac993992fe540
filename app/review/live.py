"""What is shown of a run that goes on: bodies of single frames, calmed as they come."""

from __future__ import annotations

from dataclasses import replace

from app.project.records import PersonRecord
from backends.errors import InputError
from backends.fitting import LiveFilter


class LivePlay:
    """One filter a person. It begins anew after a jump, and what a person has corrected stays as it is."""

    def __init__(self) -> None:
        self._filters: dict[int, LiveFilter] = {}
        self._last: dict[int, int] = {}

    def show(self, person: PersonRecord, time_s: float) -> PersonRecord:
        """The person with the body to show in their frame, whose time is ``time_s``."""
        track = person.track_id
        if person.body is None or person.reviewed:
            self._last.pop(track, None)
            return person
        live = self._filters.setdefault(track, LiveFilter())
        last = self._last.get(track)
        if last is None or person.frame <= last:
            live = self._filters[track] = LiveFilter()
        try:
            params = live.step(person.body.params, time_s)
        except InputError:  # another number of shapes, or times that do not grow: as it was stored
            self._last.pop(track, None)
            return person
        self._last[track] = person.frame
        return replace(person, body=replace(person.body, params=params))
