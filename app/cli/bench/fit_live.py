"""What the live filter does to bodies that come frame by frame: trembling, error, and how late they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from app.cli.bench.fit_data import Watched, unoccluded
from app.cli.bench.fit_exact import trembling
from app.cli.bench.fit_rows import Row, measured
from backends.body import BodyParams
from backends.fitting import BodyFitter, LiveFilter, NotEnoughKeypoints
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.trial import body_joints

F8 = npt.NDArray[np.float64]

_NOISE = 0.005
"""Noise of keypoints, share of the person's size: half of what the fit allows for."""
_LATEST_S, _STEPS = 0.3, 61


def live_rows(fitter: BodyFitter, scenes: Sequence[Watched], check: Callable[[], object]) -> list[Row]:
    """Frame by frame as a run stores them, then calmed as the window shows them while the run goes on."""
    rng = np.random.default_rng(4)
    shaken: dict[str, list[float]] = {"raw": [], "live": []}
    wrong: dict[str, list[float]] = {"raw": [], "live": []}
    late: dict[str, list[float]] = {"raw": [], "live": []}
    for watched, sights in unoccluded(scenes, check):
        camera = watched.cameras[0]
        truth = _from_pelvis(np.stack([s.truth.joints[:N_FIT_JOINTS] for s in sights]))
        raw, calm, last = [], [], None
        live = LiveFilter()
        for i, sight in enumerate(sights):
            size = float(np.hypot(*np.ptp(sight.xy, axis=0)))
            world = sight.landmarks(camera, rng)
            keypoints = sight.keypoints(rng, _NOISE * size)
            try:
                last = fitter.fit(keypoints, world, camera, init=last, temporal=last).params
            except NotEnoughKeypoints:
                break
            raw.append(last)
            calm.append(live.step(last, i / watched.fps))
        if len(raw) < len(sights):
            continue
        for kind, bodies in (("raw", raw), ("live", calm)):
            joints = _joints(fitter, bodies)
            shaken[kind].append(trembling(joints, truth, watched.fps))
            wrong[kind].append(1e3 * float(np.linalg.norm(joints - truth, axis=2).mean()))
            late[kind].append(_late_ms(joints, truth, watched.fps))
    if not shaken["raw"]:
        return []
    mean = {name: {k: float(np.mean(v)) for k, v in table.items()}
            for name, table in (("shaken", shaken), ("wrong", wrong), ("late", late))}  # fmt: skip
    n = len(shaken["raw"])
    return [
        measured(f"live, {n} people, frame by frame: jitter", mean["shaken"]["raw"], "m/s^2"),
        measured("    joints from the pelvis", mean["wrong"]["raw"], "mm"),
        measured("    calmed by the live filter: jitter", mean["shaken"]["live"], "m/s^2"),
        measured("    joints from the pelvis", mean["wrong"]["live"], "mm"),
        measured("    jitter left, as a share", mean["shaken"]["live"] / mean["shaken"]["raw"], ""),
        measured("    later than frame by frame", mean["late"]["live"] - mean["late"]["raw"], "ms"),
    ]


def _joints(fitter: BodyFitter, bodies: Sequence[BodyParams]) -> F8:
    return _from_pelvis(np.stack([body_joints(fitter.body, b) for b in bodies]))


def _from_pelvis(joints: F8) -> F8:
    return joints - joints[:, :1]


def _late_ms(joints: F8, truth: F8, fps: float) -> float:
    """By how much the true motion must be delayed to lie nearest to what was found, ms; constant offsets do
    not count."""
    t = np.arange(len(truth)) / fps
    flat, found = truth.reshape(len(truth), -1), joints.reshape(len(joints), -1)
    begin = t >= _LATEST_S
    best, delay = np.inf, 0.0
    for shift in np.linspace(0.0, _LATEST_S, _STEPS):
        moved = np.stack([np.interp(t[begin] - shift, t, column) for column in flat.T], axis=1)
        gap = found[begin] - moved
        value = float(((gap - gap.mean(axis=0)) ** 2).sum())
        if value < best:
            best, delay = value, shift
    return 1e3 * delay
