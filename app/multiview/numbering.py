"""One numbering for all projects of a room: a person's track has the same number in every camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.project.store import ProjectStore

_APART = 1 << 40
"""Further than any number of a track: they are moved there first, so that none meets another on its way."""
_TABLES = ("observations", "bodies", "confidence", "findings")


def numbers_for(store: ProjectStore, own: Mapping[int, int], free: Iterator[int]) -> dict[int, int]:
    """The room's number of every kept track: of a person's ``own`` track (number to track) theirs; whoever is
    known to this camera alone takes the next of ``free``, which no other camera takes."""
    numbers = {track: number for number, track in own.items()}
    for track in store.tracks():
        if track.track_id not in numbers:
            numbers[track.track_id] = next(free)
    return numbers


def renumber(store: ProjectStore, numbers: Mapping[int, int]) -> dict[int, int]:
    """Give tracks the numbers that they have in the room; tracks that are not kept come after all of them.

    Nothing is changed where a person has worked on the project: the log of edits speaks of the old numbers.

    Returns:
        the new number of each of ``numbers``' tracks.
    """
    worked = store.query(
        "SELECT 1 FROM edits UNION SELECT 1 FROM leaks UNION SELECT 1 FROM deid_rules LIMIT 1"
    )
    if worked or all(track == number for track, number in numbers.items()):
        return {track: track for track in numbers}
    after = max(numbers.values(), default=0)
    wanted = dict(numbers)
    for track in store.tracks(every=True):
        if track.track_id not in wanted:
            after += 1
            wanted[track.track_id] = after
    with store.transaction() as db:
        db.execute("PRAGMA defer_foreign_keys = ON")
        for shift in (_APART, -_APART):
            for old, new in wanted.items():
                a, b = (old, new + shift) if shift > 0 else (new - shift, new)
                db.execute("UPDATE tracks SET id = ? WHERE id = ?", (b, a))
                for table in _TABLES:
                    db.execute(f"UPDATE {table} SET track_id = ? WHERE track_id = ?", (b, a))
        # What a run would go on from speaks of the old numbers: it begins to follow people anew.
        db.execute("UPDATE chunks SET state = ''")
    return {track: wanted[track] for track in numbers}
