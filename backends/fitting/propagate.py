"""Carries a person's corrections to the frames around them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.clip import Stretch, check_clip, clip_result, weigh_clip
from backends.fitting.clip_start import Observation, filled, unwrapped
from backends.fitting.clip_types import ClipFit, ClipSettings
from backends.fitting.fitter import BodyFitter
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]

_MARGIN = 2
"""Frames on each side of the range that hold its ends where they are."""
_LEAST_TRUST = 0.02
_CALM = 6.0
"""Corrections are carried by the movement's evenness: only what is this many times quicker is held looser."""


def propagate(
    fitter: BodyFitter,
    frames: Sequence[Observation],
    cameras: Sequence[Camera],
    bodies: Sequence[BodyParams | None],
    corrected: Collection[int],
    first: int,
    last: int,
    *,
    fps: float,
    settings: ClipSettings | None = None,
) -> ClipFit:
    """Let frames ``first`` to ``last`` follow the corrected ones among them, in both directions.

    Bodies of corrected frames and of frames outside the range do not move at all; keypoints that a person
    placed in the other frames are held to a fraction of a pixel. What the estimator says of a keypoint that
    a person had to correct counts little next to the correction and fully at the ends of the range;
    between two corrections of the same keypoint it counts little throughout.

    Args:
        frames: the whole clip, corrections included (``Source.PERSON``); see :func:`fit_clip`.
        bodies: the bodies of all frames, the corrected ones as the person left them.
        corrected: indices of frames, at least one of them within the range.

    Returns:
        The frames of the range.

    Raises:
        InputError: a range outside the clip, no corrected frame within it or one without a body, or other
            numbers of frames, bodies, views and cameras.
    """
    s = settings or ClipSettings()
    s = replace(s, calm_speed=_CALM * s.calm_speed, calm_turn=_CALM * s.calm_turn)
    check_clip(frames, cameras, fps, bodies)
    if not 0 <= first <= last < len(frames):
        raise InputError(f"The range {first} to {last} is not within the clip's {len(frames)} frames.")
    inside = sorted({int(c) for c in corrected if first <= c <= last})
    if not inside:
        raise InputError(f"None of the corrected frames lies within {first} to {last}.")
    lacking = [c for c in inside if bodies[c] is None]
    if lacking:
        raise InputError(f"The corrected frame {lacking[0]} has no body.")
    low, high = max(first - _MARGIN, 0), min(last + _MARGIN, len(frames) - 1)
    part = slice(low, high + 1)
    some, at = list(frames[part]), list(bodies[part])
    betas = np.median([b.betas for c in inside if (b := bodies[c]) is not None], axis=0)
    x, missing = filled(fitter, at)
    frozen = np.array([not first <= t <= last or t in inside for t in range(low, high + 1)])
    frozen &= ~missing
    for i in np.flatnonzero(frozen):  # an outlier that is not to move stays one
        body = at[i]
        if body is not None:
            x[i] = fitter.pack(body, 0)
    x = unwrapped(x)
    views = weigh_clip(fitter, some, s)
    trust = _trust(frames, inside, first, last)[part]
    views = [
        [replace(v, sigma=v.sigma / np.sqrt(w)) for v, w in zip(row, weights)]
        for row, weights in zip(views, trust)
    ]
    stretch = Stretch(fitter, some, views, cameras, fps, s, None, bone_trust=trust)
    x, betas, cost, first_steps = stretch.solve(x, betas, 0, frozen, cold=False)
    x, betas, cost, spent = stretch.hold_feet(x, betas, 0, frozen, cost)
    keep = slice(first - low, last - low + 1)
    fit = clip_result(fitter, x[keep], betas, views[keep], cameras, missing[keep], cost, first_steps + spent)
    # The very bodies that the person left, to the last digit.
    params = [bodies[first + i] if first + i in inside else p for i, p in enumerate(fit.params)]
    return replace(fit, params=tuple(p for p in params if p is not None))


def _trust(frames: Sequence[Observation], corrected: Sequence[int], first: int, last: int) -> F8:
    """(T, V, 23) how much the estimator's keypoints count: those of a person fully."""
    n_views = len(frames[0].keypoints)
    trust = np.ones((len(frames), n_views, N_KEYPOINTS))
    by_person = np.zeros(trust.shape, np.bool_)
    for t, frame in enumerate(frames):
        for v, keypoints in enumerate(frame.keypoints):
            if keypoints is not None:
                by_person[t, v] = keypoints.placed
    for v in range(n_views):
        for k in range(N_KEYPOINTS):
            edited = [c for c in corrected if by_person[c, v, k]]
            if not edited:
                continue
            for t in range(first, last + 1):
                before = [c for c in edited if c <= t]
                after = [c for c in edited if c >= t]
                if before and after:
                    trust[t, v, k] = _LEAST_TRUST
                    continue
                near = before[-1] if before else after[0]
                reach = (last if before else first) - near
                share = (t - near) / reach if reach else 0.0
                trust[t, v, k] = max(share * share, _LEAST_TRUST)
    trust[by_person] = 1.0
    return trust
