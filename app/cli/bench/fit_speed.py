"""How fast bodies are fitted: one person, warm and cold, and many at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from app.cli.bench.fit_data import Sight, Watched
from app.cli.bench.fit_rows import Row, measured
from backends.body import BodyParams
from backends.fitting import BatchFit, BodyFitter, FitResult, NotEnoughKeypoints, fit_many
from backends.keypoints.types import Keypoints

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_NOISE_PX = 1.5
_BATCH = 2000
_GPU_BATCH = 50_000


def one_person(fitter: BodyFitter, watched: Watched, check: Callable[[], object]) -> list[Row]:
    """Milliseconds of single fits on one camera, 23 noisy keypoints and landmarks, all of pose, shape and
    place; warm: from the frame before."""
    rng = np.random.default_rng(5)
    camera = watched.cameras[0]
    taken: dict[str, list[float]] = {"cold": [], "flat": [], "warm": [], "drag": []}
    processor: dict[str, list[float]] = {kind: [] for kind in taken}

    def clocked(kind: str, keypoints: Keypoints, world: F4 | None, **start: Any) -> FitResult:
        begun, busy = time.perf_counter(), time.thread_time()
        result = fitter.fit(keypoints, world, camera, **start)
        taken[kind].append(1e3 * (time.perf_counter() - begun))
        processor[kind].append(1e3 * (time.thread_time() - busy))
        return result

    for person in watched.people:
        check()
        before: BodyParams | None = None
        for sight, *_ in person:
            kp, world = sight.keypoints(rng, _NOISE_PX), sight.landmarks(camera, rng)
            try:
                cold = clocked("cold", kp, world)
                clocked("flat", kp, None)
            except NotEnoughKeypoints:
                continue
            if before is None:
                before = cold.params
                continue
            before = clocked("warm", kp, world, init=before, temporal=before).params
            wrist = kp.moved(9, (float(kp.xy[9, 0]) + 12.0, float(kp.xy[9, 1]) + 12.0))
            clocked("drag", wrist, world, betas=before.betas, init=before)
    # The first fits of each kind compile or load what was compiled.
    t = {kind: np.array(values[3:]) for kind, values in taken.items()}
    return [
        measured("one person, warm, everything free: median", np.median(t["warm"]), "ms", at_most=2.0),
        measured("    95 % are faster than", np.percentile(t["warm"], 95), "ms", at_most=4.0),
        measured("    95 % take less processor time than", np.percentile(processor["warm"][3:], 95), "ms"),
        measured("one person, cold, with landmarks: median", np.median(t["cold"]), "ms"),
        measured("one person, cold, pixels only, several starts: median", np.median(t["flat"]), "ms"),
        measured("refit while a wrist is dragged: median", np.median(t["drag"]), "ms"),
        measured("    95 % are faster than", np.percentile(t["drag"], 95), "ms"),
    ]


def many(fitter: BodyFitter, watched: Watched) -> list[Row]:
    """Person-frames a second from cold starts, on all cores and, where there is one, on the GPU."""
    evidence = (*_stacked(watched), watched.cameras[0])
    rate, by_core = _rate(lambda *arrays: fit_many(fitter, *arrays), evidence, _BATCH)
    rows = [
        measured("batch, cold start, all cores", rate, "/s", at_least=1000.0),
        measured("    a second of processor time", by_core, "/s"),
    ]
    try:
        import torch
    except ImportError:
        return rows
    if torch.cuda.is_available():
        from backends.fitting.torch_lm import TorchFitter

        rate, _ = _rate(TorchFitter(fitter).fit_many, evidence, _GPU_BATCH)
        rows.append(measured("batch, cold start, GPU", rate, "/s", at_least=50_000.0))
    return rows


def _stacked(watched: Watched) -> tuple[F8, F8, F8]:
    rng = np.random.default_rng(6)
    camera = watched.cameras[0]
    sights: list[Sight] = [s for person in watched.people for (s, *_) in person]
    kps = [s.keypoints(rng, _NOISE_PX) for s in sights]
    xy = np.stack([np.where(k.visibility[:, None] > 0, k.xy, np.nan) for k in kps]).astype(np.float64)
    score = np.stack([k.score for k in kps]).astype(np.float64)
    world = np.stack([s.landmarks(camera, rng) for s in sights]).astype(np.float64)
    return xy, score, world


def _rate(fit: Callable[..., BatchFit], evidence: tuple[Any, ...], count: int) -> tuple[float, float]:
    """People fitted a second, the best of three times, and a second of processor time."""
    *arrays, camera = evidence
    pick = np.arange(count) % len(arrays[0])
    fit(*(a[pick[:64]] for a in arrays), camera)
    many = [a[pick] for a in arrays]
    best, by_core = 0.0, 0.0
    for _ in range(3):
        begun, busy = time.perf_counter(), time.process_time()
        people = int(fit(*many, camera).fitted.sum())
        best = max(best, people / (time.perf_counter() - begun))
        by_core = max(by_core, people / (time.process_time() - busy))
    return best, by_core
