"""How long the lens is, told by the people before it.

A short lens stands close: near hands and feet grow, far ones shrink, and limbs are seen more from the side
the farther from the middle of the picture a person is. The cost of fitted bodies as a function of the focal
length has its minimum at the true one; how sharp it is says how well a clip can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.clip_start import Observation
from backends.fitting.fitter import BodyFitter
from backends.fitting.pool import pool_shape
from backends.fitting.types import NotEnoughKeypoints
from backends.keypoints.types import Keypoints

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_SHORTEST, _LONGEST, _STEPS = 0.45, 3.2, 13
"""Focal lengths that are tried, shares of the picture's longer side: a wide angle, a portrait lens."""
_RISES = 3
"""Steps in a row by which the costs have to rise: what lies farther out is not tried."""
_MAX_FRAMES = 24
_MIN_FRAMES = 4
_SURE = 0.28
"""The estimate is taken where its logarithm is surer than this: a guess by the picture's size is off by
about 0.5 in rooms and 0.3 before a telephone's lens."""
_TOGETHER = 0.25
"""Frames of one clip err alike (a prior, or an estimator, that is wrong for one is so in all): this share of
the costs' curvature counts, so that stated and true errors agree for detected keypoints of drawn people."""


@dataclass(frozen=True, slots=True, eq=False)
class FocalEstimate:
    """What people tell of the lens.

    Attributes:
        camera: with the focal length found; the given one where ``told`` is false.
        told: whether the clip can tell.
        focal: the likeliest focal length, pixels, told or not.
        relative_sigma: standard deviation of its logarithm; inf where the costs have no minimum.
    """

    camera: Camera
    told: bool
    focal: float
    relative_sigma: float


def estimate_focal(
    fitter: BodyFitter, people: Sequence[Sequence[Observation]], camera: Camera,
    check: Callable[[], object] = lambda: None,
) -> FocalEstimate:  # fmt: skip
    """The focal length of one fixed camera that took a clip.

    Args:
        people: per person the frames in which they were seen (one view each); frames far apart tell more.
            Some twenty of them are used.
        camera: with an assumed focal length; its principal point and distortion are kept.
        check: called now and then; may raise to stop.

    Raises:
        InputError: observations of several views.
        NotEnoughKeypoints: fewer than four frames with enough keypoints.
    """
    if any(len(o.keypoints) != 1 for frames in people for o in frames):
        raise InputError("The focal length is estimated for one camera: each frame needs exactly one view.")
    chosen = _spread(people)
    longer = max(camera.width, camera.height)
    focals = np.geomspace(_SHORTEST, _LONGEST, _STEPS) * longer
    tracks = [t for t in (_Person(fitter, frames) for frames in chosen) if t.start(_with(camera, focals[6]))]
    count = sum(t.count for t in tracks)
    if count < _MIN_FRAMES:
        raise NotEnoughKeypoints(
            f"Only {count} frames have enough keypoints; a focal length needs at least {_MIN_FRAMES}."
        )
    costs = np.full(_STEPS, np.inf)
    for order in (range(6, _STEPS), range(5, -1, -1)):
        for track in tracks:
            track.begin()
        rises, last = 0, np.inf
        for i in order:
            check()
            costs[i] = sum(track.cost(_with(camera, focals[i])) for track in tracks)
            rises = rises + 1 if costs[i] > last else 0
            last = costs[i]
            if rises == _RISES:
                break
    focal, sigma = _minimum(np.log(focals), costs)
    told = sigma < _SURE
    found = replace(_with(camera, focal), assumed=False, estimated=True) if told else camera
    return FocalEstimate(found, told, focal, sigma)


class _Person:
    """One person's frames, fitted with one shape for one focal length after the other."""

    def __init__(self, fitter: BodyFitter, frames: Sequence[Observation]) -> None:
        self._fitter, self._frames = fitter, list(frames)
        self._first: list[tuple[BodyParams, float]] = []
        self._last: list[tuple[BodyParams, float]] = []

    @property
    def count(self) -> int:
        """How many frames can be fitted."""
        return len(self._frames)

    def start(self, camera: Camera) -> bool:
        """Fit from nothing; whether any frame can be fitted."""
        kept = []
        for frame in self._frames:
            (keypoints,) = frame.keypoints
            if keypoints is None:
                continue
            try:
                result = self._fitter.fit_plain(keypoints, frame.world, camera)
            except NotEnoughKeypoints:
                continue
            kept.append(frame)
            self._first.append((result.params, camera.fx))
        self._frames = kept
        return bool(kept)

    def begin(self) -> None:
        """Go back to the first fit."""
        self._last = list(self._first)

    def cost(self, camera: Camera) -> float:
        """The cost of all frames with the shape that they share, once its own prior is counted."""
        free = []
        for (keypoints, world), near in self._starts(camera):
            free.append(self._fitter.fit(keypoints, world, camera, init=near))
        shape = np.clip(pool_shape(free), -4.0, 4.0)
        total = 0.5 * float(shape @ shape)
        for i, ((keypoints, world), near) in enumerate(self._starts(camera)):
            result = self._fitter.fit_plain(keypoints, world, camera, betas=shape, init=near)
            self._last[i] = (result.params, camera.fx)
            total += result.cost
        return total

    def _starts(self, camera: Camera) -> Iterator[tuple[tuple[Keypoints, F4 | None], BodyParams]]:
        """What is known of each frame, and the last body as far away as ``camera`` needs it."""
        for frame, (params, focal) in zip(self._frames, self._last):
            (keypoints,) = frame.keypoints
            assert keypoints is not None
            place = params.transl * [1.0, 1.0, camera.fx / focal]
            yield (keypoints, frame.world), BodyParams(params.betas, params.pose, place)


def _spread(people: Sequence[Sequence[Observation]]) -> list[list[Observation]]:
    """Frames evenly from each person, about as many as are used."""
    total = sum(len(frames) for frames in people)
    share = min(1.0, _MAX_FRAMES / max(total, 1))
    out = []
    for frames in people:
        if not len(frames):
            continue
        n = max(round(share * len(frames)), 1)
        out.append([frames[int(i)] for i in np.linspace(0, len(frames) - 1, n).round()])
    return out


def _with(camera: Camera, focal: float) -> Camera:
    K = camera.K.copy()
    K[0, 0], K[1, 1] = focal, focal * (camera.fy / camera.fx)
    return replace(camera, K=K)


def _minimum(x: F8, costs: F8) -> tuple[float, float]:
    """Where the costs are least, and the standard deviation by their curvature there."""
    i = int(np.argmin(costs))
    if i in (0, len(x) - 1):
        return float(np.exp(x[i])), float("inf")
    low, high = max(i - 2, 0), min(i + 3, len(x))
    a, b, _ = np.polyfit(x[low:high] - x[i], costs[low:high], 2)
    if a <= 0:
        return float(np.exp(x[i])), float("inf")
    step = float(np.clip(-b / (2 * a), x[i - 1] - x[i], x[i + 1] - x[i]))
    return float(np.exp(x[i] + step)), float(1.0 / np.sqrt(2.0 * a * _TOGETHER))
