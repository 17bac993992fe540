"""How often what the review queue asks about is wrong in truth, on scenes whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.review.items import TrackEnds, review_items
from app.review.lanes import TrackSeries, longest_gap
from app.review.types import ReviewItem
from app.train.dataset import cameras_of
from app.train.evidence import Evidence, load_evidence
from app.train.fits import Fits, sightings_of
from app.train.samples import match_people, similarity_of
from backends.body.params import BodyParams
from backends.confidence.expected import ErrorModel, Sighting, expected_errors
from backends.confidence.expected.gather import body_points, site_places
from backends.confidence.expected.sites import Sites
from backends.confidence.reasons import (
    TITLES,
    Reason,
    ReasonKind,
    Shown,
    TrackView,
    findings,
    stretches,
    track_view,
)
from backends.fitting import BodyFitter
from backends.fitting.evidence import weigh
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Visibility

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

WRONG_MM = 100.0
"""What is farther off deserves a look."""

EVERY = "all that is asked"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that the queue asks about, and what is true.

    Attributes:
        kind: what it is called in the filters. group: as in :class:`ReviewItem`, of one camera.
        right: whether it deserved a look in half of its frames at least, see :func:`_worth`.
        usual: share of all frames of the track in which the same does.
    """

    kind: str
    group: str
    right: bool
    usual: float


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """A line of the table.

    Attributes:
        name: kind. n: items of it. right: share that deserved a look. usual: share that chance would reach.
        a_minute: items for each minute that a person is followed. cards: the same where items that are
            alike are folded to one card.
    """

    name: str
    n: int
    right: float
    usual: float
    a_minute: float
    cards: float


@dataclass(frozen=True, slots=True)
class Alarms:
    """All items of a split, and the minutes for which people were followed."""

    items: tuple[Alarm, ...]
    minutes: float


@dataclass(frozen=True, slots=True, eq=False)
class _Truth:
    """Of a track of T frames: errors of the 23 keypoints (T, 23), mean error of the body (T,), mm (infinite
    where it shows nobody); whether something is out of the picture (T,); the true person (T,) or -1."""

    keypoint_mm: F8
    mean_mm: F8
    gone: BoolArray
    person: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    view: TrackView
    truth: _Truth
    series: TrackSeries


@dataclass(eq=False)
class _People:
    tracks: dict[int, TrackSeries]
    processed: BoolArray


def alarms_of(folder: Path, split: str, sites: Sites, model: ErrorModel | None = None) -> Alarms:
    """What the review would ask about the people of a split, judged by the truth.

    What a track's beginning and end and its gaps ask is left out: it is no doubt, but a fact.

    Raises:
        EvidenceError: no evidence of this split, or a damaged file.
    """
    fitter = BodyFitter(sites.body)
    found: list[Alarm] = []
    minutes = 0.0
    for path, _, fits in cameras_of(folder, split, sites):
        evidence = load_evidence(path)
        tracks = _tracks(fitter, sites, evidence, fits, model)
        minutes += sum(len(t.view.frame) for t in tracks.values()) / float(evidence.fps) / 60.0
        camera = f"{path.stem}:{bool(fits.assumed)}"
        found += [_alarm(item, tracks, camera) for item in _items(tracks, evidence) if item.reasons]
    return Alarms(tuple(found), minutes)


def _tracks(
    fitter: BodyFitter, sites: Sites, evidence: Evidence, fits: Fits, model: ErrorModel | None
) -> dict[int, _Track]:
    person = match_people(evidence)
    out: dict[int, _Track] = {}
    for rows, sightings in sightings_of(fitter, sites, evidence, fits):
        camera = sightings[0].camera
        shown = [
            Shown(
                s.time, s.result.params,
                camera.project(body_points(sites, s.result.params)).astype(np.float32), s.estimate,
                weigh(s.estimate.keypoints, fitter.settings).sigma,
            )
            for s in sightings
        ]  # fmt: skip
        view = track_view(sites, shown, [int(evidence.frame[r]) for r in rows], camera)
        truth = _truth(sites, evidence, rows, sightings, person)
        series = _series(sites, len(evidence.pose), evidence.frame[rows], sightings, model)
        out[int(evidence.track[rows[0]])] = _Track(view, truth, series)
    return out


def _series(
    sites: Sites, n: int, frames: npt.NDArray[np.int64], sightings: Sequence[Sighting],
    model: ErrorModel | None,
) -> TrackSeries:  # fmt: skip
    """Expected errors over the clip's ``n`` frames, as the window holds them."""
    mm, keypoints = np.full(n, np.nan, np.float32), np.full((n, N_KEYPOINTS), np.nan, np.float16)
    seen, never = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for frame, confidence in zip(frames, expected_errors(sites, sightings, model)):
        mm[frame], keypoints[frame] = confidence.mean_mm, confidence.keypoint_mm
        seen[frame] = True
    return TrackSeries(mm, keypoints, seen, never, never, never)


