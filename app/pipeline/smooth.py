"""The last stage of a run: each track fitted again as a clip, so that bodies move as people do.

The bodies of the single frames are the start. What a person has reviewed does not move, and the frames
around it follow it. A window's results are stored in one transaction together with their fingerprint, so
that a run that was stopped goes on where it was, and a run that is repeated touches only what has changed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.fit_stage import FitStage
from app.pipeline.hand_motion import calm_hands
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.pipeline.trust import ABOUT_S, boxes_beside, track_times
from app.pipeline.windows import Window, fingerprint, frames_of, windows_of
from app.project.notes import set_smoothed, smoothed
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from backends.body.params import BodyParams
from backends.fitting import ClipSettings, NotEnoughKeypoints
from backends.fitting.clip import Stretch, clip_result, weigh_clip
from backends.fitting.clip_start import filled, unwrapped

F8 = npt.NDArray[np.float64]

STAGE = "smooth"

SAME_SHAPE = 1e-3
"""Shape coefficients closer than this give the same body to well under a millimetre."""

_AT_ONCE = 2
"""Tracks: the solver lets go of Python's lock, what stands around it does not."""

CLIP = ClipSettings(acceleration_cut=10.0, iterations=12, tolerance=1e-4, rough=1e-3)
"""An estimator whose keypoints jump for a few frames looks like a kick: only the wildest are believed.

What a step gains below a ten-thousandth of the cost moves joints by 0.15 mm (median): half of all steps."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A window to fit; ``after_stands`` where the next one is as it shall be."""

    window: Window
    betas: F8
    after_stands: bool


def smooth_tracks(
    store: ProjectStore, stage: FitStage, fps: float, control: Control, listener: Listener
) -> int:
    """Fit all kept tracks as clips, window by window, where anything has changed since the last time.

    Args:
        store: the worker's own connection; each track's shape is there already (``betas``).

    Returns:
        The number of bodies that were fitted.

    Raises:
        Cancelled: when asked to stop; windows stored so far are kept, the others stay as they were.
    """
    plans: list[_Plan] = []
    done: dict[int, dict[str, str]] = {}
    for track in store.tracks():
        if track.betas is not None:
            done[track.track_id], new = _plan(store, track.track_id, track.betas, fps)
            plans += new
    if not plans:
        return 0
    listener(StageStarted(STAGE, "Smoothing bodies over time"))
    meter = RateMeter(sum(p.window.last - p.window.first + 1 for p in plans))
    times = store.footage().times
    telling, failed = threading.Lock(), threading.Event()

    def of_track(windows: Sequence[_Plan]) -> int:
        """One window after the other: each begins where the one before it has ended."""
        count = 0
        try:
            for plan in windows:
                held = control.check()
                if failed.is_set():
                    break
                window = plan.window
                count += _fitted(store, stage, plan, fps, times, done[window.track], control)
                with telling:
                    if held:
                        meter.hold()
                    meter.advance(window.last - window.first + 1)
                    listener(
                        Progress(STAGE, meter.done, meter.total, meter.rate, meter.remaining_s, "bodies")
                    )
        except BaseException:
            failed.set()
            raise
        return count

    tracks = [list(of_one) for _, of_one in groupby(plans, key=lambda p: p.window.track)]
    with ThreadPoolExecutor(min(len(tracks), _AT_ONCE), "smooth") as pool:
        return sum(pool.map(of_track, tracks))


def _fitted(
    store: ProjectStore, stage: FitStage, plan: _Plan, fps: float, times: F8, done: dict[str, str],
    control: Control,
) -> int:  # fmt: skip
    """Fit a window and store it; again where somebody has edited it in the meantime."""
    window = plan.window
    while True:
        seen = fingerprint(store, window)
        people = _fit_window(store, stage, plan, fps, times)
        control.check()
        with store.transaction():
            if fingerprint(store, window) != seen:
                continue
            for person in people:
                store.put_person(person)
            done[str(window.first)] = fingerprint(store, window)
            set_smoothed(store, window.track, done)
        return len(people)


