"""What a judgement costs: milliseconds a person and frame on one core."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numba

from app.train.dataset import cameras_of
from app.train.evidence import load_evidence
from app.train.fits import sightings_of
from backends.confidence.expected import ErrorModel, Sighting, expected_errors, vertex_errors
from backends.confidence.expected.sites import Sites
from backends.fitting import BodyFitter

_ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one core for a person in a frame, the quickest of some rounds: a busy machine slows all
    of them.

    Attributes:
        batch_ms: where a track's frames are judged together, as at the end of a run.
        single_ms: where each is judged by itself, as while a keypoint is dragged.
        vertices_ms: what carrying it to every vertex takes on top. vertices: how many.
        frames: judged in a round.
    """

    batch_ms: float
    single_ms: float
    vertices_ms: float
    vertices: int
    frames: int


def measured_cost(folder: Path, split: str, sites: Sites, model: ErrorModel) -> Cost:
    """Time the judgement of the first camera's longest track.

    The fit's own posterior, which is there already, is not counted.

    Raises:
        EvidenceError: no evidence of this split, or a damaged file.
    """
    fitter = BodyFitter(sites.body)
    tracks: list[list[Sighting]] = []
    for path, _, fits in cameras_of(folder, split, sites):
        tracks = [s for _, s in sightings_of(fitter, sites, load_evidence(path), fits)]
        if tracks:
            break
    if not tracks:
        return Cost(float("nan"), float("nan"), float("nan"), sites.body.n_vertices, 0)
    track = max(tracks, key=len)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        n = len(track)
        together = _quickest(lambda: expected_errors(sites, track, model)) / n
        # As :meth:`app.pipeline.trust.Trust.alone` has them: nobody knows what a clip would say of them.
        bare = [replace(s, time=0.0, single=None) for s in track]
        apart = _quickest(lambda: [expected_errors(sites, [s], model) for s in bare]) / n
        judged = [c.sites for c in expected_errors(sites, track, model) if c.sites is not None]
        vertices = _quickest(lambda: [vertex_errors(sites, e) for e in judged]) / max(len(judged), 1)
    finally:
        numba.set_num_threads(threads)
    return Cost(together, apart, vertices, sites.body.n_vertices, n)


def _quickest(work: Callable[[], object]) -> float:
    """Milliseconds that ``work`` takes at best, compiled and warm; CPU time of this thread."""
    work()
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.thread_time()
        work()
        best = min(best, 1e3 * (time.thread_time() - begun))
    return best