def _items(tracks: dict[int, _Track], evidence: Evidence) -> list[ReviewItem]:
    n = len(evidence.pose)

    def reasons(track: int) -> list[Reason]:
        view = tracks[track].view
        others = [(str(k), t.view) for k, t in tracks.items() if k != track]
        return stretches(view.frame, view.time, findings(view, others))

    return review_items(
        _People({k: t.series for k, t in tracks.items()}, np.ones(n, np.bool_)),
        [(k, str(k)) for k in tracks], (), lambda _: TrackEnds(False, False),
        longest_gap(float(evidence.fps)), reasons,
    )  # fmt: skip


def _truth(
    sites: Sites, evidence: Evidence, rows: npt.NDArray[np.int64], sightings: Sequence[Sighting],
    person: npt.NDArray[np.int64],
) -> _Truth:  # fmt: skip
    n = len(rows)
    keypoints, mean = np.full((n, N_KEYPOINTS), np.inf), np.full(n, np.inf)
    gone = np.zeros(n, np.bool_)
    for i, (row, s) in enumerate(zip(rows, sightings)):
        p, frame = int(person[row]), int(evidence.frame[row])
        if p < 0:
            continue
        found = s.result.params
        true = BodyParams(
            evidence.betas[p], evidence.pose[frame, p].astype(np.float64), evidence.transl[frame, p]
        )
        a, b = site_places(sites, found), site_places(sites, true)
        scale, turn, shift = similarity_of(a, b)
        away = np.linalg.norm(scale * a @ turn.T + shift - b, axis=1)
        points = scale * body_points(sites, found) @ turn.T + shift
        keypoints[i] = 1e3 * np.linalg.norm(points - body_points(sites, true), axis=1)
        mean[i] = 1e3 * away[:N_FIT_JOINTS].mean()
        gone[i] = bool((evidence.points_visibility[frame, p] == Visibility.ABSENT).any())
    return _Truth(keypoints, mean, gone, person[rows])


def _alarm(item: ReviewItem, tracks: dict[int, _Track], camera: str) -> Alarm:
    track = tracks[item.person_id]
    inside = (track.view.frame >= item.first_frame) & (track.view.frame <= item.last_frame)
    kind = item.reasons[0]
    if kind == TITLES[ReasonKind.TWO_TRACKS]:
        other = tracks[int(item.sentence.split(" ", 1)[0])]
        right, usual = _same_person(track, inside, other), 0.0
    else:
        worth = _worth(item, kind, track.truth)
        right, usual = bool(worth[inside].mean() >= 0.5), float(worth.mean())
    return Alarm(kind, f"{camera}:{item.group}", right, usual)


def _worth(item: ReviewItem, kind: str, truth: _Truth) -> BoolArray:
    """(T,) in which frames what an item speaks of deserves a look: its keypoint, or where it names none the
    body, is more than 100 mm off or nobody's; or the border cuts somebody off, if it says that."""
    errors = truth.mean_mm if item.keypoint is None else truth.keypoint_mm[:, item.keypoint]
    worth = errors > WRONG_MM
    return np.asarray(worth | truth.gone if kind == TITLES[ReasonKind.CUT_OFF] else worth)


def _same_person(track: _Track, inside: BoolArray, other: _Track) -> bool:
    """Whether both tracks show one true person, or one of them nobody, in some frame of the stretch."""
    _, mine, theirs = np.intersect1d(track.view.frame[inside], other.view.frame, return_indices=True)
    a, b = track.truth.person[inside][mine], other.truth.person[theirs]
    return bool(((a == b) | (a < 0) | (b < 0)).any())


def alarm_rows(alarms: Alarms) -> list[AlarmRow]:
    """The table: one line a kind, the most frequent first, and one for all."""
    kinds = dict.fromkeys(a.kind for a in alarms.items)
    per_minute = 1.0 / max(alarms.minutes, 1e-9)
    rows = []
    for name in (*kinds, EVERY):
        some = [a for a in alarms.items if name in (a.kind, EVERY)]
        if some:
            rows.append(
                AlarmRow(
                    name, len(some), float(np.mean([a.right for a in some])),
                    float(np.mean([a.usual for a in some])), len(some) * per_minute,
                    len({a.group for a in some}) * per_minute,
                )
            )  # fmt: skip
    return sorted(rows, key=lambda r: (r.name == EVERY, -r.n))
