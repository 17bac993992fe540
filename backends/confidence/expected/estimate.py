"""Expected errors of a track's bodies, in millimetres: per joint, per keypoint, per vertex."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.confidence.expected.features import track_features
from backends.confidence.expected.model import ErrorModel, shipped_model, table_rows
from backends.confidence.expected.sites import N_SITES, Sites
from backends.confidence.expected.spread import carry_to_vertices, scaled_spread
from backends.confidence.expected.types import ExpectedError, Sighting
from backends.confidence.types import BodyConfidence
from backends.errors import InputError
from backends.fitting.kernels import N_FIT_JOINTS

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]


def expected_errors(
    sites: Sites,
    sightings: Sequence[Sighting],
    model: ErrorModel | None = None,
    *,
    span: tuple[float, float] | None = None,
) -> list[ExpectedError]:
    """Expected errors of one person's bodies in successive frames.

    Neighbouring frames count, up to 0.4 s on either side: long tracks may be given in windows that overlap
    by that. A single frame is judged too, then without what movement tells. Figures hold after the body as
    a whole is aligned.

    Args:
        sites: of the body that was fitted (:func:`make_sites`), made once.
        sightings: one a frame, in order of time.
        model: the one that ships by default.
        span: times at which the whole track begins and ends, where these frames are a window of it.

    Returns:
        One a sighting.

    Raises:
        InputError: no frames, times that do not rise, arrays of a wrong shape, fits of another body.
        WeightsError: the shipped model is missing or damaged.
    """
    model = model or shipped_model()
    features, gathered = track_features(sites, sightings, span)
    centre, scale = model.centre_and_scale(features)
    group = table_rows(features)
    expected = model.expected_mm(centre, scale, group)
    bound = model.bound_mm(centre, scale, group)
    gain = np.outer(model.vertex_gain, model.vertex_gain).astype(np.float64)
    out = []
    for t in range(len(sightings)):
        together = scaled_spread(gathered.posterior[t], expected[t], float(model.together))
        out.append(
            ExpectedError(
                site_mm=expected[t].astype(np.float32),
                bound_mm=bound[t].astype(np.float32),
                group=group[t],
                joint_mm=_carried(sites.joint_weight, together),
                keypoint_mm=_carried(sites.keypoint_weight, together),
                site_spread=(gain * together).astype(np.float32),
                mean_mm=float(expected[t, :N_FIT_JOINTS].mean()),
                centre=centre[t].astype(np.float32),
                scale=scale[t].astype(np.float32),
            )
        )
    return out


def _carried(weight: F8, together: F8) -> F4:
    """(N,) root mean square errors of points that hang on the sites by ``weight`` (N, 27)."""
    out: F4 = np.sqrt(np.maximum(((weight @ together) * weight).sum(axis=1), 0.0)).astype(np.float32)
    return out


def vertex_errors(sites: Sites, error: ExpectedError) -> F4:
    """(V,) float32 expected error of each vertex, mm; about a millisecond for 14,000 vertices."""
    return carry_to_vertices(sites, error.site_spread)


def site_probability(error: ExpectedError, tolerance_mm: float, model: ErrorModel | None = None) -> F4:
    """(27,) probability that each site lies within ``tolerance_mm`` of the truth.

    Raises:
        InputError: a tolerance that is not positive.
    """
    if not tolerance_mm > 0:
        raise InputError(f"A tolerance needs to be positive millimetres, got {tolerance_mm}.")
    model = model or shipped_model()
    p: F4 = model.probability_within(
        error.centre.astype(np.float64), error.scale.astype(np.float64), error.group, tolerance_mm
    ).astype(np.float32)
    return p


def vertex_probability(
    sites: Sites, error: ExpectedError, tolerance_mm: float, model: ErrorModel | None = None
) -> F4:
    """(V,) probability that each vertex lies within ``tolerance_mm`` of the truth.

    By the tables of the sites that a vertex hangs between, each with the tolerance stretched as the
    vertex's expected error is larger or smaller than the site's.

    Raises:
        InputError: a tolerance that is not positive.
    """
    if not tolerance_mm > 0:
        raise InputError(f"A tolerance needs to be positive millimetres, got {tolerance_mm}.")
    model = model or shipped_model()
    mm = np.maximum(vertex_errors(sites, error).astype(np.float64), 1e-3)
    grid = np.geomspace(0.05, 20.0, 64)
    site = error.site_mm.astype(np.float64)
    centre, scale = error.centre.astype(np.float64)[:, None], error.scale.astype(np.float64)[:, None]
    group = np.repeat(error.group[:, None], len(grid), axis=1)
    curves = model.probability_within(
        np.broadcast_to(centre, group.shape), np.broadcast_to(scale, group.shape), group, site[:, None] * grid
    )
    at = np.interp(np.log(tolerance_mm / mm), np.log(grid), np.arange(len(grid)))
    low = np.minimum(at.astype(np.int64), len(grid) - 2)
    share = (at - low)[:, None]
    chosen = sites.vertex_site
    values = curves[chosen, low[:, None]] * (1.0 - share) + curves[chosen, low[:, None] + 1] * share
    p: F4 = (values * sites.vertex_weight).sum(axis=1).astype(np.float32)
    return p


def body_confidence(error: ExpectedError) -> BodyConfidence:
    """The same in the form that the program stores."""
    return BodyConfidence(error.keypoint_mm, error.joint_mm, error.mean_mm)


def track_confidence(
    sites: Sites, sightings: Sequence[Sighting], *, span: tuple[float, float] | None = None
) -> list[BodyConfidence]:
    """:func:`expected_errors` in the form that the program stores, one a sighting."""
    return [body_confidence(e) for e in expected_errors(sites, sightings, span=span)]


def unknown_error(posterior_mm: float = 500.0) -> ExpectedError:
    """The stated low confidence of a person of whom nothing can be used: every figure is ``posterior_mm``."""
    site = np.full(N_SITES, posterior_mm, np.float32)
    full = np.outer(site, site).astype(np.float32)
    centre = np.full(N_SITES, np.log(posterior_mm + 5.0), np.float32)
    return ExpectedError(
        site, site, np.ones(N_SITES, np.uint8), np.full(55, posterior_mm, np.float32),
        np.full(23, posterior_mm, np.float32), full, float(posterior_mm), centre,
        np.full(N_SITES, 0.5, np.float32),
    )  # fmt: skip
