"""Samples that a run does not end with: frames judged by themselves, and keypoints put right by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.review.editing import replace_keypoints
from app.train.evidence import Evidence
from backends.body.params import BodyParams
from backends.confidence.expected.features import track_features
from backends.confidence.expected.gather import sites_about_pelvis
from backends.confidence.expected.sites import Sites
from backends.confidence.expected.types import Sighting
from backends.fitting import BodyFitter, NotEnoughKeypoints
from backends.keypoints.types import PoseEstimate

F4 = npt.NDArray[np.float32]

RUN, ALONE, CORRECTED, DRAGGED = 0, 1, 2, 3
KINDS = ("as a run ends", "one frame alone", "corrected by hand", "the same while dragged")
"""How a sample was judged: with its neighbours or without, as it was seen or after somebody put it right."""

_ALONE_EVERY, _CORRECTED_EVERY = 4, 12
_ABOUT_S = 0.4
_MOST = 3
"""Keypoints that somebody puts right in a frame, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """Another sample of sighting ``index`` of a track; features (27, F), posterior (27, 27) mm^2."""

    index: int
    kind: int
    features: F4
    posterior: npt.NDArray[np.float64]
    params: BodyParams


def variants(
    sites: Sites, fitter: BodyFitter, evidence: Evidence, rows: npt.NDArray[np.int64],
    sightings: Sequence[Sighting], person: npt.NDArray[np.int64],
) -> Iterator[Variant]:  # fmt: skip
    """Of every fourth real person of a track the frame alone, of every twelfth what follows a correction.

    Args:
        rows, sightings: the track. person: (N,) the true person of each sighting of the evidence, or -1.
    """
    seed = (evidence.frame[rows[0]], evidence.track[rows[0]], len(rows))
    rng = np.random.default_rng([int(v) for v in seed])
    span = (sightings[0].time, sightings[-1].time)
    for i in range(int(rng.integers(_ALONE_EVERY)), len(rows), _ALONE_EVERY):
        if person[rows[i]] < 0:
            continue
        found = _alone(sites, fitter, sightings[i], sightings[i].estimate)
        if found is not None:
            yield Variant(i, ALONE, *_judged(sites, [found], 0, None), found.result.params)
        if i % _CORRECTED_EVERY >= _ALONE_EVERY:
            continue
        better = _put_right(evidence, int(rows[i]), int(person[rows[i]]), sightings[i].estimate, rng)
        dragged = _alone(sites, fitter, sightings[i], better)
        if dragged is None:
            continue
        yield Variant(i, DRAGGED, *_judged(sites, [dragged], 0, None), dragged.result.params)
        time = sightings[i].time
        beside = [j for j, s in enumerate(sightings) if abs(s.time - time) <= _ABOUT_S]
        own = replace(dragged, time=time, single=sites_about_pelvis(sites, dragged.result.params))
        about = [own if j == i else sightings[j] for j in beside]
        yield Variant(i, CORRECTED, *_judged(sites, about, beside.index(i), span), own.result.params)


def _alone(sites: Sites, fitter: BodyFitter, s: Sighting, estimate: PoseEstimate) -> Sighting | None:
    """The frame fitted from where its body is, by itself: as while a keypoint is dragged."""
    start = s.result.params
    try:
        result = fitter.fit(estimate.keypoints, estimate.world, s.camera, betas=start.betas, init=start)
    except NotEnoughKeypoints:
        return None
    return replace(s, time=0.0, result=result, estimate=estimate, single=None)


def _judged(
    sites: Sites, sightings: Sequence[Sighting], which: int, span: tuple[float, float] | None
) -> tuple[F4, npt.NDArray[np.float64]]:
    features, gathered = track_features(sites, sightings, span)
    return features[which], gathered.posterior[which]


def _put_right(
    evidence: Evidence, row: int, person: int, estimate: PoseEstimate, rng: np.random.Generator
) -> PoseEstimate:
    """Some keypoints where they are in truth, the ones that are farthest off more often than others."""
    frame = int(evidence.frame[row])
    xy, seen = evidence.points_xy[frame, person], evidence.points_visibility[frame, person]
    away = np.linalg.norm(estimate.keypoints.xy - xy, axis=1)
    known = (seen > 0) & np.isfinite(away)
    count = min(int(rng.integers(1, _MOST + 1)), int(known.sum()))
    if not count:
        return estimate
    weight = np.where(known, np.nan_to_num(away) + 1.0, 0.0)
    keypoints = estimate.keypoints
    for k in rng.choice(len(weight), count, replace=False, p=weight / weight.sum()):
        keypoints = keypoints.moved(int(k), (float(xy[k, 0]), float(xy[k, 1])))
    return replace_keypoints(estimate, keypoints)
