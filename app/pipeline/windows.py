"""Cuts a track into windows that are fitted as clips one after the other, in bounded memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.project.store import VIEW, ProjectStore

WINDOW = 120
"""Frames that are fitted together: with two cores about half a second, some 20 MB."""

BEFORE, AFTER = 2, 10
"""Frames on either side that take part without being stored: two hold place and speed, ten look ahead."""

LEAST = 5
"""Shorter pieces have no motion to speak of."""

_LOST_S = 1.0
"""Longer gaps cut a track: nobody knows what happened in between."""


@dataclass(frozen=True, slots=True)
class Window:
    """Frames ``first`` .. ``last`` (inclusive) of a piece of a track from ``low`` to ``high``."""

    track: int
    first: int
    last: int
    low: int
    high: int

    @property
    def begin(self) -> int:
        """The first frame that takes part."""
        return max(self.low, self.first - BEFORE)

    @property
    def end(self) -> int:
        """The last frame that takes part."""
        return min(self.high, self.last + AFTER)


def windows_of(track: int, frames: list[int], fps: float) -> list[Window]:
    """The windows of a track that is seen in ``frames`` (ascending); none where it is too short."""
    windows = []
    lost = max(2, round(_LOST_S * fps))
    start = 0
    for i in range(1, len(frames) + 1):
        if i < len(frames) and frames[i] - frames[i - 1] <= lost:
            continue
        low, high = frames[start], frames[i - 1]
        if i - start >= LEAST:
            at = low
            while at <= high:
                # A short rest goes with the window before it.
                last = high if high - at < WINDOW + WINDOW // 4 else at + WINDOW - 1
                windows.append(Window(track, at, last, low, high))
                at = last + 1
        start = i
    return windows


def frames_of(store: ProjectStore, track: int) -> list[int]:
    """The frames in which a track is seen, ascending."""
    rows = store.query(
        "SELECT frame FROM observations WHERE view_id = ? AND track_id = ? ORDER BY frame", (VIEW, track)
    )
    return [int(r["frame"]) for r in rows]


def fingerprint(store: ProjectStore, window: Window) -> str:
    """See :func:`fingerprint_of`; of a window's own frames."""
    return fingerprint_of(store, window.track, window.first, window.last)


def fingerprint_of(store: ProjectStore, track: int, first: int, last: int) -> str:
    """What frames ``first`` .. ``last`` of a track hold, keypoints and bodies, as a short text.

    It changes with any of them.
    """
    rows = store.query(
        "SELECT o.frame, o.xy, o.visibility, o.source, o.reviewed, b.betas, b.pose, b.transl"
        " FROM observations o LEFT JOIN bodies b"
        " ON b.view_id = o.view_id AND b.frame = o.frame AND b.track_id = o.track_id"
        " WHERE o.view_id = ? AND o.track_id = ? AND o.frame BETWEEN ? AND ? ORDER BY o.frame",
        (VIEW, track, first, last),
    )
    digest = hashlib.sha256()
    for row in rows:
        for value in tuple(row):
            part = value if isinstance(value, bytes) else str(value).encode()
            digest.update(len(part).to_bytes(4, "little") + part)
    return digest.hexdigest()[:24]
