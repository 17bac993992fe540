"""From evidence and fits to samples: features of each site, and how far it was off in truth."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from app.train.alignment import similarity
from app.train.evidence import Evidence
from app.train.fits import Fits, sightings_of
from app.train.variants import RUN, Variant, variants
from backends.body import BodyModel
from backends.body.params import BodyParams
from backends.body.pose import posed_vertices
from backends.confidence.expected.features import N_FEATURES, track_features
from backends.confidence.expected.gather import site_places
from backends.confidence.expected.sites import N_SITES, Sites, nearest_keypoints
from backends.fitting import BodyFitter
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.types import Visibility

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]

VISIBLE, OCCLUDED, TRUNCATED = 0, 1, 2
STATES = ("visible", "occluded", "truncated")
"""What is true of a site: nothing before it, something before it, or out of the picture."""

VERTEX_STRIDE = 29
_NEAR = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """N fitted people (one person in one frame each).

    Attributes:
        features: (N, 27, F). error_mm: (N, 27) true errors after the body as a whole is aligned.
        posterior: (N, 27, 27) mm^2. state: (N, 27) what is true of the site, see :data:`STATES`.
        vertex_mm: (N, M) true errors of every 29th vertex, after the same alignment.
        scene, track, frame: (N,). assumed: (N,) whether the focal length was assumed.
        kind: (N,) how it was judged: see :data:`app.train.variants.KINDS`.
    """

    features: F4
    error_mm: F4
    posterior: F4
    state: U1
    vertex_mm: F4
    scene: I8
    track: I8
    frame: I8
    assumed: npt.NDArray[np.bool_]
    kind: U1

    def only(self, which: npt.NDArray[np.bool_]) -> Samples:
        """Those of which ``which`` (N,) is true."""
        return Samples(*(getattr(self, f.name)[which] for f in fields(Samples)))

    def __len__(self) -> int:
        return len(self.frame)


def joined(parts: list[Samples]) -> Samples:
    """One after the other."""
    return Samples(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Samples)))


def make_samples(
    sites: Sites, fitter: BodyFitter, evidence: Evidence, fits: Fits, scene: int, *, depth: bool
) -> Samples:
    """Samples of every track of one camera; sightings that show nobody true are left out."""
    person = match_people(evidence)
    parts = []
    for rows, sightings in sightings_of(fitter, sites, evidence, fits, depth=depth):
        features, gathered = track_features(sites, sightings)
        judged = [
            Variant(int(i), RUN, features[i], gathered.posterior[i], sightings[i].result.params)
            for i in np.flatnonzero(person[rows] >= 0)
        ]
        if judged:
            judged += variants(sites, fitter, evidence, rows, sightings, person)
            parts.append(_with_truth(sites, evidence, fits, scene, rows, person, judged))
    if parts:
        return joined(parts)
    blank, nobody = np.zeros((0, N_SITES), np.float32), np.zeros(0, np.int64)
    return Samples(
        np.zeros((0, N_SITES, N_FEATURES), np.float32), blank, np.zeros((0, N_SITES, N_SITES), np.float32),
        blank.astype(np.uint8), np.zeros((0, _n_vertices(sites.body)), np.float32), nobody, nobody, nobody,
        np.zeros(0, np.bool_), np.zeros(0, np.uint8),
    )  # fmt: skip


def _with_truth(
    sites: Sites, evidence: Evidence, fits: Fits, scene: int, rows: I8, person: I8, judged: list[Variant]
) -> Samples:
    """Samples of one track, each with how far its body was off."""
    errors, vertices, states = [], [], []
    for v in judged:
        frame, p = int(evidence.frame[rows[v.index]]), int(person[rows[v.index]])
        true = BodyParams(
            evidence.betas[p], evidence.pose[frame, p].astype(np.float64), evidence.transl[frame, p]
        )
        error, vertex = true_errors(sites, v.params, true)
        errors.append(error)
        vertices.append(vertex)
        states.append(_state(evidence, frame, p))
    n, which = len(judged), rows[[v.index for v in judged]]
    return Samples(
        np.stack([v.features for v in judged]), np.array(errors, np.float32),
        np.stack([v.posterior for v in judged]).astype(np.float32), np.array(states),
        np.array(vertices, np.float32), np.full(n, scene), evidence.track[which], evidence.frame[which],
        np.full(n, bool(fits.assumed)), np.array([v.kind for v in judged], np.uint8),
    )  # fmt: skip


def _n_vertices(body: BodyModel) -> int:
    return len(range(0, body.n_vertices, VERTEX_STRIDE))


def vertices_kept(sites: Sites) -> Sites:
    """The sites with the vertices only of which samples hold the true error."""
    return replace(
        sites,
        vertex_site=np.ascontiguousarray(sites.vertex_site[::VERTEX_STRIDE]),
        vertex_weight=np.ascontiguousarray(sites.vertex_weight[::VERTEX_STRIDE]),
    )


def true_errors(sites: Sites, found: BodyParams, true: BodyParams) -> tuple[F8, F8]:
    """(27,) and (M,) errors of sites and of every 29th vertex, mm, after the similarity (Umeyama, 1991)
    that brings the found body's 22 joints to the true ones best."""
    a, b = site_places(sites, found), site_places(sites, true)
    scale, turn, shift = similarity_of(a, b)
    error = 1e3 * np.linalg.norm(scale * a @ turn.T + shift - b, axis=1)
    va = posed_vertices(sites.body, found)[::VERTEX_STRIDE]
    vb = posed_vertices(sites.body, true)[::VERTEX_STRIDE]
    return error, 1e3 * np.linalg.norm(scale * va @ turn.T + shift - vb, axis=1)