def _plan(
    store: ProjectStore, track: int, betas: F8, fps: float
) -> tuple[dict[str, str], list[_Plan]]:  # fmt: skip
    """What of a track is as it shall be (first frame to fingerprint), and the windows that are not."""
    windows = windows_of(track, frames_of(store, track), fps)
    known = smoothed(store, track)
    reviewed = store.reviewed_frames(track)
    other_shape = np.array([
        f for f, b in store.shapes_of(track) if f not in reviewed and np.abs(b - betas).max() > SAME_SHAPE
    ])  # fmt: skip
    stands = []
    for w in windows:
        one_shape = not ((other_shape >= w.first) & (other_shape <= w.last)).any()
        stands.append(one_shape and known.get(str(w.first)) == fingerprint(store, w))
    plans = []
    for i, w in enumerate(windows):
        if not stands[i]:
            follows = i + 1 < len(windows) and windows[i + 1].low == w.low
            plans.append(_Plan(w, betas, follows and stands[i + 1]))
    return {str(w.first): known[str(w.first)] for w, s in zip(windows, stands) if s}, plans


def _fit_window(
    store: ProjectStore, stage: FitStage, plan: _Plan, fps: float, times: F8
) -> list[PersonRecord]:
    """The people of a window's frames with the bodies of its clip; without those that stay as they are."""
    window = plan.window
    about = max(1, round(ABOUT_S * fps))
    known = store.track_people(window.track, min(window.begin, window.first - about), window.end)
    found = {p.frame: p for p in known}
    people = [found.get(f) for f in range(window.begin, window.end + 1)]
    held = np.zeros(len(people), np.bool_)
    for i, p in enumerate(people):
        if p is not None and p.body is not None:
            beside = p.frame < window.first or (plan.after_stands and p.frame > window.last)
            held[i] = p.reviewed or beside
    bodies = fit_frames(stage, people, held, plan.betas, fps)
    if bodies is None:
        return []
    fitted = {window.begin + i: body for i, body in enumerate(bodies) if not held[i]}
    judged = stage.assess_track(
        known, [float(times[p.frame]) for p in known],
        boxes_beside(store, window.track, known[0].frame, window.end),
        track_times(store, window.track, times), bodies=fitted,
    )  # fmt: skip
    return calm_hands([p for p in judged if window.first <= p.frame <= window.last and not p.reviewed])


def fit_frames(
    stage: FitStage, people: Sequence[PersonRecord | None], frozen: npt.NDArray[np.bool_], betas: F8,
    fps: float,
) -> Sequence[BodyParams] | None:  # fmt: skip
    """The bodies of successive frames as one clip, or None where no motion fits them.

    Args:
        people: one a frame, None where the person is not seen.
        frozen: (T,) frames whose stored bodies do not move.
    """
    fitter = stage.fitter
    frames = [stage.observed(p) for p in people]
    start = [p.body.params if p is not None and p.body is not None else None for p in people]
    if all(body is None for body in start):
        return None
    x, missing = filled(fitter, start)
    for i in np.flatnonzero(frozen):  # what is held is held as it is, even where it looks like an outlier
        body = start[i]
        if body is not None:
            x[i] = fitter.pack(body, 0)
    views = weigh_clip(fitter, frames, CLIP)
    cameras = [stage.camera]
    stretch = Stretch(fitter, frames, views, cameras, fps, CLIP, None)
    try:
        x, betas, cost, spent = stretch.solve(unwrapped(x), betas, 0, frozen, cold=False, rough=True)
        x, betas, cost, _ = stretch.hold_feet(x, betas, 0, frozen, cost)
    except NotEnoughKeypoints:
        return None
    return clip_result(fitter, x, betas, views, cameras, missing, cost, spent).params
