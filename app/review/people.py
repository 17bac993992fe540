"""The rows of the list of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from app.project.records import TrackRecord
from app.review.lanes import Series, gaps
from app.review.types import U1, PersonRow


def person_rows(
    series: Series,
    tracks: Iterable[TrackRecord],
    method: Callable[[int], str],
    thumbnail: Callable[[int], U1 | None],
) -> list[PersonRow]:
    """One row for each track that is seen at all, in the tracks' order; ``method`` says how it is covered."""
    rows = []
    for track in tracks:
        s = series.tracks.get(track.track_id)
        if s is None or not s.seen.any():
            continue
        frames = np.flatnonzero(s.seen)
        known = s.mm[s.seen]
        known = known[np.isfinite(known)]
        rows.append(
            PersonRow(
                person_id=track.track_id, name=track.name, color_index=track.color_index,
                n_frames=len(frames), n_corrected=int(s.corrected.sum()), n_gaps=len(gaps(s.seen)),
                mean_mm=float(known.mean()) if known.size else float("nan"), method=method(track.track_id),
                hidden=track.hidden, first_frame=int(frames[0]), last_frame=int(frames[-1]),
                thumbnail=thumbnail(track.track_id),
            )
        )  # fmt: skip
    return rows