def similarity_of(found: F8, true: F8) -> tuple[float, F8, F8]:
    """The similarity that brings the 22 joints among found sites (27, 3) to the true ones best."""
    return similarity(found[:N_FIT_JOINTS], true[:N_FIT_JOINTS])


def _state(evidence: Evidence, frame: int, person: int) -> U1:
    """(27,) by the keypoints that tell about a site: out of the picture where none of them is in it."""
    seen = evidence.points_visibility[frame, person]
    shares = nearest_keypoints()
    gone = shares @ (seen == Visibility.ABSENT)
    hidden = shares @ (seen == Visibility.OCCLUDED)
    state = np.where(gone > 0.5, TRUNCATED, np.where(hidden + gone >= 0.5, OCCLUDED, VISIBLE))
    return state.astype(np.uint8)


def match_people(evidence: Evidence) -> I8:
    """(N,) index of the true person whom each sighting shows, -1 for nobody.

    By the median distance of the estimated keypoints from the true ones within the picture, as a share of
    the person's true size; each true person once a frame.
    """
    out = np.full(len(evidence.frame), -1, np.int64)
    for frame in np.unique(evidence.frame):
        rows = np.flatnonzero(evidence.frame == frame)
        truth, visible = evidence.points_xy[frame], evidence.points_visibility[frame]
        cost = np.full((len(rows), len(truth)), np.inf)
        for p, (xy, seen) in enumerate(zip(truth, visible)):
            known = (seen > 0) & np.isfinite(xy).all(axis=1)
            if known.sum() < 4 or evidence.seen[frame, p] <= 0.0:
                continue
            size = max(float(np.hypot(*np.ptp(xy[known], axis=0))), 8.0)
            away = np.linalg.norm(evidence.xy[rows][:, known] - xy[known], axis=2)
            cost[:, p] = np.median(away, axis=1) / size
        for flat in np.argsort(cost, axis=None, kind="stable"):
            i, p = np.unravel_index(flat, cost.shape)
            if not cost[i, p] <= _NEAR:
                break
            out[rows[i]] = p
            cost[i], cost[:, p] = np.inf, np.inf
    return out
