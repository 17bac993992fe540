"""Short tracks that are a piece of a longer one: somebody was hidden for a moment and found as a stranger."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.project.arrays import unpack
from app.project.store import VIEW, ProjectStore

F8 = npt.NDArray[np.float64]

_SHORT_S = 1.0
_LONGER = 4
"""A track this many times longer may take in a fragment."""
_INSIDE = 0.6
"""Share of the smaller box that has to lie in the other, in the mean."""
_MISSING = 0.4
"""Share of the fragment's frames in which the longer track has to be out of sight."""


class _Boxes:
    """One track's frames (T,) and boxes (T, 4)."""

    def __init__(self, frames: list[int], boxes: list[F8]) -> None:
        self.frames = np.array(frames, dtype=np.int64)
        self.boxes = np.array(boxes, dtype=np.float64).reshape(-1, 4)

    def at(self, frames: npt.NDArray[np.int64]) -> F8:
        """(N, 4) boxes at ``frames``, on the way between those that are known."""
        return np.stack([np.interp(frames, self.frames, self.boxes[:, c]) for c in range(4)], axis=1)


def find_fragments(store: ProjectStore, fps: float) -> dict[int, int]:
    """From the fragment's track to the track that it belongs to."""
    tracks = {t.track_id: _boxes_of(store, t.track_id) for t in store.tracks()}
    corrected = store.corrected_tracks()
    short = max(4, round(_SHORT_S * fps))
    found: dict[int, int] = {}
    for track, piece in tracks.items():
        if not 0 < len(piece.frames) <= short or track in corrected:
            continue
        best, best_overlap = None, _INSIDE
        for other, whole in tracks.items():
            if other == track or len(whole.frames) < _LONGER * len(piece.frames):
                continue
            if not whole.frames[0] < piece.frames[0] <= piece.frames[-1] < whole.frames[-1]:
                continue
            if float((~np.isin(piece.frames, whole.frames)).mean()) < _MISSING:
                continue
            overlap = float(_inside(piece.boxes, whole.at(piece.frames)).mean())
            if overlap > best_overlap:
                best, best_overlap = other, overlap
        if best is not None:
            found[track] = best
    return found


def _boxes_of(store: ProjectStore, track: int) -> _Boxes:
    rows = store.query(
        "SELECT frame, box FROM observations WHERE view_id = ? AND track_id = ? ORDER BY frame", (VIEW, track)
    )
    return _Boxes([int(r["frame"]) for r in rows], [unpack(r["box"], shape=(4,)) for r in rows])


def _inside(a: F8, b: F8) -> F8:
    """(N,) share of the smaller of two boxes that lies in the other."""
    shared = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0.0, None).prod(axis=1)
    smaller = np.minimum((a[:, 2:] - a[:, :2]).prod(axis=1), (b[:, 2:] - b[:, :2]).prod(axis=1))
    return np.asarray(shared / np.maximum(smaller, 1.0))
