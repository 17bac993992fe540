"""The reasons to look at somebody, held in memory and kept up to date with a person's edits."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from app.errors import UnderstudyError
from app.pipeline.fit_stage import FitStage
from app.pipeline.reasons import BESIDE, look_again
from app.project.findings import Finding, findings_of
from app.project.store import ProjectStore
from app.review.lanes import Series
from backends.confidence.reasons import Found, Reason, ReasonKind, stretches

_AT_ONCE = 12
"""So many frames are looked at again while the person waits; more are on a thread beside."""

_BLOCK = 120


class Findings:
    """Named reasons of every track. After an edit the frames about it are looked at again."""

    def __init__(
        self, store: ProjectStore, stage: FitStage, series: Series, changed: Callable[[], None]
    ) -> None:
        self._store, self._stage, self._series = store, stage, series
        self._changed = changed
        self._found: dict[int, list[Finding]] = {}
        self._reasons: dict[int, list[Reason]] = {}
        self._lock = threading.Lock()
        self._wanted: list[tuple[int, int]] = []
        self._worker: threading.Thread | None = None
        self._closing = False
        self.read()

    def judge_with(self, stage: FitStage) -> None:
        """Another body from now on."""
        self._stage = stage

    def read(self, series: Series | None = None) -> None:
        """Everything that is stored; ``series`` where a run has made other ones."""
        self._series = series or self._series
        found: dict[int, list[Finding]] = {}
        for f in findings_of(self._store):
            found.setdefault(f.track_id, []).append(f)
        with self._lock:
            self._found, self._reasons = found, {}

    def reasons(self, track: int) -> list[Reason]:
        """Why a track should be looked at, the worst first."""
        known = self._reasons.get(track)
        series = self._series.tracks.get(track)
        if known is not None or series is None:
            return known or []
        frames = np.flatnonzero(series.seen)
        place = {int(f): i for i, f in enumerate(frames)}
        with self._lock:
            found = [
                Found(ReasonKind(f.kind), f.joint, place[f.frame], f.severity, f.words)
                for f in self._found.get(track, [])
                if f.frame in place and f.kind in _KINDS
            ]
        times = self._store_times()[frames]
        self._reasons[track] = stretches(frames.astype(np.int64), times, found) if len(frames) else []
        return self._reasons[track]

    def _store_times(self) -> np.ndarray:
        return self._store.footage().times

    def edited(self, first: int, last: int) -> None:
        """Frames ``first`` .. ``last`` have been edited: look again at them and at those beside."""
        if self._store.read_only:
            return
        first, last = max(first - BESIDE, 0), min(last + BESIDE, self._series.n_frames - 1)
        if last - first < _AT_ONCE:
            look_again(self._store, self._stage, first, last)
            self.read()
            return
        with self._lock:
            self._wanted += [(a, min(a + _BLOCK - 1, last)) for a in range(first, last + 1, _BLOCK)]
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="reasons", daemon=True)
                self._worker.start()

    def close(self) -> None:
        """Stop; what has not been looked at again is when the project is edited there the next time."""
        self._closing = True
        worker = self._worker
        if worker is not None:
            worker.join(20.0)

    def _work(self) -> None:
        try:
            while True:
                with self._lock:
                    if self._closing or not self._wanted:
                        self._worker = None
                        break
                    first, last = self._wanted.pop(0)
                look_again(self._store, self._stage, first, last)
            self.read()
        except UnderstudyError:
            with self._lock:  # a full disk, say: the next edit tells; the reasons stay as they were
                self._worker = None
            return
        if not self._closing:
            self._changed()


_KINDS = frozenset(k.value for k in ReasonKind)
